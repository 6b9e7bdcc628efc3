//! Small blocks for tests.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{path::Path, sync::Arc};

use crate::{
    block::{Block, BlockBuilder},
    io::{MemoryVfs, Vfs},
    model::{BlockId, Resource, Scope, Span, SpanId, Trace, TraceId, TraceSpan},
    otlp::encode_request,
};

/// An id for each number, in their order.
pub(super) fn id(number: u32) -> TraceId {
    let mut bytes = [7; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    TraceId::from_bytes(bytes)
}

/// A block of traces of one span each, which start in the order of their numbers.
pub(super) fn block(numbers: &[u32]) -> Arc<Block> {
    block_of(&numbers.iter().map(|number| (*number, 1)).collect::<Vec<_>>())
}

/// The same with as many spans each as is said.
pub(super) fn block_of(traces: &[(u32, u8)]) -> Arc<Block> {
    let trace = |(number, spans): &(u32, u8)| {
        let span = |span: u8| Span {
            trace_id: id(*number),
            span_id: SpanId::from_bytes([span; 8]),
            trace_state: String::new(),
            parent_span_id: None,
            flags: 0,
            name: String::new(),
            kind: 0,
            start_time_unix_nano: u64::from(*number),
            end_time_unix_nano: 0,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: Vec::new(),
            dropped_events_count: 0,
            links: Vec::new(),
            dropped_links_count: 0,
            status: None,
        };
        let (resource, scope) = (Arc::new(Resource::default()), Arc::new(Scope::default()));
        let span = |number| TraceSpan {
            span: span(number),
            resource: Arc::clone(&resource),
            scope: Arc::clone(&scope),
            parent: None,
            shadowed: false,
        };
        Trace { trace_id: id(*number), spans: (1..=*spans).map(span).collect() }
    };
    let mut builder = BlockBuilder::new();
    builder.push(&encode_request(&traces.iter().map(trace).collect::<Vec<_>>()).into()).unwrap();
    let (vfs, dir): (Arc<dyn Vfs>, _) = (Arc::new(MemoryVfs::default()), Path::new("block"));
    builder.finish(vfs.as_ref(), dir, BlockId::generate()).unwrap();
    Block::open(vfs, dir).unwrap()
}
