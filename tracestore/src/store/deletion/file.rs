//! The files that say which rows of a block are deleted: a Roaring bitmap in its portable form, nothing around it. The
//! catalog has its size and checksum.

use std::{
    io::Write,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use roaring::RoaringBitmap;
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    Error, Result,
    catalog::{DeletedRows, Version},
    io::Vfs,
    model::BlockId,
    store::making::NewBlocks,
};

/// How names end; before it is an id that says when the file was made.
const SUFFIX: &str = ".roaring";

/// Writes a file of rows into a folder, on stable storage but for its name: the folder is to be synced.
///
/// # Errors
/// [`Error::Io`].
pub(in crate::store) fn write(
    vfs: &dyn Vfs,
    dir: &Path,
    rows: &RoaringBitmap,
    new: &mut NewBlocks,
) -> Result<DeletedRows> {
    // By runs where that is shorter: traces lie in one piece.
    let mut rows = rows.clone();
    rows.optimize();
    let mut content = Vec::with_capacity(rows.serialized_size());
    rows.serialize_into(&mut content).map_err(|error| Error::Internal(format!("rows cannot be written: {error}")))?;
    let file = format!("{}{SUFFIX}", BlockId::generate());
    let path = dir.join(&file);
    new.begin(path.clone());
    let mut writer = vfs.create(&path)?;
    writer.write_all(&content).map_err(|error| Error::io("write", &path, error))?;
    writer.sync()?;
    let checksum = format!("{:016x}", xxh3_64(&content));
    Ok(DeletedRows { file, size: content.len() as u64, checksum, rows: rows.len() })
}

/// The rows that an entry of the catalog names.
///
/// # Errors
/// [`Error::Corrupt`], [`Error::Io`].
pub(in crate::store) fn load(vfs: &dyn Vfs, dir: &Path, entry: &DeletedRows) -> Result<RoaringBitmap> {
    let path = dir.join(&entry.file);
    match vfs.size(&path)? {
        Some(size) if size == entry.size => {}
        Some(size) => {
            let reason = format!("the file has {size} bytes where {} were written", entry.size);
            return Err(Error::corrupt(path, size.min(entry.size), reason));
        }
        None => {
            let reason = "rows of a block are deleted, and the file that says which is missing";
            return Err(Error::NotFound { path, reason: reason.to_owned() });
        }
    }
    let content = vfs.read(&path)?;
    if format!("{:016x}", xxh3_64(&content)) != entry.checksum {
        return Err(Error::corrupt(path, 0, "the checksum does not match"));
    }
    let mut rest = content.as_ref();
    let rows = RoaringBitmap::deserialize_from(&mut rest);
    let rows = rows.map_err(|error| Error::corrupt(&path, 0, format!("this is no list of rows: {error}")))?;
    match rest.is_empty() && rows.len() == entry.rows {
        true => Ok(rows),
        false => Err(Error::corrupt(path, 0, format!("these are not {} rows", entry.rows))),
    }
}

/// Removes the files that `version` does not name, that were made longer than `grace` ago, and whose names are not used. Readers hold none of them:
/// they read a file once, and look for a newer version where it is gone.
///
/// # Errors
/// [`Error::Io`]; some may be removed.
pub(in crate::store) fn collect_files(
    vfs: &dyn Vfs,
    dir: &Path,
    version: &Version,
    now: SystemTime,
    grace: Duration,
    is_used: &dyn Fn(&str) -> bool,
) -> Result<()> {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    for name in vfs.list(dir)? {
        let Some(file) = name.to_str() else { continue };
        let created = file.strip_suffix(SUFFIX).and_then(|id| id.parse::<BlockId>().ok()?.created());
        let mut named = version.blocks.iter().filter_map(|block| block.deleted.as_ref());
        let is_over = created.is_some_and(|created| created + grace < now);
        if is_over && !named.any(|rows| rows.file == file) && !is_used(file) {
            vfs.remove(&dir.join(file))?;
        }
    }
    Ok(())
}
