//! What a strategy is given, and what it gives.

use std::fmt::Debug;

/// A block as a strategy sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BlockSummary {
    /// The name of its folder: what a job calls it by.
    pub folder: String,
    /// How often its spans were merged into larger blocks.
    pub level: u32,
    /// How many spans it stores.
    pub spans: u64,
    /// How many of them are deleted.
    pub deleted: u64,
    /// How many of them are in another block instead, together with the rest of their traces.
    pub moved: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Bytes of the requests that it was made of, or would be made of: what merging it takes in memory.
    pub request_bytes: u64,
    /// The earliest trace start, ns since 1970.
    pub start: u64,
    /// The latest trace end, ns since 1970.
    pub end: u64,
    /// When the block was made, ns since 1970; 0 if its name does not tell.
    pub created: u64,
}

/// Blocks to be merged: one to be written anew without what is deleted, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactionJob {
    /// The folders of the blocks.
    pub blocks: Vec<String>,
    /// A new block ends when the requests that it is made of have this many bytes, which are held in memory ...
    pub max_request_bytes: u64,
    /// ... or when it has this many spans. A trace is never cut.
    pub max_spans: u64,
}

/// Decides which blocks are merged.
///
/// A job is run while the store takes spans and answers queries; when one of its blocks has changed meanwhile, nothing is
/// merged and the strategy is asked again. Jobs of one answer are run in their order, and may be outdated by each other:
/// then too the strategy is asked again. It comes to an end when it chooses nothing.
pub trait CompactionStrategy: Debug + Send + Sync {
    /// The jobs that are due at a time (ns since 1970), the most urgent first. Pure: the same blocks and time, the same
    /// jobs. Blocks that could not be merged are not among those that are given.
    fn choose(&self, blocks: &[BlockSummary], now: u64) -> Vec<CompactionJob>;

    /// The folders of blocks that will hardly be merged any more, at a time when nothing is to be chosen. Traces that lie in
    /// several of them are put together in a block of their own, so that nobody has to do it for each view. Pure. Default:
    /// none.
    fn settled(&self, blocks: &[BlockSummary], now: u64) -> Vec<String> {
        let _ = (blocks, now);
        Vec::new()
    }
}
