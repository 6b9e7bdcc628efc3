//! A store that takes spans and answers queries at once.
//!
//! ```text
//! ingest ─▶ check ─▶ log, live data ─▶ wait for the sync ─▶ acknowledge
//! flush  ─▶ live data ─▶ block ─▶ publish ─▶ remove the log's segments
//! snapshot ─▶ published blocks, blocks in memory of the live data
//! ```

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{
    Snapshot,
    background::Background,
    committed::Committed,
    cut::{CutReason, LiveStatus},
    layout::Layout,
    live::{Chunk, Live, cost, push_checked},
    making::Making,
    options::StoreOptions,
    recover::{Recovery, recover},
    upkeep::Upkeep,
    writer::Writer,
};
use crate::{
    Error, Result,
    block::{Block, BlockBuilder},
    catalog::{Change, Covered, PublishError},
    io::Vfs,
    model::BlockId,
    otlp::{Pushed, check_request},
    wal::{SyncMode, Wal, WalOptions},
};

/// A store, open for writing: the only one for its folder. Cheap to clone; the clones are one store.
///
/// What [`TraceStore::ingest`] has acknowledged survives a crash at any moment (see [`SyncMode`] for what that means in
/// each mode), and queries see it from then on. [`TraceStore::close`] makes blocks of all; when the last clone is merely
/// dropped, the next one to open the store does.
///
/// All functions block. [`TraceStore::flush`], [`TraceStore::step`] and [`TraceStore::close`] must not be called from
/// rayon's threads, which they may wait for.
#[derive(Debug, Clone)]
pub struct TraceStore {
    pub(super) core: Arc<Core>,
    background: Arc<Background>,
    /// Looks after what is in blocks, so that a long look keeps nobody from flushing.
    upkeep: Arc<Background>,
}

/// What the clones and the background thread share.
#[derive(Debug)]
pub(super) struct Core {
    path: PathBuf,
    options: StoreOptions,
    wal: Wal,
    recovery: Recovery,
    state: Mutex<State>,
    /// Held while a block is cut. `None` once closed.
    writer: Mutex<Option<Writer>>,
    /// Blocks that are being made.
    making: Making,
    upkeep: Upkeep,
}

/// What ingest, queries and flushes agree on. Held for moments only.
#[derive(Debug)]
struct State {
    blocks: Vec<Arc<Block>>,
    live: Live,
    /// Grows with every change.
    generation: u64,
    /// The view of what is there, until that changes.
    snapshot: Option<Snapshot>,
    last_sync: Instant,
    /// What the background thread met last.
    trouble: Option<String>,
    /// Why nothing more is taken.
    stopped: Option<String>,
}

impl State {
    fn changed(&mut self) {
        self.generation += 1;
        self.snapshot = None;
    }
}

impl TraceStore {
    /// Opens the store in a folder for writing, making it if there is none. What the last writer left in the log is made
    /// into blocks first: [`TraceStore::recovery`] tells what that was.
    ///
    /// # Errors
    /// [`Error::Locked`] while another writer has it open; [`Error::NotFound`] when the folder holds something else than a
    /// store; [`Error::Io`], [`Error::Corrupt`], [`Error::UnsupportedVersion`].
    pub fn open(path: impl AsRef<Path>, options: StoreOptions) -> Result<Self> {
        let mut writer = Writer::open(Arc::clone(&options.vfs), path.as_ref())?;
        writer.vfs.create_dir(&writer.layout.wal)?;
        let (recovery, next_segment) = recover(&mut writer)?;
        let wal = Wal::new(
            Arc::clone(&writer.vfs),
            writer.layout.wal.clone(),
            WalOptions { segment_bytes: options.segment_bytes },
            writer.covered().records + 1,
            next_segment,
        );
        let state = State {
            blocks: writer.committed.blocks.clone(),
            live: Live::default(),
            generation: 0,
            snapshot: None,
            last_sync: Instant::now(),
            trouble: None,
            stopped: None,
        };
        let making = writer.making.clone();
        let (state, writer) = (Mutex::new(state), Mutex::new(Some(writer)));
        let path = path.as_ref().to_owned();
        let core = Core { path, options, wal, recovery, state, writer, making, upkeep: Upkeep::default() };
        let core = Arc::new(core);
        if let Some(writer) = core.writer().as_mut() {
            writer.collect_orphans(core.options.orphan_grace);
        }
        // A sync that is due sooner than the thread would look.
        let period = core.options.background.map(|period| match core.options.sync {
            SyncMode::Interval(interval) => period.min(interval).max(Duration::from_millis(1)),
            _ => period,
        });
        let background = Arc::new(Background::start("tracestore", &core, period, |core, _| core.step_in_background())?);
        let period = core.options.background.filter(|_| core.has_upkeep());
        let upkeep = Arc::new(Background::start("tracestore-upkeep", &core, period, Core::upkeep_in_background)?);
        Ok(Self { core, background, upkeep })
    }

