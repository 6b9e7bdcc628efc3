//! What the library has to say beside its answers goes to a function of the host; without one, nowhere.

use std::{
    cell::Cell,
    ffi::{c_char, c_void},
    ptr::null_mut,
    sync::{OnceLock, PoisonError, RwLock},
};

use ::log::{Level, LevelFilter, Log, Metadata, Record};

use crate::{
    boundary::boundary,
    error::{Fault, TS_INVALID_OPTIONS, c_string, ts_code},
};

/// Nothing.
pub const TS_LOG_OFF: u32 = 0;
/// What went wrong.
pub const TS_LOG_ERROR: u32 = 1;
/// What may have gone wrong: spans that were refused, damage that was found.
pub const TS_LOG_WARN: u32 = 2;
/// What was done unasked: spans that were recovered.
pub const TS_LOG_INFO: u32 = 3;
/// For those who look for faults.
pub const TS_LOG_DEBUG: u32 = 4;

/// Is told a message of level `TS_LOG_ERROR`, ... and of which part of the library it comes, both zero-terminated and gone
/// when it returns. It may be called on any thread, on several at once, and must not call this library.
pub type ts_log_fn =
    Option<unsafe extern "C" fn(level: u32, target: *const c_char, message: *const c_char, data: *mut c_void)>;

struct Sink {
    function: unsafe extern "C" fn(u32, *const c_char, *const c_char, *mut c_void),
    data: *mut c_void,
}

// SAFETY: the host has given the function and its data for use on any thread.
unsafe impl Send for Sink {}
// SAFETY: the same.
unsafe impl Sync for Sink {}

static SINK: RwLock<Option<Sink>> = RwLock::new(None);

thread_local! {
    /// Whether this thread is within the host's function.
    static TELLING: Cell<bool> = const { Cell::new(false) };
}

struct Forward;

impl Log for Forward {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= ::log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) || TELLING.replace(true) {
            return;
        }
        let sink = SINK.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(sink) = sink.as_ref() {
            let (target, message) = (c_string(record.target()), c_string(record.args().to_string()));
            let level = match record.level() {
                Level::Error => TS_LOG_ERROR,
                Level::Warn => TS_LOG_WARN,
                Level::Info => TS_LOG_INFO,
                Level::Debug | Level::Trace => TS_LOG_DEBUG,
            };
            // SAFETY: a function that the host gave for this, with the data that it gave.
            unsafe { (sink.function)(level, target.as_ptr(), message.as_ptr(), sink.data) };
        }
        TELLING.set(false);
    }

    fn flush(&self) {}
}

/// Gives the messages of the whole library, up to a level, to a function; NULL for nobody. When it returns, the function
/// before is not called any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_set_log(level: u32, function: ts_log_fn, data: *mut c_void) -> ts_code {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    boundary(null_mut(), || {
        let filter = match level {
            TS_LOG_OFF => LevelFilter::Off,
            TS_LOG_ERROR => LevelFilter::Error,
            TS_LOG_WARN => LevelFilter::Warn,
            TS_LOG_INFO => LevelFilter::Info,
            TS_LOG_DEBUG => LevelFilter::Debug,
            other => return Err(Fault::argument(format!("`level` is {other}: there is no such level"))),
        };
        if TELLING.get() {
            return Err(Fault::argument("the log function must not call this library"));
        }
        let mut sink = SINK.write().unwrap_or_else(PoisonError::into_inner);
        // A Rust program around this library may have a log of its own.
        if !*INSTALLED.get_or_init(|| ::log::set_logger(&Forward).is_ok()) {
            return Err(Fault::new(TS_INVALID_OPTIONS, "the program has set up another log"));
        }
        *sink = function.map(|function| Sink { function, data });
        ::log::set_max_level(if sink.is_some() { filter } else { LevelFilter::Off });
        Ok(())
    })
}
