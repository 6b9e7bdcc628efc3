//! Makes a golden store: a small store in today's formats with all that they have, which future versions must read. See
//! `testdata/stores/README.md`.
//!
//! ```sh
//! cargo run -p tracestore --no-default-features --example golden_store -- testdata/stores/v1
//! ```
//!
//! Writes the folder `store`, and `traces.jsonl`: the traces that are to be found in it, as OTLP.

use std::{error::Error, io::Write, path::PathBuf, sync::Arc};

use tracestore::{
    Snapshot, StoreOptions, TraceStore,
    model::{
        EntityRef, Event, KeyValue, Link, Resource, Scope, Span, SpanId, Status, Trace, TraceId, TraceSpan, Value,
    },
    otlp::{encode_request, traces_to_json},
};

/// Traces, each of which has spans in every request.
const TRACES: u8 = 4;
/// Spans of a trace in a request.
const SPANS: u8 = 5;

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value }
}

/// A span with every field in use, and every type of attribute.
fn span(trace: u8, request: u8, number: u8) -> Span {
    let id = request * SPANS + number + 1;
    let start = 1_800_000_000_000_000_000 + u64::from(trace) * 20_000_000_000 + u64::from(id) * 1_000_000;
    let text = |text: &str| Value::String(text.to_owned());
    Span {
        trace_id: TraceId::from_bytes([trace + 1; 16]),
        span_id: SpanId::from_bytes([id; 8]),
        trace_state: if id.is_multiple_of(3) { "ot=th:8".to_owned() } else { String::new() },
        // Children of spans of the request before: traces lie in several blocks.
        parent_span_id: (id > 1).then(|| SpanId::from_bytes([id / 2; 8])),
        flags: u32::from(id % 2),
        name: ["GET /", "POST /orders", "query", "überprüfen"]
            .get(usize::from(id % 4))
            .copied()
            .unwrap_or_default()
            .to_owned(),
        kind: i32::from(id % 6),
        start_time_unix_nano: start,
        end_time_unix_nano: start + u64::from(id) * 700_000,
        attributes: vec![
            attribute("http.method", text(if id.is_multiple_of(2) { "GET" } else { "POST" })),
            attribute("http.status_code", Value::Int(200 + i64::from(id % 4) * 100)),
            attribute("ratio", Value::Double(f64::from(id) / 8.0)),
            attribute("cached", Value::Bool(id.is_multiple_of(5))),
            attribute("skus", Value::Array(vec![text("SKU-1"), text("SKU-2")])),
            attribute("mixed", Value::Array(vec![Value::Int(1), text("one"), Value::Empty])),
            attribute("nested", Value::KvList(vec![attribute("deep", Value::Bytes(vec![0, 255]))])),
            attribute("http.method", text("repeated")),
        ],
        dropped_attributes_count: 1,
        events: vec![Event {
            time_unix_nano: start + 1_000,
            name: "exception".to_owned(),
            attributes: vec![attribute("exception.message", text("out of stock"))],
            dropped_attributes_count: 2,
        }],
        dropped_events_count: 3,
        links: vec![Link {
            trace_id: vec![(trace + 1) % TRACES + 1; 16],
            span_id: vec![id; 8],
            trace_state: "a=b".to_owned(),
            attributes: vec![attribute("why", text("follows"))],
            dropped_attributes_count: 4,
            flags: 1,
        }],
        dropped_links_count: 5,
        status: Some(Status { code: i32::from(id % 3), message: "status".to_owned() }),
    }
}

fn request(number: u8) -> Vec<u8> {
    let service = |name: &str| attribute("service.name", Value::String(name.to_owned()));
    let entity =
        EntityRef { entity_type: "service".into(), id_keys: vec!["service.name".into()], ..EntityRef::default() };
    let resources = ["shop", "mail"].map(|name| {
        let attributes = vec![service(name), attribute("replica", Value::Int(i64::from(number)))];
        let entity_refs = vec![entity.clone()];
        let schema_url = "https://opentelemetry.io/schemas/1.26.0".to_owned();
        Arc::new(Resource { present: true, attributes, dropped_attributes_count: 1, entity_refs, schema_url })
    });
    let scope = Arc::new(Scope {
        present: true,
        name: "library".to_owned(),
        version: "1.2".to_owned(),
        attributes: vec![attribute("language", Value::String("rust".to_owned()))],
        dropped_attributes_count: 1,
        schema_url: String::new(),
    });
    let traces = (0..TRACES).map(|trace| {
        let spans = (0..SPANS).map(|index| TraceSpan {
            span: span(trace, number, index),
            resource: Arc::clone(if index % 2 == 0 { &resources[0] } else { &resources[1] }),
            scope: Arc::clone(&scope),
            parent: None,
            shadowed: false,
        });
        Trace { trace_id: TraceId::from_bytes([trace + 1; 16]), spans: spans.collect() }
    });
    encode_request(&traces.collect::<Vec<_>>())
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("the folder to make is missing")?);
    let path = folder.join("store");
    let mut options = StoreOptions::default();
    options.background = None;
    options.segment_bytes = 10_000;
    let store = TraceStore::open(&path, options)?;
    // Two blocks; then a log of two segments, with a request that is in a block already.
    for number in [0, 1] {
        store.ingest(request(number).into())?;
        store.flush()?;
    }
    for number in [2, 1] {
        store.ingest(request(number).into())?;
    }
    drop(store);
    std::fs::remove_file(path.join("lock"))?;
    let mut file = std::fs::File::create(folder.join("traces.jsonl"))?;
    for traces in Snapshot::open(&[path])?.traces(|_| true)? {
        for trace in traces? {
            writeln!(file, "{}", traces_to_json(&[trace]))?;
        }
    }
    Ok(())
}
