//! What random calls are made with, read from bytes.

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    mem::MaybeUninit,
    ptr::{null, without_provenance_mut},
};

use tracestore_ffi::{
    interrupt::ts_progress,
    options::{ts_query_options, ts_tag_options},
    text::TS_ZERO_TERMINATED,
};

use super::Calls;

/// A trace of [`request`].
pub(super) const ID: &CStr = c"01010101010101010101010101010101";

const QUERIES: [&CStr; 12] = [
    c"{ }",
    c"{ name = \"b\" }",
    c"{ span.n > 3 } | select(span.n, resource.service.name)",
    c"{ } >> { }",
    c"{ } | count() > 1",
    c"{ } | rate() by (name)",
    c"{ } | quantile_over_time(duration, .5)",
    c"{ } | compare({ name = \"a\" })",
    c"{ nme = }",
    c"{ span.`a",
    c"",
    c"span.n",
];

impl Calls<'_> {
    pub(super) fn byte(&mut self) -> u8 {
        self.bytes.next().copied().unwrap_or(0)
    }

    /// Mostly one of the latest.
    pub(super) fn handle<T>(&mut self) -> *mut T {
        let back = usize::from(self.byte()) * self.handles.len() / 1024;
        let place = self.handles.len() - 1 - back.min(self.handles.len() - 1);
        without_provenance_mut(self.handles[place])
    }

    pub(super) fn keep<T>(&mut self, handle: *mut T) {
        if !handle.is_null() {
            self.handles.push(handle.addr());
        }
    }

    pub(super) fn query(&mut self) -> (*const c_char, usize) {
        let choice = self.byte();
        let query = QUERIES[usize::from(choice) % QUERIES.len()];
        match choice / 64 {
            0 => (query.as_ptr(), query.to_bytes().len() / 2),
            1 => (query.as_ptr(), query.to_bytes().len()),
            2 if choice.is_multiple_of(16) => (null(), 7),
            2 if choice % 16 == 1 => (query.as_ptr(), usize::MAX - 1),
            _ => (query.as_ptr(), TS_ZERO_TERMINATED),
        }
    }

    pub(super) fn query_options(&mut self) -> ts_query_options {
        // SAFETY: all members may be 0.
        let mut options: ts_query_options = unsafe { MaybeUninit::zeroed().assume_init() };
        let flags = self.byte();
        options.size = if flags & 1 == 0 {
            size_of::<ts_query_options>()
        } else {
            size_of::<ts_query_options>().min(usize::from(self.byte()) * 8)
        };
        options.limit = u64::from(flags >> 1 & 3);
        options.order = u32::from(flags >> 3 & 7);
        options.instant = u32::from(flags >> 6 & 3);
        if flags & 8 != 0 {
            options.interrupt = self.handle();
            options.progress = Some(stop_sometimes);
            options.max_bytes = u64::from(self.byte());
            options.max_memory = u64::from(self.byte()) << 8;
            options.start = u64::from(self.byte());
            options.end = u64::from(self.byte());
            options.step = u64::from(self.byte());
        }
        options
    }

    pub(super) fn tag_options(&mut self) -> ts_tag_options {
        // SAFETY: all members may be 0.
        let mut options: ts_tag_options = unsafe { MaybeUninit::zeroed().assume_init() };
        let flags = self.byte();
        options.size = if flags & 1 == 0 {
            size_of::<ts_tag_options>()
        } else {
            size_of::<ts_tag_options>().min(usize::from(self.byte()))
        };
        options.limit = u64::from(flags >> 1 & 3);
        options.scope = u32::from(flags >> 3 & 7);
        if flags & 64 != 0 {
            options.query = self.query().0;
        }
        options
    }
}

unsafe extern "C" fn stop_sometimes(progress: *const ts_progress, _data: *mut c_void) -> c_int {
    // SAFETY: a live value.
    c_int::from(unsafe { (*progress).spans } % 7 == 6)
}

/// A request of one trace with as many spans as asked for, each with an attribute.
pub(super) fn request(trace: u8, spans: u8) -> Vec<u8> {
    let field = |number: u8, bytes: &[u8]| {
        let mut field = vec![number << 3 | 2];
        field.extend(if bytes.len() < 128 {
            vec![bytes.len() as u8]
        } else {
            vec![bytes.len() as u8 | 128, (bytes.len() >> 7) as u8]
        });
        field.extend(bytes);
        field
    };
    let span = |number: u8| {
        let time = |number: u8, at: u64| [&[number << 3 | 1][..], &at.to_le_bytes()].concat();
        let value = [&[24][..], &[number % 128]].concat();
        let attribute = [field(1, b"n"), field(2, &value)].concat();
        let name = if number.is_multiple_of(2) { b"a" } else { b"b" };
        let times = [time(7, 1_000 + u64::from(number)), time(8, 2_000)].concat();
        [field(1, &[trace % 3 + 1; 16]), field(2, &[number; 8]), field(5, name), times, field(9, &attribute)].concat()
    };
    let spans: Vec<u8> = (0..spans % 20).flat_map(|number| field(2, &span(number))).collect();
    let value = field(1, b"s");
    let service = [field(1, b"service.name"), field(2, &value)].concat();
    let resource = field(1, &service);
    field(1, &[field(1, &resource), field(2, &spans)].concat())
}
