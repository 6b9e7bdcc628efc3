//! What is given to C, read back by its pointers.

use std::{
    ffi::CStr,
    mem::MaybeUninit,
    sync::{Arc, Weak},
};

use arrow::{
    array::{
        Array, ArrayRef, BooleanArray, Int64Array, ListArray, RecordBatch, StringArray, StringDictionaryBuilder,
        StringViewArray, TimestampNanosecondArray,
    },
    datatypes::{DataType, Field, Int32Type, Schema, SchemaRef},
};

use super::{Source, array::ArrowArray, export, schema::ArrowSchema, stream::ArrowArrayStream};
use crate::error::{Fault, TS_INTERRUPTED};

struct Given {
    schema: SchemaRef,
    batches: Vec<Result<RecordBatch, Fault>>,
    /// Goes with the source.
    _alive: Arc<()>,
}

impl Source for Given {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, Fault> {
        match self.batches.pop() {
            None if self.schema.fields().is_empty() => panic!("a bad \0 day"),
            None => Ok(None),
            Some(batch) => batch.map(Some),
        }
    }
}

fn stream(batches: Vec<Result<RecordBatch, Fault>>, schema: SchemaRef) -> (ArrowArrayStream, Weak<()>) {
    let alive = Arc::new(());
    let watch = Arc::downgrade(&alive);
    (export(Given { schema, batches, _alive: alive }), watch)
}

fn schema_of(stream: &mut ArrowArrayStream) -> ArrowSchema {
    let mut schema = MaybeUninit::uninit();
    // SAFETY: a stream that is not released, and a place for a schema.
    assert_eq!(unsafe { stream.get_schema.unwrap()(stream, schema.as_mut_ptr()) }, 0);
    // SAFETY: written by the call.
    unsafe { schema.assume_init() }
}

fn next(stream: &mut ArrowArrayStream) -> Result<ArrowArray, (i32, String)> {
    let mut array = MaybeUninit::uninit();
    // SAFETY: a stream that is not released, and a place for an array.
    match unsafe { stream.get_next.unwrap()(stream, array.as_mut_ptr()) } {
        // SAFETY: written by the call.
        0 => Ok(unsafe { array.assume_init() }),
        // SAFETY: the message stays until the next call.
        code => Err((code, unsafe { text(stream.get_last_error.unwrap()(stream)) })),
    }
}

fn release(stream: &mut ArrowArrayStream) {
    // SAFETY: a stream that is not released.
    unsafe { stream.release.unwrap()(stream) };
    assert!(stream.release.is_none());
}

unsafe fn text(pointer: *const std::ffi::c_char) -> String {
    // SAFETY: zero-terminated, as all that is given to C.
    unsafe { CStr::from_ptr(pointer) }.to_str().unwrap().to_owned()
}

