//! Traces of a block that a view does not show: they are deleted, or the view has them elsewhere, together with their
//! parts from other blocks.
//!
//! Everything that reads spans starts from [`Block::find`], from [`SpanReader::new`](super::SpanReader::new) or from a
//! list of ordinals, and these leave hidden traces out. What says more than there is (statistics, dictionaries, keys, time
//! ranges of row groups) stays as it is: it only ever rules out what no row of a larger set has.

use std::sync::Arc;

use arrow::{array::BooleanBufferBuilder, buffer::BooleanBuffer};

use super::{Block, deleted::Deleted};
use crate::{Error, Result, block::meta::RowGroupMeta};

/// The ordinals of hidden traces: 4 bytes each, little beside the copies that are shown instead of them.
#[derive(Debug, Default)]
pub(super) struct HiddenTraces {
    ordinals: Box<[u32]>,
    /// How many spans they have, and others that are deleted; shadowed ones included.
    spans: u64,
    /// The earliest start and the latest end of the others, if there are hidden ones and others.
    others: Option<(u64, u64)>,
}

impl HiddenTraces {
    /// How many traces.
    pub(super) fn len(&self) -> usize {
        self.ordinals.len()
    }

    /// How many spans are not seen.
    pub(super) fn spans(&self) -> u64 {
        self.spans
    }

    /// The earliest start and the latest end of the traces that are seen, where that is something else than the block's.
    pub(super) fn time_range_of_others(&self) -> Option<(u64, u64)> {
        self.others
    }

    /// Those in a row group.
    fn within(&self, group: &RowGroupMeta) -> &[u32] {
        let place = |ordinal: u64| self.ordinals.partition_point(|hidden| u64::from(*hidden) < ordinal);
        self.ordinals.get(place(group.first_trace)..place(group.first_trace + group.traces)).unwrap_or(&[])
    }
}

impl Block {
    /// The same block without some more traces. Shares everything that was read.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub(crate) fn without(&self, ordinals: &[u32]) -> Result<Arc<Self>> {
        let hidden: Vec<u32> = ordinals.iter().chain(&self.hidden().ordinals).copied().collect();
        self.hiding(self.shared_deleted(), &hidden)
    }

    /// The same block with these deleted rows, and these traces hidden beside those that are gone.
    pub(super) fn hiding(&self, deleted: Arc<Deleted>, ordinals: &[u32]) -> Result<Arc<Self>> {
        let mut ordinals: Vec<u32> = ordinals.iter().chain(deleted.whole()).copied().collect();
        ordinals.sort_unstable();
        ordinals.dedup();
        let is_hidden = |ordinal: &u32| ordinals.binary_search(ordinal).is_ok();
        if ordinals.is_empty() && deleted.partial().is_empty() {
            return Ok(self.with_hidden(deleted, HiddenTraces::default()));
        }
        let table = self.trace_table()?;
        let (rows, starts, durations) = (table.rows()?, table.starts()?, table.durations()?);
        let count = |ordinal: &u32| rows.values().get(*ordinal as usize).copied().map(u64::from);
        let hidden = ordinals.iter().map(count).sum::<Option<u64>>();
        let hidden = hidden.ok_or_else(|| Error::corrupt(self.path(), 0, "the trace table is too short"))?;
        let partial = deleted.partial().iter().filter(|(ordinal, _)| !is_hidden(ordinal));
        let spans = hidden + partial.map(|(_, rows)| u64::from(*rows)).sum::<u64>();
        let times = (0..).zip(starts.values().iter().zip(durations.values()));
        let seen = times.filter(|(ordinal, _)| !is_hidden(ordinal));
        let others = seen.fold(None, |range: Option<(u64, u64)>, (_, (start, duration))| {
            let end = start.saturating_add(duration.unsigned_abs());
            let (first, last) = range.unwrap_or((*start, end));
            Some((first.min(*start), last.max(end)))
        });
        Ok(self.with_hidden(deleted, HiddenTraces { ordinals: ordinals.into(), spans, others }))
    }

    /// Whether a trace is hidden.
    pub(crate) fn is_hidden(&self, ordinal: u32) -> bool {
        self.hidden().ordinals.binary_search(&ordinal).is_ok()
    }

    /// Whether all traces of a row group are hidden.
    pub(crate) fn hides_all_of(&self, group: &RowGroupMeta) -> bool {
        self.hidden().within(group).len() as u64 == group.traces
    }

    /// The rows of a row group that are neither of hidden traces nor deleted; `None` for all of them.
    pub(super) fn seen_rows(&self, group: &RowGroupMeta) -> Result<Option<BooleanBuffer>> {
        let hidden = self.hidden().within(group);
        if hidden.is_empty() && !self.has_partly_deleted() {
            return Ok(None);
        }
        let table = self.trace_table()?;
        let (first_rows, rows) = (table.first_rows()?, table.rows()?);
        let rows_of = |ordinal: u32| {
            let first = u64::from(*first_rows.values().get(ordinal as usize)?).checked_sub(group.first_row)? as usize;
            let end = first + *rows.values().get(ordinal as usize)? as usize;
            (end <= group.rows as usize).then_some(first..end)
        };
        let mut seen = BooleanBufferBuilder::new(group.rows as usize);
        for ordinal in hidden {
            match rows_of(*ordinal).filter(|rows| rows.start >= seen.len()) {
                Some(rows) => {
                    seen.append_n(rows.start - seen.len(), true);
                    seen.append_n(rows.len(), false);
                }
                None => return Err(Error::corrupt(self.path(), 0, "a trace is not in its row group")),
            }
        }
        seen.append_n(group.rows as usize - seen.len(), true);
        if self.has_partly_deleted() {
            let (first, rows) = (group.first_row as u32, group.rows as u32);
            for row in self.deleted_rows().range(first..first.saturating_add(rows)) {
                seen.set_bit((row - first) as usize, false);
            }
        }
        Ok(Some(seen.finish()))
    }
}
