//! What observers of a store keep in it: `derived/<name>.state`, replaced as a whole.
//!
//! ```text
//! "TSDERIV" and a zero byte | version u64 | sequence u64 | XXH3 of all else u64 | the observer's bytes
//! ```

use std::path::{Path, PathBuf};

use bytes::Bytes;
use xxhash_rust::xxh3::Xxh3;

use crate::{Error, Result, io::Vfs};

/// The format that this build writes, and the newest that it reads.
const FORMAT_VERSION: u32 = 1;
const MAGIC: [u8; 8] = *b"TSDERIV\0";
/// Bytes before the checksum.
const HASHED: usize = 24;
/// Bytes before the observer's.
const HEADER: usize = HASHED + 8;

/// What an observer kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SavedState {
    /// The log's sequence of the last request that is in it.
    pub sequence: u64,
    /// What the observer gave.
    pub state: Bytes,
}

/// Where the state of an observer is: no name leads out of the folder.
pub(super) fn state_path(dir: &Path, name: &str) -> PathBuf {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    dir.join(format!("{}.state", name.chars().map(plain).collect::<String>()))
}

fn checksum(header: &[u8], state: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(header);
    hash.update(state);
    hash.digest()
}

/// Reads what an observer kept; `None` if there is nothing.
///
/// # Errors
/// [`Error::Io`], [`Error::Corrupt`], [`Error::UnsupportedVersion`].
pub(super) fn load(vfs: &dyn Vfs, dir: &Path, name: &str) -> Result<Option<SavedState>> {
    let path = state_path(dir, name);
    if vfs.size(&path)?.is_none() {
        return Ok(None);
    }
    decode(&path, &vfs.read(&path)?).map(Some)
}

fn decode(path: &Path, bytes: &Bytes) -> Result<SavedState> {
    let corrupt = |reason: &str| Error::corrupt(path, 0, reason);
    let (Some(header), Some(state)) = (bytes.get(..HASHED), bytes.get(HEADER..)) else {
        return Err(corrupt("the file is too short"));
    };
    let number = |at: usize| bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
    if !header.starts_with(&MAGIC) {
        return Err(corrupt("this is no state of an observer"));
    }
    let (Some(format), Some(sequence), Some(stored)) = (number(8), number(16), number(HASHED)) else {
        return Err(corrupt("the file is too short"));
    };
    if stored != checksum(header, state) {
        return Err(corrupt("the checksum does not match"));
    }
    match u32::try_from(format) {
        Ok(FORMAT_VERSION) => Ok(SavedState { sequence, state: bytes.slice_ref(state) }),
        found => {
            let (path, found) = (path.to_owned(), found.unwrap_or(u32::MAX));
            Err(Error::UnsupportedVersion { path, found, supported: FORMAT_VERSION })
        }
    }
}

/// Replaces what an observer kept. On stable storage when this returns; after an error the old state may be there, or the
/// new one.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn save(vfs: &dyn Vfs, dir: &Path, name: &str, saved: &SavedState) -> Result<()> {
    let mut content = Vec::with_capacity(HEADER + saved.state.len());
    content.extend_from_slice(&MAGIC);
    content.extend_from_slice(&u64::from(FORMAT_VERSION).to_le_bytes());
    content.extend_from_slice(&saved.sequence.to_le_bytes());
    let checksum = checksum(&content, &saved.state);
    content.extend_from_slice(&checksum.to_le_bytes());
    content.extend_from_slice(&saved.state);
    vfs.create_dir(dir)?;
    vfs.write_whole(&state_path(dir, name), &content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::MemoryVfs;

    #[test]
    fn a_state_is_read_back_and_any_flipped_bit_is_seen() {
        let (vfs, dir) = (MemoryVfs::default(), Path::new("derived"));
        assert_eq!(load(&vfs, dir, "a").unwrap(), None);
        let saved = SavedState { sequence: 7, state: Bytes::from_static(b"state") };
        save(&vfs, dir, "a", &SavedState { sequence: 6, state: Bytes::new() }).unwrap();
        save(&vfs, dir, "a", &saved).unwrap();
        assert_eq!(load(&vfs, dir, "a").unwrap(), Some(saved));
        assert_eq!(vfs.list(dir).unwrap(), [Path::new("a.state")]);
        let file = state_path(dir, "a");
        let bytes = vfs.read(&file).unwrap().to_vec();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            vfs.put(&file, damaged.into());
            let error = load(&vfs, dir, "a").unwrap_err();
            assert!(error.to_string().starts_with("derived/a.state: corrupt at byte 0: "), "{error}");
        }
        for length in 0..bytes.len() {
            vfs.put(&file, bytes[..length].to_vec().into());
            assert!(load(&vfs, dir, "a").unwrap_err().is_corruption());
        }
    }
}
