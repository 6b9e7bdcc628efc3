//! What was read of objects, up to a budget of bytes. Objects of blocks never change: nothing here is ever out of date.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache};

use crate::Result;

/// What one entry takes beside its bytes, about.
const OVERHEAD: u64 = 128;
/// What an entry has on average, about: the size of tables made beforehand follows from it.
const USUAL_ENTRY: u64 = 64 << 10;

/// A range of an object.
pub(super) type Place = (Arc<str>, Range<u64>);

/// Ranges of objects.
#[derive(Debug)]
pub(super) struct ReadCache {
    ranges: Cache<Place, Bytes, ByBytes>,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<Place, Bytes> for ByBytes {
    fn weight(&self, _place: &Place, bytes: &Bytes) -> u64 {
        bytes.len() as u64 + OVERHEAD
    }
}

impl ReadCache {
    pub(super) fn new(budget: u64) -> Self {
        let entries = usize::try_from(budget / USUAL_ENTRY).unwrap_or(usize::MAX);
        Self { ranges: Cache::with_weighter(entries, budget, ByBytes) }
    }

    /// In bytes.
    pub(super) fn budget(&self) -> u64 {
        self.ranges.capacity()
    }

    pub(super) fn has(&self, place: &Place) -> bool {
        self.ranges.peek(place).is_some()
    }

    pub(super) fn put(&self, place: Place, bytes: Bytes) {
        self.ranges.insert(place, bytes);
    }

    /// What is there, else what is fetched now. Of several who want the same, one fetches it.
    ///
    /// # Errors
    /// Those of `fetch`.
    pub(super) fn get_or_fetch(&self, place: &Place, fetch: impl FnOnce() -> Result<Bytes>) -> Result<Bytes> {
        self.ranges.get_or_insert_with(place, fetch)
    }
}
