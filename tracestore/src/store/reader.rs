//! A store seen from outside of its writer: no lock, nothing written.
//!
//! ```text
//! newest version ─▶ its blocks ─┐
//! log behind it ─▶ blocks in memory, one per segment ─▶ still the newest? ─▶ Snapshot
//! ```

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    Snapshot,
    committed::Committed,
    derived::{self, SavedState},
    layout::{LOCAL_LOG, Layout},
    live::memory_block,
};
use crate::{
    Error, Result,
    block::Block,
    catalog::{self, Version},
    io::{Vfs, vfs_at},
    wal,
};

/// A store, open for reading: any number of them, in any process, beside a writer or without one, also on a folder that
/// cannot be written. What it shows is what the store was at one moment: the one of the last [`StoreReader::refresh`].
///
/// It reads the writer's log too: what was acknowledged is there, whether the writer lives or not.
#[derive(Debug)]
pub struct StoreReader {
    vfs: Arc<dyn Vfs>,
    layout: Layout,
    seen: Mutex<Seen>,
}

/// What a store was.
#[derive(Debug)]
struct Seen {
    committed: Committed,
    log: Vec<SegmentBlock>,
    snapshot: Snapshot,
}

/// A segment of the log, when it had this size, as a block in memory.
#[derive(Debug, Clone)]
struct SegmentBlock {
    path: PathBuf,
    size: u64,
    /// The sequence of the first record that is in no other block.
    first: Option<u64>,
    block: Option<Arc<Block>>,
}

/// How often files may vanish while they are read.
const RETRIES: usize = 20;

impl StoreReader {
    /// Opens the store in a folder, or at a URL such as `s3://bucket/prefix`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the folder is no store; [`Error::Io`], [`Error::Corrupt`], [`Error::UnsupportedVersion`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_on(vfs_at(path.as_ref())?, path.as_ref())
    }

    /// Opens a store on any file system.
    ///
    /// # Errors
    /// As [`StoreReader::open`].
    pub fn open_on(vfs: Arc<dyn Vfs>, path: &Path) -> Result<Self> {
        let layout = Layout::new(path);
        if !layout.is_store(vfs.as_ref())? {
            let reason = "no store: there is no folder `blocks` in it";
            return Err(Error::NotFound { path: path.to_owned(), reason: reason.to_owned() });
        }
        let seen = Mutex::new(Seen::load(&vfs, &layout, None)?);
        Ok(Self { vfs, layout, seen })
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks what the store is now; tells whether that is something else than before.
    ///
    /// *Cost.* Two lists of files when nothing has happened. Else new blocks are opened, and the segments of the log that
    /// have grown are read and made into blocks in memory, about 4 µs per span.
    ///
    /// # Errors
    /// As [`StoreReader::open`]; the view before stays.
    pub fn refresh(&self) -> Result<bool> {
        let (known, log) = {
            let seen = self.seen();
            (seen.committed.clone(), seen.log.clone())
        };
        let is_newest = catalog::newest(self.vfs.as_ref(), &self.layout.catalog)? == known.version.number;
        // Without a catalog only looking tells.
        if is_newest
            && known.version.number > 0
            && sizes(self.vfs.as_ref(), &self.layout, &known.version)? == sizes_of(&log)
        {
            return Ok(false);
        }
        let next = Seen::load(&self.vfs, &self.layout, Some((&known, &log)))?;
        let mut seen = self.seen();
        let is_other = next.committed.version != seen.committed.version || sizes_of(&next.log) != sizes_of(&seen.log);
        if is_other {
            *seen = next;
        }
        Ok(is_other)
    }

    /// What the [observer](super::IngestObserver) of this name last kept in the store; `None` if there is nothing.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Corrupt`], [`Error::UnsupportedVersion`].
    pub fn saved_state(&self, observer: &str) -> Result<Option<SavedState>> {
        derived::load(self.vfs.as_ref(), &self.layout.derived, observer)
    }

    /// Where that is.
    pub(crate) fn state_path(&self, observer: &str) -> PathBuf {
        derived::state_path(&self.layout.derived, observer)
    }

    /// The store as it was at the last refresh. Always the same view until the next.
    ///
    /// # Errors
    /// None yet; what a view needs was read before.
    pub fn snapshot(&self) -> Result<Snapshot> {
        Ok(self.seen().snapshot.clone())
    }
}

fn sizes_of(log: &[SegmentBlock]) -> Vec<(PathBuf, u64)> {
    log.iter().map(|segment| (segment.path.clone(), segment.size)).collect()
}

fn sizes(vfs: &dyn Vfs, layout: &Layout, version: &Version) -> Result<Vec<(PathBuf, u64)>> {
    let segments = wal::segments(vfs, &layout.wal, version.covered(LOCAL_LOG).first_segment)?.into_iter();
    segments.map(|(_, path)| Ok((path.clone(), vfs.size(&path)?.unwrap_or(0)))).collect()
}

impl Seen {
    fn load(vfs: &Arc<dyn Vfs>, layout: &Layout, known: Option<(&Committed, &[SegmentBlock])>) -> Result<Self> {
        let mut retries = RETRIES;
        loop {
            let committed = Committed::load(vfs, layout, known.map(|(known, _)| known))?;
            let log = read_log(vfs.as_ref(), layout, &committed.version, known.map_or(&[], |(_, log)| log));
            // The writer may have published, and removed segments, while the log was read.
            let is_newest = catalog::newest(vfs.as_ref(), &layout.catalog)? == committed.version.number;
            let log = match log {
                Err(error) if !is_newest || error.is_not_found() && retries > 0 => {
                    retries -= usize::from(is_newest);
                    continue;
                }
                Ok(_) if !is_newest => continue,
                log => log?,
            };
            let snapshot = committed.snapshot(log.iter().filter_map(|segment| segment.block.clone()));
            return Ok(Self { committed, log, snapshot });
        }
    }
}

/// The segments of the log with what is in no block yet. A flush ends a segment: it is covered as a whole, or not at all.
///
/// # Errors
/// [`Error::Corrupt`] where something is missing that was synced: the next writer recovers what is there.
fn read_log(vfs: &dyn Vfs, layout: &Layout, version: &Version, known: &[SegmentBlock]) -> Result<Vec<SegmentBlock>> {
    // What is written meanwhile is seen the next time.
    let sizes = sizes(vfs, layout, version)?;
    if sizes.is_empty() {
        return Ok(Vec::new());
    }
    let covered = version.covered(LOCAL_LOG);
    let replay = wal::replay(vfs, &layout.wal, covered.first_segment, covered.records)?;
    if let Some(damage) = replay.damage.into_iter().next() {
        let reason = format!("{}; what is whole is recovered when the store is opened for writing", damage.reason);
        return Err(Error::corrupt(damage.path, damage.offset, reason));
    }
    let mut log = Vec::with_capacity(sizes.len());
    for (index, (_, path)) in replay.segments.iter().enumerate() {
        let size = sizes.iter().find(|(other, _)| other == path).map_or(0, |(_, size)| *size);
        let records: Vec<_> = replay.records.iter().filter(|record| record.segment == index).collect();
        let first = records.first().map(|record| record.sequence);
        let is_known =
            |segment: &&SegmentBlock| segment.path == *path && (segment.size, segment.first) == (size, first);
        let block = match known.iter().find(is_known) {
            Some(segment) => segment.block.clone(),
            None => memory_block(records.iter().map(|record| &record.payload))?,
        };
        log.push(SegmentBlock { path: path.clone(), size, first, block });
    }
    Ok(log)
}
