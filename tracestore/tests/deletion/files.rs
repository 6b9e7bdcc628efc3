//! What deletions leave on the disk, and what becomes of it when it is damaged.

use std::{collections::BTreeMap, path::PathBuf};

use bytes::Bytes;
use tracestore::io::{MemoryVfs, Vfs};

/// Every file of the store.
pub(crate) fn all(vfs: &MemoryVfs) -> BTreeMap<PathBuf, Bytes> {
    let mut files = BTreeMap::new();
    let mut folders = vec![PathBuf::from("store")];
    while let Some(folder) = folders.pop() {
        for name in vfs.list(&folder).unwrap() {
            let path = folder.join(name);
            match vfs.size(&path).unwrap() {
                Some(_) => drop(files.insert(path.clone(), vfs.read(&path).unwrap())),
                None => folders.push(path),
            }
        }
    }
    files
}
