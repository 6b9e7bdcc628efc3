//! Series as our own JSON and as CSV: a series per line, and a value per line.

use std::io::Write;

use serde_json::{Map, Value as Json, json};
use traceql::{
    MetricsResponse, TagValue, Value,
    series::{Exemplar, Label, Series},
};

use super::csv::line;
use crate::exit::Failure;

/// One document.
pub(crate) fn metrics_json(out: &mut impl Write, response: &MetricsResponse) -> Result<(), Failure> {
    let (start, end) = response.intervals.range();
    let document = json!({
        "series": response.series.iter().map(|one| series(response, one)).collect::<Vec<_>>(),
        "startTimeUnixNano": start.to_string(),
        "endTimeUnixNano": end.to_string(),
        "stepNanos": response.intervals.step().to_string(),
        "partial": response.partial,
        "notes": response.notes,
        "stats": super::json::stats(&response.stats),
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    Ok(writeln!(out)?)
}

/// A series per line.
pub(crate) fn metrics_ndjson(out: &mut impl Write, response: &MetricsResponse) -> Result<(), Failure> {
    for one in &response.series {
        serde_json::to_writer(&mut *out, &series(response, one))?;
        writeln!(out)?;
    }
    Ok(())
}

/// Times and values, those there are.
fn series(response: &MetricsResponse, series: &Series) -> Json {
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
        value => {
            let found = TagValue { value: value.clone(), count: 0 };
            json!({ "type": found.type_name(), "value": super::json::value(value) })
        }
    };
    labels.iter().map(|label| (label.name.clone(), typed(label))).collect()
}

/// JSON has no number for the infinite.
fn number(value: f64) -> Json {
    if value.is_finite() { json!(value) } else { json!(value.to_string()) }
}

/// A line per value: its time, the series' labels (empty where it lacks one), the value.
pub(crate) fn metrics_csv(out: &mut impl Write, response: &MetricsResponse) -> Result<(), Failure> {
    let mut names: Vec<&str> = Vec::new();
    for label in response.series.iter().flat_map(|series| &series.labels) {
        if !names.contains(&label.name.as_str()) {
            names.push(&label.name);
        }
    }
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    line(out, [texts(&["time_unix_nano"]), texts(&names), texts(&["value"])].into_iter().flatten())?;
    for series in &response.series {
        let label = |name: &&str| series.labels.iter().find(|label| label.name == **name);
        let labels: Vec<String> =
            names.iter().map(|name| label(name).map_or(String::new(), Label::value_text)).collect();
        for (time, value) in response.intervals.ends().zip(&series.values).filter(|(_, value)| !value.is_nan()) {
            line(out, std::iter::once(time.to_string()).chain(labels.iter().cloned()).chain([value.to_string()]))?;
        }
    }
    Ok(())
}
