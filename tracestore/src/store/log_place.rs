//! Where a writer's log lives: in the store's folder, or, when the store is on an object store, in a folder of the local disk
//! that belongs to this store alone, or nowhere.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::layout::{LOCAL_LOG, Layout};
use crate::{
    Error, Result,
    io::{DiskVfs, MemoryVfs, Vfs, VfsLock},
};

/// The file that tells whose log a folder has.
const OWNER: &str = "log.json";

/// A log's folders, and the file system that they are on.
#[derive(Debug)]
pub(super) struct LogPlace {
    pub(super) vfs: Arc<dyn Vfs>,
    /// What the catalog calls it.
    pub(super) id: String,
    /// The segments.
    pub(super) wal: PathBuf,
    /// What observers keep.
    pub(super) derived: PathBuf,
    /// Copies of damaged files.
    pub(super) quarantine: PathBuf,
    _lock: Option<Box<dyn VfsLock>>,
}

/// The content of [`OWNER`].
#[derive(Serialize, Deserialize)]
struct Owner {
    log: String,
    store: PathBuf,
}

impl LogPlace {
    /// The log in the folder of a store, whose lock is held.
    pub(super) fn of_store(vfs: &Arc<dyn Vfs>, layout: &Layout) -> Self {
        let (wal, derived, quarantine) = (layout.wal.clone(), layout.derived.clone(), layout.quarantine.clone());
        Self { vfs: Arc::clone(vfs), id: LOCAL_LOG.to_owned(), wal, derived, quarantine, _lock: None }
    }

    /// No place: nothing can be ingested.
    pub(super) fn none() -> Self {
        let (wal, derived, quarantine) = ("wal".into(), "derived".into(), "quarantine".into());
        Self { vfs: Arc::new(MemoryVfs::default()), id: String::new(), wal, derived, quarantine, _lock: None }
    }

    /// Whether there is a log.
    pub(super) fn is_some(&self) -> bool {
        !self.id.is_empty()
    }

    /// The log of a store that is elsewhere, in a local folder. A new folder gets an id, and is for this store from then on.
    ///
    /// # Errors
    /// [`Error::Locked`] while another writer has it; [`Error::NotFound`] when it is another store's; [`Error::Io`],
    /// [`Error::Corrupt`].
    pub(super) fn open(dir: &Path, store: &Path) -> Result<Self> {
        let vfs: Arc<dyn Vfs> = Arc::new(DiskVfs::default());
        vfs.create_dir(dir)?;
        let lock = vfs.lock(&dir.join("lock"))?.ok_or_else(|| Error::Locked { path: dir.to_owned() })?;
        let path = dir.join(OWNER);
        let owner = match vfs.size(&path)? {
            Some(_) => {
                let wrong = |error: serde_json::Error| Error::corrupt(&path, 0, error.to_string());
                serde_json::from_slice(&vfs.read(&path)?).map_err(wrong)?
            }
            None => {
                let owner = Owner { log: Uuid::now_v7().to_string(), store: store.to_owned() };
                let internal = |error: serde_json::Error| Error::Internal(format!("a path cannot be written: {error}"));
                vfs.write_whole(&path, &serde_json::to_vec(&owner).map_err(internal)?)?;
                owner
            }
        };
        if owner.store != store {
            let reason = format!("the log here is that of the store {}", owner.store.display());
            return Err(Error::NotFound { path: dir.to_owned(), reason });
        }
        let (wal, derived, quarantine) = (dir.join("wal"), dir.join("derived"), dir.join("quarantine"));
        Ok(Self { vfs, id: owner.log, wal, derived, quarantine, _lock: Some(lock) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_the_log_of_one_store_and_of_one_writer() {
        let dir = tempfile::tempdir().unwrap();
        let open = |store: &str| LogPlace::open(&dir.path().join("log"), Path::new(store));
        let first = open("s3://a/b").unwrap();
        assert!(matches!(open("s3://a/b"), Err(Error::Locked { .. })));
        let id = first.id.clone();
        drop(first);
        assert_eq!(open("s3://a/b").unwrap().id, id);
        let error = open("s3://a/c").unwrap_err().to_string();
        assert!(error.ends_with("the log here is that of the store s3://a/b"), "{error}");
    }
}
