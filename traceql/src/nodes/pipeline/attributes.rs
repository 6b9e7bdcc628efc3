//! What stages found out about a spanset, as bytes: the form in which it travels between operators of one process. Not a
//! format: nothing stores it.

use crate::Value;

/// The attributes of a spanset: the label's number, then a tag, then the value.
pub(crate) fn encode(attributes: &[(usize, Option<Value>)], bytes: &mut Vec<u8>) {
    for (label, value) in attributes {
        bytes.extend((*label as u32).to_le_bytes());
        let mut put = |tag: u8, payload: &[u8]| {
            bytes.push(tag);
            bytes.extend((payload.len() as u32).to_le_bytes());
            bytes.extend(payload);
        };
        match value {
            None => put(0, &[]),
            Some(Value::Bool(value)) => put(1, &[u8::from(*value)]),
            Some(Value::Int(value)) => put(2, &value.to_le_bytes()),
            Some(Value::Float(value)) => put(3, &value.to_le_bytes()),
            Some(Value::Duration(value)) => put(4, &value.to_le_bytes()),
            Some(Value::String(text)) => put(5, text.as_bytes()),
            Some(Value::Status(code)) => put(6, &code.to_le_bytes()),
            Some(Value::Kind(code)) => put(7, &code.to_le_bytes()),
            Some(Value::Json(text)) => put(8, text.as_bytes()),
            // Groups are by elements, aggregates are numbers.
            Some(Value::Array(_) | Value::Nil) => put(0, &[]),
        }
    }
}

/// The attributes again; `None` if the bytes are no such thing.
pub(crate) fn decode(mut bytes: &[u8]) -> Option<Vec<(usize, Value)>> {
    let mut attributes = Vec::new();
    while !bytes.is_empty() {
        let (label, rest) = bytes.split_first_chunk::<4>()?;
        let (tag, rest) = rest.split_first()?;
        let (len, rest) = rest.split_first_chunk::<4>()?;
        let (payload, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        bytes = rest;
        let long = || payload.try_into().ok().map(i64::from_le_bytes);
        let short = || payload.try_into().ok().map(i32::from_le_bytes);
        let text = || String::from_utf8(payload.to_vec()).ok();
        let value = match tag {
            0 => Value::Nil,
            1 => Value::Bool(payload == [1]),
            2 => Value::Int(long()?),
            3 => Value::Float(f64::from_bits(long()? as u64)),
            4 => Value::Duration(long()?),
            5 => Value::String(text()?),
            6 => Value::Status(short()?),
            7 => Value::Kind(short()?),
            8 => Value::Json(text()?),
            _ => return None,
        };
        attributes.push((u32::from_le_bytes(*label) as usize, value));
    }
    Some(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_come_back() {
        let values = [
            None,
            Some(Value::Bool(true)),
            Some(Value::Int(-1)),
            Some(Value::Float(f64::NEG_INFINITY)),
            Some(Value::Duration(5)),
            Some(Value::String("ä".to_owned())),
            Some(Value::Status(2)),
            Some(Value::Kind(3)),
            Some(Value::Json("[]".to_owned())),
        ];
        let attributes: Vec<_> = values.into_iter().enumerate().collect();
        let mut bytes = Vec::new();
        encode(&attributes, &mut bytes);
        let expected: Vec<_> =
            attributes.into_iter().map(|(label, value)| (label, value.unwrap_or(Value::Nil))).collect();
        assert_eq!(decode(&bytes), Some(expected));
        assert_eq!(decode(&bytes[..bytes.len() - 1]), None);
        assert_eq!(decode(&[]), Some(Vec::new()));
    }
}
