//! What a store is made of beside its blocks: the versions of its catalog, and its log.

use std::path::{Path, PathBuf};

use super::layout::{LOCAL_LOG, Layout};
use crate::{
    Error, Result,
    catalog::{self, Version},
    io::{DiskVfs, Vfs},
    otlp::check_request,
    wal::{self, Damage},
};

/// What lies in the folder of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreContents {
    /// The versions that are kept, oldest first; none where there is no catalog.
    pub versions: Vec<VersionInfo>,
    /// The log behind the newest version, in order.
    pub segments: Vec<SegmentInfo>,
    /// Bytes of the log that were never synced.
    pub torn_bytes: u64,
    /// What is missing of the log.
    pub damage: Vec<Damage>,
}

/// A version of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VersionInfo {
    /// Its number.
    pub number: u64,
    /// Its file.
    pub path: PathBuf,
    /// Bytes of the file.
    pub bytes: u64,
    /// The records of the log up to this one are in blocks.
    pub covered: u64,
    /// The first segment of the log that is not, or not wholly, in blocks.
    pub first_segment: u64,
    /// The blocks: folder, how often merged, how many rows are deleted.
    pub blocks: Vec<(String, u32, u64)>,
    /// Blocks that were left out and may still be read: folder, and when, ms since 1970.
    pub removed: Vec<(String, u64)>,
    /// What was done on somebody's word.
    pub audit: Vec<AuditInfo>,
}

/// A deletion, or the like.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditInfo {
    /// The version that it led to.
    pub version: u64,
    /// When, ms since 1970.
    pub time: u64,
    /// `delete`, `retention`, ...
    pub action: String,
    /// What was asked for.
    pub detail: String,
    /// How many spans went.
    pub spans: u64,
}

/// A segment of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SegmentInfo {
    /// Its number.
    pub number: u64,
    /// Its file.
    pub path: PathBuf,
    /// Bytes of the file.
    pub bytes: u64,
    /// The sequences of the first and the last record that are in no block yet.
    pub records: Option<(u64, u64)>,
    /// How many such records.
    pub requests: u64,
    /// Their spans.
    pub spans: u64,
}

/// Reads the catalog and the log of the store in a folder. Changes nothing.
///
/// # Errors
/// [`Error::NotFound`] when the folder is no store; [`Error::Io`], [`Error::Corrupt`], [`Error::UnsupportedVersion`].
pub fn inspect_store(path: impl AsRef<Path>) -> Result<StoreContents> {
    let (vfs, layout) = (DiskVfs::default(), Layout::new(path.as_ref()));
    if !layout.is_store(&vfs)? {
        let reason = "no store: there is no folder `blocks` in it";
        return Err(Error::NotFound { path: layout.root, reason: reason.to_owned() });
    }
    let mut versions = Vec::new();
    for number in catalog::numbers(&vfs, &layout.catalog)? {
        let path = layout.catalog.join(catalog::file_name(number));
        match vfs.read(&path) {
            // A writer is at work.
            Err(error) if error.is_not_found() => {}
            bytes => {
                let bytes = bytes?;
                versions.push(version_info(Version::decode(&path, &bytes)?, path, bytes.len() as u64));
            }
        }
    }
    let mut contents = StoreContents { versions, ..StoreContents::default() };
    read_log(&vfs, &layout, &mut contents)?;
    Ok(contents)
}

fn version_info(version: Version, path: PathBuf, bytes: u64) -> VersionInfo {
    let covered = version.covered(LOCAL_LOG);
    let blocks = version.blocks.into_iter();
    let audit = version.audit.into_iter().map(|entry| AuditInfo {
        version: entry.version,
        time: entry.time,
        action: entry.action,
        detail: entry.detail,
        spans: entry.spans,
    });
    VersionInfo {
        number: version.number,
        path,
        bytes,
        covered: covered.records,
        first_segment: covered.first_segment,
        blocks: blocks.map(|block| (block.folder, block.level, block.deleted.map_or(0, |rows| rows.rows))).collect(),
        removed: version.removed.into_iter().map(|block| (block.folder, block.removed)).collect(),
        audit: audit.collect(),
    }
}

fn read_log(vfs: &dyn Vfs, layout: &Layout, contents: &mut StoreContents) -> Result<()> {
    let newest = contents.versions.last();
    let (first_segment, covered) = newest.map_or((0, 0), |version| (version.first_segment, version.covered));
    let replay = wal::replay(vfs, &layout.wal, first_segment, covered)?;
    for (index, (number, path)) in replay.segments.iter().enumerate() {
        let records = || replay.records.iter().filter(|record| record.segment == index);
        let spans = records().filter_map(|record| Some(check_request(&record.payload).ok()?.spans));
        contents.segments.push(SegmentInfo {
            number: *number,
            path: path.clone(),
            bytes: vfs.size(path)?.unwrap_or(0),
            records: records().next().zip(records().last()).map(|(first, last)| (first.sequence, last.sequence)),
            requests: records().count() as u64,
            spans: spans.sum(),
        });
    }
    contents.torn_bytes = replay.torn_bytes;
    contents.damage = replay.damage;
    Ok(())
}
