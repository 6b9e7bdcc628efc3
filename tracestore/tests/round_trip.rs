//! What goes into a block comes out of it: every field of every span, up to order.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::{path::Path, sync::Arc};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use prost::Message;
use tracestore::{
    block::{Block, BlockBuilder},
    io::{MemoryVfs, Vfs},
    model::{BlockId, Trace},
    otlp::encode_request,
};

fn block_of(requests: &[ExportTraceServiceRequest]) -> (Arc<Block>, u64) {
    let mut builder = BlockBuilder::new();
    let spans = requests.iter().map(|request| builder.push(&request.encode_to_vec().into()).unwrap().spans).sum();
    let (vfs, id): (Arc<dyn Vfs>, _) = (Arc::new(MemoryVfs::default()), BlockId::generate());
    builder.finish(vfs.as_ref(), Path::new("block"), id).unwrap();
    (Block::open(vfs, Path::new("block")).unwrap(), spans)
}

fn traces_of(block: &Block) -> Vec<Trace> {
    (0..block.row_groups()).flat_map(|group| block.traces_of_row_group(group).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_block_gives_back_what_it_was_made_of(requests in prop::collection::vec(support::request(), 1..4)) {
        let (block, spans) = block_of(&requests);
        let expected = support::comparable(&requests);
        prop_assert_eq!(spans, expected.len() as u64);
        prop_assert_eq!(block.spans(), spans);
        let traces = traces_of(&block);
        let bytes = encode_request(&traces);
        let restored = ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap();
        prop_assert_eq!(support::comparable(&[restored]), expected);
    }

    #[test]
    fn a_trace_is_found_by_its_id_with_all_its_spans(request in support::request()) {
        let (block, _) = block_of(std::slice::from_ref(&request));
        for trace in traces_of(&block) {
            prop_assert_eq!(block.trace(&trace.trace_id).unwrap(), Some(trace));
        }
        prop_assert_eq!(block.trace(&"ff".parse().unwrap()).unwrap(), None);
    }

    #[test]
    fn parents_come_before_their_children(request in support::request()) {
        let (block, _) = block_of(std::slice::from_ref(&request));
        for trace in traces_of(&block) {
            for (index, span) in trace.spans.iter().enumerate() {
                if let Some(parent) = span.parent {
                    prop_assert!(parent < index);
                    prop_assert_eq!(Some(trace.spans[parent].span.span_id), span.span.parent_span_id);
                }
            }
        }
    }
}
