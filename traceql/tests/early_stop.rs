//! A search with a limit reads the newest traces first and stops early; its answer is the beginning of the whole one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{path::Path, sync::Arc};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message;
use traceql::{Engine, SearchOptions};
use tracestore::{
    Snapshot,
    block::{Block, BlockBuilder},
    io::{MemoryVfs, Vfs},
    model::BlockId,
};

/// 60,000 spans in 20,000 traces, some of which start at the same time: several parts of one row group.
fn engine() -> Engine {
    let span = |index: u64| Span {
        trace_id: [[7; 8], (index / 3 + 1).to_be_bytes()].concat(),
        span_id: (index + 1).to_be_bytes().to_vec(),
        parent_span_id: if index.is_multiple_of(3) { Vec::new() } else { (index / 3 * 3 + 1).to_be_bytes().to_vec() },
        name: if index.is_multiple_of(40_001) { "rare".to_owned() } else { format!("name {}", index % 7) },
        start_time_unix_nano: 1_000_000 + index / 6 * 10,
        end_time_unix_nano: 1_000_100 + index / 6 * 10 + index % 50,
        ..Span::default()
    };
    let scope_spans = ScopeSpans { spans: (0..60_000).map(span).collect(), ..ScopeSpans::default() };
    let resource_spans = ResourceSpans { scope_spans: vec![scope_spans], ..ResourceSpans::default() };
    let request = ExportTraceServiceRequest { resource_spans: vec![resource_spans] };
    let mut builder = BlockBuilder::new();
    builder.push(&request.encode_to_vec().into()).unwrap();
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
    builder.finish(vfs.as_ref(), Path::new("block"), BlockId::generate()).unwrap();
    Engine::new(Snapshot::new(vec![Block::open(vfs, Path::new("block")).unwrap()]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limited_answer_is_the_beginning_of_the_whole_one() {
    let engine = engine();
    for query in ["{ }", "{ name = `name 3` }", "{ name = `rare` }", "{ duration > 140ns }", "{ name = `nobody` }"] {
        let whole = engine.search(query, &SearchOptions::default().with_limit(1_000_000)).await.unwrap();
        assert!(whole.traces.windows(2).all(|pair| {
            let key = |index: usize| (std::cmp::Reverse(pair[index].start_time_unix_nano), pair[index].trace_id);
            key(0) < key(1)
        }));
        for limit in [1, 2, 7, 20, 999, 3_000] {
            let few = engine.search(query, &SearchOptions::default().with_limit(limit)).await.unwrap();
            assert!(few.traces.iter().eq(whole.traces.iter().take(limit)), "{query} with limit {limit}");
        }
        let range = SearchOptions::default().with_time(Some(1_020_000), Some(1_050_000)).with_limit(5);
        let found = engine.search(query, &range).await.unwrap();
        let expected = whole.traces.iter().filter(|trace| {
            trace.start_time_unix_nano <= 1_050_000 && trace.start_time_unix_nano + trace.duration_nanos >= 1_020_000
        });
        assert!(found.traces.iter().eq(expected.take(5)), "{query} in a range of time");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_satisfied_search_reads_little() {
    let response = engine().search("{ name = `name 3` }", &SearchOptions::default()).await.unwrap();
    assert_eq!(response.traces.len(), 20);
    assert!(response.stats.rows_read < 60_000 / 2, "{} of 60000 spans tested", response.stats.rows_read);
}