    /// What was found in the log when the store was opened.
    #[must_use]
    pub fn recovery(&self) -> &Recovery {
        &self.core.recovery
    }

    /// Takes the spans of an encoded `ExportTraceServiceRequest`, all that can be taken; the others are counted by reason.
    /// Returning is the acknowledgement. The bytes are kept until they are in a block: they should not be a slice of
    /// something much larger.
    ///
    /// # Errors
    /// [`Error::Otlp`] when the request is malformed outside of its spans; [`Error::Overloaded`] when live data is at its
    /// budget (retryable); [`Error::Limit`] for a request that never fits; [`Error::Io`] when the log cannot be written.
    /// Nothing was taken then. [`Error::Stopped`] after [`TraceStore::close`], or when a sync has failed: it is not known
    /// then whether this request will be there when the store is opened again.
    pub fn ingest(&self, request: Bytes) -> Result<Pushed> {
        self.core.ingest(request, &self.background)
    }

    /// The published blocks and the live data as of now. The same view is given until something changes.
    ///
    /// *Cost.* Nothing without live data. Else live data that no view has seen yet is made into blocks in memory: about
    /// 4 µs per span, at most 4 MiB of requests of them twice.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Corrupt`].
    pub fn snapshot(&self) -> Result<Snapshot> {
        self.core.snapshot()
    }

    /// Makes a block of all live data, and empties the log. `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Io`]: nothing has changed, the next call tries again. [`Error::Stopped`].
    pub fn flush(&self) -> Result<Option<BlockId>> {
        self.core.flush()
    }

    /// Does what is due: a sync in the mode [`SyncMode::Interval`], a block when the [policy](super::CutPolicy) says so, and
    /// a look at [what is kept](StoreOptions::retention), and at most one [merge of blocks](StoreOptions::compaction). For hosts that open the store without a background thread. Tells
    /// why a block was cut.
    ///
    /// # Errors
    /// As [`TraceStore::flush`], [`TraceStore::retain`] and [`TraceStore::compact`].
    pub fn step(&self) -> Result<Option<CutReason>> {
        let reason = self.core.step()?;
        self.core.upkeep_if_due()?;
        self.core.compact_one()?;
        Ok(reason)
    }

    /// What went wrong when a background thread last did what was due; `None` when all is well. It tries again, but for
    /// blocks that cannot be merged.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let trouble = self.core.state().trouble.clone();
        trouble.or_else(|| self.core.upkeep().trouble())
    }

    /// What waits to become a block.
    #[must_use]
    pub fn live(&self) -> LiveStatus {
        self.core.state().live.status(Instant::now())
    }

    /// Makes a block of all live data, and ends writing, for all clones. Queries go on. Another writer may open the store
    /// then, whether this is an error or not.
    ///
    /// # Errors
    /// As [`TraceStore::flush`]: the live data is in the log, and the next writer makes a block of it.
    pub fn close(&self) -> Result<()> {
        self.background.stop();
        self.upkeep.stop();
        self.core.close()
    }
}

