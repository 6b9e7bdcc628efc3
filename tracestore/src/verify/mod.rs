//! Whether stored files hold what was written: every checksum, and everything that readers count on beyond them.
//!
//! ```text
//! store ─▶ versions of the catalog ─▶ log ─▶ blocks ─▶ files ─▶ tables (rows, order, trees, keys)
//!                └──────────────────────┴───────┴────────┴─▶ VerifyReport
//! ```
//!
//! Reads everything, changes nothing, takes no lock. What is wrong is collected, not an error.

mod block;
mod log;
mod spans;
mod tables;

use std::{
    path::Path,
    sync::Arc,
};

use crate::{
    Error, Result,
    block::Block,
    catalog::{self, Version},
    io::Vfs,
    store::Layout,
    wal::Damage,
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

    fn read(&mut self, bytes: usize) {
        self.files += 1;
        self.bytes += bytes as u64;
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
pub fn verify(vfs: &Arc<dyn Vfs>, path: &Path) -> Result<VerifyReport> {
    let layout = Layout::new(path);
    if !layout.is_store(vfs.as_ref())? {
        if let Err(error @ Error::NotFound { .. }) = Block::open(Arc::clone(vfs), path) {
            return Err(error);
        }
        let mut report = VerifyReport::default();
        block::check(vfs, path, &mut report);
        return Ok(report);
    }
    let mut retries = RETRIES;
    loop {
        let before = catalog::newest(vfs.as_ref(), &layout.catalog)?;
        let report = check_store(vfs, &layout);
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
    check_versions(vfs.as_ref(), layout, &mut report);
    let newest = catalog::load(vfs.as_ref(), &layout.catalog);
    // A damaged one is in the report already.
    let Ok(version) = newest else { return report };
    let folders = match &version {
        Some(version) => version.blocks.iter().map(|block| block.folder.clone()).collect(),
        None => {
            let names = report.note(&layout.blocks, vfs.list(&layout.blocks)).unwrap_or_default();
            let names = names.into_iter().filter_map(|name| name.to_str().map(str::to_owned));
            let is_block = |name: &String| {
                let meta = layout.blocks.join(name).join(crate::block::META);
                vfs.size(&meta).ok().flatten().is_some()
            };
            names.filter(is_block).collect::<Vec<_>>()
        }
    };
    let version = version.unwrap_or_default();
    log::check(vfs.as_ref(), layout, &version, &mut report);
    for folder in folders {
        block::check(vfs, &layout.blocks.join(folder), &mut report);
    }
    report
}

/// Every version that is kept, also those that nobody reads any more.
fn check_versions(vfs: &dyn Vfs, layout: &Layout, report: &mut VerifyReport) {
    let numbers = report.note(&layout.catalog, catalog::numbers(vfs, &layout.catalog)).unwrap_or_default();
    let mut before: Option<Version> = None;
    for number in numbers {
        let path = layout.catalog.join(catalog::file_name(number));
        let bytes = match vfs.read(&path) {
            Ok(bytes) => bytes,
            // Old versions go while a writer publishes.
            Err(error) if error.is_not_found() => continue,
            Err(error) => {
                report.damaged(&path, 0, error.to_string());
                continue;
            }
        };
        report.read(bytes.len());
        let Some(version) = report.note(&path, Version::decode(&path, &bytes)) else { continue };
        if version.number != number {
            report.damaged(&path, 0, format!("this is version {}", version.number));
        }
        if before.is_some_and(|before| {
            before.covered > version.covered || before.first_segment > version.first_segment
        }) {
            report.damaged(&path, 0, "it covers less of the log than the version before");
        }
        before = Some(version);
    }
}
