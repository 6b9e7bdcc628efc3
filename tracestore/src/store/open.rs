//! A store's folder: `blocks/<block id>/`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Snapshot,
    ingest::{self, IngestProgress, IngestReport},
};
use crate::{
    Error, Result,
    block::Block,
    io::{DiskVfs, MemoryVfs, Vfs},
    model::BlockId,
    otlp::MessageSource,
};

/// The folder of a store that blocks are in.
const BLOCKS: &str = "blocks";

/// A folder of blocks that can be added to.
#[derive(Debug, Clone)]
pub struct Store {
    vfs: Arc<dyn Vfs>,
    path: PathBuf,
}

impl Store {
    /// Opens a store, making its folder if there is none.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::NotFound`] when the folder holds something else than a store.
    pub fn open_or_create(path: &Path) -> Result<Self> {
        let vfs: Arc<dyn Vfs> = Arc::new(DiskVfs::default());
        if path.is_dir() && !is_store(path) && !vfs.list(path)?.is_empty() {
            let reason = "the folder is not empty and is no store: there is no folder `blocks` in it";
            return Err(Error::NotFound { path: path.to_owned(), reason: reason.to_owned() });
        }
        vfs.create_dir(&path.join(BLOCKS))?;
        vfs.sync_dir(path)?;
        Ok(Self { vfs, path: path.to_owned() })
    }

    /// Reads OTLP files (`-` is standard input) and adds their spans as blocks. On an error nothing is added.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Otlp`] naming the file and the place.
    pub fn ingest(
        &self,
        sources: impl IntoIterator<Item = PathBuf>,
        progress: &mut dyn FnMut(IngestProgress),
    ) -> Result<IngestReport> {
        let sources = sources.into_iter().map(|path| MessageSource::open(&path));
        ingest::ingest(self.vfs.as_ref(), &self.path.join(BLOCKS), sources, progress)
    }

    /// A view of the blocks that the store has now.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Corrupt`], [`Error::UnsupportedVersion`].
    pub fn snapshot(&self) -> Result<Snapshot> {
        Ok(Snapshot::new(open_store(&self.vfs, &self.path)?))
    }
}

fn is_store(path: &Path) -> bool {
    path.join(BLOCKS).is_dir()
}

/// The blocks of a store. Folders without meta data are blocks in the making, or what a crash left of one.
fn open_store(vfs: &Arc<dyn Vfs>, path: &Path) -> Result<Vec<Arc<Block>>> {
    let folder = path.join(BLOCKS);
    let mut blocks = Vec::new();
    for name in vfs.list(&folder)? {
        let is_block = name.to_str().is_some_and(|name| name.parse::<BlockId>().is_ok());
        match Block::open(Arc::clone(vfs), &folder.join(&name)) {
            Ok(block) => blocks.push(block),
            Err(Error::NotFound { .. }) => {}
            Err(error) if is_block => return Err(error),
            Err(_) => {}
        }
    }
    Ok(blocks)
}

impl Snapshot {
    /// A view over paths of any kind: store folders, block folders, OTLP files and standard input (`-`), told apart by
    /// what they are. OTLP is made into a block in memory.
    ///
    /// # Errors
    /// [`Error::NotFound`] for paths that are none of these, else as for each kind.
    pub fn open(paths: &[PathBuf]) -> Result<Self> {
        let vfs: Arc<dyn Vfs> = Arc::new(DiskVfs::default());
        let (mut blocks, mut files) = (Vec::new(), Vec::new());
        for path in paths {
            if !path.is_dir() {
                files.push(path.clone());
            } else if is_store(path) {
                blocks.extend(open_store(&vfs, path)?);
            } else {
                blocks.push(Block::open(Arc::clone(&vfs), path).map_err(|error| explain_folder(path, error))?);
            }
        }
        if files.is_empty() {
            return Ok(Self::new(blocks));
        }
        let memory: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
        let folder = Path::new("memory");
        let sources = files.iter().map(|path| MessageSource::open(path));
        let report = ingest::ingest(memory.as_ref(), folder, sources, &mut |_| {})?;
        for id in &report.blocks {
            blocks.push(Block::open(Arc::clone(&memory), &folder.join(id.to_string()))?);
        }
        Ok(Self::new(blocks).with_refusals(report.refusals))
    }
}

fn explain_folder(path: &Path, error: Error) -> Error {
    match error {
        Error::NotFound { .. } => {
            let reason = "the folder is neither a store (no folder `blocks`) nor a block (no meta.json)";
            Error::NotFound { path: path.to_owned(), reason: reason.to_owned() }
        }
        other => other,
    }
}