impl Core {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stopped(&self, reason: &str) -> Error {
        Error::Stopped { path: self.path.clone(), reason: reason.to_owned() }
    }

    fn ingest(&self, request: Bytes, background: &Background) -> Result<Pushed> {
        let checked = check_request(&request).map_err(|error| Error::Otlp {
            input: "request".to_owned(),
            offset: error.offset_in(&request) as u64,
            reason: error.to_string(),
        })?;
        if checked.spans == 0 {
            return Ok(checked);
        }
        let (sequence, is_due) = {
            let mut state = self.state();
            if let Some(reason) = &state.stopped {
                return Err(self.stopped(reason));
            }
            self.admit(&state.live, &request)?;
            let sequence = self.wal.append(&request)?;
            state.live.push(request, sequence, Instant::now());
            state.changed();
            (sequence, state.live.bytes() >= self.options.cut.bytes)
        };
        if is_due {
            background.wake();
        }
        if self.options.sync == SyncMode::Full {
            self.wal.commit(sequence)?;
        }
        Ok(checked)
    }

    fn admit(&self, live: &Live, request: &Bytes) -> Result<()> {
        let (budget, size) = (self.options.memory_budget, cost(request));
        let limit = format!("{budget} bytes");
        if size > budget {
            return Err(Error::Limit { what: format!("a request of {} bytes", request.len()), limit });
        }
        match live.bytes() + size > budget {
            true => Err(Error::Overloaded { what: "live data".to_owned(), budget: limit }),
            false => Ok(()),
        }
    }

    pub(super) fn snapshot(&self) -> Result<Snapshot> {
        let (mut blocks, chunks, generation) = {
            let state = self.state();
            if let Some(snapshot) = &state.snapshot {
                return Ok(snapshot.clone());
            }
            (state.blocks.clone(), state.live.chunks(), state.generation)
        };
        for chunk in chunks {
            blocks.extend(chunk.block()?);
        }
        let snapshot = Snapshot::new(blocks);
        let mut state = self.state();
        if state.generation != generation {
            return Ok(snapshot);
        }
        // Whoever was first: its whole view may be made already.
        Ok(state.snapshot.get_or_insert(snapshot).clone())
    }

    fn step(&self) -> Result<Option<CutReason>> {
        let now = Instant::now();
        let (status, last_sync) = {
            let state = self.state();
            (state.live.status(now), state.last_sync)
        };
        if let SyncMode::Interval(interval) = self.options.sync
            && now.saturating_duration_since(last_sync) >= interval
        {
            self.state().last_sync = now;
            self.wal.commit_all()?;
        }
        let reason = self.options.cut.decide(&status);
        if reason.is_some() {
            self.flush()?;
        }
        Ok(reason)
    }

    /// [`Core::step`] for the background thread: an error is kept for who asks. Tells whether all went well.
    pub(super) fn step_in_background(&self) -> bool {
        let trouble = self.step().err().map(|error| error.to_string());
        let is_well = trouble.is_none();
        self.state().trouble = trouble;
        is_well
    }

    pub(super) fn making(&self) -> &Making {
        &self.making
    }

    pub(super) fn flush(&self) -> Result<Option<BlockId>> {
        let mut guard = self.writer();
        let Some(writer) = guard.as_mut() else { return Err(self.stopped("it was closed")) };
        if let Some(reason) = &self.state().stopped {
            return Err(self.stopped(reason));
        }
        self.cut_block(writer)
    }

