//! Blocks in memory, of requests in memory: for benchmarks that no disk is to disturb.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use tracestore::{
    Snapshot,
    block::{Block, BlockBuilder},
    io::{MemoryVfs, Vfs},
    model::BlockId,
};

use crate::Result;

/// One block of all requests.
///
/// # Errors
/// When a request is malformed.
pub fn block(requests: &[Bytes]) -> Result<Arc<Block>> {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
    let folder = Path::new("block");
    collected(requests)?.finish(vfs.as_ref(), folder, BlockId::generate())?;
    Ok(Block::open(vfs, folder)?)
}

/// A view of one block of all requests.
///
/// # Errors
/// As [`block`].
pub fn snapshot(requests: &[Bytes]) -> Result<Snapshot> {
    Ok(Snapshot::new(vec![block(requests)?]))
}

/// A block that has all requests and is yet to be written.
///
/// # Errors
/// As [`block`].
pub fn collected(requests: &[Bytes]) -> Result<BlockBuilder> {
    let mut builder = BlockBuilder::new();
    for request in requests {
        builder.push(request).map_err(|error| error.to_string())?;
    }
    Ok(builder)
}
