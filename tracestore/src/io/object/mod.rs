//! Stores on object stores: S3 and what speaks like it, or anything else behind the `object_store` traits.
//!
//! ```text
//! Vfs call ─▶ key below the prefix ─▶ bridge (a runtime of its own) ─▶ ObjectStore
//! column chunks ─▶ cache ─▶ ranged GETs          files being written ─▶ PUT, or multipart when large
//! ```
//!
//! An object is there as a whole or not at all, nobody appends to it, and there are no locks: a log cannot live here, and
//! versions of a catalog are made by conditional puts (`publish`). What the paths of a store mean is not known here.

mod bridge;
mod cache;
mod publish;
mod read;
#[cfg(feature = "s3")]
mod s3;
mod upload;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::{Error as ObjectError, ObjectStore, ObjectStoreExt, path::Path as Key};

use self::{bridge::Bridge, cache::ReadCache, read::ObjectFile, upload::Upload};
use super::{RandomRead, Vfs, VfsFile, VfsLock};
use crate::{Error, Result};

/// How many bytes of objects are kept in memory when nothing else is said.
const CACHE_BYTES: u64 = 256 << 20;

/// A prefix of an object store, whose objects are files. Clones share a cache of what was read.
///
/// Its functions block, and may be called from any thread, those of runtimes too: what they wait for runs on threads of
/// its own.
#[derive(Debug, Clone)]
pub struct ObjectVfs {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Arc<dyn ObjectStore>,
    /// What people call the prefix: all paths are below it.
    root: PathBuf,
    prefix: Key,
    bridge: Bridge,
    cache: ReadCache,
}

impl ObjectVfs {
    /// The objects below `prefix` as files below `root`, which errors name, such as `s3://bucket/prefix`.
    ///
    /// # Errors
    /// [`Error::Io`] when the system has no threads for it.
    pub fn new(store: Arc<dyn ObjectStore>, root: impl Into<PathBuf>, prefix: &str) -> Result<Self> {
        Self::with_cache(store, root, prefix, CACHE_BYTES)
    }

    /// As [`ObjectVfs::new`], with at most so many bytes in the cache.
    ///
    /// # Errors
    /// As [`ObjectVfs::new`].
    pub fn with_cache(
        store: Arc<dyn ObjectStore>,
        root: impl Into<PathBuf>,
        prefix: &str,
        cache_bytes: u64,
    ) -> Result<Self> {
        let (root, bridge) = (root.into(), Bridge::start()?);
        let cache = ReadCache::new(cache_bytes);
        Ok(Self { shared: Arc::new(Shared { store, root, prefix: Key::from(prefix), bridge, cache }) })
    }

    /// Where the store is.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.shared.root
    }

    fn key(&self, path: &Path) -> Result<Key> {
        let outside = || Error::io("find", path, io::ErrorKind::InvalidInput.into());
        let below = path.strip_prefix(&self.shared.root).map_err(|_| outside())?;
        let mut key = self.shared.prefix.clone();
        for part in below {
            key = key.join(part.to_str().ok_or_else(outside)?);
        }
        Ok(key)
    }

    /// Waits for what is done with the store.
    fn run<T, F>(&self, verb: &'static str, path: &Path, operation: impl FnOnce(Arc<dyn ObjectStore>) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = object_store::Result<T>> + Send + 'static,
    {
        let done = self.shared.bridge.run(operation(Arc::clone(&self.shared.store)))?;
        done.map_err(|error| wrong(verb, path, error))
    }

    fn unsupported(verb: &'static str, path: &Path) -> Error {
        let reason = io::Error::new(io::ErrorKind::Unsupported, "an object store cannot do that");
        Error::io(verb, path, reason)
    }
}

/// An error of the object store as one of a file system.
fn wrong(verb: &'static str, path: &Path, error: ObjectError) -> Error {
    let kind = match &error {
        ObjectError::NotFound { .. } => io::ErrorKind::NotFound,
        ObjectError::AlreadyExists { .. } => io::ErrorKind::AlreadyExists,
        ObjectError::PermissionDenied { .. } | ObjectError::Unauthenticated { .. } => io::ErrorKind::PermissionDenied,
        ObjectError::NotSupported { .. } | ObjectError::NotImplemented { .. } => io::ErrorKind::Unsupported,
        _ => io::ErrorKind::Other,
    };
    Error::io(verb, path, io::Error::new(kind, error))
}

