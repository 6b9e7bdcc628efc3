//! The naive evaluator gives the expected answers to metrics queries too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod naive;
mod support;

use naive::metrics::{self, Intervals, Series};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value as Any},
    trace::v1::{ResourceSpans, ScopeSpans, Span, span::Event},
};

/// How many metrics queries there are: all of the recordings.
const QUERIES: usize = 430;

#[test]
fn the_judge_gives_the_expected_series() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for name in support::RECORDINGS {
        let traces = naive::read_traces(&support::recording(name));
        let intervals = intervals(name);
        for case in support::metrics(name) {
            compared += 1;
            let difference = match traceql::parse(&case.query) {
                Ok(query) if case.code == 200 => {
                    support::metrics_difference(&case.answer, &metrics::answer(&query, &traces, &intervals))
                }
                Ok(_) => Some(format!("an answer where an error ({}) is expected", case.code)),
                Err(error) if case.code == 200 => Some(error.to_string()),
                Err(_) => None,
            };
            wrong.extend(difference.map(|difference| format!("{name}: {}\n    {difference}", case.query)));
        }
    }
    println!("compared {compared} metrics queries, {} differ", wrong.len());
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(compared, QUERIES, "metrics queries in the recordings");
}

fn intervals(name: &str) -> Intervals {
    let nanos = 1_000_000_000;
    let (start, end) = support::range(name);
    Intervals::of_range(start * nanos, end * nanos, support::step(name) * nanos)
}

/// What the recordings lack, on one trace of six spans named as their ids, asked for three intervals that end at 10 s,
/// 20 s and 30 s. A series is its labels and its values, `-` where it has none.
///
/// ```text
/// span  start      lasts  x      list    events
/// 1     10 s       1 s    1      [1, 2]  k = 1 after 2 ms, k = 2 after 4 ms
/// 2     10 s 1 ns  3 ns   1.0    []      k = 2 after 2 ms
/// 3     20 s       4 ns
/// 4     30 s       1 ns   "nil"          without k, after 2 ms
/// 5     30 s 1 ns  1 ns   1
/// 6     0 s        1 ns   1
/// ```
const RULES: &[(&str, &str)] = &[
    // §8.2: left-open, right-closed; traceql.md §8.3: zeros
    ("{ } | count_over_time()", "__name__=count_over_time: 1 2 1"),
    ("{ } | rate()", "__name__=rate: 0.1 0.2 0.1"),
    ("{ name = `7` } | rate()", "__name__=rate: 0 0 0"),
    ("{ name = `7` } | rate() by (name)", ""),
    ("{ name = `7` } | quantile_over_time(duration, 1)", ""),
    // M7: constantly false
    ("{ false } | rate()", ""),
    ("{ 1 = 2 } | count_over_time()", ""),
    ("{ false } || { !true } | count_over_time()", ""),
    ("({ false } | rate()) + ({ } | rate())", ""),
    // M1, V6, S1: every value takes part, what is missing does not
    ("{ } | sum_over_time(span.list)", "__name__=sum_over_time: 3 - -"),
    ("{ } | avg_over_time(event.k)", "__name__=avg_over_time: 1.5 2 -"),
    ("{ } | min_over_time(.x)", "__name__=min_over_time: 1 1 -"),
    // M3: seconds for durations of every kind
    ("{ } | max_over_time(event:timeSinceStart)", "__name__=max_over_time: 0.004 0.002 0.002"),
    ("{ } | sum_over_time(duration) > 100ms", "__name__=sum_over_time: 1 - -"),
    ("{ name = `2` } | sum_over_time(traceDuration)", "__name__=sum_over_time: - 20.000000002 -"),
    // §8.4: no bucket for 1, none for floats
    ("{ } | histogram_over_time(span.list)", "__bucket=2.0: 1 0 0"),
    ("{ } | histogram_over_time(duration)", "__bucket=1.073741824: 1 0 0; __bucket=4e-9: 0 2 0"),
    // §8.5: one series for one quantile, zeros, nil left out beside `p`
    ("{ } | quantile_over_time(event.k, .5, .5) by (span.y)", "p=0.5: 2 2 0"),
    // M2: once, also in several spansets
    ("{ } | by(span.list) | count_over_time()", "__name__=count_over_time: 1 2 1"),
    // M5, S1: once in each group, types apart, a value that cannot be queried by its text, nil apart from that
    (
        "{ } | count_over_time() by (span.list)",
        "span.list=1: 1 0 0; span.list=2: 1 0 0; span.list=[]: 0 1 0; span.list=nil: 0 1 1",
    ),
    ("{ } | count_over_time() by (event.k)", "event.k=1: 1 0 0; event.k=2: 1 1 0; event.k=nil: 0 1 1"),
    (
        "{ } | count_over_time() by (span.x)",
        "span.x=\"nil\": 0 0 1; span.x=1.0: 0 1 0; span.x=1: 1 0 0; span.x=nil: 0 1 0",
    ),
    // §8.6: nil is left out where anything else is known
    (
        "{ } | count_over_time() by (span.x, span.y)",
        "span.x=\"nil\": 0 0 1; span.x=1.0: 0 1 0; span.x=1: 1 0 0; span.x=nil: 0 1 0",
    ),
    // M6
    (
        "{ name = `1` } | count_over_time() by (span.a, span.b, span.c, span.d, span.x, name)",
        "span.x=1 name=\"1\": 1 0 0",
    ),
    // M7: ties: what has no text before what has one, floats before integers; mirrored
    ("{ name != `4` } | count_over_time() by (span.x) | topk(1)", "span.x=1.0: - 1 0; span.x=1: 1 - -"),
    ("{ name != `4` } | count_over_time() by (span.x) | bottomk(1)", "span.x=1: - 0 -; span.x=nil: 0 - 0"),
    // M7: sets of labels
    (
        "({ name = `1` } | rate() by (name, span.x)) * ({ } | count_over_time() by (span.x, name))",
        "name=\"1\" span.x=1: 0.1 0 0",
    ),
    // §8.9
    (
        "({ } | count_over_time()) - 2 * ({ } | count_over_time())",
        "__name__=(count_over_time - count_over_time): -1 -2 -1",
    ),
    ("1 / ({ name = `1` } | count_over_time())", "__name__=count_over_time: 1 - -"),
];

