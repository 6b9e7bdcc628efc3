//! Errors: codes, made of what the Rust errors say of themselves, and what there is to say beside the code.

use std::{
    ffi::{CString, c_char},
    ptr::null,
};

use traceql::syntax::{Diagnostics, Span};

use crate::{
    boundary::{Out, boundary, boundary_or},
    handle::Table,
};

/// What a call came to: `TS_OK` or one of the other codes. Codes are added, never changed.
pub type ts_code = i32;

/// All is well.
pub const TS_OK: ts_code = 0;
/// The query is wrong; the error has the place.
pub const TS_INVALID_QUERY: ts_code = 1;
/// An argument is NULL, not aligned, not UTF-8, of an impossible length, or a number without a meaning.
pub const TS_INVALID_ARGUMENT: ts_code = 2;
/// A mistake in this library. The store is as safe as before.
pub const TS_INTERNAL: ts_code = 3;
/// A handle that was closed or freed, is one of something else, or was never given.
pub const TS_INVALID_HANDLE: ts_code = 4;
/// What was asked for makes no sense: a range that ends before it starts, a configuration with faults.
pub const TS_INVALID_OPTIONS: ts_code = 5;
/// There is no such path, store or trace.
pub const TS_NOT_FOUND: ts_code = 6;
/// Data that came in is not what it should be; nothing is wrong with the store.
pub const TS_BAD_INPUT: ts_code = 7;
/// Stored data is damaged, or of an unknown version.
pub const TS_CORRUPT: ts_code = 8;
/// A limit on time, bytes, memory or numbers was reached.
pub const TS_LIMIT: ts_code = 9;
/// Nothing was done; the same call may succeed a little later.
pub const TS_BUSY: ts_code = 10;
/// Another writer has the store open, in this process or another.
pub const TS_LOCKED: ts_code = 11;
/// The store takes no more writes until it is opened again.
pub const TS_STOPPED: ts_code = 12;
/// The store was opened for reading only.
pub const TS_READ_ONLY: ts_code = 13;
/// The call was ended by its interrupt, or by its progress function.
pub const TS_INTERRUPTED: ts_code = 14;
/// The operating system refused something.
pub const TS_IO: ts_code = 15;
/// The query could not be run for another reason.
pub const TS_EXECUTION: ts_code = 16;

/// What went wrong in a call. Freed with `ts_error_free`; may be read from several threads.
#[derive(Debug)]
pub struct ts_error {
    _opaque: [u8; 0],
}

/// The error as it is kept.
#[derive(Debug)]
struct Kept {
    code: ts_code,
    message: CString,
    span: Option<(usize, usize)>,
}

static ERRORS: Table<ts_error, Kept> = Table::new("an error");

/// What goes wrong within a call.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) code: ts_code,
    pub(crate) message: String,
    /// Where in the query: offset and length, in bytes.
    span: Option<(usize, usize)>,
}

impl Fault {
    pub(crate) fn new(code: ts_code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span: None }
    }

    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::new(TS_INVALID_ARGUMENT, message)
    }

    pub(crate) fn handle(message: impl Into<String>) -> Self {
        Self::new(TS_INVALID_HANDLE, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(TS_INTERNAL, message)
    }

    pub(super) fn into_handle(self) -> *mut ts_error {
        ERRORS.insert(Kept { code: self.code, message: c_string(self.message), span: self.span })
    }
}

/// Text for C, where zero ends it.
pub(crate) fn c_string(text: impl Into<String>) -> CString {
    let text = text.into();
    CString::new(text).unwrap_or_else(|error| {
        let text = String::from_utf8_lossy(&error.into_vec()).replace('\0', "\u{fffd}");
        CString::new(text).unwrap_or_default()
    })
}

impl From<tracestore::Error> for Fault {
    fn from(error: tracestore::Error) -> Self {
        Self::new(code_of_store(&error), error.to_string())
    }
}

