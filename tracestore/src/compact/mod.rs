//! Which blocks to merge, and when: pure decisions over what is known of blocks without reading them.
//!
//! ```text
//! BlockSummary of every block, the time ─▶ CompactionStrategy::choose ─▶ CompactionJob ─▶ store::compact (merges, publishes)
//! ```
//!
//! Merging changes no answer: a trace is whole for queries wherever its parts are. It makes blocks fewer, puts the parts of
//! traces together for good, and leaves out what nobody sees any more: copies of spans, and deleted ones.

mod report;
mod strategy;
mod windows;

pub use report::{CompactionReport, LeftAlone};
pub use strategy::{BlockSummary, CompactionJob, CompactionStrategy};
pub use windows::TimeWindows;
