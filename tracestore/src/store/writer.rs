//! Who may change a store: holds its lock, and publishes versions. Where there are no locks there may be several: see
//! `shared`.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{
    committed::Committed, deletion, layout::Layout, log_place::LogPlace, making::Making, shared::SHARED_GRACE,
};
use crate::{
    Error, Result,
    block::Block,
    catalog::{self, CatalogBlock, Change, Covered, PublishError},
    io::{Vfs, VfsLock},
    model::BlockId,
};

/// A store, open for writing. The lock ends with this value.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) vfs: Arc<dyn Vfs>,
    pub(super) layout: Layout,
    pub(super) committed: Committed,
    pub(super) log: LogPlace,
    /// A block of the log that is written, and of which nobody knows whether a version names it.
    pub(super) unsettled: Option<Cut>,
    /// Blocks that are being made.
    pub(super) making: Making,
    /// Blocks that are no part of the store any more, and that somebody in this process may still read.
    retired: Vec<Arc<Block>>,
    /// Folders that were removed since the last version, which the next one need not remember.
    collected: Vec<String>,
    _lock: Box<dyn VfsLock>,
}

/// A block of what is oldest in the log.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) block: Arc<Block>,
    /// The part of the log that it is.
    pub(super) covered: Covered,
    /// How many chunks of the live data.
    pub(super) chunks: usize,
}

impl Writer {
    /// Opens a store for writing; makes it, and its catalog, if there is none.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Io`], [`Error::Corrupt`], [`Error::UnsupportedVersion`]; [`Error::NotFound`] when the
    /// folder holds something else than a store.
    pub(super) fn open(vfs: Arc<dyn Vfs>, path: &Path) -> Result<Self> {
        let layout = Layout::new(path);
        layout.create(vfs.as_ref())?;
        let lock = vfs.lock(&layout.lock)?.ok_or_else(|| Error::Locked { path: path.to_owned() })?;
        if vfs.is_shared() {
            catalog::check_conditional_writes(vfs.as_ref(), &layout.catalog)?;
        }
        let committed = Committed::load(&vfs, &layout, None)?;
        let log = LogPlace::of_store(&vfs, &layout);
        let mut writer = Self {
            vfs,
            layout,
            committed,
            log,
            unsettled: None,
            making: Making::default(),
            retired: Vec::new(),
            collected: Vec::new(),
            _lock: lock,
        };
        if writer.committed.version.number == 0 {
            // From now on a block is part of the store when a version names it, and not when its folder is whole.
            writer.publish(Change::default(), Vec::new())?;
        } else {
            // Whoever published the newest version may not have learned whether it is on the disk, and what is said from now
            // on, that something is deleted already, say, is said because of it.
            writer.vfs.sync_dir(&writer.layout.catalog)?;
        }
        Ok(writer)
    }

    /// As [`Writer::open`], for who may have a log: in the store's folder, or where `log` says when it cannot be there.
    ///
    /// # Errors
    /// As [`Writer::open`], and [`LogPlace::open`].
    pub(super) fn open_with_log(vfs: Arc<dyn Vfs>, path: &Path, log: Option<&Path>) -> Result<Self> {
        if !vfs.is_shared() {
            return Self::open(vfs, path);
        }
        let log = log.map_or_else(|| Ok(LogPlace::none()), |log| LogPlace::open(log, path))?;
        Ok(Self { log, ..Self::open(vfs, path)? })
    }

    /// A place for a new block.
    pub(super) fn new_block(&self) -> (BlockId, std::path::PathBuf) {
        let id = BlockId::generate();
        (id, self.layout.blocks.join(id.to_string()))
    }

    /// What is in blocks of the writer's log.
    pub(super) fn covered(&self) -> Covered {
        self.committed.version.covered(&self.log.id)
    }

    /// Makes blocks part of the store, whose folders are named by their ids, and a part of the log superfluous. Both happen,
    /// or neither.
    ///
    /// # Errors
    /// [`PublishError`] says what stands.
    pub(super) fn publish_blocks(
        &mut self,
        blocks: Vec<Arc<Block>>,
        covered: Option<Covered>,
    ) -> Result<(), PublishError> {
        let add = blocks.iter().map(|block| CatalogBlock::new(block.id().to_string())).collect();
        let covered = covered.map(|covered| (self.log.id.clone(), covered));
        self.publish(Change { add, covered, ..Change::default() }, blocks)
    }

    /// Makes the store what a change makes of it. `opened` are the blocks that the change adds, or puts in the place of
    /// others, as they are in the new version.
    ///
    /// # Errors
    /// [`PublishError`] says what stands.
    pub(super) fn publish(&mut self, mut change: Change, opened: Vec<Arc<Block>>) -> Result<(), PublishError> {
        if self.unsettled.is_some() {
            // Its spans would be in a block and in the live data.
            let what = "a block whose publication is to be settled by the next flush".to_owned();
            return Err(PublishError::Unchanged(Error::Overloaded { what, budget: "one".to_owned() }));
        }
        change.forget.append(&mut self.collected.clone());
        if self.vfs.is_shared() {
            self.publish_shared(&change, &opened)?;
            self.collected.clear();
            return Ok(());
        }
        let committed = self.next(&change, &opened)?;
        catalog::publish(self.vfs.as_ref(), &self.layout.catalog, &committed.version)?;
        self.go_to(committed);
        self.collected.clear();
        Ok(())
    }

    /// Another version is the newest.
    pub(super) fn go_to(&mut self, committed: Committed) {
        let before = std::mem::replace(&mut self.committed, committed);
        let is_there = |block: &Arc<Block>| self.committed.blocks.iter().any(|other| other.path() == block.path());
        self.retired.extend(before.blocks.into_iter().filter(|block| !is_there(block)));
    }

    /// What the store is after a change.
    pub(super) fn next(&self, change: &Change, opened: &[Arc<Block>]) -> Result<Committed, PublishError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let next = change.apply(&self.committed.version, now).ok_or(PublishError::Conflict)?;
        self.committed.with_version(&self.layout, next, opened).map_err(PublishError::Unchanged)
    }

    /// Removes folders and files of deleted rows that are no part of the store any more, or never became one, longer than
    /// this ago. What cannot be removed now is removed later.
    pub(super) fn collect_orphans(&mut self, grace: Duration) {
        // What others have added is no orphan. They publish a block soon after they began it.
        if self.refresh().is_err() {
            return;
        }
        let grace = if self.vfs.is_shared() { grace.max(SHARED_GRACE) } else { grace };
        let (vfs, version) = (self.vfs.as_ref(), &self.committed.version);
        self.retired.retain(Block::is_shared);
        let is_used = |folder: &str| {
            self.making.contains(folder) || self.retired.iter().any(|block| block.path().ends_with(folder))
        };
        let now = SystemTime::now();
        let _ = deletion::collect_files(vfs, &self.layout.deleted, version, now, grace, &is_used);
        let collected = catalog::collect_orphans(vfs, &self.layout.blocks, version, now, grace, &is_used);
        let names =
            collected.unwrap_or_default().into_iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
        self.collected.extend(names);
    }
}
