//! Appends records to segments; several writers wait for one sync.
//!
//! ```text
//! append: lock, rotate if full, write ─▶ sequence        commit(sequence): one of those who wait syncs, for all
//! ```

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use uuid::Uuid;

use super::{
    record,
    segment::{RECORDS, SegmentHeader, file_name},
};
use crate::{
    Error, Result,
    io::{SyncHandle, Vfs, VfsFile},
};

/// The longest payload, in bytes: the largest request that OTLP sources take.
pub(crate) const MAX_RECORD: usize = 256 << 20;

/// When a request that was acknowledged is on stable storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SyncMode {
    /// Before it is acknowledged. Nothing acknowledged is lost, whatever stops. Who ingests from several threads shares
    /// the waiting: one sync serves all that came before it.
    #[default]
    Full,
    /// At the latest this long after it, and one `step` of the store. When the *process* ends in whatever way, nothing is
    /// lost; when the *machine* stops, what was acknowledged since the last sync may be.
    Interval(Duration),
    /// When the system likes to, when a segment of the log is full, or when a block is written. When the *process* ends,
    /// nothing is lost; when the *machine* stops, all that was acknowledged since the last block, up to one segment, may
    /// be.
    Off,
}

/// How a log is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WalOptions {
    /// A segment that has this many bytes is followed by another one.
    pub(crate) segment_bytes: u64,
}

/// A log, open for writing. Its folder has no segments of another session when the first record is written.
#[derive(Debug)]
pub(crate) struct Wal {
    vfs: Arc<dyn Vfs>,
    dir: PathBuf,
    options: WalOptions,
    state: Mutex<State>,
    synced: Condvar,
}

