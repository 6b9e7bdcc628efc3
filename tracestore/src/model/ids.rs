//! Identifiers as types of their own: trace, span and block ids. Hexadecimal text in and out.

use std::{fmt, str::FromStr, time::Duration};

use uuid::Uuid;

/// A trace id: 16 bytes, not all zero where it comes from a span.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId([u8; 16]);

/// A span id: 8 bytes, not all zero where it comes from a span.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId([u8; 8]);

/// Names a block and its folder: a version 7 UUID, so that names sort by creation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(Uuid);

/// A text that is no id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
#[non_exhaustive]
pub struct ParseIdError {
    /// The text as given.
    pub text: String,
    /// What would have been accepted.
    pub expected: &'static str,
}

impl TraceId {
    /// The id with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The id in `bytes`, or `None` unless there are 16 of them.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes, most significant first.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl SpanId {
    /// The id with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The id in `bytes`, or `None` unless there are 8 of them.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes, most significant first.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl BlockId {
    /// A new id, later in order than those made before.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// When it was made, since 1970; `None` for an id of another kind.
    pub(crate) fn created(&self) -> Option<Duration> {
        let (seconds, nanos) = self.0.get_timestamp()?.to_unix();
        Some(Duration::new(seconds, nanos))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Display for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpanId({self})")
    }
}

impl fmt::Debug for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockId({self})")
    }
}

/// Hexadecimal digits of an id, leading zeros optional.
fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.is_empty() || text.len() > 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (index, digit) in text.bytes().rev().enumerate() {
        let digit = u8::try_from(char::from(digit).to_digit(16)?).ok()?;
        let byte = bytes.get_mut(N - 1 - index / 2)?;
        *byte |= if index % 2 == 0 { digit } else { digit << 4 };
    }
    Some(bytes)
}

impl FromStr for TraceId {
    type Err = ParseIdError;

    /// Up to 32 hexadecimal digits of either case; leading zeros may be left out.
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let expected = "a trace id: 1 to 32 hexadecimal digits";
        parse_hex(text).map(Self).ok_or_else(|| ParseIdError { text: text.to_owned(), expected })
    }
}

impl FromStr for SpanId {
    type Err = ParseIdError;

    /// Up to 16 hexadecimal digits of either case; leading zeros may be left out.
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let expected = "a span id: 1 to 16 hexadecimal digits";
        parse_hex(text).map(Self).ok_or_else(|| ParseIdError { text: text.to_owned(), expected })
    }
}

impl FromStr for BlockId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let expected = "a block id: a UUID";
        Uuid::try_parse(text).map(Self).map_err(|_| ParseIdError { text: text.to_owned(), expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_text_goes_both_ways() {
        let id: TraceId = "A1b2".parse().unwrap();
        assert_eq!(id.to_string(), "0000000000000000000000000000a1b2");
        assert_eq!("123".parse::<SpanId>().unwrap().to_string(), "0000000000000123");
        for bad in ["", "xyz", "00000000000000000", "é"] {
            assert!(bad.parse::<SpanId>().is_err(), "{bad}");
        }
        let block = BlockId::generate();
        assert_eq!(block.to_string().parse::<BlockId>().unwrap(), block);
    }
}
