//! Every metrics query of the recordings gets its expected series from the engine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use serde_json::{Map, Value as Json};
use traceql::{Engine, MetricsOptions, MetricsResponse, Value, series::Label};
use tracestore::Snapshot;

/// How many queries there are; the test fails if it compared fewer.
const QUERIES: usize = 430;

const SECOND: u64 = 1_000_000_000;

/// In the form of the recordings: by the text of the labels the values by time in ms.
fn answer(response: &MetricsResponse) -> Json {
    let series = response.series.iter().map(|series| {
        let labels = series.labels.iter().map(|label| (label.name.clone(), label_json(label)));
        let values = series.values.iter().zip(response.intervals.ends()).filter(|(value, _)| !value.is_nan());
        let values = values.map(|(value, time)| ((time / 1_000_000).to_string(), Json::from(*value)));
        (Json::Object(labels.collect()).to_string(), Json::Object(values.collect()))
    });
    Json::Object(series.collect::<Map<_, _>>())
}

fn label_json(label: &Label) -> Json {
    match &label.value {
        Value::Int(value) => Json::from(*value),
        Value::Bool(value) => Json::from(*value),
        Value::Float(value) if value.is_nan() => Json::from("NaN"),
        Value::Float(value) if value.is_infinite() => Json::from(if *value > 0.0 { "Infinity" } else { "-Infinity" }),
        Value::Float(value) => Json::from(*value),
        _ => Json::from(label.value_text()),
    }
}

#[tokio::test]
async fn every_metrics_query_gets_its_expected_series() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for name in support::RECORDINGS {
        let engine = Engine::new(Snapshot::open(&[support::recording(name)]).unwrap());
        let (start, end) = support::range(name);
        let options = MetricsOptions::new(start * SECOND, end * SECOND).with_step(support::step(name) * SECOND);
        for case in support::metrics(name) {
            compared += 1;
            let difference = match (engine.query_range(&case.query, &options).await, case.code) {
                (Ok(response), 200) => support::metrics_difference(&case.answer, &answer(&response)),
                (Err(error), 200) => Some(error.to_string()),
                (Ok(_), code) => Some(format!("an answer where an error ({code}) is expected")),
                (Err(_), _) => None,
            };
            wrong.extend(difference.map(|difference| format!("{name}: {}\n    {difference}", case.query)));
        }
    }
    println!("compared {compared} metrics queries, {} differ", wrong.len());
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(compared, QUERIES, "metrics queries in the recordings");
}
