//! Whole traces by their ids.

use std::ffi::c_char;

use tracestore::{
    model::TraceId,
    otlp::{encode_request, traces_to_json},
};

use crate::{
    arrow::ArrowArrayStream,
    boundary::{Out, boundary},
    error::{Fault, TS_NOT_FOUND, ts_code, ts_error},
    ingest::{TS_OTLP_JSON, TS_OTLP_PROTOBUF},
    interrupt::Watch,
    options::ts_query_options,
    query::ts_query_arrow,
    store::{store, ts_store},
    text::{new_text, text, ts_text},
};

/// What a trace's spans are shown with, beside what every search shows.
const SHOWN: &str = "span:parentID, kind, status, statusMessage";

/// A whole trace as OTLP: `TS_OTLP_JSON` or `TS_OTLP_PROTOBUF`. The id is 1 to 32 hexadecimal digits, leading zeros may be
/// left out. `TS_NOT_FOUND` when there is no such trace.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_trace(
    store: *mut ts_store,
    id: *const c_char,
    id_length: usize,
    encoding: u32,
    trace: *mut *mut ts_text,
    error: *mut *mut ts_error,
) -> ts_code {
    boundary(error, || {
        let out = Out::handle(trace, "trace")?;
        // SAFETY: what the argument points to is the caller's word.
        let id = parse_id(unsafe { text(id, id_length, "id") }?)?;
        if !matches!(encoding, TS_OTLP_JSON | TS_OTLP_PROTOBUF) {
            return Err(Fault::argument(format!("`encoding` is {encoding}: a trace has no such encoding")));
        }
        let store = self::store(store)?;
        let found = Watch::default().wait(&store.runtime, store.engine()?.trace(&id))?;
        let trace = found.ok_or_else(|| Fault::new(TS_NOT_FOUND, format!("there is no trace {id}")))?;
        let traces = [trace];
        out.put(match encoding {
            TS_OTLP_JSON => new_text(traces_to_json(&traces).to_string()),
            _ => new_text(encode_request(&traces)),
        });
        Ok(())
    })
}

/// The spans of a trace as a stream of Arrow record batches, with the rules of `ts_query_arrow`: a row for each span, with
/// `trace:id`, `span:id`, `name`, `service`, `start_time`, `duration`, `span:parent_id`, `kind` and `status` (OTLP's
/// numbers), and `status_message`. No rows when there is no such trace.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_trace_arrow(
    store: *mut ts_store,
    id: *const c_char,
    id_length: usize,
    options: *const ts_query_options,
    stream: *mut ArrowArrayStream,
    error: *mut *mut ts_error,
) -> ts_code {
    let mut query = String::new();
    let code = boundary(error, || {
        // SAFETY: what the argument points to is the caller's word.
        let id = parse_id(unsafe { text(id, id_length, "id") }?)?;
        query = format!("{{ trace:id = \"{id}\" }} | select({SHOWN})");
        Ok(())
    });
    if code != crate::error::TS_OK {
        return code;
    }
    // SAFETY: what the other arguments point to is the caller's word.
    unsafe { ts_query_arrow(store, query.as_ptr().cast(), query.len(), options, stream, error) }
}

fn parse_id(text: &str) -> Result<TraceId, Fault> {
    Ok(text.parse::<TraceId>().map_err(tracestore::Error::from)?)
}
