//! Traces of a block that a view does not show, because the view has them elsewhere: together with their parts from
//! other blocks.
//!
//! Everything that reads spans starts from [`Block::find`], from [`SpanReader::new`](super::SpanReader::new) or from a
//! list of ordinals, and these leave hidden traces out. What says more than there is (statistics, dictionaries, keys, time
//! ranges) stays as it is: it only ever rules out what no row of a larger set has.

use std::sync::Arc;

use arrow::{array::BooleanBufferBuilder, buffer::BooleanBuffer};

use super::Block;
use crate::{Error, Result, block::meta::RowGroupMeta};

/// The ordinals of hidden traces: 4 bytes each, little beside the copies that are shown instead of them.
#[derive(Debug, Default)]
pub(super) struct HiddenTraces {
    ordinals: Box<[u32]>,
    /// How many spans they have, shadowed ones included.
    spans: u64,
}

impl HiddenTraces {
    /// How many traces.
    pub(super) fn len(&self) -> usize {
        self.ordinals.len()
    }

    /// How many spans they have.
    pub(super) fn spans(&self) -> u64 {
        self.spans
    }

    /// Those in a row group.
    fn within(&self, group: &RowGroupMeta) -> &[u32] {
        let place = |ordinal: u64| self.ordinals.partition_point(|hidden| u64::from(*hidden) < ordinal);
        self.ordinals.get(place(group.first_trace)..place(group.first_trace + group.traces)).unwrap_or(&[])
    }
}

impl Block {
    /// The same block without some traces, given by ascending ordinals. Shares everything that was read.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub(crate) fn without(&self, ordinals: Vec<u32>) -> Result<Arc<Self>> {
        let rows = self.trace_table()?.rows()?;
        let count = |ordinal: &u32| rows.values().get(*ordinal as usize).copied().map(u64::from);
        let spans = ordinals.iter().map(count).sum::<Option<u64>>();
        let spans = spans.ok_or_else(|| Error::corrupt(self.path(), 0, "the trace table is too short"))?;
        Ok(self.with_hidden(HiddenTraces { ordinals: ordinals.into(), spans }))
    }

    /// Whether a trace is hidden.
    pub(crate) fn is_hidden(&self, ordinal: u32) -> bool {
        self.hidden().ordinals.binary_search(&ordinal).is_ok()
    }

    /// Whether all traces of a row group are hidden.
    pub(crate) fn hides_all_of(&self, group: &RowGroupMeta) -> bool {
        self.hidden().within(group).len() as u64 == group.traces
    }

    /// The rows of a row group that are not of hidden traces; `None` for all of them.
    pub(super) fn seen_rows(&self, group: &RowGroupMeta) -> Result<Option<BooleanBuffer>> {
        let hidden = self.hidden().within(group);
        if hidden.is_empty() {
            return Ok(None);
        }
        let table = self.trace_table()?;
        let mut seen = BooleanBufferBuilder::new(group.rows as usize);
        for ordinal in hidden {
            let rows = table.span_rows(*ordinal as usize)?;
            let start = rows.start.checked_sub(group.first_row as usize).filter(|start| *start >= seen.len());
            match start.filter(|start| start + rows.len() <= group.rows as usize) {
                Some(start) => seen.append_n(start - seen.len(), true),
                None => return Err(Error::corrupt(self.path(), 0, "a trace is not in its row group")),
            }
            seen.append_n(rows.len(), false);
        }
        seen.append_n(group.rows as usize - seen.len(), true);
        Ok(Some(seen.finish()))
    }
}
