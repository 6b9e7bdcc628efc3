//! Traces that lie in several blocks, made whole: their parts are given to a block in memory, and hidden where they are.
//!
//! ```text
//! blocks ─▶ split::split_parts ─▶ parts, read back ─▶ BlockBuilder ─▶ blocks in memory ─┬▶ Snapshot
//!    └──────────────────────────▶ the same blocks, parts hidden ────────────────────────┘
//! ```
//!
//! All stored copies of a span take part, shadowed ones too, so that the block in memory chooses between them, and finds
//! parents and roots, as a block of everything would: there is one place where that is decided, `block::build`.

use std::{
    ops::Range,
    path::Path,
    sync::{Arc, Mutex, OnceLock, TryLockError},
};

use rayon::prelude::*;

use super::{
    Snapshot,
    split::{Part, split_parts},
};
use crate::{
    Error, Result,
    block::{Block, BlockBuilder},
    io::{MemoryVfs, Vfs},
    model::{BlockId, Trace, TraceId},
    otlp::encode_request,
};

/// A block in memory is written when the requests that it holds have this many bytes.
const BLOCK_BYTES: usize = 256 << 20;
/// How many spans are read back at once, about.
const BATCH_SPANS: u64 = 64 << 10;
/// A trace may have this many in all its parts: it is read back at once, takes some gigabytes then, and goes into one
/// row group.
const TRACE_SPANS: u64 = 4 << 20;

/// The whole view of a snapshot, once it was asked for.
#[derive(Debug, Default)]
pub(super) struct WholeView {
    /// `None` within: the snapshot is its own whole view.
    view: OnceLock<Option<Snapshot>>,
    building: Mutex<()>,
}

impl WholeView {
    /// Of a snapshot in which no trace is split.
    pub(super) fn itself() -> Self {
        Self { view: OnceLock::from(None), building: Mutex::default() }
    }
}

impl Snapshot {
    /// The same spans with every trace in exactly one block, as if all of its spans had been given to that block: spans,
    /// parents, roots, counts and which copy of a span is seen do not depend on how the spans were cut into blocks.
    ///
    /// The blocks keep their numbers; traces that lie in several of them are hidden there, and are in one of the blocks
    /// that follow the others, in memory. Where no trace is split it is this snapshot, with the same blocks. The view
    /// is made once, and shared by the clones of this snapshot; it lives as long as they do. Who asks meanwhile waits.
    ///
    /// *Cost.* One block: nothing. Else the trace ids of all blocks are read and hashes of them sorted, up to 64 MiB at
    /// once: 6 ms for 20 blocks of 5,000 traces, 0.7 s for 100 blocks of 100,000. Where traces are split, the pages that
    /// their spans lie on are read in all columns, once for each 64 Ki spans of split traces, and the spans are ingested
    /// anew: about 10 µs per span on two cores, shadowed copies counted. They stay in memory as a block does,
    /// compressed, 20 to 60 bytes per span; while the view is made, up to 256 MiB of them are held as they were received,
    /// with what a [`BlockBuilder`] needs beside, and one batch of 64 Ki spans as values. A store in which everything was
    /// ingested twice therefore costs as much as ingesting it twice more, and the memory of a third of its blocks.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`]; [`Error::Limit`] for a split trace of more than 4 Mi spans. After an error the
    /// next call tries again.
    pub fn whole(&self) -> Result<Self> {
        let known = |view: &Option<Self>| view.as_ref().unwrap_or(self).clone();
        if let Some(view) = self.whole.view.get() {
            return Ok(known(view));
        }
        let _building = match self.whole.building.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(guard)) => Some(guard.into_inner()),
            // The one who builds may wait for this very thread, if it is one of rayon's: build another one then.
            Err(TryLockError::WouldBlock) if rayon::current_thread_index().is_some() => None,
            Err(TryLockError::WouldBlock) => self.whole.building.lock().ok(),
        };
        if let Some(view) = self.whole.view.get() {
            return Ok(known(view));
        }
        let view = self.make_whole()?;
        Ok(known(self.whole.view.get_or_init(|| view)))
    }

    /// The whole view; `None` when no trace is split.
    fn make_whole(&self) -> Result<Option<Self>> {
        let parts = split_parts(self.blocks())?;
        if parts.is_empty() {
            return Ok(None);
        }
        let joined = join(self.blocks(), &parts)?;
        let mut hidden: Vec<Vec<u32>> = vec![Vec::new(); self.blocks().len()];
        for part in &parts {
            if let Some(ordinals) = hidden.get_mut(part.block as usize) {
                ordinals.push(part.ordinal);
            }
        }
        let blocks = self.blocks().iter().zip(hidden).map(|(block, mut ordinals)| {
            ordinals.sort_unstable();
            if ordinals.is_empty() { Ok(Arc::clone(block)) } else { block.without(ordinals) }
        });
        let mut blocks = blocks.collect::<Result<Vec<_>>>()?;
        blocks.extend(joined);
        Ok(Some(self.with_whole_traces(blocks)))
    }
}

/// Parts of one trace as the trace that a block of them has.
///
/// # Errors
/// [`Error::Limit`] for too many spans.
pub(super) fn join_trace(parts: &[Trace]) -> Result<Option<Trace>> {
    let Some(first) = parts.first() else { return Ok(None) };
    check_size(&first.trace_id, parts.iter().map(|part| part.spans.len() as u64).sum())?;
    let mut joiner = Joiner::default();
    for part in parts {
        joiner.push(encode_request(std::slice::from_ref(part)))?;
    }
    let blocks = joiner.finish()?;
    blocks.first().map_or(Ok(None), |block| block.trace(&first.trace_id))
}

