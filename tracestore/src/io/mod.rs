//! Every byte read or written goes through a [`Vfs`]: the local disk, or memory (for queries over files in place, and
//! for tests that simulate crashes). What is durable when is said once, in the trait's contract.

mod disk;
mod map;
mod memory;

use std::{
    fmt::Debug,
    io::Write,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;

pub use disk::{DiskVfs, ReadMode};
pub use memory::MemoryVfs;

use crate::Result;

/// Whether a name that comes from a file is one: none may lead out of its folder.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name)
}

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

    /// Makes a copy of a file as it is now, under a name that nothing has; its content is on stable storage then.
    ///
    /// # Errors
    /// [`crate::Error::Io`], also when the new name is taken.
    fn copy(&self, from: &Path, to: &Path) -> Result<()> {
        let content = self.read(from)?;
        let mut file = self.create(to)?;
        file.write_all(&content).map_err(|error| crate::Error::io("write", to, error))?;
        file.sync()
    }

    /// Gives a file that nobody changes another name, or makes a copy where the file system cannot.
    ///
    /// # Errors
    /// As [`Vfs::copy`].
    fn link(&self, from: &Path, to: &Path) -> Result<()> {
        self.copy(from, to)
    }

    /// Waits until the names in a folder are on stable storage.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    fn sync_dir(&self, path: &Path) -> Result<()>;

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

    /// The whole content, copied to memory. For small files.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    fn read(&self, path: &Path) -> Result<Bytes>;

    /// The whole content for random access: mapped where the file system can, of exactly `size` bytes.
    ///
    /// # Errors
    /// [`crate::Error::Io`]; [`crate::Error::Corrupt`] when the file is not `size` bytes long.
    fn map(&self, path: &Path, size: u64) -> Result<Bytes>;

    /// Takes the lock that a file stands for, making the file if there is none; `None` while somebody else has it, in
    /// this process or another. It ends with its holder, however that ends.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    fn lock(&self, path: &Path) -> Result<Option<Box<dyn VfsLock>>>;
}