    fn cut_block(&self, writer: &mut Writer) -> Result<Option<BlockId>> {
        // Most of it, while others may still write.
        self.wal.commit_all()?;
        let (chunks, covered) = {
            let mut state = self.state();
            // The next request begins a segment: those before go as a whole.
            let first_segment = self.wal.rotate();
            let (chunks, records) = state.live.cut();
            (chunks, Covered { records, first_segment })
        };
        if chunks.is_empty() {
            return Ok(None);
        }
        let block = write_block(writer, &chunks)?;
        let (id, dir) = (block.id(), block.path().to_owned());
        if let Err(error) = writer.publish_blocks(vec![block], Some(covered)) {
            match &error {
                // Never part of the store.
                PublishError::Unchanged(_) | PublishError::Conflict => drop(writer.vfs.remove(&dir)),
                PublishError::Unknown(error) => self.stop_after(error),
            }
            return Err(error.into());
        }
        let mut state = self.state();
        state.blocks.clone_from(&writer.committed.blocks);
        state.live.remove(chunks.len());
        state.changed();
        drop(state);
        // The block stands: what is not cleaned up now is cleaned up later.
        let _ = self.wal.remove_covered(covered.records);
        writer.collect_orphans(self.options.orphan_grace);
        Ok(Some(id))
    }

    /// The newest version and its blocks.
    pub(super) fn committed(&self) -> Result<Committed> {
        let guard = self.writer();
        guard.as_ref().map(|writer| writer.committed.clone()).ok_or_else(|| self.stopped("it was closed"))
    }

    /// Makes the store what a change makes of it; `opened` are the blocks that it adds or puts in the place of others.
    pub(super) fn publish(&self, change: Change, opened: Vec<Arc<Block>>) -> Result<(), PublishError> {
        let mut guard = self.writer();
        let reason = self.state().stopped.clone();
        let (Some(writer), None) = (guard.as_mut(), &reason) else {
            let reason = reason.unwrap_or_else(|| "it was closed".to_owned());
            return Err(PublishError::Unchanged(self.stopped(&reason)));
        };
        writer.publish(change, opened).inspect_err(|error| {
            if let PublishError::Unknown(error) = error {
                self.stop_after(error);
            }
        })?;
        let mut state = self.state();
        state.blocks.clone_from(&writer.committed.blocks);
        state.changed();
        drop(state);
        writer.collect_orphans(self.options.orphan_grace);
        Ok(())
    }

    /// Nobody knows which version stands.
    fn stop_after(&self, error: &Error) {
        self.state().stopped.get_or_insert_with(|| format!("a version could not be published: {error}"));
    }

    pub(super) fn upkeep(&self) -> &Upkeep {
        &self.upkeep
    }

    pub(super) fn options(&self) -> &StoreOptions {
        &self.options
    }

    pub(super) fn vfs(&self) -> &Arc<dyn Vfs> {
        &self.options.vfs
    }

    pub(super) fn layout(&self) -> Layout {
        Layout::new(&self.path)
    }

    fn close(&self) -> Result<()> {
        let mut guard = self.writer();
        let Some(writer) = guard.as_mut() else { return Ok(()) };
        // Nothing is acknowledged from here on that the last block does not have.
        let before = self.state().stopped.replace("it was closed".to_owned());
        let flushed = match before {
            None => self.cut_block(writer).map(drop),
            Some(reason) => Err(self.stopped(&reason)),
        };
        *guard = None;
        flushed
    }
}

/// Makes a block of some chunks, on stable storage but in no version.
fn write_block(writer: &Writer, chunks: &[Arc<Chunk>]) -> Result<Arc<Block>> {
    let mut builder = BlockBuilder::new();
    for request in chunks.iter().flat_map(|chunk| chunk.requests()) {
        push_checked(&mut builder, request)?;
    }
    let (id, dir) = writer.new_block();
    builder.finish(writer.vfs.as_ref(), &dir, id)?;
    Block::open(Arc::clone(&writer.vfs), &dir)
}

impl Drop for Core {
    /// What was acknowledged in the modes that do not wait for the disk is on it now.
    fn drop(&mut self) {
        let _ = self.wal.commit_all();
    }
}
