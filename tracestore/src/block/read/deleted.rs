//! Rows of a block that are no part of the store any more: which traces are gone with them, and which have lost some of
//! their spans.
//!
//! A trace that is gone is [hidden](super::hidden). One that has lost spans is read back without them; what its other
//! spans are then (roots, parents, counts) only a block of them knows: a [whole view](crate::Snapshot::whole) has
//! it in one in memory, and hides it here. The rows come from the store's catalog, and never from the block's folder.

use std::sync::Arc;

use roaring::RoaringBitmap;

use super::Block;
use crate::{Error, Result};

/// The deleted rows of a block.
#[derive(Debug, Default)]
pub(super) struct Deleted {
    rows: RoaringBitmap,
    /// Ordinals of the traces of which nothing is left, ascending.
    whole: Box<[u32]>,
    /// Ordinals of those that have lost spans, ascending, and how many rows each.
    partial: Box<[(u32, u32)]>,
}

impl Deleted {
    /// The ordinals of the traces of which nothing is left.
    pub(super) fn whole(&self) -> &[u32] {
        &self.whole
    }

    /// The ordinals of the traces that have lost spans, and how many rows.
    pub(super) fn partial(&self) -> &[(u32, u32)] {
        &self.partial
    }

    /// Finds the traces that rows of a block belong to.
    fn new(block: &Block, rows: RoaringBitmap) -> Result<Self> {
        let beyond = rows.max().is_some_and(|last| u64::from(last) >= block.meta().spans);
        if beyond {
            return Err(Error::corrupt(block.path(), 0, "rows are deleted that the block does not have"));
        }
        let table = block.trace_table()?;
        let (mut whole, mut partial) = (Vec::new(), Vec::new());
        let mut next = rows.min();
        while let Some(row) = next {
            let ordinal = table.trace_of_row(row)?;
            let all = table.span_rows(ordinal as usize)?;
            let (first, end) = (all.start as u32, all.end as u32);
            match rows.range_cardinality(first..end) {
                deleted if deleted == u64::from(end - first) => whole.push(ordinal),
                deleted => partial.push((ordinal, deleted as u32)),
            }
            next = rows.range(end..).next();
        }
        Ok(Self { rows, whole: whole.into(), partial: partial.into() })
    }
}

impl Block {
    /// The same block with other deleted rows, whatever it had. Shares everything that was read.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the block has no such rows; [`Error::Io`].
    pub(crate) fn with_deleted(&self, rows: RoaringBitmap) -> Result<Arc<Self>> {
        if rows.is_empty() {
            return self.hiding(Arc::default(), &[]);
        }
        self.hiding(Arc::new(Deleted::new(self, rows)?), &[])
    }

    /// How many of its stored spans are deleted.
    #[must_use]
    pub fn deleted_spans(&self) -> u64 {
        self.deleted_rows().len()
    }

    /// The rows that are deleted. What reads spans leaves them out; of what is said from statistics, [`Block::spans`],
    /// [`Block::traces`] and [`Block::time_range`] do.
    pub(crate) fn deleted_rows(&self) -> &RoaringBitmap {
        &self.deleted().rows
    }

    /// The ordinals of the traces that are seen and have lost some of their rows, ascending.
    pub(crate) fn partly_deleted(&self) -> impl Iterator<Item = u32> + '_ {
        let ordinals = self.deleted().partial().iter().map(|(ordinal, _)| *ordinal);
        ordinals.filter(|ordinal| !self.is_hidden(*ordinal))
    }

    /// Whether a trace has lost some of its rows.
    pub(crate) fn is_partly_deleted(&self, ordinal: u32) -> bool {
        self.deleted().partial().binary_search_by_key(&ordinal, |(ordinal, _)| *ordinal).is_ok()
    }

    /// Whether some trace that is seen has lost some of its rows.
    pub(crate) fn has_partly_deleted(&self) -> bool {
        self.partly_deleted().next().is_some()
    }
}
