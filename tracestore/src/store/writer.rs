//! The one who may change a store: holds its lock, and publishes versions.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{
    committed::Committed,
    deletion,
    layout::{LOCAL_LOG, Layout},
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
    /// Folders that were removed since the last version, which the next one need not remember.
    collected: Vec<String>,
    _lock: Box<dyn VfsLock>,
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
        let committed = Committed::load(&vfs, &layout, None)?;
        let mut writer = Self { vfs, layout, committed, collected: Vec::new(), _lock: lock };
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

    /// A place for a new block.
    pub(super) fn new_block(&self) -> (BlockId, std::path::PathBuf) {
        let id = BlockId::generate();
        (id, self.layout.blocks.join(id.to_string()))
    }

    /// What is in blocks of the store's own log.
    pub(super) fn covered(&self) -> Covered {
        self.committed.version.covered(LOCAL_LOG)
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
        let covered = covered.map(|covered| (LOCAL_LOG.to_owned(), covered));
        self.publish(Change { add, covered, ..Change::default() }, blocks)
    }

    /// Makes the store what a change makes of it. `opened` are the blocks that the change adds, or puts in the place of
    /// others, as they are in the new version.
    ///
    /// # Errors
    /// [`PublishError`] says what stands.
    pub(super) fn publish(&mut self, mut change: Change, opened: Vec<Arc<Block>>) -> Result<(), PublishError> {
        change.forget.append(&mut self.collected.clone());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let next = change.apply(&self.committed.version, now).ok_or(PublishError::Conflict)?;
        let committed = self.committed.with_version(&self.layout, next, &opened).map_err(PublishError::Unchanged)?;
        catalog::publish(self.vfs.as_ref(), &self.layout.catalog, &committed.version)?;
        self.committed = committed;
        self.collected.clear();
        Ok(())
    }

    /// Removes folders and files of deleted rows that are no part of the store any more, or never became one, longer than this ago. What cannot be
    /// removed now is removed later.
    pub(super) fn collect_orphans(&mut self, grace: Duration) {
        let (vfs, version) = (self.vfs.as_ref(), &self.committed.version);
        let _ = deletion::collect_files(vfs, &self.layout.deleted, version, SystemTime::now(), grace);
        let collected = catalog::collect_orphans(vfs, &self.layout.blocks, version, SystemTime::now(), grace);
        let names =
            collected.unwrap_or_default().into_iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
        self.collected.extend(names);
    }
}
