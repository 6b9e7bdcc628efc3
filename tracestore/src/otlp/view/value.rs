//! Views of attribute values.

use super::wire::{Fields, Raw, WireError, WireReason, bytes, fixed64, text, varint};

/// How many lists may be nested in each other: with the value in the innermost one, 32 levels. A block keeps such values
/// as JSON, which takes up to four levels for one, and serde_json reads no more than 127.
const MAX_DEPTH: usize = 31;

/// A key and its value.
#[derive(Debug, Clone, Copy)]
pub struct KeyValueView<'a> {
    /// The key.
    pub key: &'a str,
    /// The value.
    pub value: ValueView<'a>,
}

/// An `AnyValue`.
#[derive(Debug, Clone, Copy)]
pub enum ValueView<'a> {
    /// Nothing is set.
    Empty,
    /// Text.
    String(&'a str),
    /// A truth value.
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A 64-bit float.
    Double(f64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A list of values.
    Array(ValuesView<'a>),
    /// A list of keys and values.
    KvList(ValuesView<'a>),
}

/// The elements of an array or a key-value list.
#[derive(Debug, Clone, Copy)]
pub struct ValuesView<'a> {
    /// The `ArrayValue` or `KeyValueList` message.
    message: &'a [u8],
}

impl<'a> ValuesView<'a> {
    /// The elements of an array.
    pub fn values(self) -> impl Iterator<Item = Result<ValueView<'a>, WireError>> {
        Fields::new(self.message).only(1).map(|element| ValueView::parse(element?))
    }

    /// The elements of a key-value list.
    pub fn entries(self) -> impl Iterator<Item = Result<KeyValueView<'a>, WireError>> {
        Fields::new(self.message).only(1).map(|entry| KeyValueView::parse(entry?))
    }
}

impl<'a> KeyValueView<'a> {
    /// Reads a `KeyValue` message.
    ///
    /// # Errors
    /// When it cannot be decoded; the value's elements are not looked at.
    pub fn parse(message: &'a [u8]) -> Result<Self, WireError> {
        let mut view = Self { key: "", value: ValueView::Empty };
        for field in Fields::new(message) {
            match field? {
                (1, raw, at) => view.key = text(raw, at)?,
                (2, raw, at) => view.value = ValueView::parse(bytes(raw, at)?)?,
                _ => {}
            }
        }
        Ok(view)
    }

    pub(super) fn validate(&self) -> Result<(), WireError> {
        self.value.validate(MAX_DEPTH)
    }
}

impl<'a> ValueView<'a> {
    /// Reads an `AnyValue` message. Where several values are set the last one counts.
    ///
    /// # Errors
    /// When it cannot be decoded; elements of arrays and lists are not looked at.
    pub fn parse(message: &'a [u8]) -> Result<Self, WireError> {
        let mut value = Self::Empty;
        for field in Fields::new(message) {
            value = match field? {
                (1, raw, at) => Self::String(text(raw, at)?),
                (2, raw, at) => Self::Bool(varint(raw, at)? != 0),
                (3, raw, at) => Self::Int(varint(raw, at)?.cast_signed()),
                (4, raw, at) => Self::Double(f64::from_bits(fixed64(raw, at)?)),
                (5, raw, at) => Self::Array(ValuesView { message: bytes(raw, at)? }),
                (6, raw, at) => Self::KvList(ValuesView { message: bytes(raw, at)? }),
                (7, Raw::Bytes(bytes), _) => Self::Bytes(bytes),
                (7, _, at) => return Err(WireError::at(at, WireReason::WireType)),
                _ => value,
            };
        }
        Ok(value)
    }

    /// Checks everything below, to a depth.
    fn validate(&self, depth: usize) -> Result<(), WireError> {
        let (Self::Array(elements) | Self::KvList(elements)) = self else { return Ok(()) };
        let Some(depth) = depth.checked_sub(1) else {
            return Err(WireError::at(elements.message, WireReason::Depth));
        };
        if let Self::Array(elements) = self {
            return elements.values().try_for_each(|value| value?.validate(depth));
        }
        elements.entries().try_for_each(|entry| entry?.value.validate(depth))
    }
}