#[derive(Debug)]
struct State {
    segment: Option<Segment>,
    /// Segments that get no more records.
    closed: Vec<ClosedSegment>,
    next_segment: u64,
    next_sequence: u64,
    /// All records up to here are on stable storage.
    durable: u64,
    /// Somebody syncs.
    syncing: bool,
    /// Why nothing more is written: a sync has failed, and nobody knows what is stored.
    failed: Option<String>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Segment {
    path: PathBuf,
    salt: u64,
    file: Box<dyn VfsFile>,
    sync: Arc<dyn SyncHandle>,
    bytes: u64,
    /// Nothing more is to be written to it.
    full: bool,
}

#[derive(Debug)]
struct ClosedSegment {
    path: PathBuf,
    last: u64,
}

impl Wal {
    /// A log whose next record has the number `next_sequence`, and its next segment `next_segment`.
    pub(crate) fn new(
        vfs: Arc<dyn Vfs>,
        dir: PathBuf,
        options: WalOptions,
        next_sequence: u64,
        next_segment: u64,
    ) -> Self {
        let state = State {
            segment: None,
            closed: Vec::new(),
            next_segment,
            next_sequence,
            durable: next_sequence.saturating_sub(1),
            syncing: false,
            failed: None,
            buffer: Vec::new(),
        };
        Self { vfs, dir, options, state: Mutex::new(state), synced: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a record and tells its number. It is on stable storage once [`Wal::commit`] of that number returns.
    ///
    /// # Errors
    /// [`Error::Io`]: nothing was added, the next call may succeed. [`Error::Stopped`] after a failed sync, for ever.
    /// [`Error::Limit`] for a payload of more than [`MAX_RECORD`] bytes.
    pub(crate) fn append(&self, payload: &[u8]) -> Result<u64> {
        if payload.len() > MAX_RECORD {
            let what = format!("a request of {} bytes", payload.len());
            return Err(Error::Limit { what, limit: format!("{MAX_RECORD} bytes") });
        }
        let mut guard = self.state();
        let state = &mut *guard;
        self.check(state)?;
        self.make_room(state)?;
        let Some(segment) = &mut state.segment else {
            return Err(Error::Internal("the log has no segment".to_owned()));
        };
        let sequence = state.next_sequence;
        state.buffer.clear();
        record::encode(segment.salt, sequence, state.durable, payload, &mut state.buffer);
        if let Err(error) = segment.file.write_all(&state.buffer) {
            // Part of the record may be there: it is no record, and nothing follows it in this segment.
            segment.full = true;
            return Err(Error::io("write", &segment.path, error));
        }
        segment.bytes += state.buffer.len() as u64;
        state.next_sequence += 1;
        // One huge request does not make every log hold its size.
        state.buffer.shrink_to(1 << 20);
        Ok(sequence)
    }

    /// Sees to it that there is a segment to write to. Records of the one before are on stable storage then.
    fn make_room(&self, state: &mut State) -> Result<()> {
        if state.segment.as_ref().is_some_and(|segment| !segment.full && segment.bytes < self.options.segment_bytes) {
            return Ok(());
        }
        self.close_segment(state)?;
        let number = state.next_segment;
        let path = self.dir.join(file_name(number));
        let header = SegmentHeader { number, salt: salt(), first: state.next_sequence };
        // The number is not used again, whatever becomes of the file.
        state.next_segment += 1;
        match self.create(&path, &header) {
            Ok(segment) => state.segment = Some(segment),
            Err(error) => {
                // The first error is the one to report.
                let _ = self.vfs.remove(&path);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Makes a segment: header and name are on stable storage before there is a record.
    fn create(&self, path: &Path, header: &SegmentHeader) -> Result<Segment> {
        let mut file = self.vfs.create(path)?;
        file.write_all(&header.encode()).map_err(|error| Error::io("write", path, error))?;
        file.sync()?;
        self.vfs.sync_dir(&self.dir)?;
        let sync = file.sync_handle()?;
        let (path, salt) = (path.to_owned(), header.salt);
        Ok(Segment { path, salt, file, sync, bytes: RECORDS as u64, full: false })
    }

    fn close_segment(&self, state: &mut State) -> Result<()> {
        let last = state.next_sequence - 1;
        if let Some(segment) = &state.segment
            && state.durable < last
        {
            let synced = segment.sync.sync();
            self.note_sync(state, last, synced)?;
        }
        if let Some(segment) = state.segment.take() {
            state.closed.push(ClosedSegment { path: segment.path, last });
        }
        Ok(())
    }

    /// IMPORTANT: a sync that failed is never repeated: the system may have dropped the very pages that it could not write,
    /// and say of the next one that all is well.
    fn note_sync(&self, state: &mut State, target: u64, synced: Result<()>) -> Result<()> {
        match synced {
            Ok(()) => state.durable = state.durable.max(target),
            Err(error) => {
                state.failed.get_or_insert_with(|| error.to_string());
            }
        }
        self.synced.notify_all();
        self.check(state)
    }

    fn check(&self, state: &State) -> Result<()> {
        match &state.failed {
            None => Ok(()),
            Some(reason) => Err(Error::Stopped { path: self.dir.clone(), reason: reason.clone() }),
        }
    }

    /// Waits until the record of this number, and all before it, are on stable storage.
    ///
    /// # Errors
    /// [`Error::Stopped`] when a sync has failed: nothing is known about this record then.
    pub(crate) fn commit(&self, sequence: u64) -> Result<()> {
        let mut state = self.state();
        loop {
            if state.durable >= sequence {
                return Ok(());
            }
            self.check(&state)?;
            if state.syncing {
                state = self.synced.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let Some(segment) = &state.segment else {
                return Err(Error::Internal("a record is in no segment".to_owned()));
            };
            // Records before this segment's were synced when it was made.
            let (sync, target) = (Arc::clone(&segment.sync), state.next_sequence - 1);
            state.syncing = true;
            drop(state);
            let synced = sync.sync();
            state = self.state();
            state.syncing = false;
            self.note_sync(&mut state, target, synced)?;
        }
    }

    /// The number of the last record of those that are on stable storage, with all before it.
    pub(crate) fn durable(&self) -> u64 {
        self.state().durable
    }

    /// Waits until everything that was appended is on stable storage.
    ///
    /// # Errors
    /// As [`Wal::commit`].
    pub(crate) fn commit_all(&self) -> Result<()> {
        let last = self.state().next_sequence - 1;
        self.commit(last)
    }

    /// The number of the last record, or of the one before the first.
    #[cfg(feature = "remote-write")]
    pub(crate) fn last(&self) -> u64 {
        self.state().next_sequence - 1
    }

    /// The segment that the last record was written to.
    #[cfg(feature = "remote-write")]
    pub(crate) fn segment(&self) -> u64 {
        self.state().next_segment - 1
    }

    /// Lets the next record begin a new segment, and tells its number, or a smaller one that has no records.
    pub(crate) fn rotate(&self) -> u64 {
        let mut state = self.state();
        if let Some(segment) = &mut state.segment {
            segment.full = true;
        }
        state.next_segment
    }

    /// Removes the segments whose records are all in published blocks, that is, up to `covered`.
    ///
    /// # Errors
    /// [`Error::Io`]: what could not be removed is tried again the next time.
    pub(crate) fn remove_covered(&self, covered: u64) -> Result<()> {
        let mut state = self.state();
        if state.next_sequence - 1 <= covered && state.failed.is_none() {
            // Waiting writers have their records in a block by now.
            state.durable = state.durable.max(covered);
            self.synced.notify_all();
            self.close_segment(&mut state)?;
        }
        while let Some(segment) = state.closed.first() {
            if segment.last > covered {
                break;
            }
            self.vfs.remove(&segment.path)?;
            state.closed.remove(0);
        }
        Ok(())
    }
}

/// 62 random bits.
fn salt() -> u64 {
    Uuid::now_v7().as_u64_pair().1
}
