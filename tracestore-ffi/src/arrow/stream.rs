//! Batches as `struct ArrowArrayStream`: made on the thread that asks for them.

use std::{
    ffi::{CString, c_char, c_int, c_void},
    ptr::{null, null_mut},
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{array::ArrowArray, schema::ArrowSchema};
use crate::{
    boundary::{Out, guarded},
    error::{Fault, TS_BUSY, TS_INTERRUPTED, TS_INVALID_ARGUMENT, TS_IO, TS_LIMIT, c_string},
};

/// `struct ArrowArrayStream` of the C stream interface, whose specification says what its members are.
#[repr(C)]
#[derive(Debug)]
#[allow(missing_docs, reason = "the specification has them")]
pub struct ArrowArrayStream {
    pub get_schema: Option<unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowSchema) -> c_int>,
    pub get_next: Option<unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowArray) -> c_int>,
    pub get_last_error: Option<unsafe extern "C" fn(*mut ArrowArrayStream) -> *const c_char>,
    pub release: Option<unsafe extern "C" fn(*mut ArrowArrayStream)>,
    pub private_data: *mut c_void,
}

/// Where batches come from.
pub(crate) trait Source: Send {
    /// The columns of all batches.
    fn schema(&self) -> SchemaRef;
    /// The next batch; `None` behind the last one, and behind an error.
    fn next(&mut self) -> Result<Option<RecordBatch>, Fault>;
}

struct Owned {
    source: Box<dyn Source>,
    error: Option<CString>,
}

/// A stream for C.
pub(crate) fn export(source: impl Source + 'static) -> ArrowArrayStream {
    let owned = Owned { source: Box::new(source), error: None };
    ArrowArrayStream {
        get_schema: Some(get_schema),
        get_next: Some(get_next),
        get_last_error: Some(get_last_error),
        release: Some(release),
        private_data: Box::into_raw(Box::new(owned)).cast(),
    }
}

/// Runs a callback; an error is kept for who asks, and is a number of the system's errors here.
unsafe fn run(stream: *mut ArrowArrayStream, work: impl FnOnce(&mut Owned) -> Result<(), Fault>) -> c_int {
    // SAFETY: the consumer gives a stream that was made above and is not released, and uses it on one thread.
    let owned = unsafe { stream.as_ref().and_then(|stream| stream.private_data.cast::<Owned>().as_mut()) };
    let Some(owned) = owned else { return number(TS_INVALID_ARGUMENT) };
    owned.error = None;
    match guarded(|| work(&mut *owned)) {
        Ok(()) => 0,
        Err(fault) => {
            owned.error = Some(c_string(fault.message));
            number(fault.code)
        }
    }
}

unsafe extern "C" fn get_schema(stream: *mut ArrowArrayStream, schema: *mut ArrowSchema) -> c_int {
    let work = |owned: &mut Owned| {
        let out = Out::required(schema, "schema")?;
        out.put(ArrowSchema::of_schema(&owned.source.schema())?);
        Ok(())
    };
    // SAFETY: the consumer's word is passed on.
    unsafe { run(stream, work) }
}

unsafe extern "C" fn get_next(stream: *mut ArrowArrayStream, array: *mut ArrowArray) -> c_int {
    let work = |owned: &mut Owned| {
        let out = Out::required(array, "array")?;
        out.put(owned.source.next()?.map_or(ArrowArray::released(), ArrowArray::of_batch));
        Ok(())
    };
    // SAFETY: the consumer's word is passed on.
    unsafe { run(stream, work) }
}

unsafe extern "C" fn get_last_error(stream: *mut ArrowArrayStream) -> *const c_char {
    // SAFETY: as in `run`.
    let owned = unsafe { stream.as_ref().and_then(|stream| stream.private_data.cast::<Owned>().as_ref()) };
    owned.and_then(|owned| owned.error.as_ref()).map_or(null(), |error| error.as_ptr())
}

unsafe extern "C" fn release(stream: *mut ArrowArrayStream) {
    // SAFETY: as in `run`.
    if let Some(stream) = unsafe { stream.as_mut() }
        && stream.release.take().is_some()
    {
        // SAFETY: made by `Box::into_raw` above.
        let owned = unsafe { Box::from_raw(stream.private_data.cast::<Owned>()) };
        stream.private_data = null_mut();
        // What runs is ended here; a panic on the way has nobody to go to, and is in the log.
        let _ = guarded(|| {
            drop(owned);
            Ok(())
        });
    }
}

/// The system's number for a code: those of Linux, which are those of other systems as far as they matter here.
fn number(code: crate::error::ts_code) -> c_int {
    match code {
        TS_INTERRUPTED => 4,       // EINTR
        TS_IO => 5,                // EIO
        TS_BUSY => 11,             // EAGAIN
        TS_LIMIT => 12,            // ENOMEM
        TS_INVALID_ARGUMENT => 22, // EINVAL
        _ => 5,
    }
}
