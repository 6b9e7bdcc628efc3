//! A block written anew, without its deleted rows.
//!
//! ```text
//! row group ─ batches of traces ─▶ Block::traces_at ─▶ requests ─▶ BlockBuilder ─▶ blocks on disk
//! ```

use std::sync::Arc;

use super::{ingest::BLOCK_BYTES, layout::Layout};
use crate::{
    Error, Result,
    block::{Block, BlockBuilder},
    io::Vfs,
    model::BlockId,
    otlp::encode_request,
};

/// How many traces are read back at once.
const BATCH: usize = 4096;

/// Blocks of what a block has, on stable storage but in no version. Several where one would not fit into memory while
/// it is made.
///
/// # Errors
/// [`Error::Io`], [`Error::Corrupt`].
pub(super) fn rewrite(vfs: &Arc<dyn Vfs>, layout: &Layout, block: &Block) -> Result<Vec<Arc<Block>>> {
    let (mut builder, mut blocks) = (BlockBuilder::new(), Vec::new());
    let ordinals = (0..block.meta().traces as u32).filter(|ordinal| !block.is_hidden(*ordinal));
    for batch in ordinals.collect::<Vec<_>>().chunks(BATCH) {
        for trace in block.traces_at(batch)? {
            let pushed = builder.push(&encode_request(&[trace]).into());
            let pushed = pushed.map_err(|error| Error::Internal(format!("a trace cannot be read again: {error}")))?;
            if pushed.refusals.total() > 0 {
                return Err(Error::Internal(format!("spans cannot be read again: {}", pushed.refusals)));
            }
        }
        if builder.bytes() >= BLOCK_BYTES {
            blocks.push(write(vfs, layout, std::mem::take(&mut builder))?);
        }
    }
    if builder.spans() > 0 {
        blocks.push(write(vfs, layout, builder)?);
    }
    Ok(blocks)
}

fn write(vfs: &Arc<dyn Vfs>, layout: &Layout, builder: BlockBuilder) -> Result<Arc<Block>> {
    let id = BlockId::generate();
    let dir = layout.blocks.join(id.to_string());
    builder.finish(vfs.as_ref(), &dir, id)?;
    Block::open(Arc::clone(vfs), &dir)
}