/// Refuses traces of too many spans.
fn check_size(trace: &TraceId, spans: u64) -> Result<()> {
    if spans <= TRACE_SPANS {
        return Ok(());
    }
    let what = format!("trace {trace}, which lies in several blocks and has {spans} spans,");
    Err(Error::Limit { what, limit: format!("{TRACE_SPANS} spans") })
}

/// A trace that is split.
struct SplitTrace {
    /// Where its parts are in the list of all parts.
    parts: Range<usize>,
    start: u64,
    spans: u64,
}

/// Blocks of the traces that the parts belong to.
fn join(blocks: &[Arc<Block>], parts: &[Part]) -> Result<Vec<Arc<Block>>> {
    let mut joiner = Joiner::default();
    let (mut batch, mut spans) = (Vec::new(), 0);
    for trace in newest_last(blocks, parts)? {
        batch.extend(parts.get(trace.parts).unwrap_or(&[]).iter().map(|part| (part.block, part.ordinal)));
        spans += trace.spans;
        if spans >= BATCH_SPANS {
            joiner.push_batch(blocks, &mut batch)?;
            spans = 0;
        }
    }
    joiner.push_batch(blocks, &mut batch)?;
    joiner.finish()
}

/// The traces in the order of the blocks, so that a batch of them lies close together in each block.
fn newest_last(blocks: &[Arc<Block>], parts: &[Part]) -> Result<Vec<SplitTrace>> {
    let tables = blocks.iter().map(|block| Ok((block.trace_table()?.starts()?, block.trace_table()?.rows()?)));
    let tables = tables.collect::<Result<Vec<_>>>()?;
    let mut traces = Vec::new();
    let mut first = 0;
    for parts in parts.chunk_by(|a, b| a.trace == b.trace) {
        let mut trace = SplitTrace { parts: first..first + parts.len(), start: u64::MAX, spans: 0 };
        for part in parts {
            let table = tables.get(part.block as usize);
            let (Some(start), Some(rows)) = (
                table.and_then(|(starts, _)| starts.values().get(part.ordinal as usize)),
                table.and_then(|(_, rows)| rows.values().get(part.ordinal as usize)),
            ) else {
                return Err(Error::Internal("a part of a trace is in no block".to_owned()));
            };
            trace.start = trace.start.min(*start);
            trace.spans += u64::from(*rows);
        }
        if let Some(part) = parts.first() {
            check_size(&part.trace, trace.spans)?;
        }
        first = trace.parts.end;
        traces.push(trace);
    }
    traces.sort_by_key(|trace| trace.start);
    Ok(traces)
}

/// Blocks in memory in the making.
#[derive(Debug, Default)]
struct Joiner {
    builder: BlockBuilder,
    blocks: Vec<Arc<Block>>,
}

impl Joiner {
    /// Adds whole traces, given by blocks and ordinals, and writes a block if there is enough for one.
    fn push_batch(&mut self, blocks: &[Arc<Block>], batch: &mut Vec<(u32, u32)>) -> Result<()> {
        batch.sort_unstable();
        let by_block: Vec<&[(u32, u32)]> = batch.chunk_by(|a, b| a.0 == b.0).collect();
        let requests = by_block.into_par_iter().map(|parts| {
            let block = parts.first().and_then(|(block, _)| blocks.get(*block as usize));
            let block = block.ok_or_else(|| Error::Internal("a part of a trace is in no block".to_owned()))?;
            let ordinals: Vec<u32> = parts.iter().map(|(_, ordinal)| *ordinal).collect();
            // One request per trace: what its spans share is then found among few.
            let requests = block.traces_at(&ordinals)?.into_iter().map(|trace| encode_request(&[trace]));
            Ok(requests.collect::<Vec<_>>())
        });
        for request in requests.collect::<Result<Vec<_>>>()?.into_iter().flatten() {
            self.push(request)?;
        }
        batch.clear();
        if self.builder.bytes() >= BLOCK_BYTES {
            self.write()?;
        }
        Ok(())
    }

    /// Adds spans that were read back.
    fn push(&mut self, request: Vec<u8>) -> Result<()> {
        let pushed = self.builder.push(&request.into());
        let pushed = pushed.map_err(|error| Error::Internal(format!("a trace cannot be read again: {error}")))?;
        match pushed.refusals.total() {
            0 => Ok(()),
            _ => Err(Error::Internal(format!("spans cannot be read again: {}", pushed.refusals))),
        }
    }

    /// Makes a block of what was added.
    fn write(&mut self) -> Result<()> {
        let builder = std::mem::take(&mut self.builder);
        let (vfs, id): (Arc<dyn Vfs>, _) = (Arc::new(MemoryVfs::default()), BlockId::generate());
        let dir = Path::new("memory").join(id.to_string());
        builder.finish(vfs.as_ref(), &dir, id)?;
        self.blocks.push(Block::open(vfs, &dir)?);
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Arc<Block>>> {
        if self.builder.spans() > 0 {
            self.write()?;
        }
        Ok(self.blocks)
    }
}
