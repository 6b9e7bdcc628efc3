//! Random sequences of C calls, read from bytes: any function with any handle, of the right kind or not, open or not.
//! Used by `tests/calls.rs` and by the fuzz target `c_api`.

mod arguments;

use std::{
    ffi::CStr,
    mem::MaybeUninit,
    ptr::{null, null_mut, without_provenance_mut},
};

use arguments::{ID, request};
use tracestore_ffi::{
    arrow::{ArrowArray, ArrowArrayStream, ArrowSchema},
    error::{
        TS_EXECUTION, TS_INTERNAL, TS_OK, ts_code, ts_code_name, ts_error, ts_error_code, ts_error_free,
        ts_error_message, ts_error_span,
    },
    ingest::{ts_ingest, ts_ingest_result},
    interrupt::{ts_interrupt_clear, ts_interrupt_free, ts_interrupt_new, ts_interrupt_raise},
    language::{
        ts_check, ts_diagnostic, ts_format, ts_report_count, ts_report_diagnostic, ts_report_free, ts_report_kind,
        ts_report_verdict,
    },
    query::{ts_explain, ts_query_arrow, ts_query_json},
    span_metrics::ts_span_metrics,
    store::{
        ts_store_close, ts_store_flush, ts_store_get_status, ts_store_open, ts_store_options, ts_store_status,
        ts_store_trouble,
    },
    tags::{ts_tag_names, ts_tag_values},
    text::{TS_ZERO_TERMINATED, ts_text_data, ts_text_free, ts_text_length},
    trace::{ts_trace, ts_trace_arrow},
    upkeep::{ts_store_compact, ts_store_delete},
    version::ts_open_handles,
};

/// Open stores cost threads.
const MAX_STORES: usize = 2;

/// What the calls have come to.
pub(crate) struct Calls<'a> {
    bytes: std::slice::Iter<'a, u8>,
    /// Every handle that was ever given, of any kind, and some that were not.
    handles: Vec<usize>,
    stores: usize,
    streams: Vec<ArrowArrayStream>,
}

/// Makes the calls that some bytes stand for, and then gives up everything.
pub(crate) fn run(bytes: &[u8]) {
    let mut calls = Calls { bytes: bytes.iter(), handles: vec![0, 3, 4096], stores: 0, streams: Vec::new() };
    // SAFETY: pointers to live values of the sizes that are named; handles may be any numbers.
    unsafe {
        calls.open();
        while calls.bytes.len() > 0 {
            calls.step();
        }
        calls.end();
    }
    assert_eq!(ts_open_handles(), 0, "something was not given up");
}

