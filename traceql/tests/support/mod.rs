//! The recordings of `testdata/conformance`: queries, the answers they must get, and when two answers agree.

#![allow(dead_code, reason = "every test file uses its own part")]

use std::{collections::BTreeMap, io::Read, path::PathBuf};

use serde_json::{Map, Value};

/// The recordings.
pub(crate) const RECORDINGS: [&str; 4] = ["shop", "clean", "random-a", "random-b"];

/// A query and its answer.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) query: String,
    pub(crate) code: u64,
    pub(crate) answer: Value,
}

/// A file of the test data.
pub(crate) fn testdata(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata")).join(name)
}

/// The spans of a recording.
pub(crate) fn recording(name: &str) -> PathBuf {
    testdata(&format!("conformance/{name}.otlp.zst"))
}

/// The time range, unix seconds, that a recording's queries are asked with.
pub(crate) fn range(name: &str) -> (u64, u64) {
    let text = std::fs::read_to_string(testdata(&format!("conformance/{name}.range.json"))).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    (json["start"].as_u64().unwrap(), json["end"].as_u64().unwrap())
}

/// The searches of a recording whose text is a single filter.
pub(crate) fn single_filters(name: &str) -> Vec<Case> {
    searches(name).into_iter().filter(|case| is_single_filter(&case.query)).collect()
}

/// All searches of a recording.
pub(crate) fn searches(name: &str) -> Vec<Case> {
    let file = std::fs::File::open(testdata(&format!("conformance/{name}.expected.jsonl.gz"))).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let cases = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    cases
        .filter(|case| case["kind"] == "search")
        .map(|case| Case {
            query: case["q"].as_str().unwrap().to_owned(),
            code: case["code"].as_u64().unwrap(),
            answer: case["answer"].clone(),
        })
        .collect()
}

