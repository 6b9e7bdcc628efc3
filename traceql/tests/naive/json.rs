//! Values as answers show them.

use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value::Value as Any};
use serde_json::{Value as Json, json};

use super::value::Value;

/// A value in the form of the recordings; what is missing is `nil`.
pub(super) fn value(value: Option<&Value>) -> Json {
    match value {
        None => json!("nil"),
        Some(Value::Bool(value)) => json!(value),
        Some(Value::Int(value)) => json!(value),
        Some(Value::Float(value)) => float(*value),
        Some(Value::String(text) | Value::Other(text)) => json!(text),
        Some(Value::Duration(nanos)) => json!(go_duration(*nanos)),
        Some(Value::Status(code)) => json!(word(&["unset", "ok", "error"], "status", *code)),
        Some(Value::Kind(code)) => {
            let words = ["unspecified", "internal", "server", "client", "producer", "consumer"];
            json!(word(&words, "kind", *code))
        }
        Some(Value::Array(elements)) => elements.iter().map(|element| self::value(Some(element))).collect(),
    }
}

/// JSON has no words for three of them.
fn float(value: f64) -> Json {
    match value {
        value if value.is_nan() => json!("NaN"),
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        value => json!(value),
    }
}

/// traceql.md §3.3: a number that has no word shows as `kind(7)`.
fn word(words: &[&str], name: &str, code: i32) -> String {
    let word = usize::try_from(code).ok().and_then(|code| words.get(code));
    word.map_or_else(|| format!("{name}({code})"), |word| (*word).to_owned())
}

/// As Go prints durations.
fn go_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let total = nanos.unsigned_abs();
    let part = |total: u64, unit: u64, name: &str| {
        let text = format!("{:.9}", total as f64 / unit as f64);
        format!("{}{name}", text.trim_end_matches('0').trim_end_matches('.'))
    };
    const SECOND: u64 = 1_000_000_000;
    const MINUTE: u64 = 60 * SECOND;
    const HOUR: u64 = 60 * MINUTE;
    let text = match total {
        0 => "0s".to_owned(),
        1..1_000 => format!("{total}ns"),
        1_000..1_000_000 => part(total, 1_000, "µs"),
        1_000_000..SECOND => part(total, 1_000_000, "ms"),
        SECOND..MINUTE => part(total, SECOND, "s"),
        MINUTE..HOUR => format!("{}m{}", total / MINUTE, part(total % MINUTE, SECOND, "s")),
        _ => format!("{}h{}m{}", total / HOUR, total % HOUR / MINUTE, part(total % MINUTE, SECOND, "s")),
    };
    format!("{sign}{text}")
}

/// V1: the JSON of a value that cannot be queried: plain JSON, so an empty array is `[]`; bytes in base 64.
pub(super) fn any_value(value: Option<&AnyValue>) -> Json {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Any::StringValue(text)) => json!(text),
        Some(Any::BoolValue(value)) => json!(value),
        Some(Any::IntValue(value)) => json!(value),
        Some(Any::DoubleValue(value)) => float(*value),
        Some(Any::BytesValue(bytes)) => json!(base64(bytes)),
        Some(Any::ArrayValue(array)) => array.values.iter().map(|value| any_value(Some(value))).collect(),
        Some(Any::KvlistValue(list)) => {
            // D1: of equal keys the first.
            let pairs = list.values.iter().rev().map(|pair| (pair.key.clone(), any_value(pair.value.as_ref())));
            Json::Object(pairs.collect())
        }
        _ => Json::Null,
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) as usize % 64;
            text.push(if digit <= chunk.len() { char::from(DIGITS[value]) } else { '=' });
        }
    }
    text
}
