//! A file system in memory: what OTLP files queried in place are turned into blocks on.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use super::{Vfs, VfsFile};
use crate::{Error, Result};

/// Files in memory, shared by the clones of this value. A file's bytes are readable once it was synced or dropped.
#[derive(Debug, Clone, Default)]
pub struct MemoryVfs {
    files: Arc<Mutex<BTreeMap<PathBuf, Bytes>>>,
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
    vfs: MemoryVfs,
    path: PathBuf,
    content: Vec<u8>,
}

impl MemoryFile {
    fn store(&mut self) {
        if self.content.is_empty() {
            return;
        }
        let mut files = self.vfs.files();
        let file = files.entry(self.path.clone()).or_default();
        // The usual file is written once: its buffer becomes the content without a copy.
        let written = std::mem::take(&mut self.content);
        *file = if file.is_empty() { written.into() } else { [&file[..], &written].concat().into() };
    }
}

impl Write for MemoryFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.content.extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl VfsFile for MemoryFile {
    fn sync(&mut self) -> Result<()> {
        self.store();
        Ok(())
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        self.store();
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
        Ok(Box::new(MemoryFile { vfs: self.clone(), path: path.to_owned(), content: Vec::new() }))
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

    fn map(&self, path: &Path, size: u64) -> Result<Bytes> {
        let content = self.get(path)?;
        if content.len() as u64 != size {
            let reason = format!("the file has {} bytes where {size} were written", content.len());
            return Err(Error::corrupt(path, size.min(content.len() as u64), reason));
        }
        Ok(content)
    }
}
