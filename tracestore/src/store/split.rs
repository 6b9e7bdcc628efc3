//! Which traces lie in several blocks: exactly, by their ids alone. And which have lost some of their spans.
//!
//! ```text
//! ids of all blocks ─▶ hashes, a slice at a time, sorted ─▶ hashes seen twice ─▶ the ids behind them, compared
//! ```
//!
//! Blocks of which compaction has gathered split traces are known to share none: only the others are compared, with each
//! other and with these. Neither time ranges nor Bloom filters help: the parts of a trace may lie years apart, and with a hundred blocks most
//! ids are a false positive of some filter. A hash costs less than a look into one other block's filter, and there are
//! as many others as there are blocks. Where nothing is split, nothing but the ids is read.

use std::sync::Arc;

use hashbrown::HashSet;
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use crate::{Error, Result, block::Block, model::TraceId};

/// How many hashes are sorted at once, about: 32 MiB, held twice while they are gathered.
const SLICE: u64 = 4 << 20;

/// Where a part of a trace is. Ordered by trace, then block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    pub(super) trace: TraceId,
    /// The block's number.
    pub(super) block: u32,
    /// The trace's ordinal in the block.
    pub(super) ordinal: u32,
}

/// The parts of all traces that no block has as they are to be seen, by trace: they lie in several blocks, or some of
/// their spans are deleted. No trace lies in two blocks that are `gathered`.
///
/// # Errors
/// [`Error::Corrupt`], [`Error::Io`].
pub(super) fn parts_to_join(blocks: &[Arc<Block>], gathered: &[bool]) -> Result<Vec<Part>> {
    let mut parts = split_parts(blocks, gathered)?;
    let split = parts.len();
    for (number, block) in (0..).zip(blocks) {
        for ordinal in block.partly_deleted() {
            let part = Part { trace: block.trace_table()?.id(ordinal as usize)?, block: number, ordinal };
            if parts.get(..split).is_none_or(|split| split.binary_search(&part).is_err()) {
                parts.push(part);
            }
        }
    }
    parts.par_sort_unstable();
    Ok(parts)
}

/// The parts of all traces that are seen, by trace.
///
/// # Errors
/// [`Error::Corrupt`], [`Error::Io`].
pub(super) fn all_parts(blocks: &[Arc<Block>]) -> Result<Vec<Part>> {
    let mut parts = Vec::with_capacity(blocks.iter().map(|block| block.traces() as usize).sum());
    for (number, block) in (0..).zip(blocks) {
        for_each_id(block, |ordinal, id| parts.push(Part { trace: TraceId::from_bytes(*id), block: number, ordinal }))?;
    }
    parts.par_sort_unstable();
    Ok(parts)
}

/// The parts of all traces that lie in more than one of the blocks, by trace.
///
/// # Errors
/// [`Error::Corrupt`], [`Error::Io`].
pub(super) fn split_parts(blocks: &[Arc<Block>], gathered: &[bool]) -> Result<Vec<Part>> {
    split_parts_by_slices(blocks, gathered, blocks.iter().map(|block| block.traces()).sum::<u64>().div_ceil(SLICE))
}