fn code_of_store(error: &tracestore::Error) -> ts_code {
    match error {
        tracestore::Error::Locked { .. } => TS_LOCKED,
        tracestore::Error::Stopped { .. } => TS_STOPPED,
        tracestore::Error::Internal(_) => TS_INTERNAL,
        tracestore::Error::Selector { .. } => TS_EXECUTION,
        _ if error.is_corruption() => TS_CORRUPT,
        _ if error.is_bad_input() => TS_BAD_INPUT,
        _ if error.is_not_found() => TS_NOT_FOUND,
        _ if error.is_config() => TS_INVALID_OPTIONS,
        _ if error.is_limit() => TS_LIMIT,
        _ if error.is_retryable() => TS_BUSY,
        _ => TS_IO,
    }
}

impl From<traceql::Error> for Fault {
    fn from(error: traceql::Error) -> Self {
        match error {
            traceql::Error::Store(error) => error.into(),
            traceql::Error::Query(diagnostics) => diagnostics.into(),
            _ if error.is_query() => Self::new(TS_INVALID_QUERY, error.to_string()),
            _ if error.is_options() => Self::new(TS_INVALID_OPTIONS, error.to_string()),
            _ if error.is_limit() => Self::new(TS_LIMIT, error.to_string()),
            _ => Self::new(TS_EXECUTION, error.to_string()),
        }
    }
}

impl From<Diagnostics> for Fault {
    /// The first of what is wrong has the place; the message has all of it.
    fn from(diagnostics: Diagnostics) -> Self {
        let first = diagnostics.list().iter().find(|found| found.is_error());
        let place = |span: Span| (span.start as usize, span.end.saturating_sub(span.start) as usize);
        let span = first.map(|found| place(found.span));
        Self { code: TS_INVALID_QUERY, message: diagnostics.to_string(), span }
    }
}

/// The code of an error, the same that the call gave. `TS_OK` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_error_code(error: *const ts_error) -> ts_code {
    if error.is_null() {
        return TS_OK;
    }
    boundary_or(TS_INVALID_HANDLE, || Ok(ERRORS.get(error)?.code))
}

/// What went wrong, for people: UTF-8 of one line or several, until the error is freed. NULL for what is no error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_error_message(error: *const ts_error) -> *const c_char {
    boundary_or(null(), || Ok(ERRORS.get(error)?.message.as_ptr()))
}

/// Where in the query something is wrong, in bytes from its beginning. `TS_NOT_FOUND` for an error without a place.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_error_span(error: *const ts_error, offset: *mut usize, length: *mut usize) -> ts_code {
    boundary(std::ptr::null_mut(), || {
        let (offset, length) = (Out::required(offset, "offset")?, Out::required(length, "length")?);
        let span = ERRORS.get(error)?.span.ok_or_else(|| Fault::new(TS_NOT_FOUND, "the error has no place"))?;
        offset.put(span.0);
        length.put(span.1);
        Ok(())
    })
}

/// Frees an error. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_error_free(error: *mut ts_error) -> ts_code {
    boundary(std::ptr::null_mut(), || ERRORS.remove(error).map(drop))
}

/// The name of a code, such as `TS_LIMIT`; never NULL, never freed.
#[unsafe(no_mangle)]
pub extern "C" fn ts_code_name(code: ts_code) -> *const c_char {
    let name = match code {
        TS_OK => c"TS_OK",
        TS_INVALID_QUERY => c"TS_INVALID_QUERY",
        TS_INVALID_ARGUMENT => c"TS_INVALID_ARGUMENT",
        TS_INTERNAL => c"TS_INTERNAL",
        TS_INVALID_HANDLE => c"TS_INVALID_HANDLE",
        TS_INVALID_OPTIONS => c"TS_INVALID_OPTIONS",
        TS_NOT_FOUND => c"TS_NOT_FOUND",
        TS_BAD_INPUT => c"TS_BAD_INPUT",
        TS_CORRUPT => c"TS_CORRUPT",
        TS_LIMIT => c"TS_LIMIT",
        TS_BUSY => c"TS_BUSY",
        TS_LOCKED => c"TS_LOCKED",
        TS_STOPPED => c"TS_STOPPED",
        TS_READ_ONLY => c"TS_READ_ONLY",
        TS_INTERRUPTED => c"TS_INTERRUPTED",
        TS_IO => c"TS_IO",
        TS_EXECUTION => c"TS_EXECUTION",
        _ => c"unknown code",
    };
    name.as_ptr()
}
