//! Which traces of blocks that stay are to go: rule after rule, each over the traces that no rule before it has matched.

use std::{collections::HashMap, sync::Arc};

use roaring::RoaringBitmap;

use super::{
    RetentionPolicy, RetentionRule,
    decide::{expiry, is_in_share, shortest_keep},
};
use crate::{
    Result,
    block::Block,
    model::BlockId,
    store::{
        Snapshot,
        deletion::{FoundSpans, FoundTraces},
    },
};

/// When something of a block may be over next, ns since 1970: before that it need not be looked at. What a trace is does
/// not change, unless other parts of it come in: then it lies in several blocks, and is looked at each time. When parts go,
/// with their block or because their spans are deleted, a trace may lie in one block again.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Due {
    blocks: HashMap<BlockId, DueBlock>,
    /// Of the traces that lie in several blocks, or have lost spans.
    joined: u64,
}

#[derive(Debug, Clone, Copy)]
struct DueBlock {
    time: u64,
    /// Whether it has parts of traces that lie in several blocks, which `time` is not about.
    has_parts: bool,
    /// How many of its rows were deleted by then.
    deleted: u64,
}

impl Due {
    /// What is still known of these blocks. Where parts of traces went, what is left of them is to be looked at: in blocks that
    /// had parts, and in memory.
    fn known(&mut self, stored: &Snapshot) -> HashMap<BlockId, DueBlock> {
        let deleted: HashMap<BlockId, u64> =
            stored.blocks().iter().map(|block| (block.id(), block.deleted_rows().len())).collect();
        let parts_went = self.blocks.iter().any(|(id, due)| deleted.get(id) != Some(&due.deleted));
        if parts_went {
            self.joined = 0;
        }
        let known = self.blocks.iter().filter(|(id, due)| deleted.contains_key(*id) && !(parts_went && due.has_parts));
        known.map(|(id, due)| (*id, *due)).collect()
    }
}

/// The traces of the whole view of some blocks whose time is over; `None` where nothing was due.
pub(super) fn traces_to_drop(
    policy: &RetentionPolicy,
    stored: &Snapshot,
    now: u64,
    due: &mut Due,
) -> Result<Option<(Snapshot, FoundTraces)>> {
    let Some(shortest) = shortest_keep(policy) else { return Ok(None) };
    let mut next = due.known(stored);
    for block in stored.blocks() {
        let earliest = || expiry(block.time_range().0.max(1), Some(shortest));
        let due = next.entry(block.id()).or_insert_with(|| DueBlock { time: earliest(), has_parts: true, deleted: 0 });
        due.deleted = block.deleted_rows().len();
    }
    let is_due = |block: &Block| next.get(&block.id()).is_none_or(|next| next.time <= now);
    if due.joined > now && !stored.blocks().iter().any(|block| is_due(block)) {
        due.blocks = next;
        return Ok(None);
    }
    let view = stored.whole()?;
    // Those in memory, behind the stored ones, are new each time.
    let numbers: Vec<u32> =
        (0..).zip(view.blocks()).filter(|(_, block)| is_due(block)).map(|(number, _)| number).collect();
    let blocks = numbers.iter().filter_map(|number| view.blocks().get(*number as usize)).cloned();
    let part = view.with_whole_traces(blocks.collect());
    let (over, times) = expired(policy, &part, now)?;
    due.joined = u64::MAX;
    for ((number, block), time) in numbers.iter().zip(part.blocks()).zip(times) {
        match stored.blocks().get(*number as usize).zip(next.get_mut(&block.id())) {
            Some((stored, due)) => (due.time, due.has_parts) = (time, block.traces() < stored.traces()),
            None => due.joined = due.joined.min(time),
        }
    }
    due.blocks = next;
    let over = over.into_iter().filter_map(|(place, traces)| Some((*numbers.get(place as usize)?, traces)));
    Ok(Some((view, over.collect())))
}

/// The traces of a view whose time is over, and for each block when the time of the next one will be.
fn expired(policy: &RetentionPolicy, view: &Snapshot, now: u64) -> Result<(FoundTraces, Vec<u64>)> {
    let mut undecided: FoundTraces = (0..).zip(view.blocks()).map(|(number, block)| (number, seen(block))).collect();
    let (mut over, mut next) = (FoundTraces::new(), vec![u64::MAX; view.blocks().len()]);
    for (place, rule) in policy.rules.iter().enumerate() {
        undecided.retain(|_, traces| !traces.is_empty());
        if undecided.is_empty() {
            break;
        }
        let found = rule.traces.as_ref().map(|selector| FoundSpans::find(selector.as_ref(), view)?.traces(view));
        let found = found.transpose()?;
        for (number, traces) in &mut undecided {
            let Some(block) = view.blocks().get(*number as usize) else { continue };
            let mut matched = match &found {
                Some(found) => found.get(number).map_or_else(RoaringBitmap::new, |found| found & &*traces),
                None => traces.clone(),
            };
            keep_share(&mut matched, block, place, rule)?;
            *traces -= &matched;
            let (starts, durations) = (block.trace_table()?.starts()?, block.trace_table()?.durations()?);
            for ordinal in matched {
                let start = starts.values().get(ordinal as usize).copied().unwrap_or(u64::MAX);
                let duration = durations.values().get(ordinal as usize).map_or(0, |duration| duration.unsigned_abs());
                match expiry(start.saturating_add(duration), rule.keep) {
                    time if time <= now => drop(over.entry(*number).or_default().insert(ordinal)),
                    time => next.iter_mut().skip(*number as usize).take(1).for_each(|next| *next = time.min(*next)),
                }
            }
        }
    }
    Ok((over, next))
}

/// The ordinals of the traces that a block shows.
fn seen(block: &Arc<Block>) -> RoaringBitmap {
    (0..block.meta().traces as u32).filter(|ordinal| !block.is_hidden(*ordinal)).collect()
}

/// Leaves out the traces that are not in a rule's share.
fn keep_share(traces: &mut RoaringBitmap, block: &Block, place: usize, rule: &RetentionRule) -> Result<()> {
    if rule.share >= 1.0 {
        return Ok(());
    }
    let mut share = RoaringBitmap::new();
    for ordinal in traces.iter() {
        if is_in_share(&block.trace_table()?.id(ordinal as usize)?, place, rule.share) {
            share.insert(ordinal);
        }
    }
    *traces = share;
    Ok(())
}
