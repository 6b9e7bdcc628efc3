//! Whether a block is what FORMAT.md says: every checksum, and every number that follows from others.
//!
//! ```text
//! meta.json ─▶ files (checksums, everything decoded) ─▶ traces (order, sums, Bloom filter) ─▶ spans (trees, times)
//!                                                    └▶ children (events, links) ─▶ keys (attributes)
//! ```
//!
//! A rule ends at the first place where it does not hold. Rules about rows are not looked at in files that are damaged.

mod children;
mod files;
mod keys;
mod spans;
mod traces;

use super::{Block, ParquetFile};
use crate::{Error, Result};

/// What was looked at of a block.
#[derive(Debug, Default)]
pub(crate) struct BlockCheck {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// What does not hold.
    pub(crate) faults: Vec<Error>,
}

impl Block {
    /// Reads everything, a row group at a time.
    pub(crate) fn verify(&self) -> BlockCheck {
        let mut check = BlockCheck::default();
        self.verify_files(&mut check);
        if check.faults.is_empty() {
            let rules = [Self::verify_traces, Self::verify_spans, Self::verify_children, Self::verify_keys];
            check.faults.extend(rules.iter().filter_map(|rule| rule(self).err()));
        }
        check
    }
}

/// An error about a table, unless a rule holds.
fn require(holds: bool, file: &ParquetFile, reason: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::corrupt(file.path(), 0, reason())) }
}
