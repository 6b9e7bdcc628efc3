//! Stores that files are added to, and views over paths of any kind.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Snapshot, StoreReader,
    ingest::{self, IngestProgress, IngestReport},
    layout::{BLOCKS, Layout},
    options::ORPHAN_GRACE,
    writer::Writer,
};
use crate::{
    Error, Result,
    block::Block,
    catalog::PublishError,
    io::{DiskVfs, MemoryVfs, Vfs, is_url, vfs_at},
    otlp::MessageSource,
};

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
        let vfs = vfs_at(path)?;
        Layout::new(path).create(vfs.as_ref())?;
        Ok(Self { vfs, path: path.to_owned() })
    }

    /// Reads OTLP files (`-` is standard input) and adds their spans as blocks: all of them at once, when the last is
    /// written. On an error, or when the process ends meanwhile, nothing is added.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Otlp`] naming the file and the place; [`Error::Locked`] while another writer has the
    /// store open.
    pub fn ingest(
        &self,
        sources: impl IntoIterator<Item = PathBuf>,
        progress: &mut dyn FnMut(IngestProgress),
    ) -> Result<IngestReport> {
        let mut writer = Writer::open(Arc::clone(&self.vfs), &self.path)?;
        let sources = sources.into_iter().map(|path| MessageSource::open(&path));
        let report = ingest::ingest(self.vfs.as_ref(), &writer.layout.blocks, sources, progress)?;
        if report.blocks.is_empty() {
            return Ok(report);
        }
        let folders: Vec<PathBuf> = report.blocks.iter().map(|id| writer.layout.blocks.join(id.to_string())).collect();
        let blocks = folders.iter().map(|folder| Block::open(Arc::clone(&self.vfs), folder));
        let published = blocks.collect::<Result<_>>().map_err(PublishError::Unchanged);
        let published = published.and_then(|blocks| writer.publish_blocks(blocks, None));
        if matches!(published, Err(PublishError::Unchanged(_) | PublishError::Conflict)) {
            // The first error is the one to report.
            folders.iter().for_each(|folder| drop(self.vfs.remove(folder)));
        }
        published?;
        writer.collect_orphans(ORPHAN_GRACE);
        Ok(report)
    }

    /// A view of what the store has now, the log of its writer included.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Corrupt`], [`Error::UnsupportedVersion`].
    pub fn snapshot(&self) -> Result<Snapshot> {
        StoreReader::open_on(Arc::clone(&self.vfs), &self.path)?.snapshot()
    }
}

fn is_store(path: &Path) -> bool {
    path.join(BLOCKS).is_dir()
}

impl Snapshot {
    /// A view over paths of any kind: store folders and their URLs (`s3://bucket/prefix`), block folders, OTLP files and
    /// standard input (`-`), told apart by what they are. OTLP is made into a block in memory.
    ///
    /// # Errors
    /// [`Error::NotFound`] for paths that are none of these, else as for each kind.
    pub fn open(paths: &[PathBuf]) -> Result<Self> {
        let vfs: Arc<dyn Vfs> = Arc::new(DiskVfs::default());
        match paths {
            // A store knows more of its blocks than anybody does of those of several.
            [url] if is_url(url) => return StoreReader::open(url)?.snapshot(),
            [path] if is_store(path) => return StoreReader::open_on(vfs, path)?.snapshot(),
            _ => {}
        }
        let (mut blocks, mut files) = (Vec::new(), Vec::new());
        for path in paths {
            if is_url(path) {
                blocks.extend(StoreReader::open(path)?.snapshot()?.blocks().iter().cloned());
            } else if !path.is_dir() {
                files.push(path.clone());
            } else if is_store(path) {
                let store = StoreReader::open_on(Arc::clone(&vfs), path)?;
                blocks.extend(store.snapshot()?.blocks().iter().cloned());
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
