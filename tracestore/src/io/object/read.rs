//! Reading an object piece by piece.
//!
//! A block reads column chunks, whose checksums cover them as a whole: they are what is fetched and kept. Chunks that are
//! known to be needed are fetched together, near ones with one request (`ObjectStore::get_ranges`). Small objects are
//! fetched as a whole: the time of a request is that of about a megabyte.

use std::{ops::Range, path::PathBuf, sync::Arc};

use bytes::Bytes;
use object_store::{ObjectStoreExt, path::Path as Key};

use super::{ObjectVfs, cache::Place};
use crate::{
    Result,
    io::{
        RandomRead,
        random::{beyond_the_end, check_size, slice},
    },
};

/// Objects up to this size are read as a whole ...
const SMALL: u64 = 1 << 20;
/// ... unless they take a larger part of the cache than this.
const SMALL_PART: u64 = 16;

/// An object of a block.
#[derive(Debug)]
pub(super) struct ObjectFile {
    vfs: ObjectVfs,
    path: PathBuf,
    key: Key,
    name: Arc<str>,
    size: u64,
}

impl ObjectFile {
    pub(super) fn new(vfs: ObjectVfs, path: PathBuf, key: Key, size: u64) -> Self {
        let name = key.as_ref().into();
        Self { vfs, path, key, name, size }
    }

    fn is_small(&self) -> bool {
        self.size <= SMALL.min(self.vfs.shared.cache.budget() / SMALL_PART)
    }

    fn place(&self, range: Range<u64>) -> Place {
        (Arc::clone(&self.name), range)
    }

    fn fetch(&self, range: Range<u64>) -> Result<Bytes> {
        let (key, wanted) = (self.key.clone(), range.clone());
        let bytes = self.vfs.run("read", &self.path, |store| async move { store.get_range(&key, wanted).await })?;
        check_size(&self.path, range.start + bytes.len() as u64, range.end)?;
        Ok(bytes)
    }

    fn fetch_all(&self) -> Result<Bytes> {
        // An object of another size is damaged, and an empty range is no request.
        let key = self.key.clone();
        let bytes = self.vfs.run("read", &self.path, |store| async move { store.get(&key).await?.bytes().await })?;
        check_size(&self.path, bytes.len() as u64, self.size)?;
        Ok(bytes)
    }
}

impl RandomRead for ObjectFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes> {
        let beyond = || beyond_the_end(&self.path, &range, self.size);
        let cache = &self.vfs.shared.cache;
        if range.start > range.end || range.end > self.size {
            return Err(beyond());
        }
        if self.is_small() {
            let all = cache.get_or_fetch(&self.place(0..self.size), || self.fetch_all())?;
            return slice(&all, 0, &range).ok_or_else(beyond);
        }
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        cache.get_or_fetch(&self.place(range.clone()), || self.fetch(range))
    }

    fn is_held(&self) -> bool {
        false
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        let cache = &self.vfs.shared.cache;
        let is_missing = |range: &&Range<u64>| range.end <= self.size && !cache.has(&self.place((*range).clone()));
        let missing: Vec<Range<u64>> =
            ranges.iter().filter(|range| !range.is_empty()).filter(is_missing).cloned().collect();
        // One is as soon fetched when it is read.
        if self.is_small() || missing.len() < 2 {
            return;
        }
        let (key, wanted) = (self.key.clone(), missing.clone());
        let fetched = self.vfs.run("read", &self.path, |store| async move { store.get_ranges(&key, &wanted).await });
        for (range, bytes) in missing.into_iter().zip(fetched.unwrap_or_default()) {
            if bytes.len() as u64 == range.end - range.start {
                // Pieces of one answer would keep all of it, gaps too, as long as one of them is there.
                cache.put(self.place(range), Bytes::copy_from_slice(&bytes));
            }
        }
    }
}
