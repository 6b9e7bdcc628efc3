//! The naive evaluator itself gives the expected answers: only then can it judge.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod naive;
mod support;

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value as Any},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, span::Event, span::Link},
};
use proptest::{
    collection::vec,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

/// How many searches there are: all of the recordings.
const SEARCHES: usize = 879;

#[test]
fn the_judge_gives_the_expected_answers() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for name in support::RECORDINGS {
        let traces = naive::read_traces(&support::recording(name));
        for case in support::searches(name) {
            compared += 1;
            let difference = match traceql::parse(&case.query) {
                Ok(query) if case.code == 200 => {
                    support::difference(&case.answer, &naive::search(&query, &traces, Some(support::range(name))))
                }
                Ok(_) => Some(format!("an answer where an error ({}) is expected", case.code)),
                Err(error) if case.code == 200 => Some(error.to_string()),
                Err(_) => None,
            };
            wrong.extend(difference.map(|difference| format!("{name}: {}\n    {difference}", case.query)));
        }
    }
    println!("compared {compared} searches, {} differ", wrong.len());
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(compared, SEARCHES, "searches in the recordings");
}

/// What the recordings lack, on one trace of eight spans named as their ids:
///
/// ```text
/// 1           x = 1, list = [1, 2], events with k = 1 and k = 2, two links
/// ├─ 2        x = 2, list = [2], an event with k = 2
/// │  └─ 3     x = 2.0, an event without k
/// └─ 4        x = 1
/// 7           a second root; list = [], bytes
/// 9 (missing)
/// ├─ 5        x = 1, nan = NaN
/// │  └─ 6     nan = 1.5
/// └─ 8        x = "nil"
/// ```
const RULES: &[(&str, &str)] = &[
    // T1
    ("{ name = `1` } ~ { }", "7"),
    ("{ name = `5` } ~ { }", "8"),
    ("{ name = `4` } ~ { }", "2"),
    ("{ name = `5` } > { }", "6"),
    ("{ name = `5` } >> { }", "6"),
    ("{ name = `6` } << { }", "5"),
    ("{ name = `1` } !>> { }", "1 5 6 7 8"),
    ("{ name = `9` } !~ { name != `1` }", "2 3 4 5 6 7 8"),
    ("{ name = `3` || name = `7` } &<< { name = `1` || name = `8` }", "1 3"),
    ("{ } &~ { name = `8` }", "5 8"),
    ("{ name = `1` } > { } > { }", "3"),
    // traceql.md §5: within each group, by the relations of the whole trace
    ("{ name = `1` || name = `3` } | { } >> { }", "3"),
    ("{ } | by(span.x = 1) | { } > { }", "3 [by(span.x = 1)=false]; 4 [by(span.x = 1)=true]"),
    // M5, S1: once in each group; types are told apart, nil is not the text
    (
        "{ } | by(span.list)",
        "1 2 [by(span.list)=2]; 1 [by(span.list)=1]; 3 4 5 6 8 [by(span.list)=nil]; 7 [by(span.list)=[]]",
    ),
    ("{ } | by(event.k)", "1 2 [by(event.k)=2]; 1 [by(event.k)=1]; 3 4 5 6 7 8 [by(event.k)=nil]"),
    (
        "{ } | by(span.x)",
        "1 4 5 [by(span.x)=1]; 2 [by(span.x)=2]; 3 [by(span.x)=2.0]; 6 7 [by(span.x)=nil]; 8 [by(span.x)=nil]",
    ),
    ("by(span.bytes) | { name = `7` }", "7 [by(span.bytes)=\"AQI=\"]"),
    ("{ } | by(event.k = 2)", "1 2 [by(event.k = 2)=true]; 1 3 4 5 6 7 8 [by(event.k = 2)=false]"),
    ("{ } | by(1 + 1 = span.list)", "1 2 [by(2 = span.list)=true]; 3 4 5 6 7 8 [by(2 = span.list)=false]"),
    ("{ } | by(span.list) | coalesce() | count() = 8", "1 2 3 4 5 6 7 8 [count()=8]"),
    // V8: every element, every event; types side by side
    ("{ } | sum(span.list) = 5", "1 2 3 4 5 6 7 8 [sum(span.list)=5]"),
    ("{ } | avg(event.k) > 1.6", "1 2 3 4 5 6 7 8 [avg(event.k)=1.6666666666666667]"),
    ("{ } | sum(span.x) = 7", "1 2 3 4 5 6 7 8 [sum(span.x)=7.0]"),
    ("{ } | max(span.y) != 0", ""),
    ("{ } | max(span.nan) = min(span.nan)", "1 2 3 4 5 6 7 8 [max(span.nan)=1.5, min(span.nan)=1.5]"),
    ("{ name = `5` } | max(span.nan) != 0", "5 [max(span.nan)=NaN]"),
    // S1: a condition on events is false without any
    ("{ (event:timeSinceStart * 2) = nil }", ""),
    // P1
    ("{ } | count() = 8 | { name = `1` } | count() = 1", "1 [count()=8, count()=1]"),
    // X4
    ("{ parent.x = 1 }", "2 4 6"),
    ("{ parent.span.x = 2.0 }", "3"),
    ("{ parent.service.name = `shop` && parent.resource.service.name != `` }", "2 3 4 6"),
    ("{ parent = nil }", "1 5 7 8"),
    ("{ nil != parent }", "2 3 4 6"),
    ("{ parent.x = nil }", "1 5 7 8"),
    ("{ parent != 1 || parent = `x` }", ""),
    ("{ } | by(parent.list) | count() = 2", "2 4 [by(parent.list)=1, count()=2]"),
    // X5: in order of the text, missing is false
    ("{ } | max(span.x) < count() - 1", "1 2 3 4 5 6 7 8 [max(span.x)=2, count()=8]"),
    ("{ } | count() != max(span.y)", ""),
    ("{ } | count() / (count() - count()) != 1", ""),
    (
        "{ } | by(span.list) | 2 * min(span.x) >= count()",
        "1 2 [by(span.list)=2, min(span.x)=1, count()=2]; 1 [by(span.list)=1, min(span.x)=1, count()=1]",
    ),
    // X6
    (
        "({ name = `1` } | count()) + ({ } | by(span.list) | count()) = 9",
        "1 2 3 4 5 6 7 8 [{ name = `1` }|count()=1, { true }|by(span.list)|count()=8]",
    ),
    ("({ false } | count()) = 0", "1 2 3 4 5 6 7 8 [{ false }|count()=0]"),
    ("({ false } | max(duration)) != 1", ""),
    // T5: grouped as the right side; `&&` and `||` make one spanset
    (
        "({ } | by(name)) > ({ } | by(span.x))",
        "2 [by(span.x)=2]; 3 [by(span.x)=2.0]; 4 [by(span.x)=1]; 6 [by(span.x)=nil]",
    ),
    (
        "({ } | count() > 1) &> ({ } | by(span.x) | count() = 1)",
        "1 2 [by(span.x)=2, count()=1]; 2 3 [by(span.x)=2.0, count()=1]",
    ),
    ("({ name = `4` } | by(name)) !> ({ } | by(span.x) | count() = 3)", "1 4 5 [by(span.x)=1, count()=3]"),
    ("({ } | by(span.x) | count() = 1) && ({ name = `1` })", "1 2 3 8"),
    ("({ } | by(span.x) | count() = 1) && ({ name = `9` })", ""),
    ("({ } | by(span.x) | count() = 1) || ({ name = `9` })", "2 3 8"),
];

