//! From spans of a whole view to the rows of the blocks that it is made of: every stored copy goes, wherever it lies.
//!
//! A block of the view that is one of the stored ones has its traces alone: its rows are what is meant. Those behind them
//! are in memory: their traces are looked for in all stored blocks.

use std::{collections::BTreeMap, sync::Arc};

use hashbrown::HashSet;
use rayon::prelude::*;
use roaring::RoaringBitmap;

use super::{
    DeletionReport,
    found::{FoundSpans, FoundTraces},
};
use crate::{
    Error, Result,
    block::{Block, SpanKey},
    model::TraceId,
    store::Snapshot,
};

/// How many traces are looked at at once.
const BATCH: usize = 4096;

/// Rows of stored blocks that are to go, and what they are to those who see them.
#[derive(Debug, Default)]
pub(in crate::store) struct DoomedRows {
    /// By the block's number among the stored ones; none of them deleted before.
    pub(in crate::store) rows: BTreeMap<u32, RoaringBitmap>,
    pub(in crate::store) traces: u64,
    pub(in crate::store) spans: u64,
}

impl DoomedRows {
    pub(in crate::store) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many rows.
    pub(in crate::store) fn stored_spans(&self) -> u64 {
        self.rows.values().map(RoaringBitmap::len).sum()
    }

    /// The blocks of which nothing is left.
    pub(in crate::store) fn emptied<'a>(&'a self, stored: &'a Snapshot) -> impl Iterator<Item = &'a Arc<Block>> {
        let blocks = self.rows.iter().filter_map(|(number, rows)| Some((stored.blocks().get(*number as usize)?, rows)));
        let emptied = blocks.filter(|(block, rows)| rows.len() + block.deleted_rows().len() == block.meta().spans);
        emptied.map(|(block, _)| block)
    }

    /// What goes with them.
    pub(super) fn report(&self, stored: &Snapshot) -> DeletionReport {
        DeletionReport {
            traces: self.traces,
            spans: self.spans,
            stored_spans: self.stored_spans(),
            blocks: self.rows.len() as u64,
            removed_blocks: self.emptied(stored).count() as u64,
            rewritten_blocks: 0,
        }
    }

    fn add(&mut self, number: u32, rows: RoaringBitmap) {
        if !rows.is_empty() {
            *self.rows.entry(number).or_default() |= rows;
        }
    }

    /// Adds all rows of a trace.
    fn add_trace(&mut self, stored: &Snapshot, number: u32, ordinal: u32) -> Result<()> {
        let Some(block) = stored.blocks().get(number as usize) else { return Ok(()) };
        let rows = block.trace_table()?.span_rows(ordinal as usize)?;
        let doomed = self.rows.entry(number).or_default();
        doomed.insert_range(rows.start as u32..rows.end as u32);
        if block.is_partly_deleted(ordinal) {
            *doomed -= block.deleted_rows();
        }
        Ok(())
    }
}

/// All rows of a trace.
pub(super) fn rows_of_trace(stored: &Snapshot, id: &TraceId) -> Result<DoomedRows> {
    let mut doomed = DoomedRows::default();
    for (number, ordinal) in parts_of(stored, id)? {
        doomed.add_trace(stored, number, ordinal)?;
    }
    if let Some(trace) = stored.find_trace(id)? {
        doomed.traces = 1;
        doomed.spans = trace.spans.iter().filter(|span| !span.shadowed).count() as u64;
    }
    Ok(doomed)
}

/// All rows of some traces of the whole view.
pub(in crate::store) fn rows_of_traces(stored: &Snapshot, view: &Snapshot, traces: &FoundTraces) -> Result<DoomedRows> {
    let mut doomed = DoomedRows::default();
    for (number, ordinals) in traces {
        let Some(block) = view.blocks().get(*number as usize) else { continue };
        let counts = block.trace_table()?.spans()?;
        doomed.traces += ordinals.len();
        for ordinal in ordinals {
            doomed.spans += counts.values().get(ordinal as usize).copied().map_or(0, u64::from);
            if is_stored(stored, *number) {
                doomed.add_trace(stored, *number, ordinal)?;
            } else {
                let id = block.trace_table()?.id(ordinal as usize)?;
                for (number, ordinal) in parts_of(stored, &id)? {
                    doomed.add_trace(stored, number, ordinal)?;
                }
            }
        }
    }
    Ok(doomed)
}

/// All copies of some spans of the whole view.
pub(super) fn rows_of_spans(stored: &Snapshot, view: &Snapshot, found: &FoundSpans) -> Result<DoomedRows> {
    let mut doomed = DoomedRows { spans: found.len(), ..DoomedRows::default() };
    let traces = found.traces(view)?;
    for (number, rows) in found.blocks() {
        let (Some(block), Some(ordinals)) = (view.blocks().get(*number as usize), traces.get(number)) else { continue };
        doomed.traces += ordinals.len();
        if is_stored(stored, *number) && !block.has_copies() {
            doomed.add(*number, rows.clone());
            continue;
        }
        let ordinals: Vec<u32> = ordinals.iter().collect();
        let batches = ordinals.par_chunks(BATCH).map(|ordinals| {
            let spans = block.stored_spans(ordinals)?.into_iter().filter(|span| rows.contains(span.row));
            let ids = |ordinal: u32| block.trace_table()?.id(ordinal as usize);
            let wanted = spans.map(|span| Ok((ids(span.trace)?, span.key))).collect::<Result<_>>()?;
            copies_of(stored, &wanted)
        });
        for (number, rows) in batches.collect::<Result<Vec<_>>>()?.into_iter().flatten() {
            doomed.add(number, rows);
        }
    }
    Ok(doomed)
}

/// The rows of all copies of some spans.
fn copies_of(stored: &Snapshot, wanted: &HashSet<(TraceId, SpanKey)>) -> Result<Vec<(u32, RoaringBitmap)>> {
    let ids: HashSet<TraceId> = wanted.iter().map(|(id, _)| *id).collect();
    let mut parts: BTreeMap<u32, BTreeMap<u32, TraceId>> = BTreeMap::new();
    for id in ids {
        for (number, ordinal) in parts_of(stored, &id)? {
            parts.entry(number).or_default().insert(ordinal, id);
        }
    }
    let mut copies = Vec::new();
    for (number, traces) in parts {
        let block = stored.blocks().get(number as usize);
        let block = block.ok_or_else(|| Error::Internal(format!("there is no block {number}")))?;
        let ordinals: Vec<u32> = traces.keys().copied().collect();
        let is_wanted = |trace: u32, key| traces.get(&trace).is_some_and(|id| wanted.contains(&(*id, key)));
        let spans = block.stored_spans(&ordinals)?.into_iter().filter(|span| is_wanted(span.trace, span.key));
        let rows: RoaringBitmap = spans.map(|span| span.row).collect();
        copies.push((number, rows - block.deleted_rows()));
    }
    Ok(copies)
}

/// Whether a block of the whole view is the stored one of this number, and none of those in memory.
fn is_stored(stored: &Snapshot, number: u32) -> bool {
    (number as usize) < stored.blocks().len()
}

/// The stored blocks that have a trace, and its ordinals there.
fn parts_of(stored: &Snapshot, id: &TraceId) -> Result<Vec<(u32, u32)>> {
    let parts = (0..).zip(stored.blocks()).map(|(number, block)| Ok((number, block.find(id)?)));
    let found = parts.filter_map(|part| part.map(|(number, ordinal)| Some((number, ordinal? as u32))).transpose());
    found.collect()
}
