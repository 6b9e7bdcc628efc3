//! Stores: opened, closed, made to write blocks, and asked how they are.

use std::{ffi::c_char, num::NonZero, sync::Arc, time::Duration};

use tokio::runtime::{Builder, Runtime};
use traceql::{Engine, EngineOptions};
use tracestore::{Snapshot, StoreOptions, StoreReader, SyncMode, TraceStore, io::MemoryVfs};

use crate::{
    boundary::{Out, boundary},
    error::{Fault, TS_READ_ONLY, ts_code, ts_error},
    handle::Table,
    options::{flag, given},
    sized::{self, Sized, SizedOut},
    text::{new_text, optional_text, ts_text},
};

/// An open store. Closed with `ts_store_close`; may be used by any number of threads at once.
#[derive(Debug)]
pub struct ts_store {
    _opaque: [u8; 0],
}

/// Requests are on stable storage when `ts_ingest` returns.
pub const TS_SYNC_FULL: u32 = 0;
/// Requests are on stable storage `sync_interval_ms` later. Only when the machine stops they may be lost before.
pub const TS_SYNC_INTERVAL: u32 = 1;
/// Requests are on stable storage when they are in a block. Only when the machine stops they may be lost before.
pub const TS_SYNC_OFF: u32 = 2;

/// How a store is opened. All 0 (but `size`) is what suits most; 0 always stands for the default.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ts_store_options {
    /// `sizeof(ts_store_options)`.
    pub size: usize,
    /// With `TS_SYNC_INTERVAL`: how long after it was taken a request is synced, in ms; default 1000.
    pub sync_interval_ms: u64,
    /// How many bytes of requests may wait to become blocks; default 512 MiB.
    pub memory_budget: u64,
    /// A block is cut when so many bytes of requests wait; default 128 MiB.
    pub block_bytes: u64,
    /// A block is cut when the oldest request has waited so long, in ms; default 15 minutes.
    pub block_age_ms: u64,
    /// A block is cut when nothing has come in for so long, in ms; default 2 minutes.
    pub block_idle_ms: u64,
    /// How many threads queries may use beside those that call; default: one for each core.
    pub threads: u32,
    /// `TS_SYNC_FULL`, ...
    pub sync: u32,
    /// 1: another process may have the store open for writing; this one only asks, and sees what is acknowledged there
    /// when a call begins.
    pub read_only: u32,
    /// 1: no thread looks after the store; blocks are cut when `ts_store_flush` says so.
    pub no_background: u32,
}

// SAFETY: numbers, eight bytes each but for the four at the end; the size comes first.
unsafe impl Sized for ts_store_options {}

/// What there is in a store.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ts_store_status {
    /// To be set to `sizeof(ts_store_status)`.
    pub size: usize,
    /// Blocks, those in memory included.
    pub blocks: u64,
    /// Spans in them; what is stored twice counts twice.
    pub spans: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Requests that wait to become a block; 0 for stores that are read only.
    pub waiting_requests: u64,
    /// Bytes of these requests.
    pub waiting_bytes: u64,
}

// SAFETY: numbers of eight bytes; the size comes first.
unsafe impl Sized for ts_store_status {}

/// What stands behind a handle.
pub(crate) struct Store {
    access: Access,
    options: EngineOptions,
    pub(crate) runtime: Runtime,
}

enum Access {
    Writer(TraceStore),
    Reader(Box<StoreReader>),
}

static STORES: Table<ts_store, Store> = Table::new("an open store");

/// The store of a handle.
pub(crate) fn store(handle: *const ts_store) -> Result<Arc<Store>, Fault> {
    STORES.get(handle)
}

impl Store {
    fn open(path: Option<&str>, asked: &ts_store_options) -> Result<Self, Fault> {
        let threads = usize::try_from(asked.threads).ok().and_then(NonZero::new);
        let mut builder = Builder::new_multi_thread();
        builder.thread_name("tracestore").enable_time();
        threads.map(|threads| builder.worker_threads(threads.get()));
        let failed = |error: std::io::Error| Fault::internal(format!("threads cannot be started: {error}"));
        let runtime = builder.build().map_err(failed)?;
        let access = match (path, flag(asked.read_only, "read_only")?) {
            (Some(path), true) => Access::Reader(Box::new(StoreReader::open(path)?)),
            (None, true) => return Err(Fault::argument("a store in memory cannot be read only: it would stay empty")),
            (path, false) => Access::Writer(open_writer(path, asked)?),
        };
        let options = threads.map_or(EngineOptions::default(), |count| EngineOptions::default().with_partitions(count));
        Ok(Self { access, options, runtime })
    }

    /// The store if it takes writes.
    pub(crate) fn writer(&self) -> Result<&TraceStore, Fault> {
        match &self.access {
            Access::Writer(store) => Ok(store),
            Access::Reader(_) => Err(Fault::new(TS_READ_ONLY, "the store was opened for reading only")),
        }
    }

