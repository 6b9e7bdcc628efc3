//! Values of attributes, as labels and numbers.

use std::borrow::Cow;

use crate::{model::Value, otlp::ValueView};

/// An attribute's value; scalars are borrowed.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeValue<'a> {
    /// Text.
    String(&'a str),
    /// A truth value.
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A 64-bit float.
    Double(f64),
    /// Bytes, a list, a list of keys and values, or nothing.
    Other(Cow<'a, Value>),
}

impl<'a> From<ValueView<'a>> for AttributeValue<'a> {
    fn from(view: ValueView<'a>) -> Self {
        match view {
            ValueView::String(text) => Self::String(text),
            ValueView::Bool(value) => Self::Bool(value),
            ValueView::Int(value) => Self::Int(value),
            ValueView::Double(value) => Self::Double(value),
            other => Self::Other(Cow::Owned(other.into())),
        }
    }
}

impl<'a> From<&'a Value> for AttributeValue<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::String(text) => Self::String(text),
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Double(value) => Self::Double(*value),
            other => Self::Other(Cow::Borrowed(other)),
        }
    }
}

impl<'a> AttributeValue<'a> {
    /// As the value of a label: text as it is, bytes as base64, lists as JSON.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        match self {
            Self::String(text) => Cow::Borrowed(text),
            Self::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Self::Int(value) => Cow::Owned(value.to_string()),
            Self::Double(value) => Cow::Owned(value.to_string()),
            Self::Other(value) => Cow::Owned(match plain_json(value) {
                serde_json::Value::String(text) => text,
                serde_json::Value::Null => String::new(),
                json => json.to_string(),
            }),
        }
    }

    /// As a number: a text is read as one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::String(text) => text.trim().parse().ok(),
            Self::Int(value) => Some(*value as f64),
            Self::Double(value) => Some(*value),
            Self::Bool(_) | Self::Other(_) => None,
        }
    }
}

fn plain_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Empty => serde_json::Value::Null,
        Value::String(text) => text.as_str().into(),
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Double(value) => (*value).into(),
        Value::Bytes(bytes) => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(bytes).into()
        }
        Value::Array(values) => values.iter().map(plain_json).collect(),
        Value::KvList(entries) => {
            let entries = entries.iter().map(|entry| (entry.key.clone(), plain_json(&entry.value)));
            serde_json::Value::Object(entries.collect())
        }
    }
}
