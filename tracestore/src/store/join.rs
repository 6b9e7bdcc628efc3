//! Parts of traces into blocks in memory.
//!
//! ```text
//! parts of a batch of traces ─▶ Block::traces_at ─▶ requests ─▶ BlockBuilder ─▶ MemoryVfs ─▶ Block
//! ```
//!
//! All stored copies of a span take part, shadowed ones too, so that the block in memory chooses between them, and finds
//! parents and roots, as a block of everything would: there is one place where that is decided, `block::build`.

use std::{ops::Range, path::Path, sync::Arc};

use rayon::prelude::*;

use super::split::Part;
use crate::{
    Error, Result,
    block::{Block, BlockBuilder},
    io::{MemoryVfs, Vfs},
    model::{BlockId, Trace, TraceId},
    otlp::encode_request,
};

/// How much is done at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// A block in memory is written when the requests that it holds have this many bytes.
    pub(super) block_bytes: usize,
    /// How many spans are read back at once, about.
    pub(super) batch_spans: u64,
    /// A trace may have this many in all its parts: it is read back at once, takes some gigabytes then, and goes into
    /// one row group.
    pub(super) trace_spans: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { block_bytes: 256 << 20, batch_spans: 64 << 10, trace_spans: 4 << 20 }
    }
}

impl Limits {
    /// Refuses traces of too many spans.
    fn check_size(&self, trace: &TraceId, spans: u64) -> Result<()> {
        if spans <= self.trace_spans {
            return Ok(());
        }
        let what = format!("trace {trace}, which lies in several blocks and has {spans} spans,");
        Err(Error::Limit { what, limit: format!("{} spans", self.trace_spans) })
    }
}

/// Parts of one trace as the trace that a block of them has.
///
/// # Errors
/// [`Error::Limit`] for too many spans.
pub(super) fn join_trace(parts: &[Trace]) -> Result<Option<Trace>> {
    let Some(first) = parts.first() else { return Ok(None) };
    join_block(parts)?.map_or(Ok(None), |block| block.trace(&first.trace_id))
}

/// Parts of one trace as a block.
///
/// # Errors
/// [`Error::Limit`] for too many spans.
pub(super) fn join_block(parts: &[Trace]) -> Result<Option<Arc<Block>>> {
    let Some(first) = parts.first() else { return Ok(None) };
    let limits = Limits::default();
    limits.check_size(&first.trace_id, parts.iter().map(|part| part.spans.len() as u64).sum())?;
    let mut joiner = Joiner::default();
    for part in parts {
        joiner.push(encode_request(std::slice::from_ref(part)))?;
    }
    Ok(joiner.finish()?.pop())
}

/// A trace that is split.
struct SplitTrace {
    /// Where its parts are in the list of all parts.
    parts: Range<usize>,
    start: u64,
    spans: u64,
}

/// Blocks in memory of the traces that the parts belong to, each whole in one of them.
///
/// # Errors
/// [`Error::Corrupt`], [`Error::Io`]; [`Error::Limit`] for a trace of too many spans.
pub(super) fn join(blocks: &[Arc<Block>], parts: &[Part], limits: Limits) -> Result<Vec<Arc<Block>>> {
    let mut joiner = Joiner::default();
    let (mut batch, mut spans) = (Vec::new(), 0);
    for trace in newest_last(blocks, parts, limits)? {
        batch.extend(parts.get(trace.parts).unwrap_or(&[]).iter().map(|part| (part.block, part.ordinal)));
        spans += trace.spans;
        if spans >= limits.batch_spans {
            joiner.push_batch(blocks, &mut batch)?;
            spans = 0;
            if joiner.builder.bytes() >= limits.block_bytes {
                joiner.write()?;
            }
        }
    }
    joiner.push_batch(blocks, &mut batch)?;
    joiner.finish()
}

/// The traces in the order of the blocks, so that a batch of them lies close together in each block.
fn newest_last(blocks: &[Arc<Block>], parts: &[Part], limits: Limits) -> Result<Vec<SplitTrace>> {
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
            limits.check_size(&part.trace, trace.spans)?;
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
    /// Adds whole traces, given by the blocks and ordinals of all their parts. Empties the batch.
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

#[cfg(test)]
mod tests {
    use super::{
        super::{samples::block, split::parts_to_join},
        *,
    };

    #[test]
    fn traces_stay_whole_in_batches_and_blocks_of_any_size() {
        let blocks = [block(&[1, 2, 3, 4, 5, 6]), block(&[5, 3, 9]), block(&[7]), block(&[9, 1, 3, 2])];
        let parts = parts_to_join(&blocks).unwrap();
        let counts = |block_bytes, batch_spans| {
            let joined = join(&blocks, &parts, Limits { block_bytes, batch_spans, ..Limits::default() }).unwrap();
            joined.iter().map(|block| (block.traces(), block.spans())).collect::<Vec<_>>()
        };
        // In the order of their starts, with what is stored of each: 1, 2 and 5 twice, 3 thrice, 9 twice.
        assert_eq!(counts(usize::MAX, 1), [(5, 11)]);
        assert_eq!(counts(0, u64::MAX), [(5, 11)]);
        assert_eq!(counts(0, 4), [(2, 4), (2, 5), (1, 2)]);
        assert_eq!(counts(0, 1), [(1, 2), (1, 2), (1, 3), (1, 2), (1, 2)]);
    }

    #[test]
    fn a_trace_of_too_many_spans_is_refused() {
        let blocks = [block(&[1]), block(&[1]), block(&[1])];
        let parts = parts_to_join(&blocks).unwrap();
        let join = |trace_spans| join(&blocks, &parts, Limits { trace_spans, ..Limits::default() });
        assert_eq!(join(3).unwrap().len(), 1);
        assert!(join(2).unwrap_err().is_limit());
    }
}
