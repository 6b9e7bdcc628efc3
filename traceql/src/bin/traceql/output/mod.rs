//! Results as text.

mod csv;
mod json;
mod table;
mod waterfall;

pub(crate) use csv::csv;
pub(crate) use json::{json, ndjson};
pub(crate) use table::table;
use traceql::Value;
pub(crate) use waterfall::waterfall;

use crate::terminal;

/// A value as people read it.
fn text(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Duration(nanos) if *nanos < 0 => format!("-{}", terminal::duration(nanos.unsigned_abs())),
        Value::Duration(nanos) => terminal::duration(nanos.unsigned_abs()),
        Value::Nil => "nil".to_owned(),
        Value::String(text) | Value::Json(text) => text.clone(),
        Value::Status(code) => traceql::output::status_word(*code),
        Value::Kind(code) => traceql::output::kind_word(*code),
        Value::Array(values) => format!("[{}]", values.iter().map(text).collect::<Vec<_>>().join(", ")),
    }
}
