//! Protobuf's wire format: a message as a sequence of numbered fields. No allocation, no knowledge of any message.

/// A message that cannot be decoded: where, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct WireError {
    /// The address of the place, see [`WireError::offset_in`].
    address: usize,
    /// What is wrong.
    pub reason: WireReason,
}

/// What can be wrong with an encoded message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireReason {
    /// The message ends within a field.
    #[error("the message is cut short")]
    Truncated,
    /// A number of more than ten bytes, or of more than 64 bits.
    #[error("a number is longer than 64 bits")]
    Varint,
    /// A field number of 0, or a wire type that OTLP does not use.
    #[error("the bytes are no field of a protobuf message")]
    Tag,
    /// A known field with another wire type than its own.
    #[error("a field has another wire type than OTLP gives it")]
    WireType,
    /// Text that is not UTF-8.
    #[error("a text is not UTF-8")]
    Utf8,
    /// Values within values within values.
    #[error("a value is nested deeper than 32 levels")]
    Depth,
}

impl WireError {
    pub(super) fn at(bytes: &[u8], reason: WireReason) -> Self {
        Self { address: bytes.as_ptr() as usize, reason }
    }

    /// The offset of the place in `message`, of which the decoded bytes are a part.
    #[must_use]
    pub fn offset_in(&self, message: &[u8]) -> usize {
        self.address.saturating_sub(message.as_ptr() as usize).min(message.len())
    }
}

/// A field's value, undecoded.
#[derive(Debug, Clone, Copy)]
pub(super) enum Raw<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

/// The fields of a message in their order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// The field numbered `number` wherever it occurs; the others are stepped over.
    pub(super) fn only(self, number: u32) -> impl Iterator<Item = Result<&'a [u8], WireError>> {
        self.filter_map(move |field| match field {
            Ok((found, raw, at)) if found == number => Some(bytes(raw, at)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
    }

    fn varint(&mut self) -> Result<u64, WireError> {
        // Most tags and lengths are a single byte.
        if let [byte @ 0..0x80, rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(u64::from(*byte));
        }
        let start = self.rest;
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte, rest @ ..] = self.rest else { return Err(WireError::at(start, WireReason::Truncated)) };
            self.rest = rest;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(WireError::at(start, WireReason::Varint))
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], WireError> {
        let parts = usize::try_from(len).ok().and_then(|len| self.rest.split_at_checked(len));
        let (taken, rest) = parts.ok_or(WireError::at(self.rest, WireReason::Truncated))?;
        self.rest = rest;
        Ok(taken)
    }

    fn field(&mut self) -> Result<(u32, Raw<'a>, &'a [u8]), WireError> {
        let at = self.rest;
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).unwrap_or(0);
        if number == 0 {
            return Err(WireError::at(at, WireReason::Tag));
        }
        let raw = match tag & 7 {
            0 => Raw::Varint(self.varint()?),
            1 => Raw::Fixed64(self.take(8)?.try_into().map_or(0, u64::from_le_bytes)),
            2 => {
                let len = self.varint()?;
                Raw::Bytes(self.take(len)?)
            }
            5 => Raw::Fixed32(self.take(4)?.try_into().map_or(0, u32::from_le_bytes)),
            _ => return Err(WireError::at(at, WireReason::Tag)),
        };
        Ok((number, raw, at))
    }
}

impl<'a> Iterator for Fields<'a> {
    /// Number, value, and the place for errors.
    type Item = Result<(u32, Raw<'a>, &'a [u8]), WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

pub(super) fn bytes<'a>(raw: Raw<'a>, at: &[u8]) -> Result<&'a [u8], WireError> {
    match raw {
        Raw::Bytes(bytes) => Ok(bytes),
        _ => Err(WireError::at(at, WireReason::WireType)),
    }
}

pub(super) fn text<'a>(raw: Raw<'a>, at: &[u8]) -> Result<&'a str, WireError> {
    let bytes = bytes(raw, at)?;
    std::str::from_utf8(bytes).map_err(|_| WireError::at(bytes, WireReason::Utf8))
}

pub(super) fn varint(raw: Raw<'_>, at: &[u8]) -> Result<u64, WireError> {
    match raw {
        Raw::Varint(value) => Ok(value),
        _ => Err(WireError::at(at, WireReason::WireType)),
    }
}

pub(super) fn fixed64(raw: Raw<'_>, at: &[u8]) -> Result<u64, WireError> {
    match raw {
        Raw::Fixed64(value) => Ok(value),
        _ => Err(WireError::at(at, WireReason::WireType)),
    }
}

pub(super) fn fixed32(raw: Raw<'_>, at: &[u8]) -> Result<u32, WireError> {
    match raw {
        Raw::Fixed32(value) => Ok(value),
        _ => Err(WireError::at(at, WireReason::WireType)),
    }
}