/// Whether a text is one pair of braces and what is in it. Does not use the parser, so that a fault of the parser
/// cannot hide a query.
pub(crate) fn is_single_filter(query: &str) -> bool {
    let text: Vec<char> = query.trim().chars().collect();
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        match text[at] {
            quote @ ('"' | '`') => {
                at += 1;
                while at < text.len() && text[at] != quote {
                    at += if text[at] == '\\' && quote == '"' { 2 } else { 1 };
                }
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    at >= text.len() && text.first() == Some(&'{')
}

/// An answer of Tempo's search API in the form of the recordings.
pub(crate) fn normalise(response: &Value) -> Value {
    let traces = response["traces"].as_array().into_iter().flatten();
    Value::Object(traces.map(|trace| (pad(&trace["traceID"]), normalise_trace(trace))).collect())
}

fn pad(id: &Value) -> String {
    format!("{:0>32}", id.as_str().unwrap())
}

fn normalise_trace(trace: &Value) -> Value {
    let stats = trace["serviceStats"].as_object().into_iter().flatten();
    let sets = trace["spanSets"].as_array().into_iter().flatten();
    serde_json::json!({
        "root_service": trace["rootServiceName"],
        "root_name": trace.get("rootTraceName").cloned().unwrap_or_else(|| "".into()),
        "start": trace.get("startTimeUnixNano").cloned().unwrap_or_else(|| "0".into()),
        "duration_ms": trace.get("durationMs").cloned().unwrap_or_else(|| 0.into()),
        "service_stats": stats.map(|(name, stats)| (name.clone(), stats.clone())).collect::<Map<_, _>>(),
        "span_sets": sets.map(normalise_set).collect::<Vec<_>>(),
    })
}

fn normalise_set(set: &Value) -> Value {
    let spans = set["spans"].as_array().into_iter().flatten();
    let spans: Map<String, Value> = spans
        .map(|span| {
            let id = span["spanID"].as_str().unwrap().to_owned();
            let zero = || Value::from("0");
            let value = serde_json::json!({
                "start": span.get("startTimeUnixNano").cloned().unwrap_or_else(zero),
                "duration": span.get("durationNanos").cloned().unwrap_or_else(zero),
                "attributes": normalise_attributes(&span["attributes"]),
            });
            (id, value)
        })
        .collect();
    serde_json::json!({
        "spans": spans,
        "matched": set.get("matched").cloned().unwrap_or_else(|| 0.into()),
        "attributes": normalise_attributes(&set["attributes"]),
    })
}

fn normalise_attributes(attributes: &Value) -> Value {
    let attributes = attributes.as_array().into_iter().flatten();
    attributes.map(|attribute| serde_json::json!([attribute["key"], normalise_value(&attribute["value"])])).collect()
}

fn normalise_value(value: &Value) -> Value {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "intValue" => Value::from(value.as_str().unwrap().parse::<i64>().unwrap()),
        "arrayValue" => value["values"].as_array().into_iter().flatten().map(normalise_value).collect(),
        _ => value.clone(),
    }
}

/// How an answer differs from what is expected; `None` if it does not. A span may list more attributes than expected.
pub(crate) fn difference(expected: &Value, actual: &Value) -> Option<String> {
    let (expected, actual) = (expected.as_object().unwrap(), actual.as_object().unwrap());
    let missing: Vec<_> = expected.keys().filter(|id| !actual.contains_key(*id)).collect();
    let extra: Vec<_> = actual.keys().filter(|id| !expected.contains_key(*id)).collect();
    if !missing.is_empty() || !extra.is_empty() {
        let (first, of) = (missing.first().or(extra.first()).unwrap(), expected.len());
        return Some(format!("{} traces missing, {} extra of {of}, such as {first}", missing.len(), extra.len()));
    }
    expected
        .iter()
        .find_map(|(id, trace)| trace_difference(trace, &actual[id]).map(|text| format!("trace {id}: {text}")))
}

fn trace_difference(expected: &Value, actual: &Value) -> Option<String> {
    for field in ["root_service", "root_name", "start", "duration_ms", "service_stats"] {
        if !same(&expected[field], &actual[field]) {
            return Some(format!("{field}: expected {}, got {}", expected[field], actual[field]));
        }
    }
    let (expected, actual) = (expected["span_sets"].as_array().unwrap(), actual["span_sets"].as_array().unwrap());
    if expected.len() != actual.len() {
        return Some(format!("{} spansets expected, {} got", expected.len(), actual.len()));
    }
    sets_difference(expected, actual)
}

/// Spansets come in any order: each has one with the same attributes, or, where that is several, one that is the same.
fn sets_difference(expected: &[Value], actual: &[Value]) -> Option<String> {
    let mut rest: Vec<&Value> = actual.iter().collect();
    expected.iter().find_map(|expected| {
        let called_so = |set: &&&Value| same_attributes(&expected["attributes"], &set["attributes"]);
        let equal = rest.iter().position(|set| called_so(&set) && set_difference(expected, set).is_none());
        if let Some(place) = equal {
            rest.remove(place);
            return None;
        }
        Some(match rest.iter().find(called_so) {
            Some(set) => format!("spanset {}: {}", expected["attributes"], set_difference(expected, set).unwrap()),
            None => {
                let others: Vec<_> = rest.iter().map(|set| set["attributes"].to_string()).collect();
                format!("no spanset {}, but {}", expected["attributes"], others.join(", "))
            }
        })
    })
}

/// The same pairs in any order, equal ones as often.
fn same_attributes(expected: &Value, actual: &Value) -> bool {
    let (expected, actual) = (expected.as_array().unwrap(), actual.as_array().unwrap());
    let mut rest: Vec<&Value> = actual.iter().collect();
    let found = expected.iter().all(|wanted| {
        let place = rest.iter().position(|pair| pair[0] == wanted[0] && same(&wanted[1], &pair[1]));
        place.map(|place| rest.remove(place)).is_some()
    });
    found && rest.is_empty()
}

fn set_difference(expected: &Value, actual: &Value) -> Option<String> {
    let (spans, found) = (expected["spans"].as_object().unwrap(), actual["spans"].as_object().unwrap());
    if spans.keys().ne(found.keys()) || expected["matched"] != actual["matched"] {
        return Some(format!("spans {:?} expected, got {:?}", spans.keys(), found.keys()));
    }
    spans.iter().find_map(|(id, span)| {
        let other = &found[id];
        for field in ["start", "duration"] {
            if !same(&number(&span[field]), &number(&other[field])) {
                return Some(format!("span {id} {field}: expected {}, got {}", span[field], other[field]));
            }
        }
        let have = other["attributes"].as_array().unwrap();
        let lacks =
            span["attributes"].as_array().unwrap().iter().find(|pair| !have.iter().any(|other| covers(pair, other)));
        lacks.map(|pair| format!("span {id} lacks attribute {pair}, has {}", other["attributes"]))
    })
}

/// Whether an attribute that was got says what is expected; one element stands for its array.
fn covers(expected: &Value, actual: &Value) -> bool {
    if expected[0] != actual[0] {
        return false;
    }
    match (&expected[1], &actual[1]) {
        (Value::Array(wanted), Value::Array(have)) => {
            wanted.iter().all(|value| have.iter().any(|other| same(value, other)))
        }
        (wanted, Value::Array(have)) => have.iter().any(|other| same(wanted, other)),
        (wanted, have) => same(wanted, have),
    }
}

fn number(value: &Value) -> Value {
    value.as_str().and_then(|text| text.parse::<u64>().ok()).map_or_else(|| value.clone(), Value::from)
}

/// Equal, floats to nine digits.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(x), Some(y)) => a == b || (x - y).abs() <= 1e-9 * x.abs().max(y.abs()),
        _ => match (a, b) {
            (Value::Object(x), Value::Object(y)) => {
                let zero = Value::from(0);
                let keys = x.keys().chain(y.keys());
                keys.into_iter().all(|key| same(x.get(key).unwrap_or(&zero), y.get(key).unwrap_or(&zero)))
            }
            _ => a == b,
        },
    }
}

