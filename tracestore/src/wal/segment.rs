//! Segment files: names, and the header that each begins with, twice, so that one damaged byte does not take the records
//! with it.
//!
//! ```text
//! "TSWAL\0\0\0" | version u32 | 0 u32 | number u64 | salt u64 | first sequence u64 | XXH3 of the 40 bytes before u64
//! ```

use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use super::record::MAX_SEQUENCE;
use crate::{Error, Result, io::Vfs};

/// The format that this build writes, and the newest that it reads.
const FORMAT_VERSION: u32 = 1;
const MAGIC: [u8; 8] = *b"TSWAL\0\0\0";
/// Bytes of one copy of the header.
const COPY: usize = 48;
/// Bytes of one copy that its hash covers.
const HASHED: usize = 40;
/// Where the records begin.
pub(super) const RECORDS: usize = 2 * COPY;

/// What a segment says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) number: u64,
    /// Seeds the hashes of the records.
    pub(super) salt: u64,
    /// The sequence of its first record. All before it were on stable storage when the segment was made.
    pub(super) first: u64,
}

/// A header as found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FoundHeader {
    pub(super) header: SegmentHeader,
    /// One of the copies is damaged.
    pub(super) damaged: bool,
}

/// The name of a segment in the log's folder.
pub(super) fn file_name(number: u64) -> String {
    format!("{number:020}.wal")
}

/// The segments in a log's folder that have at least this number, by number.
///
/// # Errors
/// [`Error::Io`].
pub(crate) fn segments(vfs: &dyn Vfs, dir: &Path, from: u64) -> Result<Vec<(u64, PathBuf)>> {
    let number = |name: &Path| {
        let digits = name.to_str()?.strip_suffix(".wal")?;
        let number = digits.parse().ok()?;
        (file_name(number) == name.to_str()?).then_some(number)
    };
    let names = vfs.list(dir)?.into_iter();
    let mut found: Vec<(u64, PathBuf)> = names.filter_map(|name| Some((number(&name)?, dir.join(name)))).collect();
    found.retain(|(number, _)| *number >= from);
    found.sort();
    Ok(found)
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut copy = Vec::with_capacity(COPY);
        copy.extend_from_slice(&MAGIC);
        copy.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        copy.extend_from_slice(&[0; 4]);
        for number in [self.number, self.salt, self.first] {
            copy.extend_from_slice(&number.to_le_bytes());
        }
        let hash = xxh3_64(&copy);
        copy.extend_from_slice(&hash.to_le_bytes());
        copy.repeat(2)
    }

    /// The header at the start of a segment's bytes; `None` if both copies are damaged.
    ///
    /// # Errors
    /// [`Error::UnsupportedVersion`] for a sound header of a newer format.
    pub(super) fn decode(path: &Path, bytes: &[u8]) -> Result<Option<FoundHeader>> {
        let first = decode_copy(path, bytes.get(..COPY).unwrap_or(&[]))?;
        let second = decode_copy(path, bytes.get(COPY..RECORDS).unwrap_or(&[]))?;
        let damaged = first != second;
        Ok(first.or(second).map(|header| FoundHeader { header, damaged }))
    }
}

fn decode_copy(path: &Path, bytes: &[u8]) -> Result<Option<SegmentHeader>> {
    let number = |at: usize| bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
    let sound = bytes.starts_with(&MAGIC) && number(HASHED) == bytes.get(..HASHED).map(xxh3_64);
    let (Some(version), Some(segment), Some(salt), Some(first), true) =
        (number(8), number(16), number(24), number(32), sound)
    else {
        return Ok(None);
    };
    let version = version as u32;
    if version != FORMAT_VERSION {
        return Err(Error::UnsupportedVersion { path: path.to_owned(), found: version, supported: FORMAT_VERSION });
    }
    Ok((1..=MAX_SEQUENCE).contains(&first).then_some(SegmentHeader { number: segment, salt, first }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sound_copy_is_enough() {
        let header = SegmentHeader { number: 3, salt: 5, first: 7 };
        let bytes = header.encode();
        let decode = |bytes: &[u8]| SegmentHeader::decode(Path::new("x.wal"), bytes).unwrap();
        assert_eq!(decode(&bytes), Some(FoundHeader { header, damaged: false }));
        for index in 0..RECORDS {
            let mut damaged = bytes.clone();
            damaged[index] ^= 4;
            assert_eq!(decode(&damaged), Some(FoundHeader { header, damaged: true }));
            damaged[(index + COPY) % RECORDS] ^= 4;
            assert_eq!(decode(&damaged), None);
        }
    }

    #[test]
    fn a_newer_version_is_named() {
        let mut bytes = SegmentHeader { number: 3, salt: 5, first: 7 }.encode();
        bytes[8] = 2;
        let hash = xxh3_64(&bytes[..HASHED]);
        bytes[HASHED..COPY].copy_from_slice(&hash.to_le_bytes());
        let error = SegmentHeader::decode(Path::new("x.wal"), &bytes).unwrap_err();
        assert_eq!(error.to_string(), "x.wal: format version 2 is not known; this build reads up to 1");
    }
}
