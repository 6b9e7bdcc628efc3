//! Files for random access: those that are at hand as a whole (mapped, or in memory), and those that are fetched piece by
//! piece from far away.

use std::{
    fmt::Debug,
    ops::Range,
    path::{Path, PathBuf},
};

use bytes::Bytes;

use crate::{Error, Result};

/// The bytes of a file that nobody writes to any more.
pub trait RandomRead: Send + Sync + Debug {
    /// How many there are.
    fn size(&self) -> u64;

    /// Those of a range. Costs nothing where the file [is held](RandomRead::is_held).
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a range beyond the end; [`Error::Io`].
    fn read(&self, range: Range<u64>) -> Result<Bytes>;

    /// Whether all bytes are at hand: every read of a range gives the same memory.
    fn is_held(&self) -> bool;

    /// Fetches ranges that are about to be read, many at once. A hint: what cannot be fetched is an error when it is read.
    fn prefetch(&self, ranges: &[Range<u64>]);
}

/// A file whose bytes are all at hand.
#[derive(Debug)]
pub struct HeldFile {
    path: PathBuf,
    content: Bytes,
}

impl HeldFile {
    /// The content of the file at `path`, which has to have `size` bytes.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it has not.
    pub fn new(path: &Path, content: Bytes, size: u64) -> Result<Self> {
        check_size(path, content.len() as u64, size)?;
        Ok(Self { path: path.to_owned(), content })
    }
}

impl RandomRead for HeldFile {
    fn size(&self) -> u64 {
        self.content.len() as u64
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes> {
        slice(&self.content, 0, &range).ok_or_else(|| beyond_the_end(&self.path, &range, self.size()))
    }

    fn is_held(&self) -> bool {
        true
    }

    fn prefetch(&self, _ranges: &[Range<u64>]) {}
}

/// A range of a file out of some of its bytes, the first of which is at `start`.
pub(crate) fn slice(bytes: &Bytes, start: u64, range: &Range<u64>) -> Option<Bytes> {
    let place = |at: u64| usize::try_from(at.checked_sub(start)?).ok().filter(|place| *place <= bytes.len());
    let (begin, end) = (place(range.start)?, place(range.end)?);
    (begin <= end).then(|| bytes.slice(begin..end))
}

/// Checks that a file has the size that it was written with.
pub(super) fn check_size(path: &Path, found: u64, size: u64) -> Result<()> {
    if found == size {
        return Ok(());
    }
    Err(Error::corrupt(path, found.min(size), format!("the file has {found} bytes where {size} were written")))
}

pub(super) fn beyond_the_end(path: &Path, range: &Range<u64>, size: u64) -> Error {
    Error::corrupt(path, range.start, format!("bytes up to {} are wanted of {size}", range.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_slices_and_those_beyond_the_end_are_errors() {
        let path = Path::new("a");
        let file = HeldFile::new(path, Bytes::from_static(b"abcdef"), 6).unwrap();
        assert_eq!(file.read(2..4).unwrap(), "cd");
        assert_eq!(file.read(6..6).unwrap(), "");
        let error = file.read(5..7).unwrap_err().to_string();
        assert_eq!(error, "a: corrupt at byte 5: bytes up to 7 are wanted of 6");
        #[expect(clippy::reversed_empty_ranges, reason = "what a damaged file may ask for")]
        let backwards = file.read(4..3);
        assert!(backwards.unwrap_err().is_corruption());
        assert!(HeldFile::new(path, Bytes::new(), 1).unwrap_err().is_corruption());
    }
}
