//! The write-ahead log: requests as they were received, on stable storage before they are acknowledged. Specified in
//! `WAL.md`.
//!
//! ```text
//! requests ─▶ writer::Wal (append, group commit, rotation) ─▶ segments of records ─▶ replay::replay ─▶ requests
//!                                                                  └ covered by blocks ─▶ removed
//! ```
//!
//! One session of one writer makes the segments of a log. The next one replays them, gives what they hold to blocks,
//! and begins with an empty log: nothing is ever appended to a segment of another session.

mod record;
mod replay;
mod segment;
#[cfg(test)]
mod tests;
mod writer;

pub use replay::Damage;
#[cfg(feature = "remote-write")]
pub(crate) use replay::read_segment;
pub(crate) use replay::{Replay, replay};
pub(crate) use segment::segments;
pub use writer::SyncMode;
pub(crate) use writer::{Wal, WalOptions};
