//! Ends of calls from outside: interrupts, time that has run out, progress functions that have seen enough.

use std::{
    ffi::{c_int, c_void},
    future::pending,
    ptr::null_mut,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{runtime::Runtime, sync::watch};
use traceql::Progress;

use crate::{
    boundary::boundary,
    error::{Fault, TS_INTERRUPTED, TS_LIMIT, ts_code},
    handle::Table,
};

/// Ends calls from another thread. One may serve several calls. Freed with `ts_interrupt_free`, also while calls have it.
#[derive(Debug)]
pub struct ts_interrupt {
    _opaque: [u8; 0],
}

static INTERRUPTS: Table<ts_interrupt, watch::Sender<bool>> = Table::new("an interrupt");

/// How far a search is.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ts_progress {
    /// Parts of blocks that are done or left out.
    pub parts: u64,
    /// Spans for which a condition was tested.
    pub spans: u64,
    /// Bytes of columns that were decoded.
    pub bytes: u64,
    /// Traces found so far, some of which later ones may push out.
    pub traces: u64,
    /// Since the search began, in ns.
    pub elapsed: u64,
}

/// Is told how far a search is, and ends it with another value than 0.
pub type ts_progress_fn = Option<unsafe extern "C" fn(progress: *const ts_progress, data: *mut c_void) -> c_int>;

/// Makes an interrupt.
#[unsafe(no_mangle)]
pub extern "C" fn ts_interrupt_new() -> *mut ts_interrupt {
    crate::boundary::boundary_or(null_mut(), || Ok(INTERRUPTS.insert(watch::Sender::new(false))))
}

/// Ends the calls that have this interrupt, with `TS_INTERRUPTED`, within one part of a block; and those to come, until
/// `ts_interrupt_clear`. From any thread, not from a signal handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_interrupt_raise(interrupt: *mut ts_interrupt) -> ts_code {
    boundary(null_mut(), || set(interrupt, true))
}

/// Lets calls run again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_interrupt_clear(interrupt: *mut ts_interrupt) -> ts_code {
    boundary(null_mut(), || set(interrupt, false))
}

/// Frees an interrupt. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_interrupt_free(interrupt: *mut ts_interrupt) -> ts_code {
    boundary(null_mut(), || INTERRUPTS.remove(interrupt).map(drop))
}

fn set(interrupt: *mut ts_interrupt, raised: bool) -> Result<(), Fault> {
    INTERRUPTS.get(interrupt)?.send_replace(raised);
    Ok(())
}

/// Who may end a call, and how much time it has left; by default nobody, and any time.
#[derive(Default)]
pub(crate) struct Watch {
    interrupt: Option<Arc<watch::Sender<bool>>>,
    left: Option<Duration>,
}

impl Watch {
    pub(crate) fn new(interrupt: *mut ts_interrupt, left: Option<Duration>) -> Result<Self, Fault> {
        let interrupt = (!interrupt.is_null()).then(|| INTERRUPTS.get(interrupt)).transpose()?;
        Ok(Self { interrupt, left })
    }

    /// For calls that keep their time themselves.
    pub(crate) fn without_timeout(self) -> Self {
        Self { left: None, ..self }
    }

    /// Waits for work on this thread, as far as it is let; what has run out of time or was interrupted is dropped.
    pub(crate) fn wait<T, E: Into<Fault>>(
        &mut self,
        runtime: &Runtime,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Fault> {
        let begun = Instant::now();
        let interrupted = async {
            match &self.interrupt {
                // The sender is there as long as this waits.
                Some(sender) => drop(sender.subscribe().wait_for(|raised| *raised).await),
                None => pending().await,
            }
        };
        let out_of_time = async {
            match self.left {
                Some(left) => tokio::time::sleep(left).await,
                None => pending().await,
            }
        };
        let outcome = runtime.block_on(async {
            tokio::select! {
                biased;
                () = interrupted => Err(Fault::new(TS_INTERRUPTED, "the call was interrupted")),
                () = out_of_time => Err(Fault::new(TS_LIMIT, "the call took longer than it may")),
                outcome = work => outcome.map_err(Into::into),
            }
        });
        self.left = self.left.map(|left| left.saturating_sub(begun.elapsed()));
        outcome
    }
}

/// A progress function with what it is given.
pub(crate) struct Listener {
    function: unsafe extern "C" fn(*const ts_progress, *mut c_void) -> c_int,
    data: *mut c_void,
}

// SAFETY: the function is called on the thread of the call only, which the caller has allowed.
unsafe impl Send for Listener {}

impl Listener {
    /// `None` where nobody listens.
    pub(crate) fn new(function: ts_progress_fn, data: *mut c_void) -> Option<Self> {
        function.map(|function| Self { function, data })
    }

    /// Whether the search may go on.
    pub(crate) fn tell(&self, progress: &Progress) -> bool {
        let progress = ts_progress {
            parts: progress.units,
            spans: progress.rows,
            bytes: progress.bytes,
            traces: progress.traces,
            elapsed: u64::try_from(progress.elapsed.as_nanos()).unwrap_or(u64::MAX),
        };
        // SAFETY: a function that the caller gave for this, with the data that it gave.
        unsafe { (self.function)(&raw const progress, self.data) == 0 }
    }
}
