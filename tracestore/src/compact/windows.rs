//! The usual strategy: what happened in the same hour, then on the same day, goes together.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{BlockSummary, CompactionJob, CompactionStrategy};

/// Merges blocks by windows of time, told by when the last trace of a block ends.
///
/// A window is *settled* when its time is over and no block of it is new (merged ones are not). The blocks of a settled window are merged into as
/// few as the limits allow; its single block is left. Until then blocks are merged only when there are many of one level,
/// so that their number stays bounded and each span is written a few times and not over and over. Blocks that are half as
/// large as the limits allow count as full, and are not merged again: so it comes to an end.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeWindows {
    /// The lengths of the windows, ascending: blocks of settled ones are merged, then those of the next longer ones.
    pub windows: Vec<Duration>,
    /// How long after its end, and after the newest block that was not merged was made, a window is settled; `None`: always.
    pub settled_after: Option<Duration>,
    /// How many blocks of one level are merged in a window that is not settled.
    pub fan_in: usize,
    /// How many blocks are merged at once: what is known of their traces is held in memory, about 100 bytes per trace.
    pub max_inputs: usize,
    /// The size of a block: bytes of the requests that it is made of, which are held in memory while it is made.
    pub max_request_bytes: u64,
    /// The size of a block in spans.
    pub max_spans: u64,
    /// A block is written anew when more of its spans are deleted, as a share.
    pub max_deleted: f64,
}

impl Default for TimeWindows {
    /// Hours, then days, settled after a quarter of an hour; eight blocks of a level, 64 blocks at once; blocks of 512 MiB of
    /// requests or 4 Mi spans; a fifth deleted.
    fn default() -> Self {
        Self {
            windows: vec![Duration::from_secs(60 * 60), Duration::from_secs(24 * 60 * 60)],
            settled_after: Some(Duration::from_secs(15 * 60)),
            fan_in: 8,
            max_inputs: 64,
            max_request_bytes: 512 << 20,
            max_spans: 4 << 20,
            max_deleted: 0.2,
        }
    }
}

/// A block is written anew when more of its spans than this share are deleted or elsewhere.
const MAX_HOLES: f64 = 0.2;

/// A block that may be merged.
type Candidate<'a> = &'a BlockSummary;

impl TimeWindows {
    /// The same without waiting: every window is settled, and every block with deleted spans is written anew.
    #[must_use]
    pub fn at_once(self) -> Self {
        Self { settled_after: None, max_deleted: 0.0, ..self }
    }

    fn is_full(&self, block: &BlockSummary) -> bool {
        block.spans.saturating_mul(2) >= self.max_spans
            || block.request_bytes.saturating_mul(2) >= self.max_request_bytes
    }

    fn is_settled(&self, members: &[Candidate<'_>], window: u64, length: u64, now: u64) -> bool {
        let Some(wait) = self.settled_after else { return true };
        let is_over = |time: u64| time.saturating_add(nanos(wait)) <= now;
        let end = window.saturating_add(1).saturating_mul(length);
        is_over(end) && members.iter().all(|block| block.level > 0 || is_over(block.created))
    }

    fn job(&self, blocks: &[Candidate<'_>]) -> CompactionJob {
        CompactionJob {
            blocks: blocks.iter().map(|block| block.folder.clone()).collect(),
            max_request_bytes: self.max_request_bytes,
            max_spans: self.max_spans,
        }
    }

    /// Blocks one after the other, as many as fit into one; with each whether more did not fit.
    fn packs<'a>(&self, mut blocks: Vec<Candidate<'a>>) -> Vec<(Vec<Candidate<'a>>, bool)> {
        blocks.sort_by_key(|block| (block.start, block.end, &block.folder));
        let mut packs: Vec<(Vec<Candidate<'a>>, bool)> = Vec::new();
        let (mut spans, mut bytes) = (0_u64, 0_u64);
        for block in blocks {
            let (next_spans, next_bytes) =
                (spans.saturating_add(block.spans), bytes.saturating_add(block.request_bytes));
            match packs.last_mut() {
                Some((pack, is_closed))
                    if pack.len() >= self.max_inputs.max(2)
                        || next_spans > self.max_spans
                        || next_bytes > self.max_request_bytes =>
                {
                    *is_closed = true;
                    packs.push((vec![block], false));
                    (spans, bytes) = (block.spans, block.request_bytes);
                }
                Some((pack, _)) => {
                    pack.push(block);
                    (spans, bytes) = (next_spans, next_bytes);
                }
                None => {
                    packs.push((vec![block], false));
                    (spans, bytes) = (next_spans, next_bytes);
                }
            }
        }
        packs
    }

    /// What is to be merged while more may come: many blocks of one level.
    fn choose_open(&self, members: &[Candidate<'_>]) -> Vec<CompactionJob> {
        let mut levels: BTreeMap<u32, Vec<Candidate<'_>>> = BTreeMap::new();
        for block in members {
            levels.entry(block.level).or_default().push(block);
        }
        let packs = levels.into_values().flat_map(|blocks| self.packs(blocks));
        let due = packs.filter(|(pack, is_closed)| pack.len() >= self.fan_in.max(2) || *is_closed && pack.len() > 1);
        due.map(|(pack, _)| self.job(&pack)).collect()
    }
}

impl CompactionStrategy for TimeWindows {
    fn choose(&self, blocks: &[BlockSummary], now: u64) -> Vec<CompactionJob> {
        let (mut settled, mut open) = (Vec::new(), Vec::new());
        let mut taken: BTreeSet<String> = BTreeSet::new();
        for (rung, length) in self.windows.iter().enumerate() {
            let length = nanos(*length).max(1);
            let mut windows: BTreeMap<u64, Vec<Candidate<'_>>> = BTreeMap::new();
            for block in blocks.iter().filter(|block| !self.is_full(block)) {
                // A clock that is far ahead keeps no window open for ever.
                windows.entry(block.end.min(now) / length).or_default().push(block);
            }
            for (window, members) in windows {
                // What shorter windows merge comes first.
                if members.len() < 2 || members.iter().any(|block| taken.contains(&block.folder)) {
                    continue;
                }
                let jobs = if self.is_settled(&members, window, length, now) {
                    let packs = self.packs(members).into_iter().filter(|(pack, _)| pack.len() > 1);
                    let jobs: Vec<_> = packs.map(|(pack, _)| self.job(&pack)).collect();
                    settled.extend(jobs.iter().cloned());
                    jobs
                } else if rung == 0 {
                    let jobs = self.choose_open(&members);
                    open.extend(jobs.iter().cloned());
                    jobs
                } else {
                    continue;
                };
                taken.extend(jobs.into_iter().flat_map(|job| job.blocks));
            }
        }
        settled.append(&mut open);
        let has_holes = |block: &&BlockSummary| {
            block.deleted as f64 > self.max_deleted * block.spans as f64
                || block.deleted.saturating_add(block.moved) as f64 > MAX_HOLES * block.spans as f64
        };
        let anew = blocks.iter().filter(|block| !taken.contains(&block.folder)).filter(has_holes);
        settled.extend(anew.map(|block| self.job(&[block])));
        settled
    }

    /// Full ones, and those whose longest window is settled.
    fn settled(&self, blocks: &[BlockSummary], now: u64) -> Vec<String> {
        let is_over = |block: &&BlockSummary| {
            let length = self.windows.last().map(|length| nanos(*length).max(1));
            length.is_some_and(|length| self.is_settled(&[*block], block.end.min(now) / length, length, now))
        };
        let settled = blocks.iter().filter(|block| self.is_full(block) || is_over(block));
        settled.map(|block| block.folder.clone()).collect()
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
