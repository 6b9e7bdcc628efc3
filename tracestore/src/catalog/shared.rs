//! Versions where many may write: each number is made once, by whoever is first; the others look at it, and try the next.

use std::{io, path::Path};

use super::{
    persist::{file_name, numbers, remove_old},
    version::Version,
};
use crate::{Error, Result, io::Vfs};

/// What is written to see whether a place can be written to by many. It stays.
const PROBE: &str = "probe";

/// What became of a version that was to be the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is.
    Newest,
    /// There are newer ones, or another one of its number: those tell whether they follow it.
    Overtaken,
}

/// Makes a version, unless there is one of its number.
///
/// # Errors
/// [`Error::Io`]: what became of it is not known.
pub(crate) fn publish_shared(vfs: &dyn Vfs, dir: &Path, version: &Version) -> Result<Outcome> {
    let is_made = vfs.write_new(&dir.join(file_name(version.number)), &version.encode()?)?;
    let numbers = numbers(vfs, dir)?;
    // Who was held up before the write may have made one of those that were removed as too old.
    if !is_made || numbers.last() != Some(&version.number) {
        return Ok(Outcome::Overtaken);
    }
    remove_old(vfs, dir, &numbers);
    Ok(Outcome::Newest)
}

/// Makes sure that a place refuses what exists already. Where it does not, one writer's version would be replaced by
/// another's, and blocks with it.
///
/// # Errors
/// [`Error::Io`]: `Unsupported` where it does not.
pub(crate) fn check_conditional_writes(vfs: &dyn Vfs, dir: &Path) -> Result<()> {
    let path = dir.join(PROBE);
    // The first may be refused: another writer has looked before.
    if vfs.write_new(&path, b"1")? && vfs.write_new(&path, b"2")? {
        let reason = "the object store overwrites what it is told not to (If-None-Match is not respected): \
                      several writers would lose each other's blocks";
        return Err(Error::io("write to", path, io::Error::new(io::ErrorKind::Unsupported, reason)));
    }
    Ok(())
}
