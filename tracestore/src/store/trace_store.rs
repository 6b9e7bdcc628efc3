//! A store that takes spans and answers queries at once.
//!
//! ```text
//! ingest ─▶ check ─▶ log, live data ─▶ wait for the sync ─▶ acknowledge
//! flush  ─▶ live data ─▶ state of the observer ─▶ block ─▶ publish ─▶ remove the log's segments
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
    background::{Background, Periods},
    committed::Committed,
    cut::{CutReason, LiveStatus},
    layout::Layout,
    live::{Chunk, Live, cost, push_checked},
    making::Making,
    observer::{Feed, Feeding},
    options::StoreOptions,
    recover::{Recovery, recover},
    snapshot::Gathered,
    upkeep::Upkeep,
    writer::{Cut, Writer},
};
use crate::{
    Error, Result,
    block::{Block, BlockBuilder},
    catalog::{Change, Covered, PublishError},
    compact::{CompactionReport, CompactionStrategy, LeftAlone, TimeWindows},
    io::{Vfs, is_url, vfs_at},
    model::BlockId,
    otlp::{Pushed, check_request},
    wal::{SyncMode, Wal, WalOptions},
};

/// An observer is fed in portions of about this many bytes, between which others may have the live data.
const FEED_BYTES: usize = 4 << 20;

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
}

/// What the clones and the background thread share.
#[derive(Debug)]
pub(super) struct Core {
    path: PathBuf,
    options: StoreOptions,
    wal: Wal,
    /// Whether spans can be taken.
    has_log: bool,
    recovery: Recovery,
    state: Mutex<State>,
    feed: Option<Feed>,
    /// Held while a block is cut. `None` once closed.
    writer: Mutex<Option<Writer>>,
    /// Blocks that are being made.
    making: Making,
    /// Held while blocks are merged.
    compacting: Mutex<()>,
    upkeep: Upkeep,
}

/// What ingest, queries and flushes agree on. Held for moments only.
#[derive(Debug)]
struct State {
    blocks: Vec<Arc<Block>>,
    /// Those of which no trace lies in two.
    gathered: Gathered,
    live: Live,
    /// Grows with every change.
    generation: u64,
    /// The view of what is there, until that changes.
    snapshot: Option<Snapshot>,
    last_sync: Instant,
    /// What the background thread met last.
    trouble: Option<String>,
    /// What the thread that merges blocks met last.
    compaction_trouble: Option<String>,
    /// Blocks that cannot be merged.
    left_alone: Vec<LeftAlone>,
    /// Why nothing more is taken.
    stopped: Option<String>,
}

