//! Spans in.

use std::io::Cursor;

use bytes::Bytes;
use tracestore::{
    TraceStore,
    otlp::{MessageSource, Pushed, Refusal},
};

use crate::{
    boundary::boundary,
    error::{Fault, ts_code, ts_error},
    sized::{Sized, SizedOut},
    store::ts_store,
    text,
};

/// One `ExportTraceServiceRequest` (or `TracesData`) as protobuf, as it is in the body of a request to `/v1/traces`.
pub const TS_OTLP_PROTOBUF: u32 = 0;
/// The same as JSON; also several, one behind the other.
pub const TS_OTLP_JSON: u32 = 1;
/// The content of a file: either of these, also several requests in any usual framing, packed with gzip or zstd; told by
/// the content.
pub const TS_OTLP_FILE: u32 = 2;

/// What became of the spans that came in.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct ts_ingest_result {
    /// To be set to `sizeof(ts_ingest_result)`.
    pub size: usize,
    /// Requests that were taken.
    pub requests: u64,
    /// Spans that were taken.
    pub spans: u64,
    /// Spans that were refused, for one of the reasons below. A refused span takes no others with it.
    pub refused: u64,
    /// A trace id that is not 16 bytes or all zero.
    pub refused_trace_id: u64,
    /// A span id that is not 8 bytes or all zero.
    pub refused_span_id: u64,
    /// A parent id that is not 8 bytes.
    pub refused_parent_id: u64,
    /// Text that is not UTF-8.
    pub refused_utf8: u64,
    /// A value nested deeper than 32 levels.
    pub refused_depth: u64,
    /// Bytes that cannot be decoded, or a reason that this version has no member for.
    pub refused_malformed: u64,
}

// SAFETY: numbers of eight bytes; the size comes first.
unsafe impl Sized for ts_ingest_result {}

impl ts_ingest_result {
    fn add(&mut self, pushed: &Pushed) {
        self.requests += 1;
        self.spans += pushed.spans;
        self.refused += pushed.refusals.total();
        for (refusal, spans) in pushed.refusals.iter() {
            let count = match refusal {
                Refusal::TraceId => &mut self.refused_trace_id,
                Refusal::SpanId => &mut self.refused_span_id,
                Refusal::ParentId => &mut self.refused_parent_id,
                Refusal::Utf8 => &mut self.refused_utf8,
                Refusal::Depth => &mut self.refused_depth,
                _ => &mut self.refused_malformed,
            };
            *count += spans;
        }
    }
}

/// Takes spans. When it returns, queries see them, and they are as safe as the store's `sync` says. `data` is `TS_OTLP_...`,
/// `length` bytes, and may go when the call returns. `result` may be NULL.
///
/// One request is taken as a whole or, after an error, not at all. Of several, those before the error were taken: the
/// result tells how many, also then. `TS_BUSY` asks to try again a little later.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_ingest(
    store: *mut ts_store,
    data: *const u8,
    length: usize,
    encoding: u32,
    result: *mut ts_ingest_result,
    error: *mut *mut ts_error,
) -> ts_code {
    boundary(error, || {
        // SAFETY: that the struct has the size that it names, and that the bytes can be read, is the caller's word.
        let (out, data) = unsafe { (SizedOut::optional(result, "result")?, text::bytes(data, length, "data")?) };
        let mut taken = ts_ingest_result::default();
        let outcome = crate::store::store(store).and_then(|store| take(store.writer()?, data, encoding, &mut taken));
        if let Some(out) = out {
            out.put(&taken);
        }
        outcome
    })
}

fn take(store: &TraceStore, data: &[u8], encoding: u32, taken: &mut ts_ingest_result) -> Result<(), Fault> {
    let data = Bytes::copy_from_slice(data);
    match encoding {
        TS_OTLP_PROTOBUF => taken.add(&store.ingest(data)?),
        TS_OTLP_JSON if !is_json(&data) => {
            return Err(Fault::new(crate::error::TS_BAD_INPUT, "this is no JSON: it begins with no `{`"));
        }
        TS_OTLP_JSON | TS_OTLP_FILE => {
            for request in MessageSource::from_reader("data", Cursor::new(data))? {
                taken.add(&store.ingest(request?.bytes)?);
            }
        }
        other => return Err(Fault::argument(format!("`encoding` is {other}: there is no such encoding"))),
    }
    if taken.refused > 0 {
        log::warn!("{} spans were refused", taken.refused);
    }
    Ok(())
}

/// Whether it begins like a document of OTLP.
fn is_json(data: &[u8]) -> bool {
    data.trim_ascii_start().first() == Some(&b'{')
}
