//! The threads that do what is due, for hosts that do not call `step` themselves: one makes blocks of live data, one merges
//! blocks, one removes what is not kept; the last two may take long.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use super::trace_store::Core;
use crate::{Error, Result};

/// After failures the thread waits twice as long each time, up to this many times its period.
const LONGEST_WAIT: u32 = 64;

/// The threads of a store; they end with this value.
#[derive(Debug)]
pub(super) struct Background {
    flusher: Worker,
    compactor: Worker,
    keeper: Worker,
}

/// How often the threads look whether something is due; `None`: there is no such thread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Periods {
    pub(super) flush: Option<Duration>,
    pub(super) compact: Option<Duration>,
    pub(super) retain: Option<Duration>,
}

#[derive(Debug)]
struct Worker {
    signal: Arc<Signal>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Signal {
    state: Mutex<SignalState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct SignalState {
    stop: bool,
    wake: bool,
}

impl Signal {
    fn state(&self) -> MutexGuard<'_, SignalState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next turn; `false` is the end. After failures nobody is to hurry.
    fn wait(&self, period: Duration, failures: u32) -> bool {
        let wait = period.saturating_mul(2_u32.saturating_pow(failures).min(LONGEST_WAIT));
        let idle = |state: &mut SignalState| !(state.stop || state.wake && failures == 0);
        let waited = self.changed.wait_timeout_while(self.state(), wait, idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.wake = false;
        !state.stop
    }
}

impl Worker {
    /// Starts a thread, if there is to be one; a turn tells whether all went well.
    fn start(
        name: &str,
        period: Option<Duration>,
        mut turn: impl FnMut(&Signal) -> bool + Send + 'static,
    ) -> Result<Self> {
        let signal = Arc::new(Signal::default());
        let run = |period| {
            let signal = Arc::clone(&signal);
            thread::Builder::new().name(name.to_owned()).spawn(move || {
                let mut failures = 0;
                while signal.wait(period, failures) {
                    failures = if turn(&signal) { 0 } else { failures + 1 };
                }
            })
        };
        let thread = period.map(run).transpose();
        let thread = thread.map_err(|error: io::Error| Error::io("start a thread for", "the store", error))?;
        Ok(Self { signal, thread: Mutex::new(thread) })
    }

    /// Tells the thread to end.
    fn end(&self) {
        self.signal.state().stop = true;
        self.signal.changed.notify_all();
    }

    /// Waits for the thread to end.
    fn join(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // Its errors were kept for who asks.
            let _ = thread.join();
        }
    }
}

impl Background {
    /// Starts the threads.
    ///
    /// # Errors
    /// [`Error::Io`] when the system has no thread.
    pub(super) fn start(core: &Arc<Core>, periods: Periods) -> Result<Self> {
        let flushing = Arc::clone(core);
        let flusher = Worker::start("tracestore", periods.flush, move |_| flushing.step_in_background())?;
        let compacting = Arc::clone(core);
        let compactor = Worker::start("tracestore-merge", periods.compact, move |signal| {
            compacting.compact_in_background(&|| signal.state().stop)
        })?;
        let keeping = Arc::clone(core);
        let keeper = Worker::start("tracestore-keep", periods.retain, move |_| keeping.upkeep_in_background())?;
        Ok(Self { flusher, compactor, keeper })
    }

    /// There is something to do now.
    pub(super) fn wake(&self) {
        self.flusher.signal.state().wake = true;
        self.flusher.signal.changed.notify_all();
    }

    /// Waits for the threads to end.
    pub(super) fn stop(&self) {
        let workers = [&self.flusher, &self.compactor, &self.keeper];
        workers.into_iter().for_each(Worker::end);
        workers.into_iter().for_each(Worker::join);
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop();
    }
}
