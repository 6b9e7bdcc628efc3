//! Parts of traces into blocks: in memory for queries, in a store's folder where blocks are merged.
//!
//! ```text
//! parts of a batch of traces ─▶ Block::requests_of ─▶ BlockBuilder ─▶ Target (memory, folder) ─▶ Block
//! ```
//!
//! All stored copies of a span take part, shadowed ones too, so that the new block chooses between them, and finds parents
//! and roots, as a block of everything would: there is one place where that is decided, `block::build`.

use std::{ops::Range, path::Path, sync::Arc};

use rayon::prelude::*;

use super::split::Part;
use crate::{
    Error, Result,
    block::{Block, BlockBuilder},
    io::{MemoryVfs, Vfs},
    model::{BlockId, TraceId},
};

/// How much is done at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// A block is written when the requests that it holds have this many bytes ...
    pub(super) block_bytes: u64,
    /// ... or this many spans.
    pub(super) block_spans: u64,
    /// How many bytes of spans are read back at once, about.
    pub(super) batch_bytes: u64,
    /// A trace may have this many in all its parts: it is read back at once, takes some gigabytes then, and goes into
    /// one row group.
    pub(super) trace_spans: u64,
}

impl Default for Limits {
    /// Those of blocks in memory.
    fn default() -> Self {
        Self { block_bytes: 64 << 20, block_spans: u64::MAX, batch_bytes: 16 << 20, trace_spans: 4 << 20 }
    }
}

impl Limits {
    /// Refuses traces of too many spans.
    fn check_size(&self, trace: &TraceId, spans: u64) -> Result<()> {
        if spans <= self.trace_spans {
            return Ok(());
        }
        let what = format!("trace {trace}, which is to be put together and has {spans} spans,");
        Err(Error::Limit { what, limit: format!("{} spans", self.trace_spans) })
    }
}

/// Where the blocks are made.
pub(super) trait Target {
    /// An empty block.
    fn builder(&self) -> BlockBuilder;

    /// Writes a block.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn write(&mut self, builder: BlockBuilder) -> Result<Arc<Block>>;

    /// Looks, every now and then, whether to go on.
    ///
    /// # Errors
    /// Whatever is the reason to stop.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// Blocks in memory.
#[derive(Debug)]
pub(super) struct InMemory;

impl Target for InMemory {
    fn builder(&self) -> BlockBuilder {
        BlockBuilder::new()
    }

    fn write(&mut self, builder: BlockBuilder) -> Result<Arc<Block>> {
        let (vfs, id): (Arc<dyn Vfs>, _) = (Arc::new(MemoryVfs::default()), BlockId::generate());
        let dir = Path::new("memory").join(id.to_string());
        builder.finish(vfs.as_ref(), &dir, id)?;
        Block::open(vfs, &dir)
    }
}

/// A trace and where its parts are.
struct JoinedTrace {
    /// Where its parts are in the list of all parts.
    parts: Range<usize>,
    start: u64,
    /// How large it is as a request, about.
    bytes: u64,
}

/// Blocks of the traces that the parts belong to, each whole in one of them, in the order of their starts. The parts of
/// one trace follow each other.
///
/// # Errors
/// [`Error::Corrupt`], [`Error::Io`]; [`Error::Limit`] for a trace of too many spans.
pub(super) fn join(
    blocks: &[Arc<Block>],
    parts: &[Part],
    limits: Limits,
    target: &mut dyn Target,
) -> Result<Vec<Arc<Block>>> {
    let mut joiner = Joiner { builder: target.builder(), blocks: Vec::new(), target };
    let (mut batch, mut bytes) = (Vec::new(), 0);
    for trace in newest_last(blocks, parts, limits)? {
        batch.extend(parts.get(trace.parts).unwrap_or(&[]).iter().map(|part| (part.block, part.ordinal)));
        bytes += trace.bytes;
        if bytes >= limits.batch_bytes {
            joiner.push_batch(blocks, &mut batch)?;
            bytes = 0;
            let (spans, bytes) = (joiner.builder.spans() as u64, joiner.builder.bytes() as u64);
            if bytes >= limits.block_bytes || spans >= limits.block_spans {
                joiner.write()?;
            }
        }
    }
    joiner.push_batch(blocks, &mut batch)?;
    joiner.finish()
}

/// The traces in the order of the blocks, so that a batch of them lies close together in each block.
fn newest_last(blocks: &[Arc<Block>], parts: &[Part], limits: Limits) -> Result<Vec<JoinedTrace>> {
    let tables = blocks.iter().map(|block| {
        let table = block.trace_table()?;
        Ok((table.starts()?, table.rows()?, block.bytes_per_span()))
    });
    let tables = tables.collect::<Result<Vec<_>>>()?;
    let mut traces = Vec::new();
    let mut first = 0;
    for parts in parts.chunk_by(|a, b| a.trace == b.trace) {
        let mut trace = JoinedTrace { parts: first..first + parts.len(), start: u64::MAX, bytes: 0 };
        let mut spans = 0;
        for part in parts {
            let table = tables.get(part.block as usize);
            let (Some(start), Some((rows, bytes_per_span))) = (
                table.and_then(|(starts, ..)| starts.values().get(part.ordinal as usize)),
                table.and_then(|(_, rows, bytes)| Some((*rows.values().get(part.ordinal as usize)?, *bytes))),
            ) else {
                return Err(Error::Internal("a part of a trace is in no block".to_owned()));
            };
            trace.start = trace.start.min(*start);
            trace.bytes += u64::from(rows) * bytes_per_span;
            spans += u64::from(rows);
        }
        if let Some(part) = parts.first() {
            limits.check_size(&part.trace, spans)?;
        }
        first = trace.parts.end;
        traces.push(trace);
    }
    traces.sort_by_key(|trace| trace.start);
    Ok(traces)
}

/// Blocks in the making.
struct Joiner<'a> {
    builder: BlockBuilder,
    blocks: Vec<Arc<Block>>,
    target: &'a mut dyn Target,
}

