//! Where things are in a store's folder.

use std::path::{Path, PathBuf};

use crate::{Error, Result, io::Vfs};

/// The folder that makes a folder a store.
pub(super) const BLOCKS: &str = "blocks";
/// What a catalog calls the log in the store's own folder.
pub(super) const LOCAL_LOG: &str = "wal";

/// The paths of a store.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) root: PathBuf,
    /// A folder for each block.
    pub(super) blocks: PathBuf,
    /// A file for each version.
    pub(super) catalog: PathBuf,
    /// Files of deleted rows.
    pub(super) deleted: PathBuf,
    /// The segments of the write-ahead log.
    pub(super) wal: PathBuf,
    /// What observers keep.
    pub(super) derived: PathBuf,
    /// Copies of damaged files.
    pub(super) quarantine: PathBuf,
    /// The writer's lock.
    pub(super) lock: PathBuf,
}

impl Layout {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            blocks: root.join(BLOCKS),
            catalog: root.join("catalog"),
            deleted: root.join("deleted"),
            wal: root.join("wal"),
            derived: root.join("derived"),
            quarantine: root.join("quarantine"),
            lock: root.join("lock"),
        }
    }

    /// Whether there is a store. Not every file system has folders without files.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn is_store(&self, vfs: &dyn Vfs) -> Result<bool> {
        let names = vfs.list(&self.root)?;
        Ok(names.iter().any(|name| self.blocks.ends_with(name) || self.catalog.ends_with(name)))
    }

    /// Makes the folder of blocks, and with it the store, if there is none.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::NotFound`] when the folder holds something else than a store.
    pub(super) fn create(&self, vfs: &dyn Vfs) -> Result<()> {
        if !vfs.list(&self.root)?.is_empty() && !self.is_store(vfs)? {
            let reason = "the folder is not empty and is no store: there is no folder `blocks` in it";
            return Err(Error::NotFound { path: self.root.clone(), reason: reason.to_owned() });
        }
        vfs.create_dir(&self.blocks)
    }
}
