//! Every byte read or written goes through a [`Vfs`]: the local disk, an object store, or memory (for queries over files in
//! place, and for tests that simulate crashes). What is durable when is said once, in the trait's contract.

mod disk;
mod map;
mod memory;
#[cfg(feature = "object-store")]
mod object;
mod place;
mod random;

use std::{
    fmt::Debug,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;

pub use disk::{DiskVfs, ReadMode};
pub use memory::MemoryVfs;
#[cfg(feature = "object-store")]
pub use object::ObjectVfs;
pub(crate) use place::is_url;
pub use place::vfs_at;
pub(crate) use random::slice;
pub use random::{HeldFile, RandomRead};

use crate::Result;

/// A file being written. Bytes are durable after [`VfsFile::sync`], and findable under their name after
/// [`Vfs::sync_dir`] of the folder.
pub trait VfsFile: Write + Send + Debug {
    /// Waits until everything written is on stable storage.
    ///
    /// # Errors
    /// Whatever the system says; after an error nothing is known about what is stored.
    fn sync(&mut self) -> Result<()>;

    /// A handle that syncs this file while it is written to: group commit waits on it.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    fn sync_handle(&self) -> Result<Arc<dyn SyncHandle>>;
}

/// Syncs a file that somebody else writes to.
pub trait SyncHandle: Send + Sync + Debug {
    /// Waits until everything that was written before this call is on stable storage.
    ///
    /// # Errors
    /// As [`VfsFile::sync`].
    fn sync(&self) -> Result<()>;
}

/// A lock that is held until it is dropped.
pub trait VfsLock: Send + Sync + Debug {}

/// A file system as this crate needs it. Paths are of the file system's own kind; folders are created as needed.
pub trait Vfs: Send + Sync + Debug {
    /// Creates a file; fails if it exists.
    ///
    /// # Errors
    /// [`crate::Error::Io`], also when the file exists.
    fn create(&self, path: &Path) -> Result<Box<dyn VfsFile>>;

    /// Opens a file for appending, creating it if needed.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    fn append(&self, path: &Path) -> Result<Box<dyn VfsFile>>;

    /// Creates a folder and those above it. The names of those that it makes are durable.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    fn create_dir(&self, path: &Path) -> Result<()>;

    /// Renames a file, replacing what had the new name. Atomic; durable after [`Vfs::sync_dir`] of the new name's folder.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;

    /// Waits until the names in a folder are on stable storage.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    fn sync_dir(&self, path: &Path) -> Result<()>;

    /// Writes a file that is there as a whole or not at all, replacing what had its name, and waits until it is durable,
    /// its name too.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    fn write_whole(&self, path: &Path, content: &[u8]) -> Result<()> {
        let temporary = path.with_added_extension("tmp");
        // What a crash has left.
        self.remove(&temporary)?;
        let mut file = self.create(&temporary)?;
        file.write_all(content).map_err(|error| crate::Error::io("write", &temporary, error))?;
        file.sync()?;
        self.rename(&temporary, path)?;
        path.parent().map_or(Ok(()), |folder| self.sync_dir(folder))
    }

    /// Whether stores here may have several writers. There are no locks then, nothing can be appended to or renamed, and
    /// versions of a catalog are made by [`Vfs::write_new`].
    fn is_shared(&self) -> bool {
        false
    }

    /// Writes a file unless there is one of its name, as one step that everybody sees, and tells whether it is there with
    /// this content. For file systems that are [shared](Vfs::is_shared).
    ///
    /// # Errors
    /// [`crate::Error::Io`]: whether the file was written is not known.
    fn write_new(&self, path: &Path, _content: &[u8]) -> Result<bool> {
        Err(crate::Error::io("write", path, std::io::ErrorKind::Unsupported.into()))
    }

    /// Deletes a file, or a folder with all in it. What does not exist is no error.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    fn remove(&self, path: &Path) -> Result<()>;

    /// The names in a folder, sorted; none if there is no such folder.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    fn list(&self, path: &Path) -> Result<Vec<PathBuf>>;

    /// The size of a file in bytes, `None` if there is no such file.
    ///
    /// # Errors
    /// [`crate::Error::Io`] for anything but absence.
    fn size(&self, path: &Path) -> Result<Option<u64>>;

    /// The sizes in bytes of some files of a folder, `None` for those that are not there.
    ///
    /// # Errors
    /// [`crate::Error::Io`] for anything but absence.
    fn sizes(&self, dir: &Path, names: &[&str]) -> Result<Vec<Option<u64>>> {
        names.iter().map(|name| self.size(&dir.join(name))).collect()
    }

    /// The whole content, copied to memory. For small files.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    fn read(&self, path: &Path) -> Result<Bytes>;

    /// A file of exactly `size` bytes for random access: mapped where the file system can.
    ///
    /// # Errors
    /// [`crate::Error::Io`]; [`crate::Error::Corrupt`] when the file is not `size` bytes long.
    fn open(&self, path: &Path, size: u64) -> Result<Arc<dyn RandomRead>>;

    /// Takes the lock that a file stands for, making the file if there is none; `None` while somebody else has it, in
    /// this process or another. It ends with its holder, however that ends.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    fn lock(&self, path: &Path) -> Result<Option<Box<dyn VfsLock>>>;
}
