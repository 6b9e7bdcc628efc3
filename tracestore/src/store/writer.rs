//! The one who may change a store: holds its lock, and publishes versions.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{committed::Committed, layout::Layout};
use crate::{
    Error, Result,
    block::Block,
    catalog::{self, CatalogBlock, PublishError, Version},
    io::{Vfs, VfsLock},
    model::BlockId,
};

/// A store, open for writing. The lock ends with this value.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) vfs: Arc<dyn Vfs>,
    pub(super) layout: Layout,
    pub(super) committed: Committed,
    _lock: Box<dyn VfsLock>,
}

/// The part of the log that is in blocks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Covered {
    /// The sequence of its last record.
    pub(super) records: u64,
    /// The number of the first segment that is not, or not wholly, in blocks.
    pub(super) first_segment: u64,
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
        let mut writer = Self { vfs, layout, committed, _lock: lock };
        if writer.committed.version.number == 0 {
            // From now on a block is part of the store when a version names it, and not when its folder is whole.
            writer.publish(Vec::new(), Covered::default())?;
        }
        Ok(writer)
    }

    /// A place for a new block.
    pub(super) fn new_block(&self) -> (BlockId, std::path::PathBuf) {
        let id = BlockId::generate();
        (id, self.layout.blocks.join(id.to_string()))
    }

    /// Makes blocks part of the store, whose folders are named by their ids, and a part of the log superfluous. Both happen,
    /// or neither.
    ///
    /// # Errors
    /// [`PublishError`] says what stands.
    pub(super) fn publish(&mut self, blocks: Vec<Arc<Block>>, covered: Covered) -> Result<(), PublishError> {
        let version = &self.committed.version;
        let entry = |block: &Arc<Block>| CatalogBlock { folder: block.id().to_string(), level: 0 };
        let next = Version {
            number: version.number + 1,
            covered: version.covered.max(covered.records),
            first_segment: version.first_segment.max(covered.first_segment),
            blocks: version.blocks.iter().cloned().chain(blocks.iter().map(entry)).collect(),
            removed: version.removed.clone(),
        };
        catalog::publish(self.vfs.as_ref(), &self.layout.catalog, &next)?;
        self.committed.version = next;
        self.committed.blocks.extend(blocks);
        Ok(())
    }

    /// Removes folders that are no part of the store any more, or never became one, longer than this ago. What cannot be
    /// removed now is removed later.
    pub(super) fn collect_orphans(&self, grace: Duration) {
        let (vfs, version) = (self.vfs.as_ref(), &self.committed.version);
        let _ = catalog::collect_orphans(vfs, &self.layout.blocks, version, SystemTime::now(), grace);
    }
}
