//! Answers of metrics queries in the formats of others, compared with `testdata/metrics`, and by laws that hold for any
//! series.
//!
//! `UPDATE_GOLDEN=1 cargo test -p traceql --test metrics_output` writes the files anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use arrow::{
    array::{Array, AsArray, RecordBatch},
    datatypes::{DataType, Float64Type, TimeUnit, TimestampNanosecondType},
    util::display::{ArrayFormatter, FormatOptions},
};
use proptest::prelude::*;
use serde_json::Value as Json;
use traceql::{
    MetricsResponse, SearchStats, Value,
    output::{exemplars_to_prometheus, metrics_batch, metrics_to_prometheus, metrics_to_tempo},
    series::{Exemplar, Intervals, Label, Series},
};

const SECOND: u64 = 1_000_000_000;
/// 2026-11-21T10:00:00Z.
const START: u64 = 1_795_255_200 * SECOND;
const NONE: f64 = f64::NAN;

fn series(labels: &[(&str, Value)], values: &[f64]) -> Series {
    let labels = labels.iter().map(|(name, value)| Label::new(*name, value.clone())).collect();
    Series { labels, values: values.to_vec(), exemplars: Vec::new() }
}

fn answer(intervals: Intervals, series: Vec<Series>) -> MetricsResponse {
    let stats = SearchStats { blocks: 2, spans: 2_999, rows_read: 750, bytes_read: 65_536, ..SearchStats::default() };
    MetricsResponse { intervals, series, stats, notes: Vec::new(), partial: false }
}

/// What every format has to deal with: types, gaps, infinity, zero, missing and odd labels, exemplars, notes.
fn range() -> MetricsResponse {
    let text = |text: &str| Value::String(text.to_owned());
    let intervals = Intervals::of_range(START, START + 3 * SECOND / 2, SECOND / 2).unwrap();
    let mut api = series(
        &[("resource.service.name", text("api")), ("span.http.status_code", Value::Int(200))],
        &[0.0, 2.0, NONE, 0.1],
    );
    let labels = vec![
        Label::new("trace:id", text("4bf92f3577b34da6a3ce929d0e0e4736")),
        Label::new("span.queue.delay", Value::Duration(1_500_000)),
    ];
    api.exemplars.push(Exemplar { labels, value: 0.25, time_unix_nano: START + SECOND / 4 });
    let all = vec![
        series(&[("resource.service.name", Value::Nil)], &[1.0, 1.0, 1.0, 1.0]),
        api,
        series(
            &[("resource.service.name", text("api")), ("span.http.status_code", Value::Float(200.0))],
            &[1e-7, NONE, 1e21, NONE],
        ),
        series(
            &[("resource.service.name", text("a,\"b\"\n")), ("p", Value::Float(0.99))],
            &[f64::INFINITY, NONE, f64::NEG_INFINITY, NONE],
        ),
        series(
            &[
                ("kind", Value::Kind(2)),
                ("status", Value::Status(2)),
                (".ok", Value::Bool(true)),
                ("d", Value::Duration(100_000_000)),
            ],
            &[NONE, NONE, 7.0, NONE],
        ),
    ];
    let notes = vec!["more than 5 series: some were left out".to_owned()];
    MetricsResponse { notes, partial: true, ..answer(intervals, all) }
}

fn instant() -> MetricsResponse {
    let intervals = Intervals::of_instant(START, START + 900 * SECOND).unwrap();
    let labels = |p: f64| [("p", Value::Float(p))];
    answer(intervals, vec![series(&labels(0.5), &[0.004]), series(&labels(0.9), &[0.0])])
}

/// Compares with a file, or writes it.
fn golden(name: &str, found: &str) {
    let path = format!("{}/../testdata/metrics/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert!(found == expected, "{name} is expected to be\n{expected}\nand is\n{found}");
}

fn pretty(json: &Json) -> String {
    serde_json::to_string_pretty(json).unwrap() + "\n"
}

/// Names and types of the columns, and the rows.
fn table(batch: &RecordBatch) -> String {
    let schema = batch.schema();
    let mut text: String =
        schema.fields().iter().map(|field| format!("{}: {}\n", field.name(), field.data_type())).collect();
    let options = FormatOptions::default().with_null("-");
    let columns: Vec<_> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap()).collect();
    for row in 0..batch.num_rows() {
        let cells: Vec<String> = columns.iter().map(|column| column.value(row).to_string()).collect();
        text.push_str(&format!("{cells:?}\n"));
    }
    text
}

#[test]
fn tempo() {
    golden("range.tempo.json", &pretty(&metrics_to_tempo(&range())));
    golden("instant.tempo.json", &pretty(&metrics_to_tempo(&instant())));
}

#[test]
fn prometheus() {
    golden("range.prometheus.json", &pretty(&metrics_to_prometheus(&range())));
    golden("range.exemplars.json", &pretty(&exemplars_to_prometheus(&range())));
    golden("instant.prometheus.json", &pretty(&metrics_to_prometheus(&instant())));
}

#[test]
fn batches() {
    golden("range.batch.txt", &table(&metrics_batch(&range()).unwrap()));
    golden("instant.batch.txt", &table(&metrics_batch(&instant()).unwrap()));
}

