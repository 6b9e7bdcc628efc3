//! The way in and out of every exported function: panics end here, errors become codes, pointers are looked at before
//! they are followed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Fault, TS_OK, ts_code, ts_error};

/// Runs what a function does. What goes wrong is its code, and an error in `*error` unless that is NULL.
pub(crate) fn boundary(error: *mut *mut ts_error, work: impl FnOnce() -> Result<(), Fault>) -> ts_code {
    let outcome = guarded(|| {
        if let Some(error) = Out::optional(error, "error")? {
            error.put(std::ptr::null_mut());
        }
        work()
    });
    match outcome {
        Ok(()) => TS_OK,
        Err(fault) => {
            let code = fault.code;
            if let Ok(Some(error)) = Out::optional(error, "error") {
                error.put(fault.into_handle());
            }
            code
        }
    }
}

/// The same for functions that have a value to give when all else fails, and no error.
pub(crate) fn boundary_or<T>(otherwise: T, work: impl FnOnce() -> Result<T, Fault>) -> T {
    guarded(work).unwrap_or(otherwise)
}

/// A panic as a fault.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    // What was left half done is behind locks that take no notice, or goes away with the call.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(outcome) => outcome,
        Err(panic) => {
            let reason = panic.downcast_ref::<String>().map(String::as_str);
            let reason = reason.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it has no text");
            let fault = Fault::internal(format!("internal error, please report: a panic: {reason}"));
            log::error!("{}", fault.message);
            Err(fault)
        }
    }
}

/// Where a result goes.
#[derive(Debug)]
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    pub(crate) fn required(pointer: *mut T, name: &str) -> Result<Self, Fault> {
        Self::optional(pointer, name)?.ok_or_else(|| Fault::argument(format!("`{name}` is NULL")))
    }

    pub(crate) fn optional(pointer: *mut T, name: &str) -> Result<Option<Self>, Fault> {
        if !pointer.is_aligned() {
            return Err(Fault::argument(format!("`{name}` is not aligned")));
        }
        Ok((!pointer.is_null()).then_some(Self(pointer)))
    }

    /// Writes the result. What was there is not looked at.
    pub(crate) fn put(&self, value: T) {
        // SAFETY: not NULL and aligned, as was checked; that it may be written to is the caller's word.
        unsafe { self.0.write(value) }
    }
}

impl<H> Out<*mut H> {
    /// For a handle: NULL until there is one.
    pub(crate) fn handle(pointer: *mut *mut H, name: &str) -> Result<Self, Fault> {
        let out = Self::required(pointer, name)?;
        out.put(std::ptr::null_mut());
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use std::ptr::{null_mut, without_provenance_mut};

    use super::*;
    use crate::error::{TS_INTERNAL, TS_INVALID_ARGUMENT, ts_error_code, ts_error_free, ts_error_message};

    #[test]
    fn a_panic_is_an_error_with_its_message() {
        let mut error = null_mut();
        let code = boundary(&raw mut error, || panic!("on purpose"));
        // SAFETY: the handle is open until it is freed.
        let message = unsafe { std::ffi::CStr::from_ptr(ts_error_message(error)) };
        assert!(message.to_string_lossy().contains("on purpose"));
        // SAFETY: as above.
        assert_eq!((code, unsafe { ts_error_code(error) }), (TS_INTERNAL, TS_INTERNAL));
        // SAFETY: any handle may be freed.
        assert_eq!(unsafe { ts_error_free(error) }, TS_OK);
        assert_eq!(boundary(null_mut(), || panic!("nobody listens")), TS_INTERNAL);
        assert_eq!(boundary_or(3, || panic!("nothing to give")), 3);
    }

    #[test]
    fn pointers_that_cannot_be_written_to_are_refused() {
        assert_eq!(boundary(without_provenance_mut(3), || Ok(())), TS_INVALID_ARGUMENT);
        assert!(Out::<u64>::required(null_mut(), "here").is_err());
        assert!(Out::<u64>::required(without_provenance_mut(4), "here").is_err());
    }
}