impl Joiner<'_> {
    /// Adds whole traces, given by the blocks and ordinals of all their parts. Empties the batch.
    fn push_batch(&mut self, blocks: &[Arc<Block>], batch: &mut Vec<(u32, u32)>) -> Result<()> {
        self.target.check()?;
        batch.sort_unstable();
        let by_block: Vec<&[(u32, u32)]> = batch.chunk_by(|a, b| a.0 == b.0).collect();
        let requests = by_block.into_par_iter().map(|parts| {
            let block = parts.first().and_then(|(block, _)| blocks.get(*block as usize));
            let block = block.ok_or_else(|| Error::Internal("a part of a trace is in no block".to_owned()))?;
            block.requests_of(&parts.iter().map(|(_, ordinal)| *ordinal).collect::<Vec<_>>())
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
        let builder = std::mem::replace(&mut self.builder, self.target.builder());
        self.blocks.push(self.target.write(builder)?);
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
        let parts = parts_to_join(&blocks, &[]).unwrap();
        let counts = |block_spans, batch_spans: u64| {
            let batch_bytes = batch_spans.saturating_mul(blocks[0].bytes_per_span());
            let limits = Limits { block_spans, batch_bytes, ..Limits::default() };
            let joined = join(&blocks, &parts, limits, &mut InMemory).unwrap();
            joined.iter().map(|block| (block.traces(), block.spans())).collect::<Vec<_>>()
        };
        // In the order of their starts, with what is stored of each: 1, 2 and 5 twice, 3 thrice, 9 twice.
        assert_eq!(counts(u64::MAX, 1), [(5, 11)]);
        assert_eq!(counts(0, u64::MAX), [(5, 11)]);
        assert_eq!(counts(0, 4), [(2, 4), (2, 5), (1, 2)]);
        assert_eq!(counts(0, 1), [(1, 2), (1, 2), (1, 3), (1, 2), (1, 2)]);
        assert_eq!(counts(5, 1), [(3, 7), (2, 4)]);
    }

    #[test]
    fn a_trace_of_too_many_spans_is_refused() {
        let blocks = [block(&[1]), block(&[1]), block(&[1])];
        let parts = parts_to_join(&blocks, &[]).unwrap();
        let join = |trace_spans| join(&blocks, &parts, Limits { trace_spans, ..Limits::default() }, &mut InMemory);
        assert_eq!(join(3).unwrap().len(), 1);
        assert!(join(2).unwrap_err().is_limit());
    }
}
