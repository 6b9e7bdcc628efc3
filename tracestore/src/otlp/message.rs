//! Protobuf messages in the making: fields in the order in which they are written, defaults left out as proto3 does.
//! Knows the wire, not OTLP: which number means what is said in `encode`.

/// A message in the making.
#[derive(Debug, Default, Clone)]
pub(crate) struct Message(pub(crate) Vec<u8>);

impl Message {
    pub(crate) fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub(crate) fn tag(&mut self, number: u32, wire_type: u64) {
        self.varint(u64::from(number) << 3 | wire_type);
    }

    /// A length-delimited field, written whatever is in it.
    pub(crate) fn bytes(&mut self, number: u32, bytes: &[u8]) {
        self.tag(number, 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A message as a field, written in place.
    pub(crate) fn nested(&mut self, number: u32, write: impl FnOnce(&mut Self)) {
        self.tag(number, 2);
        // Most lengths take one byte; the others make room once they are known.
        self.0.push(0);
        let start = self.0.len();
        write(self);
        let len = self.0.len() - start;
        if let (Ok(len @ 0..0x80), Some(slot)) = (u8::try_from(len), self.0.get_mut(start - 1)) {
            *slot = len;
            return;
        }
        let mut head = Self::default();
        head.varint(len as u64);
        let shift = head.0.len() - 1;
        self.0.resize(start + len + shift, 0);
        self.0.copy_within(start..start + len, start + shift);
        if let Some(slot) = self.0.get_mut(start - 1..start + shift) {
            slot.copy_from_slice(&head.0);
        }
    }

    pub(crate) fn text(&mut self, number: u32, text: &str) {
        if !text.is_empty() {
            self.bytes(number, text.as_bytes());
        }
    }

    pub(crate) fn unsigned(&mut self, number: u32, value: u32) {
        if value != 0 {
            self.tag(number, 0);
            self.varint(u64::from(value));
        }
    }

    pub(crate) fn enumeration(&mut self, number: u32, value: i32) {
        if value != 0 {
            self.tag(number, 0);
            self.varint(i64::from(value).cast_unsigned());
        }
    }

    pub(crate) fn fixed64(&mut self, number: u32, value: u64) {
        if value != 0 {
            self.tag(number, 1);
            self.0.extend_from_slice(&value.to_le_bytes());
        }
    }

    pub(crate) fn fixed32(&mut self, number: u32, value: u32) {
        if value != 0 {
            self.tag(number, 5);
            self.0.extend_from_slice(&value.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_in_place_is_the_same_as_its_bytes() {
        for len in [0, 1, 126, 127, 128, 129, 16_383, 16_384, 70_000] {
            let (inner, mut copied, mut in_place) = (vec![7; len], Message::default(), Message::default());
            copied.bytes(20, &inner);
            in_place.nested(20, |message| message.0.extend_from_slice(&inner));
            assert_eq!(in_place.0, copied.0, "{len}");
        }
    }
}
