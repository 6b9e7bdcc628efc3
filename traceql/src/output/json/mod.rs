//! Answers as our own JSON: ids at full width, times as text of ns, attributes under their scoped names with typed values.

mod search;
mod series;
mod tags;

pub use search::{search_to_json, trace_match_to_json};
use serde_json::{Value as Json, json};
pub use series::{metrics_to_json, series_to_json};
pub use tags::{tag_names_to_json, tag_value_to_json, tag_values_to_json};

use super::{kind_word, status_word};
use crate::{SearchStats, Value};

/// What it took.
fn stats(stats: &SearchStats) -> Json {
    json!({
        "blocks": stats.blocks,
        "spans": stats.spans,
        "rowsRead": stats.rows_read,
        "bytesRead": stats.bytes_read,
        "elapsedMs": stats.elapsed.as_secs_f64() * 1e3,
    })
}

/// As JSON knows it; nanoseconds for durations, words for keywords.
fn value(value: &Value) -> Json {
    match value {
        Value::Bool(value) => json!(value),
        Value::Int(value) | Value::Duration(value) => json!(value),
        Value::Float(value) => number(*value),
        Value::String(text) => json!(text),
        Value::Status(code) => json!(status_word(*code)),
        Value::Kind(code) => json!(kind_word(*code)),
        Value::Array(values) => values.iter().map(self::value).collect(),
        Value::Nil => Json::Null,
        Value::Json(text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
    }
}

/// JSON has no number for the infinite.
fn number(value: f64) -> Json {
    if value.is_finite() { json!(value) } else { json!(value.to_string()) }
}