const SECOND: u64 = 1_000_000_000;

#[test]
fn the_judge_follows_the_rules_that_the_recordings_lack() {
    let traces = example();
    let intervals = Intervals::of_range(10 * SECOND, 30 * SECOND, 10 * SECOND);
    let mut wrong = Vec::new();
    for (query, expected) in RULES {
        let found = texts(&metrics::series(&traceql::parse(query).unwrap(), &traces, &intervals)).join("; ");
        if found != *expected {
            wrong.push(format!("{query}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_judge_answers_instant_queries_with_one_interval() {
    let of = |query: &str| {
        let query = traceql::parse(query).unwrap();
        texts(&metrics::series(&query, &example(), &Intervals::of_instant(10 * SECOND, 30 * SECOND)))
    };
    assert_eq!(of("{ } | rate()"), ["__name__=rate: 0.15"]);
    assert_eq!(of("{ } | count_over_time() by (event.k)"), ["event.k=2: 1", "event.k=nil: 2"]);
}

#[test]
fn the_judge_compares_each_attribute_once_per_span() {
    let compare = |query: &str, labels: &[&str]| -> Vec<String> {
        let intervals = Intervals::of_range(10 * SECOND, 30 * SECOND, 10 * SECOND);
        let series = metrics::series(&traceql::parse(query).unwrap(), &example(), &intervals);
        let named = |series: &Series| labels.contains(&series.labels[1].name.as_str());
        texts(&series.into_iter().filter(named).collect::<Vec<_>>())
    };
    // M4: arrays by element, every event's value; the total counts spans
    assert_eq!(
        compare("{ } | compare({ name = `1` })", &["span.list", "event.k"]),
        [
            "__meta_type=\"baseline\" event.k=2: 0 1 0",
            "__meta_type=\"baseline\" span.list=[]: 0 1 0",
            "__meta_type=\"baseline_total\" event.k=nil: 0 1 0",
            "__meta_type=\"baseline_total\" span.list=nil: 0 1 0",
            "__meta_type=\"selection\" event.k=1: 1 0 0",
            "__meta_type=\"selection\" event.k=2: 1 0 0",
            "__meta_type=\"selection\" span.list=1: 1 0 0",
            "__meta_type=\"selection\" span.list=2: 1 0 0",
            "__meta_type=\"selection_total\" event.k=nil: 1 0 0",
            "__meta_type=\"selection_total\" span.list=nil: 1 0 0",
        ]
    );
    // Of equally frequent values the smaller; selected is what starts after 10 s, up to 20 s
    assert_eq!(
        compare("{ } | compare({ }, 1, 10000000000, 20000000000)", &["name"]),
        [
            "__meta_type=\"baseline\" name=\"1\": 1 0 0",
            "__meta_type=\"baseline_total\" name=nil: 1 0 1",
            "__meta_type=\"selection\" name=\"2\": 0 1 0",
            "__meta_type=\"selection_total\" name=nil: 0 2 0",
        ]
    );
    // M4: no ids, times, durations, nested-set numbers
    let labels =
        ["duration", "traceDuration", "span:id", "trace:id", "span:parentID", "event:timeSinceStart", "parent"];
    assert_eq!(compare("{ } | compare({ })", &labels), [""; 0]);
    assert_eq!(compare("{ } | compare({ })", &["nestedSetLeft", "nestedSetRight", "nestedSetParent"]), [""; 0]);
}

#[test]
#[should_panic(expected = "not judged")]
fn the_judge_does_not_judge_samples() {
    let query = traceql::parse("{ } | rate() with (sample = 0.5)").unwrap();
    metrics::series(&query, &example(), &Intervals::of_instant(0, SECOND));
}

/// `span.x="nil" name="1": 1 - 0`, sorted.
fn texts(series: &[Series]) -> Vec<String> {
    let number = |value: &f64| if value.is_nan() { "-".to_owned() } else { value.to_string() };
    let text = |series: &Series| {
        let labels: Vec<String> = series.labels.iter().map(ToString::to_string).collect();
        let values: Vec<String> = series.values.iter().map(number).collect();
        format!("{}: {}", labels.join(" "), values.join(" "))
    };
    let mut texts: Vec<String> = series.iter().map(text).collect();
    texts.sort();
    texts
}

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn span(id: u8, start: u64, nanos: u64, attributes: Vec<KeyValue>) -> Span {
    Span {
        trace_id: vec![1; 16],
        span_id: vec![id; 8],
        name: id.to_string(),
        start_time_unix_nano: start,
        end_time_unix_nano: start + nanos,
        attributes,
        ..Span::default()
    }
}

/// Events a number of ms after the start of a span, with `k` where there is one.
fn with_events(span: Span, events: &[(u64, Option<i64>)]) -> Span {
    let event = |(millis, k): &(u64, Option<i64>)| Event {
        time_unix_nano: span.start_time_unix_nano + millis * 1_000_000,
        attributes: k.iter().map(|k| attribute("k", Any::IntValue(*k))).collect(),
        ..Event::default()
    };
    Span { events: events.iter().map(event).collect(), ..span }
}

fn example() -> Vec<naive::Trace> {
    let int = |value| attribute("x", Any::IntValue(value));
    let list = |values: &[i64]| {
        let values = values.iter().map(|value| AnyValue { value: Some(Any::IntValue(*value)) }).collect();
        attribute("list", Any::ArrayValue(ArrayValue { values }))
    };
    let nil = attribute("x", Any::StringValue("nil".to_owned()));
    let spans = vec![
        with_events(span(1, 10 * SECOND, SECOND, vec![int(1), list(&[1, 2])]), &[(2, Some(1)), (4, Some(2))]),
        with_events(
            span(2, 10 * SECOND + 1, 3, vec![attribute("x", Any::DoubleValue(1.0)), list(&[])]),
            &[(2, Some(2))],
        ),
        span(3, 20 * SECOND, 4, Vec::new()),
        with_events(span(4, 30 * SECOND, 1, vec![nil]), &[(2, None)]),
        span(5, 30 * SECOND + 1, 1, vec![int(1)]),
        span(6, 0, 1, vec![int(1)]),
    ];
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    naive::Trace::of(&[ExportTraceServiceRequest { resource_spans }])
}