/// T2, on a trace with two spans of id 1, the client's and the server's half; their children 2 and, a server's, 3; a
/// cycle of 4 and 5, of which 4 starts first; 6, which is its own parent.
const SHARED_IDS: &[(&str, &str)] = &[
    ("{ name = `client` } > { }", "1 3"),
    ("{ name = `server` } > { }", "2"),
    ("{ name = `server` } ~ { }", "3"),
    ("{ name = `2` } ~ { }", ""),
    ("{ name = `4` } > { }", "5"),
    ("{ name = `5` } >> { }", ""),
    ("{ name = `4` } ~ { }", ""),
    ("{ name = `6` } > { }", ""),
    ("{ parent = nil }", "1 4 6"),
];

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn span(id: u8, parent: u8, attributes: Vec<KeyValue>, events: &[Option<i64>]) -> Span {
    let event = |k: &Option<i64>| Event {
        attributes: k.iter().map(|k| attribute("k", Any::IntValue(*k))).collect(),
        ..Event::default()
    };
    Span {
        trace_id: vec![1; 16],
        span_id: vec![id; 8],
        parent_span_id: if parent == 0 { Vec::new() } else { vec![parent; 8] },
        name: id.to_string(),
        attributes,
        events: events.iter().map(event).collect(),
        ..Span::default()
    }
}

