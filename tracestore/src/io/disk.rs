//! The local disk. All durability verbs (fsync, rename) of the crate are here.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;

use super::{HeldFile, RandomRead, SyncHandle, Vfs, VfsFile, VfsLock, map::map, random::check_size};
use crate::{Error, Result};

/// How files of blocks are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadMode {
    /// Memory-mapped: no copies, and the page cache is the only cache.
    #[default]
    Map,
    /// Read into memory when first needed. For places where files may be cut short while in use, such as network mounts.
    Read,
}

/// The local file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiskVfs {
    mode: ReadMode,
}

impl DiskVfs {
    /// A file system that reads blocks in this way.
    #[must_use]
    pub fn new(mode: ReadMode) -> Self {
        Self { mode }
    }
}

/// A file on disk with its path for errors.
#[derive(Debug)]
struct DiskFile {
    file: File,
    path: PathBuf,
}

impl Write for DiskFile {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.file.write(buffer)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl VfsFile for DiskFile {
    fn sync(&mut self) -> Result<()> {
        SyncHandle::sync(self)
    }

    fn sync_handle(&self) -> Result<Arc<dyn SyncHandle>> {
        let file = self.file.try_clone().map_err(|error| Error::io("open", &self.path, error))?;
        Ok(Arc::new(Self { file, path: self.path.clone() }))
    }
}

impl SyncHandle for DiskFile {
    fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|error| Error::io("sync", &self.path, error))
    }
}

/// The system's own lock on a file: it ends with the process.
#[derive(Debug)]
struct DiskLock {
    _file: File,
}

impl VfsLock for DiskLock {}

impl Vfs for DiskVfs {
    fn create(&self, path: &Path) -> Result<Box<dyn VfsFile>> {
        let file = File::create_new(path).map_err(|error| Error::io("create", path, error))?;
        Ok(Box::new(DiskFile { file, path: path.to_owned() }))
    }

    fn append(&self, path: &Path) -> Result<Box<dyn VfsFile>> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .map_err(|error| Error::io("append to", path, error))?;
        Ok(Box::new(DiskFile { file, path: path.to_owned() }))
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        // A file is no safer than the names of all folders above it.
        let missing: Vec<&Path> = path.ancestors().take_while(|path| !path.is_dir()).collect();
        fs::create_dir_all(path).map_err(|error| Error::io("create folder", path, error))?;
        missing.iter().filter_map(|path| path.parent()).try_for_each(|parent| match parent.as_os_str().is_empty() {
            true => self.sync_dir(Path::new(".")),
            false => self.sync_dir(parent),
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        fs::rename(from, to).map_err(|error| Error::io("rename", from, error))
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        // Only Unix can sync a folder; elsewhere a rename is as durable as the system makes it.
        if cfg!(unix) {
            let folder = File::open(path).map_err(|error| Error::io("open folder", path, error))?;
            folder.sync_all().map_err(|error| Error::io("sync folder", path, error))?;
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<()> {
        let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", path, error)),
            _ => Ok(()),
        }
    }

    fn list(&self, path: &Path) -> Result<Vec<PathBuf>> {
        let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let entries = match entries {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            entries => entries.map_err(|error| Error::io("list", path, error))?,
        };
        let mut names: Vec<PathBuf> = entries.into_iter().map(|entry| entry.file_name().into()).collect();
        names.sort();
        Ok(names)
    }

    fn size(&self, path: &Path) -> Result<Option<u64>> {
        match fs::metadata(path) {
            Ok(meta) if meta.is_file() => Ok(Some(meta.len())),
            Ok(_) => Ok(None),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(Error::io("look up", path, error)),
        }
    }

    fn read(&self, path: &Path) -> Result<Bytes> {
        fs::read(path).map(Bytes::from).map_err(|error| Error::io("read", path, error))
    }

    fn open(&self, path: &Path, size: u64) -> Result<Arc<dyn RandomRead>> {
        let file = File::open(path).map_err(|error| Error::io("open", path, error))?;
        let found = file.metadata().map_err(|error| Error::io("look up", path, error))?.len();
        // Before it is mapped: see there.
        check_size(path, found, size)?;
        let content = match self.mode {
            ReadMode::Map if size > 0 => map(&file).map_err(|error| Error::io("map", path, error))?,
            _ => self.read(path)?,
        };
        Ok(Arc::new(HeldFile::new(path, content, size)?))
    }

    fn lock(&self, path: &Path) -> Result<Option<Box<dyn VfsLock>>> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| Error::io("open", path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(DiskLock { _file: file }))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", path, error)),
        }
    }
}
