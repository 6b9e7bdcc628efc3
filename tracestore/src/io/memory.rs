//! A file system in memory: what OTLP files queried in place are turned into blocks on.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use super::{HeldFile, RandomRead, SyncHandle, Vfs, VfsFile, VfsLock};
use crate::{Error, Result};

/// Files in memory, shared by the clones of this value. A file's bytes are readable once it was synced or dropped.
#[derive(Debug, Clone, Default)]
pub struct MemoryVfs {
    files: Arc<Mutex<BTreeMap<PathBuf, Bytes>>>,
    locks: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl MemoryVfs {
    fn files(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Bytes>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a file, replacing what had its name.
    pub fn put(&self, path: &Path, content: Bytes) {
        self.files().insert(path.to_owned(), content);
    }

    fn get(&self, path: &Path) -> Result<Bytes> {
        let found = self.files().get(path).cloned();
        found.ok_or_else(|| Error::io("open", path, io::ErrorKind::NotFound.into()))
    }
}

#[derive(Debug)]
struct MemoryFile {
    content: Arc<Unstored>,
}

/// What was written to a file and not yet stored.
#[derive(Debug)]
struct Unstored {
    vfs: MemoryVfs,
    path: PathBuf,
    content: Mutex<Vec<u8>>,
}

impl Unstored {
    fn content(&self) -> MutexGuard<'_, Vec<u8>> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self) {
        // The usual file is written once: its buffer becomes the content without a copy.
        let written = std::mem::take(&mut *self.content());
        if written.is_empty() {
            return;
        }
        let mut files = self.vfs.files();
        let file = files.entry(self.path.clone()).or_default();
        *file = if file.is_empty() { written.into() } else { [&file[..], &written].concat().into() };
    }
}

impl Write for MemoryFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.content.content().extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl VfsFile for MemoryFile {
    fn sync(&mut self) -> Result<()> {
        self.content.store();
        Ok(())
    }

    fn sync_handle(&self) -> Result<Arc<dyn SyncHandle>> {
        Ok(Arc::<Unstored>::clone(&self.content))
    }
}

impl SyncHandle for Unstored {
    fn sync(&self) -> Result<()> {
        self.store();
        Ok(())
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        self.content.store();
    }
}

/// A path that is locked as long as this value lives.
#[derive(Debug)]
struct MemoryLock {
    vfs: MemoryVfs,
    path: PathBuf,
}

impl VfsLock for MemoryLock {}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.vfs.locks.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.path);
    }
}

impl Vfs for MemoryVfs {
    fn create(&self, path: &Path) -> Result<Box<dyn VfsFile>> {
        if self.files().contains_key(path) {
            return Err(Error::io("create", path, io::ErrorKind::AlreadyExists.into()));
        }
        self.append(path)
    }

    fn append(&self, path: &Path) -> Result<Box<dyn VfsFile>> {
        self.files().entry(path.to_owned()).or_default();
        let content = Unstored { vfs: self.clone(), path: path.to_owned(), content: Mutex::default() };
        Ok(Box::new(MemoryFile { content: Arc::new(content) }))
    }

    fn create_dir(&self, _path: &Path) -> Result<()> {
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let content = self.get(from)?;
        let mut files = self.files();
        files.remove(from);
        files.insert(to.to_owned(), content);
        Ok(())
    }

    fn sync_dir(&self, _path: &Path) -> Result<()> {
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.files().retain(|name, _| !name.starts_with(path));
        Ok(())
    }

    fn list(&self, path: &Path) -> Result<Vec<PathBuf>> {
        let files = self.files();
        let below = files.keys().filter_map(|name| name.strip_prefix(path).ok());
        let mut names: Vec<PathBuf> = below.filter_map(|rest| rest.iter().next()).map(PathBuf::from).collect();
        names.dedup();
        Ok(names)
    }

    fn size(&self, path: &Path) -> Result<Option<u64>> {
        Ok(self.files().get(path).map(|content| content.len() as u64))
    }

    fn read(&self, path: &Path) -> Result<Bytes> {
        self.get(path)
    }

    fn open(&self, path: &Path, size: u64) -> Result<Arc<dyn RandomRead>> {
        Ok(Arc::new(HeldFile::new(path, self.get(path)?, size)?))
    }

    fn lock(&self, path: &Path) -> Result<Option<Box<dyn VfsLock>>> {
        let free = self.locks.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
        Ok(free.then(|| Box::new(MemoryLock { vfs: self.clone(), path: path.to_owned() }) as Box<dyn VfsLock>))
    }
}