impl State {
    fn see(&mut self, committed: &Committed) {
        self.blocks.clone_from(&committed.blocks);
        self.gathered = committed.gathered();
    }

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
    pub fn open(path: impl AsRef<Path>, mut options: StoreOptions) -> Result<Self> {
        let path = path.as_ref();
        if is_url(path) && !options.vfs.is_shared() {
            options.vfs = vfs_at(path)?;
        }
        let mut writer = Writer::open_with_log(Arc::clone(&options.vfs), path, options.log.as_deref())?;
        writer.log.vfs.create_dir(&writer.log.wal)?;
        let feed = options.observer.clone().map(Feed::new);
        let (recovery, next_segment) = recover(&mut writer, feed.as_ref())?;
        let wal = Wal::new(
            Arc::clone(&writer.log.vfs),
            writer.log.wal.clone(),
            WalOptions { segment_bytes: options.segment_bytes },
            writer.covered().records + 1,
            next_segment,
        );
        let state = State {
            blocks: writer.committed.blocks.clone(),
            gathered: writer.committed.gathered(),
            live: Live::default(),
            generation: 0,
            snapshot: None,
            last_sync: Instant::now(),
            trouble: None,
            compaction_trouble: None,
            left_alone: Vec::new(),
            stopped: None,
        };
        let (making, has_log) = (writer.making.clone(), writer.log.is_some());
        let (state, writer) = (Mutex::new(state), Mutex::new(Some(writer)));
        let path = path.to_owned();
        let upkeep = Upkeep::default();
        let compacting = Mutex::default();
        let core = Core { path, options, wal, has_log, recovery, state, feed, writer, making, compacting, upkeep };
        let core = Arc::new(core);
        if let Some(writer) = core.writer().as_mut() {
            writer.collect_orphans(core.options.orphan_grace);
        }
        // A sync that is due sooner than the thread would look.
        let period = core.options.background.map(|period| match core.options.sync {
            SyncMode::Interval(interval) => period.min(interval).max(Duration::from_millis(1)),
            _ => period,
        });
        let host = core.options.background;
        let periods = Periods {
            flush: period,
            compact: core.options.compaction.as_ref().and(host),
            retain: core.options.retention.as_ref().and(host),
        };
        let background = Arc::new(Background::start(&core, periods)?);
        Ok(Self { core, background })
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

    /// Gives the [observer](super::IngestObserver) all that was acknowledged until now. Needs not be called, but by who
    /// wants to see the effect at once.
    pub fn feed_observer(&self) {
        self.core.feed_observer();
    }

    /// Makes a block of all live data, and empties the log. `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Io`]: nothing has changed, the next call tries again. [`Error::Stopped`].
    pub fn flush(&self) -> Result<Option<BlockId>> {
        self.core.flush()
    }

    /// Does what is due: a sync in the mode [`SyncMode::Interval`], feeding the observer, a block when the
    /// [policy](super::CutPolicy) says so, one merge of blocks, and a look at [what is kept](StoreOptions::retention). For
    /// hosts that open the store without background threads. Tells why a block was cut.
    ///
    /// # Errors
    /// As [`TraceStore::flush`], [`TraceStore::compact`] and [`TraceStore::retain`].
    pub fn step(&self) -> Result<Option<CutReason>> {
        let cut = self.core.step()?;
        if let Some(strategy) = &self.core.options.compaction {
            self.core.compact(strategy.as_ref(), 1, &|| Ok(()))?;
        }
        self.core.upkeep_if_due()?;
        Ok(cut)
    }

    /// Merges the blocks that a strategy chooses, until it chooses none; `None` is the strategy of the store's options, or
    /// else [`TimeWindows`]. The store goes on taking spans and answering queries, and readers keep the blocks that they
    /// have. One compaction runs at a time: another one waits.
    ///
    /// *Cost.* About 5 µs per span on two cores, and the memory that the strategy's jobs allow.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Stopped`]; what was published before stays. Blocks that are damaged, or have a trace that is
    /// too large to put together, are no error: they are left alone, and the report tells.
    pub fn compact(&self, strategy: Option<&dyn CompactionStrategy>) -> Result<CompactionReport> {
        let usual = TimeWindows::default();
        let strategy = strategy.or(self.core.options.compaction.as_deref()).unwrap_or(&usual);
        self.core.compact(strategy, usize::MAX, &|| Ok(()))
    }

    /// What went wrong when a background thread last did what was due; `None` when all is well. It tries again, but for
    /// blocks that cannot be merged.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let state = self.core.state();
        let left = || state.left_alone.last().map(|left| format!("blocks are not merged: {}", left.reason));
        let trouble = state.trouble.clone().or_else(|| state.compaction_trouble.clone());
        trouble.or_else(|| self.core.upkeep.trouble()).or_else(left)
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

    fn stopped(&self, reason: &str) -> Error {
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
        if !self.has_log {
            return Err(self.stopped("it has no log, which cannot be on an object store (see StoreOptions::log)"));
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
        let (mut blocks, gathered, chunks, generation) = {
            let state = self.state();
            if let Some(snapshot) = &state.snapshot {
                return Ok(snapshot.clone());
            }
            (state.blocks.clone(), Arc::clone(&state.gathered), state.live.chunks(), state.generation)
        };
        for chunk in chunks {
            blocks.extend(chunk.block()?);
        }
        let snapshot = Snapshot::new(blocks).with_gathered(gathered);
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
        self.feed_observer();
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

    fn feed_observer(&self) {
        let Some(feed) = &self.feed else { return };
        let mut feeding = feed.hold();
        // What is not synced is not acknowledged, but for the modes that do not wait for it.
        let until = match self.options.sync {
            SyncMode::Full => self.wal.durable(),
            SyncMode::Interval(_) | SyncMode::Off => self.state().live.sequence(),
        };
        self.feed_until(&mut feeding, until);
        feeding.tick();
    }

    fn feed_until(&self, feeding: &mut Feeding<'_>, until: u64) {
        feeding.feed(|fed| self.state().live.requests_behind(fed, until, FEED_BYTES));
    }

    /// [`Core::compact`] for the background thread: an error is kept for who asks. Tells whether all went well.
    pub(super) fn compact_in_background(&self, is_ending: &dyn Fn() -> bool) -> bool {
        let Some(strategy) = &self.options.compaction else { return true };
        let check = || if is_ending() { Err(self.stopped("it was closed")) } else { Ok(()) };
        let trouble = self.compact(strategy.as_ref(), usize::MAX, &check).err().map(|error| error.to_string());
        let is_well = trouble.is_none();
        self.state().compaction_trouble = trouble;
        is_well
    }

    pub(super) fn compacting(&self) -> MutexGuard<'_, ()> {
        self.compacting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn making(&self) -> &Making {
        &self.making
    }

    pub(super) fn left_alone(&self) -> Vec<LeftAlone> {
        self.state().left_alone.clone()
    }

    pub(super) fn leave_alone(&self, left: LeftAlone) {
        self.state().left_alone.push(left);
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
        let settled = writer.unsettled.take().map(|cut| self.publish_cut(writer, cut)).transpose()?;
        // Most of it, while others may still write.
        self.wal.commit_all()?;
        let mut feeding = self.feed.as_ref().map(Feed::hold);
        let (chunks, covered) = {
            let mut state = self.state();
            // The next request begins a segment: those before go as a whole.
            let first_segment = self.wal.rotate();
            let (chunks, records) = state.live.cut();
            (chunks, Covered { records, first_segment })
        };
        if chunks.is_empty() {
            return Ok(settled);
        }
        if let Some(mut feeding) = feeding.take() {
            // What came in since the sync above.
            self.wal.commit(covered.records)?;
            self.feed_until(&mut feeding, covered.records);
            feeding.save(&writer.log)?;
        }
        let block = write_block(writer, &chunks)?;
        let cut = Cut { block, covered, chunks: chunks.len() };
        self.publish_cut(writer, cut).map(Some)
    }

    /// Makes a block of live data part of the store. Where it is not known whether it is, the next call comes back to it.
    fn publish_cut(&self, writer: &mut Writer, cut: Cut) -> Result<BlockId> {
        if let Err(error) = writer.publish_blocks(vec![Arc::clone(&cut.block)], Some(cut.covered)) {
            match &error {
                // Never part of the store.
                PublishError::Unchanged(_) | PublishError::Conflict => drop(writer.vfs.remove(cut.block.path())),
                // Looking tells, as soon as the object store answers again.
                PublishError::Unknown(_) if writer.vfs.is_shared() => writer.unsettled = Some(cut),
                PublishError::Unknown(error) => self.stop_after(error),
            }
            return Err(error.into());
        }
        let mut state = self.state();
        state.see(&writer.committed);
        state.live.remove(cut.chunks);
        state.changed();
        drop(state);
        // The block stands: what is not cleaned up now is cleaned up later.
        let _ = self.wal.remove_covered(cut.covered.records);
        writer.collect_orphans(self.options.orphan_grace);
        Ok(cut.block.id())
    }

    /// Keeps the observer's state as it is now that all that was acknowledged is in blocks: time may have changed it.
    fn save_observer(&self, writer: &Writer) -> Result<()> {
        match &self.feed {
            Some(feed) => feed.hold().save(&writer.log),
            None => Ok(()),
        }
    }

    /// The newest version and its blocks.
    pub(super) fn committed(&self) -> Result<Committed> {
        let mut guard = self.writer();
        let writer = guard.as_mut().ok_or_else(|| self.stopped("it was closed"))?;
        writer.refresh()?;
        Ok(writer.committed.clone())
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
            // Where several write, whoever looks at the newest version knows.
            if let (PublishError::Unknown(error), false) = (error, writer.vfs.is_shared()) {
                self.stop_after(error);
            }
        })?;
        let mut state = self.state();
        state.see(&writer.committed);
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
            None => self.cut_block(writer).and_then(|_| self.save_observer(writer)),
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
