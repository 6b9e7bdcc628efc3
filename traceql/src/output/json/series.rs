//! Series as our own JSON.

use serde_json::{Map, Value as Json, json};

use super::{number, stats, value};
use crate::{
    MetricsResponse, TagValue, Value,
    series::{Exemplar, Label, Series},
};

/// An answer as one document: what `traceql query -o json` prints.
#[must_use]
pub fn metrics_to_json(response: &MetricsResponse) -> Json {
    let (start, end) = response.intervals.range();
    json!({
        "series": response.series.iter().map(|series| series_to_json(response, series)).collect::<Vec<_>>(),
        "startTimeUnixNano": start.to_string(),
        "endTimeUnixNano": end.to_string(),
        "stepNanos": response.intervals.step().to_string(),
        "partial": response.partial,
        "notes": response.notes,
        "stats": stats(&response.stats),
    })
}

/// One of its series, with the times and values that there are: a line of what `traceql query -o ndjson` prints.
#[must_use]
pub fn series_to_json(response: &MetricsResponse, series: &Series) -> Json {
    let values = response.intervals.ends().zip(&series.values).filter(|(_, value)| !value.is_nan());
    let values = values.map(|(time, value)| json!([time.to_string(), number(*value)]));
    let mut object = json!({ "labels": labels(&series.labels), "values": values.collect::<Vec<_>>() });
    if let Some(object) = object.as_object_mut().filter(|_| !series.exemplars.is_empty()) {
        object.insert("exemplars".to_owned(), series.exemplars.iter().map(exemplar).collect());
    }
    object
}

fn exemplar(exemplar: &Exemplar) -> Json {
    json!({
        "timeUnixNano": exemplar.time_unix_nano.to_string(),
        "value": number(exemplar.value),
        "labels": labels(&exemplar.labels),
    })
}

fn labels(labels: &[Label]) -> Map<String, Json> {
    let typed = |label: &Label| match &label.value {
        Value::Nil => json!({ "type": "nil", "value": null }),
        given => {
            let found = TagValue { value: given.clone(), count: 0 };
            json!({ "type": found.type_name(), "value": value(given) })
        }
    };
    labels.iter().map(|label| (label.name.clone(), typed(label))).collect()
}