impl Calls<'_> {
    /// What every call must leave behind, given what it left.
    unsafe fn check(&mut self, code: ts_code, error: *mut ts_error, result: usize) {
        assert!((TS_OK..=TS_EXECUTION).contains(&code) && code != TS_INTERNAL, "{code}");
        // SAFETY: names are never freed; the error is open.
        unsafe {
            assert!(CStr::from_ptr(ts_code_name(code)).to_bytes().starts_with(b"TS_"));
            assert_eq!((ts_error_code(error), error.is_null()), (code, code == TS_OK));
            if code != TS_OK {
                assert_eq!(result, 0, "a failure gives nothing");
                assert!(!CStr::from_ptr(ts_error_message(error)).is_empty());
                let (mut offset, mut length) = (0, 0);
                ts_error_span(error, &raw mut offset, &raw mut length);
                // Some errors stay, to be met again as handles of the wrong kind.
                match self.byte() % 8 {
                    0 => self.keep(error),
                    _ => assert_eq!(ts_error_free(error), TS_OK),
                }
            }
        }
    }

    unsafe fn open(&mut self) {
        if self.stores == MAX_STORES {
            return;
        }
        // SAFETY: all members may be 0.
        let mut options: ts_store_options = unsafe { MaybeUninit::zeroed().assume_init() };
        let flags = self.byte();
        options.size = if flags % 16 == 15 { 4 } else { size_of::<ts_store_options>() };
        (options.threads, options.no_background) = (1, 1);
        options.read_only = u32::from(flags == 77);
        options.sync = u32::from(flags >> 4 & 3);
        options.memory_budget = if flags & 4 == 0 { 0 } else { 600 };
        let (mut store, mut error) = (null_mut(), null_mut());
        // SAFETY: live values.
        unsafe {
            let code = ts_store_open(null(), &raw const options, &raw mut store, &raw mut error);
            self.stores += usize::from(code == TS_OK);
            self.check(code, error, store.addr());
        }
        self.keep(store);
    }

    unsafe fn close(&mut self) {
        let mut error = null_mut();
        let store = self.handle();
        // SAFETY: live values.
        unsafe {
            let code = ts_store_close(store, &raw mut error);
            self.stores -= usize::from(code == TS_OK && !store.is_null());
            self.check(code, error, 0);
        }
    }

    unsafe fn ingest(&mut self) {
        let data = match self.byte() % 4 {
            0 => (0..self.byte()).map(|_| self.byte()).collect(),
            _ => request(self.byte(), self.byte()),
        };
        // SAFETY: all members may be 0.
        let mut result: ts_ingest_result = unsafe { MaybeUninit::zeroed().assume_init() };
        result.size = size_of::<ts_ingest_result>();
        let (encoding, mut error) = (u32::from(self.byte() % 4), null_mut());
        let length = if self.byte() == 200 { usize::MAX / 2 + 1 } else { data.len() };
        // SAFETY: live values; a length that is impossible is refused before it is used.
        unsafe {
            let code = ts_ingest(self.handle(), data.as_ptr(), length, encoding, &raw mut result, &raw mut error);
            self.check(code, error, 0);
        }
        assert!(result.refused <= 1_000 && result.spans <= 1_000);
    }

    unsafe fn texts(&mut self) {
        let (mut text, mut error) = (null_mut(), null_mut());
        let (query, length) = self.query();
        let (options, tags) = (self.query_options(), self.tag_options());
        let number = u32::from(self.byte() % 5);
        let (to, failed) = (&raw mut text, &raw mut error);
        // SAFETY: live values.
        let code = unsafe {
            match self.byte() % 9 {
                0 => ts_explain(self.handle(), query, length, &raw const options, number, to, failed),
                1 => ts_tag_names(self.handle(), &raw const tags, to, failed),
                2 => ts_tag_values(self.handle(), query, length, &raw const tags, to, failed),
                3 => ts_trace(self.handle(), ID.as_ptr(), 32, number, to, failed),
                4 => ts_span_metrics(self.handle(), if number == 4 { query } else { null() }, 0, 0, number, to, failed),
                5 => ts_format(query, length, number, to, failed),
                6 => ts_store_trouble(self.handle(), to, failed),
                _ => ts_query_json(self.handle(), query, length, &raw const options, number, to, failed),
            }
        };
        // SAFETY: live values.
        unsafe {
            self.check(code, error, text.addr());
            if !text.is_null() {
                let content = std::slice::from_raw_parts(ts_text_data(text).cast::<u8>(), ts_text_length(text) + 1);
                assert_eq!(content.last(), Some(&0));
            }
        }
        self.keep(text);
    }

    unsafe fn report(&mut self) {
        let (query, length) = self.query();
        let (mut report, mut error) = (null_mut(), null_mut());
        // SAFETY: live values.
        unsafe {
            let code = ts_check(query, length, u32::from(self.byte() % 3), &raw mut report, &raw mut error);
            self.check(code, error, report.addr());
            self.keep(report);
            let any = self.handle();
            for number in 0..=ts_report_count(any) {
                let mut found: ts_diagnostic = MaybeUninit::zeroed().assume_init();
                found.size = size_of::<ts_diagnostic>();
                let mut error = null_mut();
                let code = ts_report_diagnostic(any, number, &raw mut found, &raw mut error);
                self.check(code, error, 0);
            }
            assert!(ts_report_verdict(any) <= 3 && ts_report_kind(any) <= 2);
        }
    }

    unsafe fn stream(&mut self) {
        let (query, length) = self.query();
        let options = self.query_options();
        let (mut stream, mut error) = (MaybeUninit::uninit(), null_mut());
        // SAFETY: live values.
        unsafe {
            let (to, options) = (stream.as_mut_ptr(), &raw const options);
            let code = match self.byte() % 4 {
                0 => ts_trace_arrow(self.handle(), ID.as_ptr(), TS_ZERO_TERMINATED, options, to, &raw mut error),
                _ => ts_query_arrow(self.handle(), query, length, options, to, &raw mut error),
            };
            self.check(code, error, 0);
            if code == TS_OK {
                self.streams.push(stream.assume_init());
            }
        }
    }

    /// One batch of a stream, or its end before the end.
    unsafe fn batch(&mut self) {
        let Some(stream) = self.streams.last_mut() else { return };
        // SAFETY: the stream is not released yet.
        let goes_on = unsafe { take_one(stream) };
        if self.byte().is_multiple_of(4) || !goes_on {
            // SAFETY: the same.
            self.streams.pop().into_iter().for_each(|stream| unsafe { give_up(stream) });
        }
    }

    unsafe fn step(&mut self) {
        let mut error = null_mut();
        // SAFETY: live values; handles may be any numbers.
        unsafe {
            match self.byte() % 16 {
                0 => self.open(),
                1 => self.close(),
                2 => {
                    let code = ts_store_flush(self.handle(), &raw mut error);
                    self.check(code, error, 0);
                }
                3 => {
                    let mut status: ts_store_status = MaybeUninit::zeroed().assume_init();
                    status.size = size_of::<ts_store_status>();
                    let code = ts_store_get_status(self.handle(), &raw mut status, &raw mut error);
                    self.check(code, error, 0);
                }
                4..=6 => self.ingest(),
                7 | 8 => self.texts(),
                9 => self.report(),
                10 => self.stream(),
                11 => self.batch(),
                12 => {
                    let interrupt = ts_interrupt_new();
                    self.keep(interrupt);
                }
                13 if self.byte().is_multiple_of(2) => self.upkeep(),
                13 => {
                    ts_interrupt_raise(self.handle());
                    ts_interrupt_clear(self.handle());
                }
                14 => drop(ts_text_free(self.handle())),
                _ => {
                    let _ = (ts_report_free(self.handle()), ts_error_free(self.handle()));
                    let _ = ts_interrupt_free(self.handle());
                }
            }
        }
    }

    unsafe fn upkeep(&mut self) {
        let (mut error, what) = (null_mut(), self.byte());
        // SAFETY: live values.
        unsafe {
            let code = match what % 4 {
                3 => ts_store_compact(self.handle(), u32::from(what / 4 % 3), null_mut(), &raw mut error),
                _ => {
                    let (query, length) = if what % 4 == 2 { (ID.as_ptr(), TS_ZERO_TERMINATED) } else { self.query() };
                    let (what, dry_run) = (u32::from(what % 4), u32::from(what / 4 % 3));
                    ts_store_delete(self.handle(), what, query, length, dry_run, null_mut(), &raw mut error)
                }
            };
            self.check(code, error, 0);
        }
    }

    /// Gives up everything: each handle is of one kind, or closed.
    unsafe fn end(&mut self) {
        // SAFETY: as above.
        unsafe {
            self.streams.drain(..).for_each(|stream| give_up(stream));
            for handle in std::mem::take(&mut self.handles) {
                let _ = ts_store_close(without_provenance_mut(handle), null_mut());
                let _ = ts_text_free(without_provenance_mut(handle));
                let _ = ts_report_free(without_provenance_mut(handle));
                let _ = ts_error_free(without_provenance_mut(handle));
                let _ = ts_interrupt_free(without_provenance_mut(handle));
            }
        }
    }
}

/// Takes the schema and a batch of a stream, and gives them back. Tells whether there may be more.
unsafe fn take_one(stream: &mut ArrowArrayStream) -> bool {
    let (mut schema, mut array) = (MaybeUninit::<ArrowSchema>::uninit(), MaybeUninit::<ArrowArray>::uninit());
    // SAFETY: the stream is not released; what it has written is dropped, which releases it.
    unsafe {
        assert_eq!(stream.get_schema.unwrap()(stream, schema.as_mut_ptr()), 0);
        let schema = schema.assume_init();
        if stream.get_next.unwrap()(stream, array.as_mut_ptr()) != 0 {
            assert!(!stream.get_last_error.unwrap()(stream).is_null());
            return false;
        }
        let array = array.assume_init();
        assert!(array.release.is_none() || array.n_children == schema.n_children);
        array.release.is_some()
    }
}

unsafe fn give_up(mut stream: ArrowArrayStream) {
    // SAFETY: the stream is not released.
    unsafe { stream.release.unwrap()(&raw mut stream) };
}
