//! A block with a flipped byte in any file, and one with a file cut short anywhere: an error that names the file, or
//! the right answer. Never a panic, never a wrong answer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "damage/store.rs"]
mod store;

use std::{path::Path, sync::Arc};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value::Value as Any},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::Event, span::Link},
};
use prost::Message;
use traceql::{Engine, SearchOptions, TraceMatch};
use tracestore::{
    Snapshot,
    block::{Block, BlockBuilder},
    io::{MemoryVfs, Vfs},
    model::{BlockId, Trace},
};

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// A small block that has every file.
fn block() -> MemoryVfs {
    let span = |id: u8| Span {
        trace_id: vec![1 + id % 3; 16],
        span_id: vec![id; 8],
        parent_span_id: if id > 3 { vec![id - 3; 8] } else { Vec::new() },
        name: format!("operation {}", id % 4),
        kind: 2,
        start_time_unix_nano: 1_000 + u64::from(id),
        end_time_unix_nano: 5_000 + u64::from(id) * 7,
        attributes: vec![
            attribute("http.method", Any::StringValue(["GET", "POST"][usize::from(id % 2)].to_owned())),
            attribute("count", Any::IntValue(i64::from(id))),
            attribute(["rare", "count"][usize::from(id % 2)], Any::DoubleValue(1.5)),
        ],
        events: vec![Event {
            name: "e".to_owned(),
            attributes: vec![attribute("k", Any::BoolValue(true))],
            ..Event::default()
        }],
        links: vec![Link { trace_id: vec![9; 16], span_id: vec![8; 8], ..Link::default() }],
        status: Some(Status { code: i32::from(id % 3), message: "m".to_owned() }),
        ..Span::default()
    };
    let resource = Resource {
        attributes: vec![attribute("service.name", Any::StringValue("shop".to_owned()))],
        ..Resource::default()
    };
    let scope_spans = ScopeSpans { spans: (1..40).map(span).collect(), ..ScopeSpans::default() };
    let resource_spans =
        ResourceSpans { resource: Some(resource), scope_spans: vec![scope_spans], ..ResourceSpans::default() };
    let request = ExportTraceServiceRequest { resource_spans: vec![resource_spans] };
    let (vfs, mut builder) = (MemoryVfs::default(), BlockBuilder::new());
    builder.push(&request.encode_to_vec().into()).unwrap();
    builder.finish(&vfs, Path::new("block"), BlockId::generate()).unwrap();
    vfs
}

/// Everything that can be asked of the block.
type Answers = (Vec<TraceMatch>, Vec<Option<Trace>>, Vec<Trace>);

fn ask(vfs: &MemoryVfs, runtime: &tokio::runtime::Runtime) -> traceql::Result<Answers> {
    let block = Block::open(Arc::new(vfs.clone()) as Arc<dyn Vfs>, Path::new("block"))?;
    let snapshot = Snapshot::new(vec![Arc::clone(&block)]);
    let mut restored = Vec::new();
    for group in 0..block.row_groups() {
        restored.extend(block.traces_of_row_group(group)?);
    }
    let ids = ["01010101010101010101010101010101", "ff"].map(|id| id.parse().unwrap());
    let found = ids.iter().map(|id| snapshot.find_trace(id)).collect::<Result<_, _>>()?;
    let query =
        "{ span.count > 3 && event.k = true && .rare = nil && resource.service.name = \"shop\" && link:spanID != nil }";
    let options = SearchOptions::default().with_limit(100).with_spss(0);
    let response = runtime.block_on(Engine::new(snapshot).search(query, &options))?;
    Ok((response.traces, found, restored))
}

fn check(answer: traceql::Result<Answers>, right: &Answers, file: &Path, what: &str) {
    match answer {
        Ok(answer) => assert!(answer == *right, "{what}: a wrong answer"),
        Err(error) => {
            let name = file.to_str().unwrap();
            assert!(error.is_corruption(), "{what}: {error}");
            assert!(error.to_string().contains(name), "{what}: the error does not name the file: {error}");
        }
    }
}

#[test]
fn every_flipped_byte_is_reported_or_harmless() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let vfs = block();
    let right = ask(&vfs, &runtime).unwrap();
    assert!(right.0.len() == 3 && right.1[0].is_some() && right.1[1].is_none() && right.2.len() == 3);
    let (mut bytes, mut harmless) = (0, 0);
    for name in vfs.list(Path::new("block")).unwrap() {
        let path = Path::new("block").join(name);
        let content = vfs.read(&path).unwrap();
        for index in 0..content.len() {
            let mut damaged = content.to_vec();
            damaged[index] ^= 1 << (index % 8);
            vfs.put(&path, damaged.into());
            let answer = ask(&vfs, &runtime);
            (bytes, harmless) = (bytes + 1, harmless + usize::from(answer.is_ok()));
            check(answer, &right, &path, &format!("{} byte {index} flipped", path.display()));
        }
        vfs.put(&path, content);
    }
    println!("{bytes} bytes flipped, {harmless} of them in columns that nothing asked for, or without effect");
    assert!(bytes > 10_000 && harmless < bytes / 10, "{harmless} of {bytes} went unnoticed");
}

#[test]
fn every_truncation_is_reported() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let vfs = block();
    let right = ask(&vfs, &runtime).unwrap();
    for name in vfs.list(Path::new("block")).unwrap() {
        let path = Path::new("block").join(name);
        let content = vfs.read(&path).unwrap();
        for len in 0..content.len() {
            vfs.put(&path, content.slice(..len));
            let answer = ask(&vfs, &runtime);
            assert!(answer.is_err(), "{} cut to {len} bytes went unnoticed", path.display());
            check(answer, &right, &path, &format!("{} cut to {len} bytes", path.display()));
        }
        vfs.put(&path, content);
    }
}
