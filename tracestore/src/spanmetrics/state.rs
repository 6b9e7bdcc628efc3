//! What is counted as bytes, to be kept over a restart: numbers, texts and histograms, written and read back.

use crate::model::{SpanId, TraceId};

/// Takes what is to be kept.
#[derive(Debug, Default)]
pub(crate) struct StateWriter(Vec<u8>);

/// Gives it back in the same order; `None` where the bytes are not what was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StateReader<'a>(&'a [u8]);

impl StateWriter {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// In seven bits a byte, the lowest first.
    pub(crate) fn integer(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }

    pub(crate) fn flag(&mut self, value: bool) {
        self.integer(u64::from(value));
    }

    /// To the last bit. Counts are mostly whole and small: those are twice their value, others a 1 and their bits.
    pub(crate) fn number(&mut self, value: f64) {
        let whole = value as u64;
        if whole < 1 << 52 && (whole as f64).to_bits() == value.to_bits() {
            self.integer(whole << 1);
        } else {
            self.integer(1);
            self.0.extend_from_slice(&value.to_bits().to_le_bytes());
        }
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.integer(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    pub(crate) fn ids(&mut self, trace: TraceId, span: Option<SpanId>) {
        self.0.extend_from_slice(trace.as_bytes());
        if let Some(span) = span {
            self.0.extend_from_slice(span.as_bytes());
        }
    }
}

impl<'a> StateReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether all was read.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn integer(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part {
                return None;
            }
            value |= part << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// A number of things that follow, each of at least one byte.
    pub(crate) fn count(&mut self) -> Option<usize> {
        usize::try_from(self.integer()?).ok().filter(|count| *count <= self.0.len())
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.integer()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(crate) fn number(&mut self) -> Option<f64> {
        match self.integer()? {
            1 => Some(f64::from_bits(u64::from_le_bytes(self.take(8)?.try_into().ok()?))),
            twice => Some((twice >> 1) as f64),
        }
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.count()?;
        self.take(length)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    pub(crate) fn trace_id(&mut self) -> Option<TraceId> {
        TraceId::from_slice(self.take(16)?)
    }

    pub(crate) fn span_id(&mut self) -> Option<SpanId> {
        SpanId::from_slice(self.take(8)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let integers = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX];
        let numbers =
            [0.0, -0.0, 1.0, 0.5, -3.0, 1e300, f64::INFINITY, 4_503_599_627_370_496.0, 4_503_599_627_370_495.0];
        let mut writer = StateWriter::default();
        integers.iter().for_each(|value| writer.integer(*value));
        numbers.iter().for_each(|value| writer.number(*value));
        writer.flag(true);
        writer.bytes("text".as_bytes());
        writer.ids(TraceId::from_bytes([1; 16]), SpanId::from_slice(&[2; 8]));
        let bytes = writer.into_bytes();
        let mut reader = StateReader::new(&bytes);
        integers.iter().for_each(|value| assert_eq!(reader.integer(), Some(*value)));
        numbers.iter().for_each(|value| assert_eq!(reader.number().unwrap().to_bits(), value.to_bits()));
        assert_eq!((reader.flag(), reader.text()), (Some(true), Some("text")));
        assert_eq!(reader.trace_id(), Some(TraceId::from_bytes([1; 16])));
        assert_eq!(reader.span_id(), SpanId::from_slice(&[2; 8]));
        assert!(reader.is_empty() && reader.integer().is_none());
    }

    #[test]
    fn what_was_not_written_is_nothing() {
        for bytes in [&[0xff; 10][..], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], &[0x80]] {
            assert_eq!(StateReader::new(bytes).integer(), None);
        }
        assert_eq!(StateReader::new(&[5, 1, 2]).bytes(), None);
        assert_eq!(StateReader::new(&[2]).flag(), None);
        assert_eq!(StateReader::new(&[1, 0]).number(), None);
        assert_eq!(StateReader::new(&[1, 0xff]).text(), None);
    }
}