fn split_parts_by_slices(blocks: &[Arc<Block>], gathered: &[bool], slices: u64) -> Result<Vec<Part>> {
    let is_gathered = |number: usize| gathered.get(number).copied().unwrap_or(false);
    let numbered = || blocks.iter().enumerate();
    let (known, others): (Vec<_>, Vec<_>) = numbered().partition(|(number, _)| is_gathered(*number));
    if blocks.len() < 2 || others.is_empty() {
        return Ok(Vec::new());
    }
    let mut repeated = HashSet::new();
    for slice in 0..slices {
        let wanted = |hash: u64| slices == 1 || ((u128::from(hash) * u128::from(slices)) >> 64) as u64 == slice;
        let hashes = others.par_iter().map(|(_, block)| {
            let mut hashes = Vec::with_capacity((block.traces() / slices) as usize);
            for_each_id(block, |_, id| {
                let hash = xxh3_64(id);
                if wanted(hash) {
                    hashes.push(hash);
                }
            })?;
            Ok(hashes)
        });
        let mut hashes = hashes.collect::<Result<Vec<_>>>()?.concat();
        hashes.sort_unstable();
        let pairs = hashes.iter().zip(hashes.iter().skip(1));
        repeated.extend(pairs.filter(|(hash, next)| hash == next).map(|(hash, _)| *hash));
        // Those that share no trace with each other may share one with the others.
        let hashes: HashSet<u64> = if known.is_empty() { HashSet::new() } else { hashes.into_iter().collect() };
        let shared = known.par_iter().map(|(_, block)| {
            let mut shared = Vec::new();
            for_each_id(block, |_, id| {
                let hash = xxh3_64(id);
                if hashes.contains(&hash) {
                    shared.push(hash);
                }
            })?;
            Ok(shared)
        });
        repeated.extend(shared.collect::<Result<Vec<_>>>()?.into_iter().flatten());
    }
    if repeated.is_empty() {
        return Ok(Vec::new());
    }
    let parts = numbered().collect::<Vec<_>>().into_par_iter().map(|(number, block)| {
        let mut parts = Vec::new();
        for_each_id(block, |ordinal, id| {
            if repeated.contains(&xxh3_64(id)) {
                parts.push(Part { trace: TraceId::from_bytes(*id), block: number as u32, ordinal });
            }
        })?;
        Ok(parts)
    });
    let mut parts = parts.collect::<Result<Vec<_>>>()?.concat();
    parts.par_sort_unstable();
    // Two ids may have one hash.
    let split = parts.chunk_by(|a, b| a.trace == b.trace).filter(|parts| parts.len() > 1);
    Ok(split.flatten().copied().collect())
}

/// Calls `visit` with the ordinals and ids of a block's traces, but for those that are hidden.
fn for_each_id(block: &Block, mut visit: impl FnMut(u32, &[u8; 16])) -> Result<()> {
    if block.traces() == 0 {
        return Ok(());
    }
    let ids = block.trace_table()?.read_ids()?;
    let (ids, rest) = ids.value_data().as_chunks::<16>();
    if ids.len() as u64 != block.meta().traces || !rest.is_empty() {
        return Err(Error::corrupt(block.path(), 0, "the trace table is not as long as the block says"));
    }
    let hides_some = block.traces() < block.meta().traces;
    for (ordinal, id) in (0..).zip(ids) {
        if !(hides_some && block.is_hidden(ordinal)) {
            visit(ordinal, id);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{
        super::samples::{block, id},
        *,
    };

    #[test]
    fn the_parts_are_the_same_in_any_number_of_slices() {
        let blocks = [block(&[1, 2, 3, 4, 5]), block(&[6, 3, 9]), block(&[7]), block(&[10, 9, 1, 3])];
        let part = |number, block, ordinal| Part { trace: id(number), block, ordinal };
        // Ordinals are in the order of starts.
        let expected =
            [part(1, 0, 0), part(1, 3, 0), part(3, 0, 2), part(3, 1, 0), part(3, 3, 1), part(9, 1, 2), part(9, 3, 2)];
        for slices in [1, 2, 3, 50] {
            for gathered in [[false; 4], [false, true, true, false], [false, false, true, false]] {
                assert_eq!(split_parts_by_slices(&blocks, &gathered, slices).unwrap(), expected);
            }
        }
        assert_eq!(split_parts(&blocks, &[]).unwrap(), expected);
        assert_eq!(split_parts(&blocks[1..3], &[]).unwrap(), []);
        assert_eq!(split_parts(&blocks[..1], &[]).unwrap(), []);
        // What is known is not looked at.
        assert_eq!(split_parts(&blocks, &[true; 4]).unwrap(), []);
    }
}