#[test]
fn no_series() {
    let none = answer(Intervals::of_range(START, START + SECOND, SECOND).unwrap(), Vec::new());
    assert_eq!(metrics_to_tempo(&none)["series"], Json::Array(Vec::new()));
    assert_eq!(metrics_to_prometheus(&none)["data"]["result"], Json::Array(Vec::new()));
    let batch = metrics_batch(&none).unwrap();
    assert_eq!((batch.num_rows(), batch.num_columns()), (0, 2));
}

/// A hundred thousand rows repeat their texts without repeating their bytes.
#[test]
fn texts_of_large_answers_are_kept_once() {
    let intervals = Intervals::of_range(START, START + 9_998 * SECOND, SECOND).unwrap();
    let long = "x".repeat(300_000);
    let of = |place: i64| {
        series(&[("a", Value::String(long.clone())), ("b", Value::Int(place))], &vec![1.0; intervals.len()])
    };
    let batch = metrics_batch(&answer(intervals, (0..10).map(of).collect())).unwrap();
    assert_eq!(batch.num_rows(), 10 * intervals.len());
    assert!(batch.get_array_memory_size() < 10_000_000);
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        any::<i64>().prop_map(Value::Duration),
        any::<String>().prop_map(Value::String),
        any::<i32>().prop_map(Value::Status),
        any::<i32>().prop_map(Value::Kind),
        Just(Value::Nil),
        prop::collection::vec(any::<i64>().prop_map(Value::Int), 0..3).prop_map(Value::Array),
    ]
}

fn any_answer() -> impl Strategy<Value = MetricsResponse> {
    let intervals =
        (0..u64::MAX / 4, 1..u64::MAX / 1_000_000, 1..60_u64).prop_map(|(start, step, count)| match count {
            1 => Intervals::of_instant(start, start + step).unwrap(),
            count => Intervals::of_range(start, start + (count - 1) * step, step).unwrap(),
        });
    intervals.prop_flat_map(|intervals| {
        let value = prop_oneof![3 => any::<f64>(), 1 => Just(f64::NAN)];
        let names = prop::sample::subsequence(vec!["a", ".a", "span.a", "span_a", "1", "é\n", "p", "__bucket"], 0..5);
        let labels = names.prop_flat_map(|names| {
            let label = |name: &'static str| any_value().prop_map(move |value| Label::new(name, value));
            names.into_iter().map(label).collect::<Vec<_>>()
        });
        let values = prop::collection::vec(value, intervals.len());
        let one = (labels, values).prop_map(|(labels, values)| Series { labels, values, exemplars: Vec::new() });
        prop::collection::vec(one, 0..6).prop_map(move |series| answer(intervals, series))
    })
}

/// A number as Prometheus writes it.
fn number(text: &Json) -> f64 {
    text.as_str().unwrap().parse().unwrap()
}

proptest! {
    /// Every value is in every format, in the same order, to the last bit, and nothing else is.
    #[test]
    fn no_value_is_lost(answer in any_answer()) {
        let expected: Vec<f64> =
            answer.series.iter().flat_map(|series| &series.values).copied().filter(|value| !value.is_nan()).collect();
        let bits = |values: Vec<f64>| values.into_iter().map(f64::to_bits).collect::<Vec<_>>();

        let batch = metrics_batch(&answer).unwrap();
        let time = batch.column_by_name("time").unwrap();
        prop_assert_eq!(time.data_type(), &DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())));
        prop_assert_eq!(time.as_primitive::<TimestampNanosecondType>().null_count(), 0);
        let values = batch.column_by_name("value").unwrap().as_primitive::<Float64Type>();
        prop_assert_eq!(bits(values.values().to_vec()), bits(expected.clone()));

        let body = metrics_to_prometheus(&answer);
        let result = body["data"]["result"].as_array().unwrap();
        let points = |found: &Json| match found.get("values") {
            Some(values) => values.as_array().unwrap().clone(),
            None => vec![found["value"].clone()],
        };
        let values: Vec<f64> = result.iter().flat_map(points).map(|point| number(&point[1])).collect();
        prop_assert_eq!(bits(values), bits(expected.clone()));
        let metrics: std::collections::HashSet<String> = result.iter().map(|found| found["metric"].to_string()).collect();
        prop_assert_eq!(metrics.len(), result.len());
        for metric in result {
            for name in metric["metric"].as_object().unwrap().keys() {
                prop_assert!(!name.starts_with(|c: char| c.is_ascii_digit()), "{}", name);
                prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty(), "{}", name);
            }
        }

        let body = metrics_to_tempo(&answer);
        let samples = |series: &Json| match series.get("samples") {
            Some(samples) => samples.as_array().unwrap().clone(),
            None => vec![series.clone()],
        };
        let float = |value: Option<&Json>| match value {
            None => 0.0,
            Some(Json::String(text)) => text.parse().unwrap(),
            Some(value) => value.as_f64().unwrap(),
        };
        let values = body["series"].as_array().unwrap().iter().flat_map(samples).map(|sample| float(sample.get("value")));
        // Proto3 has no negative zero.
        let expected = expected.into_iter().map(|value| if value == 0.0 { 0.0 } else { value });
        prop_assert_eq!(bits(values.collect()), bits(expected.collect()));
    }
}