impl Vfs for ObjectVfs {
    /// Nobody checks whether the name is new: names of blocks are.
    fn create(&self, path: &Path) -> Result<Box<dyn VfsFile>> {
        Ok(Box::new(Upload::new(Arc::clone(&self.shared), path.to_owned(), self.key(path)?)))
    }

    fn append(&self, path: &Path) -> Result<Box<dyn VfsFile>> {
        Err(Self::unsupported("append to", path))
    }

    fn create_dir(&self, _path: &Path) -> Result<()> {
        Ok(())
    }

    fn rename(&self, from: &Path, _to: &Path) -> Result<()> {
        Err(Self::unsupported("rename", from))
    }

    fn sync_dir(&self, _path: &Path) -> Result<()> {
        Ok(())
    }

    fn write_whole(&self, path: &Path, content: &[u8]) -> Result<()> {
        let (key, content) = (self.key(path)?, Bytes::copy_from_slice(content));
        self.run("write", path, |store| async move { store.put(&key, content.into()).await.map(drop) })
    }

    fn write_new(&self, path: &Path, content: &[u8]) -> Result<bool> {
        publish::put_new(&self.shared, path, self.key(path)?, content)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn remove(&self, path: &Path) -> Result<()> {
        let key = self.key(path)?;
        self.run("remove", path, |store| async move {
            // A block without its meta data, which goes first, is none.
            let mut below: Vec<Key> = store.list(Some(&key)).map_ok(|object| object.location).try_collect().await?;
            below.sort_by_key(|key| key.filename() != Some("meta.json"));
            if below.is_empty() {
                below.push(key);
            }
            let below = futures::stream::iter(below.into_iter().map(Ok)).boxed();
            let mut removed = store.delete_stream(below);
            while let Some(removed) = removed.next().await {
                match removed {
                    Ok(_) | Err(ObjectError::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        })
    }

    fn list(&self, path: &Path) -> Result<Vec<PathBuf>> {
        let key = self.key(path)?;
        let found = self.run("list", path, |store| async move { store.list_with_delimiter(Some(&key)).await })?;
        let names = found.common_prefixes.iter().chain(found.objects.iter().map(|object| &object.location));
        let mut names: Vec<PathBuf> = names.filter_map(Key::filename).map(PathBuf::from).collect();
        names.sort();
        Ok(names)
    }

    fn size(&self, path: &Path) -> Result<Option<u64>> {
        let key = self.key(path)?;
        match self.run("look up", path, |store| async move { store.head(&key).await }) {
            Ok(object) => Ok(Some(object.size)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn sizes(&self, dir: &Path, names: &[&str]) -> Result<Vec<Option<u64>>> {
        let key = self.key(dir)?;
        let found = self.run("list", dir, |store| async move { store.list_with_delimiter(Some(&key)).await })?;
        let size = |name: &&str| {
            let object = found.objects.iter().find(|object| object.location.filename() == Some(name));
            object.map(|object| object.size)
        };
        Ok(names.iter().map(size).collect())
    }

    fn read(&self, path: &Path) -> Result<Bytes> {
        let key = self.key(path)?;
        self.run("read", path, |store| async move { store.get(&key).await?.bytes().await })
    }

    fn open(&self, path: &Path, size: u64) -> Result<Arc<dyn RandomRead>> {
        Ok(Arc::new(ObjectFile::new(self.clone(), path.to_owned(), self.key(path)?, size)))
    }

    /// Nobody has it: who publishes sees what others have published.
    fn lock(&self, _path: &Path) -> Result<Option<Box<dyn VfsLock>>> {
        Ok(Some(Box::new(NoLock)))
    }
}

#[derive(Debug)]
struct NoLock;

impl VfsLock for NoLock {}