/// All columns that an answer may have, some of them slices.
fn batch() -> RecordBatch {
    let mut dictionary = StringDictionaryBuilder::<Int32Type>::new();
    ["a", "b", "a", "c"].into_iter().for_each(|value| dictionary.append_value(value));
    let lists = ListArray::from_iter_primitive::<arrow::datatypes::Int64Type, _, _>([
        None,
        Some(vec![Some(1), None]),
        Some(vec![]),
        Some(vec![Some(4)]),
    ]);
    let columns: [(&str, ArrayRef); 7] = [
        ("int", Arc::new(Int64Array::from(vec![None, Some(2), None, Some(4)]))),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true)]))),
        ("text", Arc::new(StringArray::from(vec!["x", "", "yy", "z"]))),
        ("view", Arc::new(StringViewArray::from(vec!["x", "longer than twelve bytes", "", "z"]))),
        ("code", Arc::new(dictionary.finish())),
        ("list", Arc::new(lists)),
        ("time", Arc::new(TimestampNanosecondArray::from(vec![1, 2, 3, 4]).with_timezone("UTC"))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

#[test]
fn columns_are_what_they_were() {
    let batch = batch().slice(1, 3);
    let (mut stream, alive) = stream(vec![Ok(batch.clone())], batch.schema());
    let (schema, array, end) = (schema_of(&mut stream), next(&mut stream).unwrap(), next(&mut stream).unwrap());
    release(&mut stream);
    assert!(alive.upgrade().is_none() && end.release.is_none());
    assert_eq!((array.length, array.n_children, schema.n_children), (3, 7, 7));
    // SAFETY: as many children as are named, each with its texts.
    let formats = unsafe {
        let children = std::slice::from_raw_parts(schema.children, 7).iter().map(|child| &**child);
        children.map(|child| format!("{}:{}", text(child.name), text(child.format))).collect::<Vec<_>>()
    };
    assert_eq!(formats.join(" "), "int:l flag:b text:u view:vu code:i list:+l time:tsn:UTC");
    // SAFETY: children and buffers as the schema says.
    unsafe {
        let children = std::slice::from_raw_parts(array.children, 7).iter().map(|child| &**child).collect::<Vec<_>>();
        let bit = |child: &ArrowArray, buffer: usize, row: i64| {
            let (bits, at) = ((*child.buffers.add(buffer)).cast::<u8>(), (child.offset + row) as usize);
            bits.is_null() || *bits.add(at / 8) >> (at % 8) & 1 == 1
        };
        let valid = |child: &ArrowArray| (0..3).map(|row| bit(child, 0, row)).collect::<Vec<_>>();
        let counts = children.iter().map(|child| (child.n_buffers, child.null_count)).collect::<Vec<_>>();
        assert_eq!(counts, [(2, 1), (2, 1), (3, 0), (4, 0), (2, 0), (2, 0), (2, 0)]);
        assert_eq!(valid(children[0]), [true, false, true]);
        assert_eq!(valid(children[1]), [false, true, true]);
        assert_eq!((0..3).map(|row| bit(children[1], 1, row)).collect::<Vec<_>>()[1..], [false, true]);
        let ints = (*children[0].buffers.add(1)).cast::<i64>().add(children[0].offset as usize);
        assert_eq!((*ints, *ints.add(2)), (2, 4));
        let codes = (*children[4].buffers.add(1)).cast::<i32>().add(children[4].offset as usize);
        assert_eq!(std::slice::from_raw_parts(codes, 3), [1, 0, 2]);
        assert_eq!((*children[4].dictionary).length, 3);
        // The list's values, and what the buffers of a view are.
        assert_eq!((*(*children[5].children)).null_count, 1);
        let lengths = (*children[3].buffers.add(3)).cast::<i64>();
        assert_eq!(*lengths, 24);
    }
    assert!(matches!(batch.column(4).data_type(), DataType::Dictionary(..)));
}

#[test]
fn a_child_that_was_moved_out_outlives_its_parent() {
    let batch = batch();
    let (mut stream, _) = stream(vec![Ok(batch.clone())], batch.schema());
    let array = next(&mut stream).unwrap();
    release(&mut stream);
    // SAFETY: what the specification says about moving: copy, then mark the source as released.
    let moved = unsafe {
        let child = *array.children;
        let moved = std::ptr::read(child);
        (*child).release = None;
        moved
    };
    drop(array);
    // SAFETY: the child has its buffers still.
    unsafe { assert_eq!(*(*moved.buffers.add(1)).cast::<i64>().add(1), 2) };
}

#[test]
fn errors_and_panics_are_told_and_names_end_at_no_zero() {
    let fault = Fault::new(TS_INTERRUPTED, "stopped \0 here");
    let schema = Arc::new(Schema::new(vec![Field::new("a\0b", DataType::Int64, true)]));
    let (mut failing, _) = stream(vec![Err(fault)], schema);
    // SAFETY: one child, with a name.
    unsafe { assert_eq!(text((**schema_of(&mut failing).children).name), "a\u{fffd}b") };
    assert_eq!(next(&mut failing).unwrap_err(), (4, "stopped \u{fffd} here".to_owned()));
    assert!(next(&mut failing).is_ok_and(|end| end.release.is_none()));
    release(&mut failing);
    let (mut panicking, alive) = stream(Vec::new(), Arc::new(Schema::empty()));
    assert!(next(&mut panicking).unwrap_err().1.contains("a bad"));
    // SAFETY: NULL is refused.
    assert_eq!(unsafe { panicking.get_next.unwrap()(&raw mut panicking, std::ptr::null_mut()) }, 22);
    release(&mut panicking);
    assert!(alive.upgrade().is_none());
}
