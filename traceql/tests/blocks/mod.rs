//! Requests as blocks in memory: whole, or dealt to several at random.

#![allow(dead_code, reason = "every test file uses its own part")]

use std::{path::Path, sync::Arc};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tracestore::{
    Snapshot,
    block::{Block, BlockBuilder},
    io::{MemoryVfs, Vfs},
    model::BlockId,
};

/// A block of some requests; `None` if there is no span in them.
pub(crate) fn block(requests: &[ExportTraceServiceRequest]) -> Option<Arc<Block>> {
    let mut builder = BlockBuilder::new();
    for request in requests {
        builder.push(&request.encode_to_vec().into()).unwrap();
    }
    if builder.spans() == 0 {
        return None;
    }
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
    builder.finish(vfs.as_ref(), Path::new("block"), BlockId::generate()).unwrap();
    Some(Block::open(vfs, Path::new("block")).unwrap())
}

/// Every span in a request of its own.
pub(crate) fn single_spans(requests: &[ExportTraceServiceRequest]) -> Vec<ExportTraceServiceRequest> {
    let mut singles = Vec::new();
    for resource_spans in requests.iter().flat_map(|request| &request.resource_spans) {
        for scope_spans in &resource_spans.scope_spans {
            for span in &scope_spans.spans {
                let mut scope_spans = scope_spans.clone();
                scope_spans.spans = vec![span.clone()];
                let mut resource_spans = resource_spans.clone();
                resource_spans.scope_spans = vec![scope_spans];
                singles.push(ExportTraceServiceRequest { resource_spans: vec![resource_spans] });
            }
        }
    }
    singles
}

/// Deals spans to several lists: each span to one or two, in an order that `places` says.
pub(crate) fn deal(
    singles: &[ExportTraceServiceRequest],
    places: &[(u8, Option<u8>, u16)],
    lists: u8,
) -> Vec<Vec<ExportTraceServiceRequest>> {
    let mut order: Vec<usize> = (0..singles.len()).collect();
    let place = |index: usize| places[index % places.len()];
    order.sort_by_key(|index| place(*index).2);
    let mut parts: Vec<Vec<ExportTraceServiceRequest>> = vec![Vec::new(); usize::from(lists)];
    for index in order {
        let (first, second, _) = place(index);
        parts[usize::from(first % lists)].push(singles[index].clone());
        if let Some(second) = second {
            parts[usize::from(second % lists)].push(singles[index].clone());
        }
    }
    parts
}

/// The same as blocks.
pub(crate) fn cut(singles: &[ExportTraceServiceRequest], places: &[(u8, Option<u8>, u16)], blocks: u8) -> Snapshot {
    Snapshot::new(deal(singles, places, blocks).iter().filter_map(|part| block(part)).collect())
}
