//! Records as bytes. Pure.
//!
//! ```text
//! "REC1" | length u32 | sequence u64 | durable u64 | XXH3 of the payload u64 | XXH3 of the 32 bytes before u64 | payload
//! ```
//!
//! Both hashes are seeded with the segment's salt, so that no payload can hold what passes for a record.

use xxhash_rust::xxh3::xxh3_64_with_seed;

const MAGIC: [u8; 4] = *b"REC1";
/// Bytes before the payload.
pub(super) const HEADER: usize = 40;
/// Bytes of the header that its own hash covers.
const HASHED: usize = 32;

/// No log comes this far: a greater number is no record's.
pub(super) const MAX_SEQUENCE: u64 = 1 << 62;

/// What stands before a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordHeader {
    /// Bytes of the payload.
    pub(super) len: u32,
    /// The record's number; they count from 1 without gaps through all segments of a store's life.
    pub(super) sequence: u64,
    /// When this was written, all records up to this number were on stable storage.
    pub(super) durable: u64,
    payload_hash: u64,
}

/// Appends a record. `payload` is not longer than a `u32` can say.
pub(super) fn encode(salt: u64, sequence: u64, durable: u64, payload: &[u8], out: &mut Vec<u8>) {
    let mut header = Vec::with_capacity(HEADER);
    header.extend_from_slice(&MAGIC);
    header.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    header.extend_from_slice(&sequence.to_le_bytes());
    header.extend_from_slice(&durable.to_le_bytes());
    header.extend_from_slice(&xxh3_64_with_seed(payload, salt).to_le_bytes());
    let hash = xxh3_64_with_seed(&header, salt);
    header.extend_from_slice(&hash.to_le_bytes());
    out.extend_from_slice(&header);
    out.extend_from_slice(payload);
}

/// The header at the start of some bytes, if there is a sound one.
pub(super) fn decode_header(salt: u64, bytes: &[u8]) -> Option<RecordHeader> {
    if !bytes.starts_with(&MAGIC) {
        return None;
    }
    let number = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let header = RecordHeader {
        len: u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?),
        sequence: number(8)?,
        durable: number(16)?,
        payload_hash: number(24)?,
    };
    let sound = header.durable < header.sequence && header.sequence <= MAX_SEQUENCE;
    (sound && number(HASHED)? == xxh3_64_with_seed(bytes.get(..HASHED)?, salt)).then_some(header)
}

impl RecordHeader {
    /// Bytes of the record, header included.
    pub(super) fn size(&self) -> usize {
        HEADER + self.len as usize
    }

    /// The payload of the record at the start of some bytes; `None` if it is cut short or not what was written.
    pub(super) fn payload<'a>(&self, salt: u64, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let payload = bytes.get(HEADER..self.size())?;
        (xxh3_64_with_seed(payload, salt) == self.payload_hash).then_some(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_and_only_with_its_salt() {
        let mut bytes = Vec::new();
        encode(7, 3, 2, b"payload", &mut bytes);
        let header = decode_header(7, &bytes).unwrap();
        assert_eq!((header.sequence, header.durable, header.size()), (3, 2, bytes.len()));
        assert_eq!(header.payload(7, &bytes), Some(&b"payload"[..]));
        assert_eq!(header.payload(7, &bytes[..bytes.len() - 1]), None);
        assert_eq!(decode_header(8, &bytes), None);
    }

    #[test]
    fn any_flipped_bit_is_seen() {
        let mut bytes = Vec::new();
        encode(7, 3, 2, b"payload", &mut bytes);
        for index in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[index / 8] ^= 1 << (index % 8);
            assert_eq!(decode_header(7, &damaged).and_then(|header| header.payload(7, &damaged)), None, "bit {index}");
        }
    }
}
