//! Blocks, and files of their deleted rows, that somebody in this process is making: no version names them yet, and they are
//! no orphans.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    Result,
    block::{Block, BlockBuilder},
    io::Vfs,
    model::BlockId,
};

/// The names of folders and files; shared by all who make blocks of one store.
#[derive(Debug, Clone, Default)]
pub(super) struct Making(Arc<Mutex<BTreeSet<String>>>);

impl Making {
    fn names(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something with this name is being made, or waits to be published.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.names().contains(name)
    }
}

/// Blocks in the making, in a store's folder, and what belongs to them. They can be taken for orphans when this value is dropped: when it is known
/// whether a version names them.
#[derive(Debug)]
pub(super) struct NewBlocks {
    vfs: Arc<dyn Vfs>,
    blocks: PathBuf,
    making: Making,
    made: Vec<PathBuf>,
}

impl NewBlocks {
    /// In the folder `blocks`.
    pub(super) fn new(vfs: &Arc<dyn Vfs>, blocks: &Path, making: &Making) -> Self {
        Self { vfs: Arc::clone(vfs), blocks: blocks.to_owned(), making: making.clone(), made: Vec::new() }
    }

    /// Writes a block, on stable storage but in no version.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    pub(super) fn write(&mut self, builder: BlockBuilder) -> Result<Arc<Block>> {
        let id = BlockId::generate();
        let dir = self.blocks.join(id.to_string());
        self.begin(dir.clone());
        builder.finish(self.vfs.as_ref(), &dir, id)?;
        Block::open(Arc::clone(&self.vfs), &dir)
    }

    /// A folder or file, with a name that nothing else in the store has, is about to be made.
    pub(super) fn begin(&mut self, path: PathBuf) {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        self.making.names().extend(name);
        self.made.push(path);
    }

    /// Removes all that were made: they never became part of the store. What cannot be removed now is removed with other
    /// orphans.
    pub(super) fn remove(&self) {
        for path in &self.made {
            let _ = self.vfs.remove(path);
        }
    }
}

impl Drop for NewBlocks {
    fn drop(&mut self) {
        let mut names = self.making.names();
        names.retain(|name| !self.made.iter().any(|path| path.ends_with(name)));
    }
}
