//! Blocks merged into new ones: every trace whole, without copies of spans and without deleted rows, everything else chosen
//! anew. The result is what one block of all that was received would be, cut where it gets too large.
//!
//! ```text
//! blocks ─▶ split::all_parts ─▶ join::join (by start, a batch of whole traces after the other) ─▶ blocks in a folder
//! ```
//!
//! *Memory.* The requests of one new block and of one batch, what is known of the traces of all blocks (about 100 bytes
//! each), and what encoding a row group takes. A trace is never cut: a single large one is the exception.

use std::sync::Arc;

use super::{
    join::{Limits, Target, join},
    making::NewBlocks,
    split::all_parts,
};
use crate::{
    Result,
    block::{Block, BlockBuilder},
};

/// A store's folder, as the place for merged blocks.
pub(super) struct Folder<'a> {
    pub(super) new: &'a mut NewBlocks,
    pub(super) check: &'a dyn Fn() -> Result<()>,
}

impl Target for Folder<'_> {
    fn builder(&self) -> BlockBuilder {
        BlockBuilder::without_copies()
    }

    fn write(&mut self, builder: BlockBuilder) -> Result<Arc<Block>> {
        (self.check)()?;
        self.new.write(builder)
    }

    fn check(&self) -> Result<()> {
        (self.check)()
    }
}

/// Merges blocks; `check` is asked now and then whether to go on. No blocks come of blocks in which all is deleted.
///
/// # Errors
/// [`crate::Error::Corrupt`], [`crate::Error::Io`]; [`crate::Error::Limit`] for a trace of too many spans; what `check` says.
pub(super) fn merge(
    blocks: &[Arc<Block>],
    limits: Limits,
    new: &mut NewBlocks,
    check: &dyn Fn() -> Result<()>,
) -> Result<Vec<Arc<Block>>> {
    join(blocks, &all_parts(blocks)?, limits, &mut Folder { new, check })
}