/// All metrics queries of a recording.
pub(crate) fn metrics(name: &str) -> Vec<Case> {
    let file = std::fs::File::open(testdata(&format!("conformance/{name}.expected.jsonl.gz"))).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let cases = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let metrics = cases.filter(|case| case["kind"] == "metrics").map(|mut case| Case {
        query: case["q"].as_str().unwrap().to_owned(),
        code: case["code"].as_u64().unwrap(),
        answer: case["answer"].take(),
    });
    metrics.collect()
}

/// The step, in seconds, that a recording's metrics queries are asked with.
pub(crate) fn step(name: &str) -> u64 {
    let text = std::fs::read_to_string(testdata(&format!("conformance/{name}.range.json"))).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    json["step"].as_str().unwrap().trim_end_matches('s').parse().unwrap()
}

/// How an answer of series differs from what is expected; `None` if it does not. The recordings write 2.0 as 2 and so
/// hold one of two series that are told apart by that alone: any of them may be the one expected.
pub(crate) fn metrics_difference(expected: &Value, actual: &Value) -> Option<String> {
    let (expected, actual) = (by_labels(expected), by_labels(actual));
    let missing = expected.keys().find(|labels| !actual.contains_key(*labels));
    let extra = actual.keys().find(|labels| !expected.contains_key(*labels));
    if missing.is_some() || extra.is_some() {
        let numbers = (expected.len(), actual.len());
        return Some(format!("{} series expected, got {}: lacks {missing:?}, has {extra:?}", numbers.0, numbers.1));
    }
    expected.iter().find_map(|(labels, expected)| {
        let found = &actual[labels];
        let wanted = expected.iter().find(|values| !found.iter().any(|others| same_values(values, others)))?;
        Some(format!("series {labels}: expected {wanted}, got {found:?}"))
    })
}

/// Series by their labels in the spelling of the recordings: whole floats as integers; and JSON in texts, of which only
/// the meaning is given, without blanks.
fn by_labels(answer: &Value) -> BTreeMap<String, Vec<Value>> {
    let mut series: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (text, values) in answer.as_object().unwrap() {
        let labels: BTreeMap<String, Value> = serde_json::from_str(text).unwrap();
        let labels: BTreeMap<String, Value> =
            labels.into_iter().map(|(name, value)| (name, label_value(value))).collect();
        series.entry(serde_json::to_string(&labels).unwrap()).or_default().push(values.clone());
    }
    series
}

fn label_value(value: Value) -> Value {
    match &value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => Value::from(float as i64),
            _ => value,
        },
        Value::String(text) if text.starts_with(['{', '[']) => {
            let json = serde_json::from_str::<Value>(text).ok();
            json.map_or_else(|| value.clone(), |json| json.to_string().into())
        }
        _ => value,
    }
}

/// Values at the same times, to nine digits.
fn same_values(expected: &Value, actual: &Value) -> bool {
    let (expected, actual) = (expected.as_object().unwrap(), actual.as_object().unwrap());
    expected.len() == actual.len()
        && expected.iter().all(|(time, value)| actual.get(time).is_some_and(|other| is_close(value, other)))
}

fn is_close(a: &Value, b: &Value) -> bool {
    let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
    a == b || (a - b).abs() <= (1e-9 * a.abs().max(b.abs())).max(1e-12)
}
