//! Just enough protobuf to write spans fast.

/// A message in the making.
#[derive(Debug, Default)]
pub(super) struct Message(pub(super) Vec<u8>);

impl Message {
    pub(super) fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub(super) fn number(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    pub(super) fn fixed64(&mut self, field: u64, value: u64) {
        self.varint(field << 3 | 1);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// An attribute, in the list with this field number.
    pub(super) fn attribute(&mut self, field: u64, key: &str, value: Value<'_>) {
        let mut inner = Self::default();
        match value {
            Value::Text(text) => inner.bytes(1, text.as_bytes()),
            Value::Bool(value) => inner.number(2, value.into()),
            Value::Int(value) => inner.number(3, value.cast_unsigned()),
            Value::Float(value) => inner.fixed64(4, value.to_bits()),
            Value::Texts(texts) => {
                let mut list = Self::default();
                for text in texts {
                    let mut element = Self::default();
                    element.bytes(1, text.as_bytes());
                    list.bytes(1, &element.0);
                }
                inner.bytes(5, &list.0);
            }
        }
        let mut entry = Self::default();
        entry.bytes(1, key.as_bytes());
        entry.bytes(2, &inner.0);
        self.bytes(field, &entry.0);
    }
}

/// An attribute's value.
pub(super) enum Value<'a> {
    Text(&'a str),
    Bool(bool),
    Int(i64),
    Float(f64),
    Texts(&'a [&'a str]),
}
