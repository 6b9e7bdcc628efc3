//! What somebody who understands queries finds in a view.

use std::{collections::BTreeMap, fmt};

use roaring::RoaringBitmap;

use crate::{Error, Result, model::Trace, store::Snapshot};

/// How many traces are read back at once.
const BATCH: usize = 4096;

/// Finds spans. This crate has no language for queries: whoever has one implements it.
///
/// It prints as the query that it stands for: so it is named in the store's audit.
pub trait SpanSelector: fmt::Debug + fmt::Display + Send + Sync {
    /// Adds all spans of a view that are meant, by their blocks' numbers in the view and their rows there. The view is a
    /// [whole one](Snapshot::whole).
    ///
    /// # Errors
    /// [`Error::Selector`], or any other: nothing is deleted then.
    fn select(&self, view: &Snapshot, found: &mut FoundSpans) -> Result<()>;
}

/// Spans of a view: a bit each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FoundSpans {
    blocks: BTreeMap<u32, RoaringBitmap>,
}

/// Traces of a view: ordinals by the number of the block.
pub(in crate::store) type FoundTraces = BTreeMap<u32, RoaringBitmap>;

impl FoundSpans {
    /// Adds a span, given by the number of its block in the view and its row there. One that was added before is there
    /// once.
    pub fn add(&mut self, block: u32, row: u32) {
        self.blocks.entry(block).or_default().insert(row);
    }

    /// Adds the spans of a whole view that are meant, of which each is looked at: by its trace, and its index there.
    ///
    /// *Cost.* All spans are read in all columns. Who can say in columns what is meant is much faster.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn add_if(&mut self, view: &Snapshot, mut is_meant: impl FnMut(&Trace, usize) -> bool) -> Result<()> {
        for (number, block) in (0..).zip(view.blocks()) {
            let seen = (0..block.meta().traces as u32).filter(|ordinal| !block.is_hidden(*ordinal));
            for ordinals in seen.collect::<Vec<_>>().chunks(BATCH) {
                for (ordinal, trace) in ordinals.iter().zip(block.traces_at(ordinals)?) {
                    let rows = block.trace_table()?.span_rows(*ordinal as usize)?.zip(0..);
                    let meant = rows.filter(|(_, span)| {
                        trace.spans.get(*span).is_some_and(|span| !span.shadowed) && is_meant(&trace, *span)
                    });
                    meant.for_each(|(row, _)| self.add(number, row as u32));
                }
            }
        }
        Ok(())
    }

    /// How many spans.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.blocks.values().map(RoaringBitmap::len).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a selector finds.
    pub(in crate::store) fn find(selector: &dyn SpanSelector, view: &Snapshot) -> Result<Self> {
        let mut found = Self::default();
        selector.select(view, &mut found)?;
        for (number, rows) in &found.blocks {
            let block = view.blocks().get(*number as usize);
            if block.is_none_or(|block| rows.max().is_some_and(|last| u64::from(last) >= block.meta().spans)) {
                return Err(Error::Internal(format!("`{selector}` found a span that no block has")));
            }
        }
        Ok(found)
    }

    /// Rows by block.
    pub(super) fn blocks(&self) -> &BTreeMap<u32, RoaringBitmap> {
        &self.blocks
    }

    /// The traces that the spans belong to.
    pub(in crate::store) fn traces(&self, view: &Snapshot) -> Result<FoundTraces> {
        let mut traces = FoundTraces::new();
        for (number, rows) in &self.blocks {
            let Some(block) = view.blocks().get(*number as usize) else { continue };
            let (table, found) = (block.trace_table()?, traces.entry(*number).or_default());
            let mut next = rows.min();
            while let Some(row) = next {
                let ordinal = table.trace_of_row(row)?;
                found.insert(ordinal);
                next = rows.range(table.span_rows(ordinal as usize)?.end as u32..).next();
            }
        }
        Ok(traces)
    }
}