fn example() -> Vec<naive::Trace> {
    let x = |value| attribute("x", value);
    let list = |values: &[i64]| {
        let values = values.iter().map(|value| AnyValue { value: Some(Any::IntValue(*value)) }).collect();
        attribute("list", Any::ArrayValue(ArrayValue { values }))
    };
    let nan = |value| attribute("nan", Any::DoubleValue(value));
    let first = span(1, 0, vec![x(Any::IntValue(1)), list(&[1, 2])], &[Some(1), Some(2)]);
    trace(vec![
        Span { links: vec![Link::default(), Link::default()], ..first },
        span(2, 1, vec![x(Any::IntValue(2)), list(&[2])], &[Some(2)]),
        span(3, 2, vec![x(Any::DoubleValue(2.0))], &[None]),
        span(4, 1, vec![x(Any::IntValue(1))], &[]),
        span(5, 9, vec![x(Any::IntValue(1)), nan(f64::NAN)], &[]),
        span(6, 5, vec![nan(1.5)], &[]),
        span(7, 0, vec![list(&[]), attribute("bytes", Any::BytesValue(vec![1, 2]))], &[]),
        span(8, 9, vec![x(Any::StringValue("nil".to_owned()))], &[]),
    ])
}

fn shared_ids() -> Vec<naive::Trace> {
    let (server, client) = (2, 3);
    trace(vec![
        Span { name: "client".to_owned(), kind: client, ..span(1, 0, Vec::new(), &[]) },
        Span { name: "server".to_owned(), kind: server, ..span(1, 1, Vec::new(), &[]) },
        span(2, 1, Vec::new(), &[]),
        Span { kind: server, ..span(3, 1, Vec::new(), &[]) },
        Span { start_time_unix_nano: 1, ..span(4, 5, Vec::new(), &[]) },
        Span { start_time_unix_nano: 2, ..span(5, 4, Vec::new(), &[]) },
        span(6, 6, Vec::new(), &[]),
    ])
}

fn trace(spans: Vec<Span>) -> Vec<naive::Trace> {
    let attributes = vec![attribute("service.name", Any::StringValue("shop".to_owned()))];
    let resource_spans = ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    };
    naive::Trace::of(&[ExportTraceServiceRequest { resource_spans: vec![resource_spans] }])
}

/// The spansets of the only trace: ids, and attributes in brackets.
fn spansets(answer: &serde_json::Value) -> String {
    let sets = answer.as_object().unwrap().values().flat_map(|trace| trace["span_sets"].as_array().unwrap());
    let mut texts: Vec<String> = sets
        .map(|set| {
            let ids: Vec<&str> = set["spans"].as_object().unwrap().keys().map(|id| &id[1..2]).collect();
            let attributes = set["attributes"].as_array().unwrap().iter();
            let attributes = attributes.map(|pair| {
                let value = pair[1].as_str().map_or_else(|| pair[1].to_string(), str::to_owned);
                format!("{}={value}", pair[0].as_str().unwrap())
            });
            let attributes = attributes.collect::<Vec<_>>().join(", ");
            if attributes.is_empty() { ids.join(" ") } else { format!("{} [{attributes}]", ids.join(" ")) }
        })
        .collect();
    texts.sort();
    texts.join("; ")
}

#[test]
fn the_judge_follows_the_rules_that_the_recordings_lack() {
    let mut wrong = Vec::new();
    for (traces, rules) in [(example(), RULES), (shared_ids(), SHARED_IDS)] {
        for (query, expected) in rules {
            let found = spansets(&naive::search(&traceql::parse(query).unwrap(), &traces, None));
            if found != *expected {
                wrong.push(format!("{query}\n  expected {expected}\n  found    {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn most_random_pipelines_are_well_typed_and_many_find_something() {
    let mut runner = TestRunner::deterministic();
    let (mut valid, mut found, mut several) = (0, 0, 0);
    for _ in 0..500 {
        let text = naive::pipeline().new_tree(&mut runner).unwrap().current();
        let requests = vec(naive::large_request(), 1..3).new_tree(&mut runner).unwrap().current();
        let Ok(query) = traceql::parse(&text) else { continue };
        let answer = naive::search(&query, &naive::Trace::of(&requests), None);
        let traces: Vec<_> = answer.as_object().unwrap().values().collect();
        valid += 1;
        found += usize::from(!traces.is_empty());
        several += usize::from(traces.iter().any(|trace| trace["span_sets"].as_array().unwrap().len() > 1));
    }
    println!("{valid} are valid, {found} find something, {several} several spansets in a trace");
    assert!(valid > 480 && found > 200 && several > 40, "{valid} valid, {found} find something, {several} several");
}
