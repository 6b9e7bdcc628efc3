//! Who is given every request that a store acknowledges, and how far that is.
//!
//! ```text
//! ingest ─▶ live data ─ feed ─▶ IngestObserver ─ flush ─▶ derived (its state, and the log's sequence it goes up to)
//! open: derived ─▶ restore; the log behind that sequence ─▶ replay
//! ```

use std::{
    fmt::Debug,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use super::{derived, log_place::LogPlace};
use crate::Result;

/// Is given every request that a store acknowledges: each once, in the order of the log, also those that came in shortly
/// before a crash. What it makes of them is kept in the store.
///
/// A store feeds its observer about every second and before it writes a block; ingest does not wait for that. Calls come
/// from several threads, one at a time, and may block: no lock of the store is held that ingest or queries need.
pub trait IngestObserver: Send + Sync + Debug {
    /// Names what it keeps in the store, as a file: letters, digits and hyphens.
    fn name(&self) -> &str;

    /// Goes on where an earlier session ended: with what [`IngestObserver::save`] gave. Before all else, if there is such
    /// a state.
    ///
    /// # Errors
    /// Why the state cannot be used. The observer then begins anew, and [`Recovery`](super::Recovery) says so.
    fn restore(&self, state: &[u8]) -> Result<(), String>;

    /// Takes a request that was acknowledged in an earlier session, and is not in the state: an encoded
    /// `ExportTraceServiceRequest`. Spans that ingest refuses are among its spans.
    fn replay(&self, request: &[u8]) {
        self.observe(request);
    }

    /// Takes a request.
    fn observe(&self, request: &[u8]);

    /// Does what is due. Called about every second, when all that was acknowledged was given.
    fn tick(&self) {}

    /// What is to be kept for the next session.
    fn save(&self) -> Vec<u8>;
}

/// The observer of a store, and how far it is.
#[derive(Debug)]
pub(super) struct Feed {
    observer: Arc<dyn IngestObserver>,
    /// The log's sequence of the last request that it was given.
    fed: Mutex<u64>,
}

/// A feed, held: nobody else gives the observer anything meanwhile.
#[derive(Debug)]
pub(super) struct Feeding<'f> {
    observer: &'f dyn IngestObserver,
    fed: MutexGuard<'f, u64>,
}

impl Feed {
    pub(super) fn new(observer: Arc<dyn IngestObserver>) -> Self {
        Self { observer, fed: Mutex::new(0) }
    }

    /// IMPORTANT: before the lock of the live data, never while that is held.
    pub(super) fn hold(&self) -> Feeding<'_> {
        let fed = self.fed.lock().unwrap_or_else(PoisonError::into_inner);
        Feeding { observer: self.observer.as_ref(), fed }
    }
}

impl Feeding<'_> {
    pub(super) fn name(&self) -> &str {
        self.observer.name()
    }

    /// The log's sequence of the last request that the observer was given.
    pub(super) fn sequence(&self) -> u64 {
        *self.fed
    }

    /// Goes on behind this sequence.
    pub(super) fn go_on_behind(&mut self, sequence: u64) {
        *self.fed = sequence;
    }

    /// Gives the observer the state of an earlier session.
    ///
    /// # Errors
    /// What the observer says.
    pub(super) fn restore(&mut self, saved: &derived::SavedState) -> Result<(), String> {
        self.observer.restore(&saved.state)?;
        *self.fed = saved.sequence;
        Ok(())
    }

    /// Gives the observer a request of the log, unless it was given it before.
    pub(super) fn replay(&mut self, sequence: u64, request: &[u8]) {
        if sequence > *self.fed {
            self.observer.replay(request);
            *self.fed = sequence;
        }
    }

    /// Gives the observer requests until there are none; `next` tells those behind a sequence.
    pub(super) fn feed(&mut self, next: impl Fn(u64) -> Vec<Bytes>) {
        loop {
            let requests = next(*self.fed);
            if requests.is_empty() {
                return;
            }
            for request in requests {
                self.observer.observe(&request);
                *self.fed += 1;
            }
        }
    }

    pub(super) fn tick(&self) {
        self.observer.tick();
    }

    /// What is to be kept, and the sequence that it goes up to.
    pub(super) fn state(&self) -> derived::SavedState {
        derived::SavedState { sequence: *self.fed, state: self.observer.save().into() }
    }

    /// Keeps the state. On stable storage when this returns.
    ///
    /// IMPORTANT: the log is on stable storage up to the state's sequence before, and still there behind it: else a crash
    /// would make the two disagree.
    pub(super) fn save(self, log: &LogPlace) -> Result<()> {
        let (name, state) = (self.name().to_owned(), self.state());
        // Others may go on while the file is written.
        drop(self);
        derived::save(log.vfs.as_ref(), &log.derived, &name, &state)
    }
}