    /// What is there now.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, Fault> {
        match &self.access {
            Access::Writer(store) => Ok(store.snapshot()?),
            Access::Reader(reader) => {
                reader.refresh()?;
                Ok(reader.snapshot()?)
            }
        }
    }

    /// Who answers queries over what is there now.
    pub(crate) fn engine(&self) -> Result<Engine, Fault> {
        Ok(Engine::with_options(self.snapshot()?, self.options))
    }
}

fn open_writer(path: Option<&str>, asked: &ts_store_options) -> Result<TraceStore, Fault> {
    let mut options = StoreOptions::default();
    let milliseconds = |number: u64, default: Duration| given(number).map_or(default, Duration::from_millis);
    options.sync = match asked.sync {
        TS_SYNC_FULL => SyncMode::Full,
        TS_SYNC_INTERVAL => SyncMode::Interval(milliseconds(asked.sync_interval_ms, Duration::from_secs(1))),
        TS_SYNC_OFF => SyncMode::Off,
        other => return Err(Fault::argument(format!("`sync` is {other}: there is no such mode"))),
    };
    let bytes = |number: u64, default: usize| {
        given(number).map_or(default, |number| usize::try_from(number).unwrap_or(usize::MAX))
    };
    options.memory_budget = bytes(asked.memory_budget, options.memory_budget);
    options.cut.bytes = bytes(asked.block_bytes, options.cut.bytes);
    options.cut.age = milliseconds(asked.block_age_ms, options.cut.age);
    options.cut.idle = milliseconds(asked.block_idle_ms, options.cut.idle);
    if flag(asked.no_background, "no_background")? {
        options.background = None;
    }
    if path.is_none() {
        options.vfs = Arc::new(MemoryVfs::default());
    }
    let store = TraceStore::open(path.unwrap_or("memory"), options)?;
    let recovery = store.recovery();
    if !recovery.is_clean() {
        let level = if recovery.damage.is_empty() { log::Level::Info } else { log::Level::Warn };
        log::log!(level, "{}: {recovery}", path.unwrap_or_default());
    }
    Ok(store)
}

/// Opens the store in a folder, and makes it if there is none and it is to be written. `path` is zero-terminated UTF-8;
/// NULL opens a store in memory, which goes when it is closed. `options` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_store_open(
    path: *const c_char,
    options: *const ts_store_options,
    store: *mut *mut ts_store,
    error: *mut *mut ts_error,
) -> ts_code {
    boundary(error, || {
        let out = Out::handle(store, "store")?;
        // SAFETY: that the text ends in zero, and the options have the size that they name, is the caller's word.
        let (path, options) = unsafe { (optional_text(path, "path")?, sized::read(options, "options")?) };
        out.put(STORES.insert(Store::open(path, &options)?));
        Ok(())
    })
}

/// Makes a block of what waits, and closes the store. NULL is none. The handle is given up whatever the result is: after
/// an error the log has what was acknowledged, and the next who opens the store makes a block of it. Calls of other
/// threads that have begun, and streams, go on with what they have.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_store_close(store: *mut ts_store, error: *mut *mut ts_error) -> ts_code {
    boundary(error, || match STORES.remove(store)? {
        Some(store) => match &store.access {
            Access::Writer(writer) => Ok(writer.close()?),
            Access::Reader(_) => Ok(()),
        },
        None => Ok(()),
    })
}

/// Makes a block of what waits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_store_flush(store: *mut ts_store, error: *mut *mut ts_error) -> ts_code {
    boundary(error, || {
        self::store(store)?.writer()?.flush()?;
        Ok(())
    })
}

/// What there is in a store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_store_get_status(
    store: *mut ts_store,
    status: *mut ts_store_status,
    error: *mut *mut ts_error,
) -> ts_code {
    boundary(error, || {
        // SAFETY: that the struct has the size that it names is the caller's word.
        let out = unsafe { SizedOut::required(status, "status") }?;
        let store = self::store(store)?;
        let snapshot = store.snapshot()?;
        let waiting = store.writer().map(TraceStore::live).unwrap_or_default();
        out.put(&ts_store_status {
            size: 0,
            blocks: snapshot.blocks().len() as u64,
            spans: snapshot.blocks().iter().map(|block| block.spans()).sum(),
            bytes: snapshot.size(),
            waiting_requests: waiting.requests as u64,
            waiting_bytes: waiting.bytes as u64,
        });
        Ok(())
    })
}

/// What went wrong when the store's own thread last did what was due, such as writing a block; NULL when all is well. It
/// tries again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_store_trouble(
    store: *mut ts_store,
    trouble: *mut *mut ts_text,
    error: *mut *mut ts_error,
) -> ts_code {
    boundary(error, || {
        let out = Out::handle(trouble, "trouble")?;
        if let Some(trouble) = self::store(store)?.writer().ok().and_then(TraceStore::trouble) {
            out.put(new_text(trouble));
        }
        Ok(())
    })
}
