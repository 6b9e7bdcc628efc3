//! Bytes and text, in and out: what comes in is borrowed for the call, what goes out is a handle of its own.

use std::{
    ffi::{CStr, c_char},
    ptr::null,
};

use crate::{
    boundary::{boundary, boundary_or},
    error::{Fault, ts_code},
    handle::Table,
};

/// As a length: the text ends before its first zero byte. Written into the header by `cbindgen.toml`.
pub const TS_ZERO_TERMINATED: usize = usize::MAX;

/// Text or bytes that the library has made. Freed with `ts_text_free`; may be read from several threads.
#[derive(Debug)]
pub struct ts_text {
    _opaque: [u8; 0],
}

static TEXTS: Table<ts_text, Vec<u8>> = Table::new("a text");

/// Bytes for C, which end in a zero that does not count.
pub(crate) fn new_text(bytes: impl Into<Vec<u8>>) -> *mut ts_text {
    let mut bytes = bytes.into();
    bytes.push(0);
    TEXTS.insert(bytes)
}

/// The bytes of an argument.
pub(crate) unsafe fn bytes<'a>(pointer: *const u8, length: usize, name: &str) -> Result<&'a [u8], Fault> {
    if pointer.is_null() {
        return Err(Fault::argument(format!("`{name}` is NULL")));
    }
    if isize::try_from(length).is_err() || pointer.addr().checked_add(length).is_none() {
        return Err(Fault::argument(format!("`{name}` cannot have {length} bytes")));
    }
    // SAFETY: not NULL; the length is possible, and that so many bytes can be read during the call is the caller's word.
    Ok(unsafe { std::slice::from_raw_parts(pointer, length) })
}

/// The text of an argument.
pub(crate) unsafe fn text<'a>(pointer: *const c_char, length: usize, name: &str) -> Result<&'a str, Fault> {
    let bytes = if length == TS_ZERO_TERMINATED && !pointer.is_null() {
        // SAFETY: not NULL; that a zero follows is the caller's word.
        unsafe { CStr::from_ptr(pointer) }.to_bytes()
    } else {
        // SAFETY: as above.
        unsafe { bytes(pointer.cast(), length, name) }?
    };
    std::str::from_utf8(bytes).map_err(|error| Fault::argument(format!("`{name}` is not UTF-8: {error}")))
}

/// Text that may be missing, and ends in zero.
pub(crate) unsafe fn optional_text<'a>(pointer: *const c_char, name: &str) -> Result<Option<&'a str>, Fault> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: as above.
    unsafe { text(pointer, TS_ZERO_TERMINATED, name) }.map(Some)
}

/// The bytes, until the text is freed; a zero follows the last. NULL for what is no text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_text_data(text: *const ts_text) -> *const c_char {
    boundary_or(null(), || Ok(TEXTS.get(text)?.as_ptr().cast()))
}

/// How many bytes there are, without the zero behind them. 0 for what is no text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_text_length(text: *const ts_text) -> usize {
    boundary_or(0, || Ok(TEXTS.get(text)?.len().saturating_sub(1)))
}

/// Frees a text. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_text_free(text: *mut ts_text) -> ts_code {
    boundary(std::ptr::null_mut(), || TEXTS.remove(text).map(drop))
}
