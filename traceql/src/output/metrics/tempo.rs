//! Series as the JSON bodies of Tempo's metrics endpoints: `/api/metrics/query_range`, and `/api/metrics/query` for an
//! instant query.

use serde_json::{Value as Json, json};

use crate::{
    MetricsResponse,
    output::proto::{Object, any_value},
    series::{Exemplar, Label, Series},
};

const NANOS_PER_MILLI: u64 = 1_000_000;

/// The answer as Tempo would give it: times in milliseconds, no sample where there is no value, zeros left out.
#[must_use]
pub fn metrics_to_tempo(response: &MetricsResponse) -> Json {
    let instant = response.intervals.len() == 1;
    let times: Vec<u64> = response.intervals.ends().map(|end| end / NANOS_PER_MILLI).collect();
    let shown = response.series.iter().filter(|series| series.has_values());
    let series = shown.map(|series| if instant { value(series) } else { samples(series, &times) });
    let mut body = Object::default();
    body.put("series", series.collect());
    body.put("metrics", metrics(response));
    if response.partial {
        body.put("status", json!("PARTIAL"));
    }
    if !response.notes.is_empty() {
        body.put("message", json!(response.notes.join("; ")));
    }
    body.into_json()
}

fn metrics(response: &MetricsResponse) -> Json {
    let stats = &response.stats;
    let mut metrics = Object::default();
    metrics.text("inspectedBytes", stats.bytes_read);
    metrics.text("inspectedSpans", stats.rows_read);
    metrics.number("totalBlocks", stats.blocks);
    metrics.number("completedJobs", stats.blocks);
    metrics.number("totalJobs", stats.blocks);
    metrics.into_json()
}

/// A series of an instant query.
fn value(series: &Series) -> Json {
    let mut object = Object::default();
    object.put("labels", labels(&series.labels));
    object.float("value", series.values.first().copied().unwrap_or_default());
    object.into_json()
}

fn samples(series: &Series, times: &[u64]) -> Json {
    let samples = times.iter().zip(&series.values).filter(|(_, value)| !value.is_nan()).map(|(time, value)| {
        let mut sample = Object::default();
        sample.text("timestampMs", *time);
        sample.float("value", *value);
        sample.into_json()
    });
    let mut object = Object::default();
    object.put("labels", labels(&series.labels));
    object.put("samples", samples.collect());
    if !series.exemplars.is_empty() {
        object.put("exemplars", series.exemplars.iter().map(exemplar).collect());
    }
    object.into_json()
}

fn exemplar(exemplar: &Exemplar) -> Json {
    let mut object = Object::default();
    object.put("labels", labels(&exemplar.labels));
    object.float("value", exemplar.value);
    object.text("timestampMs", exemplar.time_unix_nano / NANOS_PER_MILLI);
    object.into_json()
}

fn labels(labels: &[Label]) -> Json {
    labels.iter().map(|label| json!({ "key": label.name, "value": any_value(&label.value) })).collect()
}
