//! Versions on disk: `catalog/<number>.json`.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use super::version::Version;
use crate::{Error, Result, io::Vfs};

/// Where a version is written before it gets its name.
const TEMPORARY: &str = "next.tmp";
/// How many versions are kept: for readers that are about to open one, and for people who want to know what happened.
const KEPT: usize = 16;

/// A version that was not published.
#[derive(Debug)]
pub(crate) enum PublishError {
    /// The version before stands.
    Unchanged(Error),
    /// Nobody knows which of the two a crash would leave.
    Unknown(Error),
    /// The version before stands, and is not what the change was made for: a block that was to go is gone already, or
    /// has other deleted rows.
    Conflict,
}

impl From<PublishError> for Error {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Unchanged(error) | PublishError::Unknown(error) => error,
            PublishError::Conflict => Self::Conflict,
        }
    }
}

pub(super) fn file_name(number: u64) -> String {
    format!("{number:020}.json")
}

/// The numbers of the versions in a catalog's folder, ascending.
pub(super) fn numbers(vfs: &dyn Vfs, dir: &Path) -> Result<Vec<u64>> {
    let number = |name: PathBuf| {
        let number = name.to_str()?.strip_suffix(".json")?.parse().ok()?;
        (file_name(number) == name.to_str()?).then_some(number)
    };
    let mut numbers: Vec<u64> = vfs.list(dir)?.into_iter().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The number of the newest version, 0 without a catalog.
///
/// # Errors
/// [`Error::Io`].
pub(crate) fn newest(vfs: &dyn Vfs, dir: &Path) -> Result<u64> {
    Ok(numbers(vfs, dir)?.pop().unwrap_or(0))
}

/// The newest version in a catalog's folder; `None` if there is no catalog.
///
/// # Errors
/// [`Error::Io`], [`Error::Corrupt`], [`Error::UnsupportedVersion`]. A damaged version is never passed over for an older
/// one.
pub(crate) fn load(vfs: &dyn Vfs, dir: &Path) -> Result<Option<Version>> {
    loop {
        let number = newest(vfs, dir)?;
        if number == 0 {
            return Ok(None);
        }
        let path = dir.join(file_name(number));
        let bytes = match vfs.read(&path) {
            Ok(bytes) => bytes,
            // A writer has published many newer ones meanwhile.
            Err(error) if error.is_not_found() && newest(vfs, dir)? > number => continue,
            Err(error) => return Err(error),
        };
        let version = Version::decode(&path, &bytes)?;
        if version.number != number {
            return Err(Error::corrupt(&path, 0, format!("this is version {}", version.number)));
        }
        return Ok(Some(version));
    }
}

/// Makes a version the newest. Only who holds the store's lock may; where there are no locks, see `shared`.
///
/// IMPORTANT: what it names is on stable storage before.
///
/// # Errors
/// [`PublishError`] says which version stands.
pub(crate) fn publish(vfs: &dyn Vfs, dir: &Path, version: &Version) -> Result<(), PublishError> {
    let temporary = dir.join(TEMPORARY);
    write(vfs, dir, &temporary, version).map_err(PublishError::Unchanged)?;
    vfs.rename(&temporary, &dir.join(file_name(version.number))).map_err(PublishError::Unknown)?;
    vfs.sync_dir(dir).map_err(PublishError::Unknown)?;
    // The version stands.
    if let Ok(numbers) = numbers(vfs, dir) {
        remove_old(vfs, dir, &numbers);
    }
    Ok(())
}

/// Removes all but the last versions. Those that cannot be removed now are removed later.
pub(super) fn remove_old(vfs: &dyn Vfs, dir: &Path, numbers: &[u64]) {
    for number in numbers.iter().rev().skip(KEPT) {
        let _ = vfs.remove(&dir.join(file_name(*number)));
    }
}

fn write(vfs: &dyn Vfs, dir: &Path, temporary: &Path, version: &Version) -> Result<()> {
    vfs.create_dir(dir)?;
    // What a crash has left.
    vfs.remove(temporary)?;
    let mut file = vfs.create(temporary)?;
    file.write_all(&version.encode()?).map_err(|error| Error::io("write", temporary, error))?;
    file.sync()
}

#[cfg(test)]
mod tests {
    use super::{super::version::Covered, *};
    use crate::io::MemoryVfs;

    #[test]
    fn the_newest_version_counts_and_a_damaged_one_is_named() {
        let (vfs, dir) = (MemoryVfs::default(), Path::new("catalog"));
        assert_eq!(load(&vfs, dir).unwrap(), None);
        for number in 1..=40 {
            let logs = [("wal".into(), Covered { records: number * 2, first_segment: 0 })].into();
            let version = Version { number, logs, ..Version::default() };
            publish(&vfs, dir, &version).unwrap();
            assert_eq!(load(&vfs, dir).unwrap(), Some(version));
        }
        assert_eq!(vfs.list(dir).unwrap().len(), KEPT);
        vfs.put(&dir.join(TEMPORARY), "half".into());
        vfs.put(&dir.join("1.json"), "not a version".into());
        assert_eq!(load(&vfs, dir).unwrap().unwrap().number, 40);
        publish(&vfs, dir, &Version { number: 41, ..Version::default() }).unwrap();
        vfs.put(&dir.join(file_name(41)), Version { number: 40, ..Version::default() }.encode().unwrap().into());
        assert_eq!(
            load(&vfs, dir).unwrap_err().to_string(),
            format!("catalog/{}: corrupt at byte 0: this is version 40", file_name(41))
        );
    }
}
