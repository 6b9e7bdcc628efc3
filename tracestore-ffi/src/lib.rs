//! The C ABI of tracestore and traceql.
//!
//! Conventions: names begin with `ts_`; strings that are handed out are static or freed by their own function; every
//! pointer is checked for NULL; no panic crosses the boundary.
#![warn(missing_docs)]
#![allow(unsafe_code, reason = "C ABI boundary")]

use std::{
    ffi::{c_char, c_int},
    panic::catch_unwind,
};

/// The version of the ABI: raised when something that was there changes.
pub const ABI_VERSION: u32 = 1;

/// The query is a valid one.
pub const TS_OK: c_int = 0;
/// The query is wrong.
pub const TS_INVALID_QUERY: c_int = 1;
/// An argument is NULL, or text that is not UTF-8.
pub const TS_INVALID_ARGUMENT: c_int = 2;
/// A mistake in this library.
pub const TS_INTERNAL: c_int = 3;

/// The version of the ABI that the library has.
#[unsafe(no_mangle)]
pub extern "C" fn ts_abi_version() -> u32 {
    ABI_VERSION
}

/// Checks a TraceQL query of `len` bytes of UTF-8 (no terminating zero is needed).
///
/// Returns `TS_OK`, or `TS_INVALID_QUERY` with the first and the last but one byte of what is wrong in `*start` and
/// `*end` (each may be NULL), or `TS_INVALID_ARGUMENT`.
///
/// # Safety
/// `query` is NULL or points to `len` readable bytes; `start` and `end` are NULL or point to writable numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_check_query(query: *const c_char, len: usize, start: *mut u32, end: *mut u32) -> c_int {
    if query.is_null() || len > isize::MAX as usize {
        return TS_INVALID_ARGUMENT;
    }
    // SAFETY: the caller vouches for `len` readable bytes at a pointer that is not NULL.
    let bytes = unsafe { std::slice::from_raw_parts(query.cast::<u8>(), len) };
    let Ok(text) = std::str::from_utf8(bytes) else { return TS_INVALID_ARGUMENT };
    let checked =
        catch_unwind(|| traceql::compile(text).err().map(|error| error.list().first().map(|first| first.span)));
    let span = match checked {
        Ok(None) => return TS_OK,
        Ok(Some(span)) => span.unwrap_or_default(),
        Err(_) => return TS_INTERNAL,
    };
    for (pointer, value) in [(start, span.start), (end, span.end)] {
        if !pointer.is_null() {
            // SAFETY: the caller vouches for a writable number at a pointer that is not NULL.
            unsafe { pointer.write(value) };
        }
    }
    TS_INVALID_QUERY
}

#[cfg(test)]
mod tests {
    use std::ptr::{null, null_mut};

    use super::*;

    fn check(query: &str) -> (c_int, u32, u32) {
        let (mut start, mut end) = (0, 0);
        // SAFETY: the pointers are those of live values, the length that of the text.
        let code = unsafe { ts_check_query(query.as_ptr().cast(), query.len(), &raw mut start, &raw mut end) };
        (code, start, end)
    }

    #[test]
    fn a_query_is_checked_and_the_place_told() {
        assert_eq!(ts_abi_version(), 1);
        assert_eq!(check("{ status = error }"), (TS_OK, 0, 0));
        assert_eq!(check("{ status == error }"), (TS_INVALID_QUERY, 9, 11));
    }

    #[test]
    fn null_and_bad_text_are_refused() {
        // SAFETY: NULL is allowed; the length of the byte is right.
        unsafe {
            assert_eq!(ts_check_query(null(), 0, null_mut(), null_mut()), TS_INVALID_ARGUMENT);
            let bad = [0xff_u8];
            assert_eq!(ts_check_query(bad.as_ptr().cast(), 1, null_mut(), null_mut()), TS_INVALID_ARGUMENT);
            let wrong = b"{";
            assert_eq!(ts_check_query(wrong.as_ptr().cast(), 1, null_mut(), null_mut()), TS_INVALID_QUERY);
        }
    }
}
