//! The JSON of protobuf messages, by proto3's rules: 64-bit numbers as text, zero values left out, OTLP's typed values.

use serde_json::{Map, Value as Json, json};

use super::{kind_word, status_word};
use crate::{Value, syntax::format_duration};

/// A message that leaves out zero values.
#[derive(Default)]
pub(super) struct Object(Map<String, Json>);

impl Object {
    pub(super) fn put(&mut self, name: &str, value: Json) {
        self.0.insert(name.to_owned(), value);
    }

    pub(super) fn number(&mut self, name: &str, value: u64) {
        if value > 0 {
            self.put(name, json!(value));
        }
    }

    pub(super) fn float(&mut self, name: &str, value: f64) {
        if value != 0.0 {
            self.put(name, float(value));
        }
    }

    /// A 64-bit number, which is text.
    pub(super) fn text(&mut self, name: &str, value: u64) {
        if value > 0 {
            self.put(name, json!(value.to_string()));
        }
    }

    pub(super) fn into_json(self) -> Json {
        Json::Object(self.0)
    }
}

/// A value as OTLP's `AnyValue`; durations and words are text.
pub(super) fn any_value(value: &Value) -> Json {
    match value {
        Value::Bool(value) => json!({ "boolValue": value }),
        Value::Int(value) => json!({ "intValue": value.to_string() }),
        Value::Float(value) => json!({ "doubleValue": float(*value) }),
        Value::Duration(nanos) => json!({ "stringValue": format_duration(*nanos) }),
        Value::String(text) | Value::Json(text) => json!({ "stringValue": text }),
        Value::Status(code) => json!({ "stringValue": status_word(*code) }),
        Value::Kind(code) => json!({ "stringValue": kind_word(*code) }),
        Value::Nil => json!({ "stringValue": "nil" }),
        Value::Array(values) => {
            json!({ "arrayValue": { "values": values.iter().map(any_value).collect::<Vec<_>>() } })
        }
    }
}

/// Words where JSON has no number.
fn float(value: f64) -> Json {
    match value {
        value if value.is_finite() => json!(value),
        value if value.is_nan() => json!("NaN"),
        value => json!(if value > 0.0 { "Infinity" } else { "-Infinity" }),
    }
}
