//! Threads that do what is due, for hosts that do not call `step` themselves.

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

/// A thread of a store; it ends with this value.
#[derive(Debug)]
pub(super) struct Background {
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

impl Background {
    /// Starts the thread, if there is to be one: it does some work period by period, longer ones after the work tells that
    /// it failed. What lasts long asks now and then whether the store is closed.
    ///
    /// # Errors
    /// [`Error::Io`] when the system has no thread.
    pub(super) fn start(
        name: &str,
        core: &Arc<Core>,
        period: Option<Duration>,
        work: fn(&Core, &dyn Fn() -> bool) -> bool,
    ) -> Result<Self> {
        let signal = Arc::new(Signal::default());
        let run = |period| {
            let (core, signal) = (Arc::clone(core), Arc::clone(&signal));
            thread::Builder::new().name(name.to_owned()).spawn(move || {
                let mut failures = 0;
                while signal.wait(period, failures) {
                    failures = if work(&core, &|| signal.state().stop) { 0 } else { failures + 1 };
                }
            })
        };
        let thread = period.map(run).transpose();
        let thread = thread.map_err(|error: io::Error| Error::io("start a thread for", "the store", error))?;
        Ok(Self { signal, thread: Mutex::new(thread) })
    }

    /// There is something to do now.
    pub(super) fn wake(&self) {
        self.signal.state().wake = true;
        self.signal.changed.notify_all();
    }

    /// Waits for the thread to end.
    pub(super) fn stop(&self) {
        self.signal.state().stop = true;
        self.signal.changed.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // Its errors were kept for who asks.
            let _ = thread.join();
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop();
    }
}
