//! Whether stored files hold what was written: every checksum, and everything that readers count on beyond them.
//!
//! ```text
//! versions of the catalog ─▶ log ─▶ blocks (block/read/verify), their deleted rows ─▶ VerifyReport
//! ```
//!
//! Reads everything, changes nothing, takes no lock. What is wrong is collected, not an error.

use std::{path::Path, sync::Arc};

use super::{
    deletion,
    layout::{LOCAL_LOG, Layout},
    split::split_parts,
};
use crate::{
    Error, Result,
    block::{Block, META},
    catalog::{self, CatalogBlock, DeletedRows, Version},
    io::{Vfs, vfs_at},
    otlp::check_request,
    wal::{self, Damage},
};

/// What was looked at, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyReport {
    /// Files that were read.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
    /// Their spans, shadowed ones included.
    pub spans: u64,
    /// Requests of the log that are in no block yet.
    pub requests: u64,
    /// Bytes of the log that were never synced, as a crash or a writer at work leaves them: no damage.
    pub torn_bytes: u64,
    /// What is not as it was written.
    pub damage: Vec<Damage>,
}

impl VerifyReport {
    /// Nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damage.is_empty()
    }

    /// Adds what was found elsewhere.
    pub fn merge(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.blocks += other.blocks;
        self.spans += other.spans;
        self.requests += other.requests;
        self.torn_bytes += other.torn_bytes;
        self.damage.extend(other.damage);
    }

    fn damaged(&mut self, path: &Path, offset: u64, reason: impl Into<String>) {
        self.damage.push(Damage { path: path.to_owned(), offset, reason: reason.into() });
    }

    /// Notes an error about a file, and goes on; gives the value where there is none.
    fn note<T>(&mut self, path: &Path, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(Error::Corrupt { path, offset, reason }) => {
                self.damaged(&path, offset, reason);
                None
            }
            Err(error) => {
                self.damaged(path, 0, error.to_string());
                None
            }
        }
    }

    fn count(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

/// How often a writer may publish while its store is read.
const RETRIES: usize = 20;

/// Checks a store or a block in a folder: every byte, and every number that follows from others. Store and block are told
/// apart by what is there.
///
/// *Cost.* Everything is read and decoded once, a row group at a time: about 1 µs per span.
///
/// # Errors
/// [`Error::NotFound`] when the folder is neither. Files that cannot be read are damage.
pub fn verify(path: impl AsRef<Path>) -> Result<VerifyReport> {
    verify_on(vfs_at(path.as_ref())?, path.as_ref())
}

/// As [`verify`], on any file system.
///
/// # Errors
/// As [`verify`].
pub fn verify_on(vfs: Arc<dyn Vfs>, path: &Path) -> Result<VerifyReport> {
    let layout = Layout::new(path);
    if !layout.is_store(vfs.as_ref())? {
        if let Err(error @ Error::NotFound { .. }) = Block::open(Arc::clone(&vfs), path) {
            return Err(error);
        }
        let mut report = VerifyReport::default();
        let _ = report.check_block(&vfs, path);
        return Ok(report);
    }
    let mut retries = RETRIES;
    loop {
        let before = catalog::newest(vfs.as_ref(), &layout.catalog)?;
        let report = check_store(&vfs, &layout);
        // What a writer removes meanwhile is no damage.
        let has_changed = catalog::newest(vfs.as_ref(), &layout.catalog)? != before;
        if report.is_sound() || !has_changed || retries == 0 {
            return Ok(report);
        }
        retries -= 1;
    }
}

fn check_store(vfs: &Arc<dyn Vfs>, layout: &Layout) -> VerifyReport {
    let mut report = VerifyReport::default();
    report.check_versions(vfs.as_ref(), layout);
    let newest = catalog::load(vfs.as_ref(), &layout.catalog);
    // A damaged one is in the report already.
    let Ok(version) = newest else { return report };
    let entries = match &version {
        Some(version) => version.blocks.clone(),
        None => {
            let names = report.note(&layout.blocks, vfs.list(&layout.blocks)).unwrap_or_default();
            let names = names.into_iter().filter_map(|name| name.to_str().map(str::to_owned));
            let is_block = |name: &String| {
                let meta = layout.blocks.join(name).join(META);
                vfs.size(&meta).ok().flatten().is_some()
            };
            names.filter(is_block).map(CatalogBlock::new).collect()
        }
    };
    let version = version.unwrap_or_default();
    report.check_log(vfs.as_ref(), layout, &version);
    let mut gathered = Vec::new();
    for entry in entries {
        let mut block = report.check_block(vfs, &layout.blocks.join(&entry.folder));
        if let (Some(whole), Some(deleted)) = (&block, &entry.deleted) {
            block = report.check_deleted(vfs.as_ref(), layout, whole, deleted);
        }
        gathered.extend(block.filter(|_| entry.gathered));
    }
    report.check_gathered(&layout.catalog.join(catalog::file_name(version.number)), &gathered);
    report
}

impl VerifyReport {
    /// Every version that is kept, also those that nobody reads any more.
    fn check_versions(&mut self, vfs: &dyn Vfs, layout: &Layout) {
        let numbers = self.note(&layout.catalog, catalog::numbers(vfs, &layout.catalog)).unwrap_or_default();
        for number in numbers {
            let path = layout.catalog.join(catalog::file_name(number));
            let bytes = match vfs.read(&path) {
                // Old versions go while a writer publishes.
                Err(error) if error.is_not_found() => continue,
                read => self.note(&path, read),
            };
            let Some(bytes) = bytes else { continue };
            self.count(bytes.len() as u64);
            let version = self.note(&path, Version::decode(&path, &bytes));
            if let Some(version) = version.filter(|version| version.number != number) {
                self.damaged(&path, 0, format!("this is version {}", version.number));
            }
        }
    }

    /// What is missing of the log, and whether its records are requests.
    fn check_log(&mut self, vfs: &dyn Vfs, layout: &Layout, version: &Version) {
        let covered = version.covered(LOCAL_LOG);
        let replay = wal::replay(vfs, &layout.wal, covered.first_segment, covered.records);
        let Some(replay) = self.note(&layout.wal, replay) else { return };
        for (_, path) in &replay.segments {
            self.count(vfs.size(path).ok().flatten().unwrap_or(0));
        }
        self.requests += replay.records.len() as u64;
        self.torn_bytes += replay.torn_bytes;
        self.damage.extend(replay.damage);
        for record in &replay.records {
            if let (Err(error), Some((_, path))) = (check_request(&record.payload), replay.segments.get(record.segment))
            {
                self.damaged(path, 0, format!("record {} holds no request: {error}", record.sequence));
            }
        }
    }

    /// A block, if it can be opened.
    fn check_block(&mut self, vfs: &Arc<dyn Vfs>, path: &Path) -> Option<Arc<Block>> {
        let block = self.note(path, Block::open(Arc::clone(vfs), path))?;
        self.blocks += 1;
        self.spans += block.spans();
        let check = block.verify();
        self.files += check.files;
        self.bytes += check.bytes;
        for fault in check.faults {
            self.note::<()>(path, Err(fault));
        }
        Some(block)
    }

    /// Which rows of a block are deleted, and whether it has them: the block without them.
    fn check_deleted(
        &mut self,
        vfs: &dyn Vfs,
        layout: &Layout,
        block: &Block,
        deleted: &DeletedRows,
    ) -> Option<Arc<Block>> {
        let path = layout.deleted.join(&deleted.file);
        self.count(deleted.size);
        let rows = self.note(&path, deletion::load(vfs, &layout.deleted, deleted))?;
        self.note(&path, block.with_deleted(rows))
    }

    /// Blocks of which the catalog says that no trace lies in two.
    fn check_gathered(&mut self, catalog: &Path, blocks: &[Arc<Block>]) {
        // Blocks that cannot be read are in the report already.
        if let Some(part) = split_parts(blocks, &[]).unwrap_or_default().first() {
            let reason = format!("trace {} lies in several blocks that are said to share none", part.trace);
            self.damaged(catalog, 0, reason);
        }
    }
}
