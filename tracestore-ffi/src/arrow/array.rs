//! Columns as `struct ArrowArray`: pointers to their buffers, which stay as long as the consumer has them.

use std::{
    ffi::c_void,
    ptr::{null, null_mut},
};

use arrow::{
    array::{Array, ArrayData, RecordBatch, StructArray, layout},
    buffer::{BooleanBuffer, Buffer, NullBuffer},
    datatypes::DataType,
};

/// `struct ArrowArray` of the C data interface, whose specification says what its members are.
#[repr(C)]
#[derive(Debug)]
#[allow(missing_docs, reason = "the specification has them")]
pub struct ArrowArray {
    pub length: i64,
    pub null_count: i64,
    pub offset: i64,
    pub n_buffers: i64,
    pub n_children: i64,
    pub buffers: *mut *const c_void,
    pub children: *mut *mut ArrowArray,
    pub dictionary: *mut ArrowArray,
    pub release: Option<unsafe extern "C" fn(*mut ArrowArray)>,
    pub private_data: *mut c_void,
}

/// What an array's pointers point to.
struct Owned {
    /// Kept for the pointers to them.
    _buffers: Vec<Option<Buffer>>,
    pointers: Vec<*const c_void>,
    children: Vec<*mut ArrowArray>,
    dictionary: *mut ArrowArray,
}

impl Drop for Owned {
    fn drop(&mut self) {
        for child in self.children.drain(..).chain((!self.dictionary.is_null()).then_some(self.dictionary)) {
            // SAFETY: made by `Box::into_raw` below, and in no other place.
            drop(unsafe { Box::from_raw(child) });
        }
    }
}

impl Drop for ArrowArray {
    /// A consumer may have moved a child out, and left it without a way to release it.
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: the array was not released yet.
            unsafe { release(self) };
        }
    }
}

unsafe extern "C" fn release(array: *mut ArrowArray) {
    // SAFETY: the consumer gives an array that was made below and is released once.
    if let Some(array) = unsafe { array.as_mut() }
        && array.release.take().is_some()
    {
        // SAFETY: made by `Box::into_raw` below.
        drop(unsafe { Box::from_raw(array.private_data.cast::<Owned>()) });
        array.private_data = null_mut();
    }
}

impl ArrowArray {
    /// What stands for the end of a stream.
    pub(super) const fn released() -> Self {
        Self {
            length: 0,
            null_count: 0,
            offset: 0,
            n_buffers: 0,
            n_children: 0,
            buffers: null_mut(),
            children: null_mut(),
            dictionary: null_mut(),
            release: None,
            private_data: null_mut(),
        }
    }

    /// A record batch is a struct.
    pub(super) fn of_batch(batch: RecordBatch) -> Self {
        Self::new(&StructArray::from(batch).to_data())
    }

    fn new(data: &ArrayData) -> Self {
        let layout = layout(data.data_type());
        let mut buffers: Vec<Option<Buffer>> = Vec::new();
        if layout.can_contain_null_mask {
            buffers.push(data.nulls().map(|nulls| validity(nulls, data.offset())));
        }
        buffers.extend(data.buffers().iter().cloned().map(Some));
        if layout.variadic {
            // Views: the lengths of all buffers behind the first.
            let lengths = data.buffers().iter().skip(1).map(|buffer| buffer.len() as i64);
            buffers.push(Some(Buffer::from_vec(lengths.collect::<Vec<i64>>())));
        }
        let child = |data: &ArrayData| Box::into_raw(Box::new(Self::new(data)));
        let (children, dictionary) = match (data.data_type(), data.child_data()) {
            (DataType::Dictionary(..), values) => (Vec::new(), values.first().map_or(null_mut(), child)),
            (_, parts) => (parts.iter().map(child).collect(), null_mut()),
        };
        let pointer = |buffer: &Option<Buffer>| buffer.as_ref().map_or(null(), |buffer| buffer.as_ptr().cast());
        let pointers = buffers.iter().map(pointer).collect();
        let mut owned = Owned { _buffers: buffers, pointers, children, dictionary };
        Self {
            length: data.len() as i64,
            null_count: if data.data_type() == &DataType::Null { data.len() } else { data.null_count() } as i64,
            offset: data.offset() as i64,
            n_buffers: owned.pointers.len() as i64,
            n_children: owned.children.len() as i64,
            buffers: owned.pointers.as_mut_ptr(),
            children: owned.children.as_mut_ptr(),
            dictionary,
            release: Some(release),
            // What the pointers point to stays where it is.
            private_data: Box::into_raw(Box::new(owned)).cast(),
        }
    }
}

/// The bits of what is there, beginning as many values before the first as the other buffers do.
fn validity(nulls: &NullBuffer, offset: usize) -> Buffer {
    match (nulls.offset(), offset) {
        (from, to) if from == to => nulls.buffer().clone(),
        (_, 0) => nulls.inner().sliced(),
        (_, offset) => {
            let bit = |place: usize| place.checked_sub(offset).is_some_and(|place| nulls.is_valid(place));
            BooleanBuffer::collect_bool(offset + nulls.len(), bit).into_inner()
        }
    }
}
