//! Attribute values: OTLP's `AnyValue` as an owned tree.

/// An attribute value. Doubles compare as IEEE 754 says; a NaN differs from itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// An `AnyValue` with nothing set.
    #[default]
    Empty,
    /// Text.
    String(String),
    /// A truth value.
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A 64-bit float.
    Double(f64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list, of any mix of types.
    Array(Vec<Value>),
    /// A list of keys and values; keys may repeat.
    KvList(Vec<KeyValue>),
}

/// A key and its value, of an attribute list or a [`Value::KvList`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KeyValue {
    /// The key, case-sensitive.
    pub key: String,
    /// The value.
    pub value: Value,
}
