//! What came in and is in no block yet: requests in chunks, each made into a block in memory when a query first wants it.
//!
//! ```text
//! push ─▶ open chunk ─ full ─▶ closed chunks ─┬▶ flush: all requests, one block on disk
//!              └────────── snapshot ──────────┴▶ blocks in memory (closed: made once; open: made anew when it grew)
//! ```

use std::{
    path::Path,
    sync::{Arc, OnceLock},
    time::Instant,
};

use bytes::Bytes;

use super::cut::LiveStatus;
use crate::{
    Error, Result,
    block::{Block, BlockBuilder},
    io::{MemoryVfs, Vfs},
    model::BlockId,
};

/// A chunk is closed when its requests have this many bytes: what a query waits for, at most, is the block of the last.
const CHUNK_BYTES: usize = 4 << 20;
/// What a request takes beside its bytes, about.
const REQUEST_OVERHEAD: usize = 64;

/// Requests that came in one after the other.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    requests: Vec<Bytes>,
    bytes: usize,
    since: Option<Instant>,
    block: OnceLock<Option<Arc<Block>>>,
}

/// All requests that are in no block.
#[derive(Debug, Default)]
pub(super) struct Live {
    closed: Vec<Arc<Chunk>>,
    open: Chunk,
    bytes: usize,
    newest: Option<Instant>,
    /// The log's sequence of the newest.
    sequence: u64,
}

/// What a request counts in the budget.
pub(super) fn cost(request: &Bytes) -> usize {
    request.len() + REQUEST_OVERHEAD
}

impl Live {
    /// What it takes of the budget.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a request that is in the log under this number.
    pub(super) fn push(&mut self, request: Bytes, sequence: u64, now: Instant) {
        let bytes = cost(&request);
        self.bytes += bytes;
        self.open.bytes += bytes;
        self.open.since.get_or_insert(now);
        self.open.requests.push(request);
        self.newest = Some(now);
        self.sequence = sequence;
        if self.open.bytes >= CHUNK_BYTES {
            self.close();
        }
    }

    fn close(&mut self) {
        if !self.open.requests.is_empty() {
            self.closed.push(Arc::new(std::mem::take(&mut self.open)));
        }
    }

    /// All that is there, to be made into a block, and the log's sequence of its last request. It stays until
    /// [`Live::remove`].
    pub(super) fn cut(&mut self) -> (Vec<Arc<Chunk>>, u64) {
        self.close();
        (self.closed.clone(), self.sequence)
    }

    /// Removes as many of the oldest chunks.
    pub(super) fn remove(&mut self, chunks: usize) {
        self.bytes -= self.closed.drain(..chunks.min(self.closed.len())).map(|chunk| chunk.bytes).sum::<usize>();
    }

    /// All that is there, for a query.
    pub(super) fn chunks(&self) -> Vec<Arc<Chunk>> {
        let open = (!self.open.requests.is_empty())
            .then(|| Chunk { requests: self.open.requests.clone(), ..Chunk::default() });
        self.closed.iter().cloned().chain(open.map(Arc::new)).collect()
    }

    /// Requests with sequences behind `from` up to `until`, the oldest first, until they have this many bytes.
    pub(super) fn requests_behind(&self, from: u64, until: u64, bytes: usize) -> Vec<Bytes> {
        let chunks = || self.closed.iter().map(Arc::as_ref).chain([&self.open]).map(Chunk::requests);
        let before = self.sequence - chunks().map(<[Bytes]>::len).sum::<usize>() as u64;
        let (mut skip, mut taken) = (from.saturating_sub(before), 0);
        let wanted = until.saturating_sub(from.max(before));
        let mut requests = Vec::new();
        for chunk in chunks() {
            let passed = usize::try_from(skip).unwrap_or(usize::MAX).min(chunk.len());
            skip -= passed as u64;
            for request in chunk.iter().skip(passed) {
                if requests.len() as u64 >= wanted || taken >= bytes {
                    return requests;
                }
                taken += cost(request);
                requests.push(request.clone());
            }
        }
        requests
    }

    /// The log's sequence of the newest request; 0 before the first.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(super) fn status(&self, now: Instant) -> LiveStatus {
        let since =
            |time: Option<Instant>| time.map_or_else(Default::default, |time| now.saturating_duration_since(time));
        LiveStatus {
            requests: self.closed.iter().map(|chunk| chunk.requests.len()).sum::<usize>() + self.open.requests.len(),
            bytes: self.bytes,
            age: since(self.closed.first().map_or(self.open.since, |chunk| chunk.since)),
            idle: since(self.newest),
        }
    }
}

impl Chunk {
    /// Its requests as a block in memory, made when it is first asked for; `None` when they have no spans. Two who ask at
    /// once both make it.
    pub(super) fn block(&self) -> Result<Option<Arc<Block>>> {
        if let Some(block) = self.block.get() {
            return Ok(block.clone());
        }
        let block = memory_block(&self.requests)?;
        Ok(self.block.get_or_init(|| block).clone())
    }

    pub(super) fn requests(&self) -> &[Bytes] {
        &self.requests
    }
}

/// Checked requests as a block in memory; `None` when they have no spans.
///
/// # Errors
/// [`Error::Internal`] for a request that is malformed after all.
pub(super) fn memory_block<'a>(requests: impl IntoIterator<Item = &'a Bytes>) -> Result<Option<Arc<Block>>> {
    let mut builder = BlockBuilder::new();
    requests.into_iter().try_for_each(|request| push_checked(&mut builder, request))?;
    if builder.spans() == 0 {
        return Ok(None);
    }
    let (vfs, id): (Arc<dyn Vfs>, _) = (Arc::new(MemoryVfs::default()), BlockId::generate());
    let dir = Path::new("memory").join(id.to_string());
    builder.finish(vfs.as_ref(), &dir, id)?;
    Ok(Some(Block::open(vfs, &dir)?))
}

/// Gives a request that was checked when it came in to a builder.
pub(super) fn push_checked(builder: &mut BlockBuilder, request: &Bytes) -> Result<()> {
    let pushed = builder.push(request);
    pushed.map(drop).map_err(|error| Error::Internal(format!("a request that was acknowledged is malformed: {error}")))
}
