//! The thread that sends what the queue holds, one request after the other, and who waits for it.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use super::{
    RemoteWriteStatus,
    backoff::Backoff,
    client::{Answer, Client},
    queue::{Done, Next, Queue},
};
use crate::Result;

/// The pause after the spool itself could not be read or written.
const DISK_PAUSE: Duration = Duration::from_secs(1);

/// The queue, shared with the thread.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Something was put in or taken out, or all is over.
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    closed: bool,
}

impl Shared {
    pub(super) fn new(queue: Queue) -> Self {
        Self { state: Mutex::new(State { queue, closed: false }), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, body: &[u8], samples: u32) -> Result<()> {
        let pushed = self.state().queue.push(body, samples, now());
        self.changed.notify_all();
        pushed
    }

    pub(super) fn status(&self) -> RemoteWriteStatus {
        self.state().queue.status().clone()
    }

    /// Waits until at most so many bytes wait, or until a time; tells which.
    pub(super) fn wait(&self, bytes: u64, end: Option<Instant>) -> bool {
        let mut state = self.state();
        loop {
            if state.queue.status().queued_bytes <= bytes {
                return true;
            }
            let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() || state.closed {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lets the thread end.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// Sends until it is told to end.
    pub(super) fn run(&self, client: &Client, mut backoff: Backoff) {
        while let Some(next) = self.next() {
            let done = match client.send(next.body) {
                Answer::Taken => Ok(Done::Sent),
                Answer::Refused(reason) => {
                    self.note(reason, false);
                    Ok(Done::Refused)
                }
                Answer::Later(reason, after) => {
                    self.note(reason, true);
                    Err(after)
                }
            };
            match done {
                Ok(why) => {
                    backoff.reset();
                    self.done(next.sequence, why);
                }
                Err(after) => self.pause(backoff.pause(after)),
            }
        }
    }

    /// Waits for a request; `None` when all is over.
    fn next(&self) -> Option<Next> {
        let mut state = self.state();
        while !state.closed {
            let queued = state.queue.status().queued_requests;
            let next = state.queue.next(now());
            if state.queue.status().queued_requests < queued {
                self.changed.notify_all();
            }
            state = match next {
                Ok(Some(next)) => return Some(next),
                Ok(None) => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Err(error) => {
                    state.queue.status_mut().last_error = Some(error.to_string());
                    self.changed.wait_timeout(state, DISK_PAUSE).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        None
    }

    fn done(&self, sequence: u64, why: Done) {
        let mut state = self.state();
        if let Err(error) = state.queue.done(sequence, why) {
            // It is out of the index: what is not noted on disk is noted with the next one, or sent again.
            state.queue.status_mut().last_error = Some(error.to_string());
        }
        drop(state);
        self.changed.notify_all();
    }

    fn note(&self, reason: String, again: bool) {
        let mut state = self.state();
        let status = state.queue.status_mut();
        status.last_error = Some(reason);
        status.retries += u64::from(again);
    }

    /// Waits for a time, or until all is over.
    fn pause(&self, pause: Duration) {
        let end = Instant::now().checked_add(pause);
        let mut state = self.state();
        while !state.closed {
            let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// ns since 1970.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}
