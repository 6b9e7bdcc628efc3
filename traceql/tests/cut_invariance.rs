//! Answers do not depend on how spans were cut into blocks: the same spans in one block, and in up to eight at random
//! cuts, with traces split, spans given twice, and in any order, give equal bytes; and so does a store that got them one
//! after the other, the last of them live, before its blocks are merged and afterwards.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod blocks;
mod naive;

use std::sync::Arc;

use blocks::{block, deal, single_spans};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use prost::Message;
use traceql::{Engine, SearchOptions, output::search_to_tempo};
use tracestore::{Snapshot, StoreOptions, TimeWindows, TraceStore, io::MemoryVfs};

/// How many data sets are cut, each asked 12 queries in 2 ways; `CUT_CASES` for a soak.
fn cases() -> u32 {
    std::env::var("CUT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100)
}

/// A store with a block for each list of requests, but for the last, which waits.
fn stored(parts: &[Vec<ExportTraceServiceRequest>]) -> TraceStore {
    let mut options = StoreOptions::default();
    options.vfs = Arc::new(MemoryVfs::default());
    options.background = None;
    let store = TraceStore::open("store", options).unwrap();
    for (number, requests) in parts.iter().enumerate() {
        for request in requests {
            store.ingest(request.encode_to_vec().into()).unwrap();
        }
        if number + 1 < parts.len() {
            store.flush().unwrap();
        }
    }
    store
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn answers_do_not_depend_on_the_cut(
        requests in prop::collection::vec(naive::large_request(), 1..3),
        places in prop::collection::vec((any::<u8>(), prop::option::weighted(0.3, any::<u8>()), any::<u16>()), 1..40),
        blocks in 1..=8_u8,
        filters in prop::collection::vec(naive::query(), 4),
        pipelines in prop::collection::vec(naive::pipeline(), 8),
        limit in 1..4_usize,
        spss in 0..3_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let singles = single_spans(&requests);
        let Some(whole) = block(&requests) else { return Ok(()) };
        let whole = Engine::new(Snapshot::new(vec![whole]));
        let parts = deal(&singles, &places, blocks);
        let cut = Engine::new(Snapshot::new(parts.iter().filter_map(|part| block(part)).collect()));
        let stored = stored(&parts);
        let live = Engine::new(stored.snapshot().unwrap());
        stored.compact(Some(&TimeWindows { max_spans: u64::from(blocks) * 4, ..TimeWindows::default().at_once() })).unwrap();
        let compacted = Engine::new(stored.snapshot().unwrap());
        for text in filters.iter().chain(&pipelines) {
            if traceql::compile(text).is_err() {
                continue;
            }
            for options in [
                SearchOptions::default().with_limit(1_000).with_spss(0),
                SearchOptions::default().with_limit(limit).with_spss(spss).with_time(Some(20), Some(60)),
            ] {
                let answer = |engine: &Engine| {
                    let response = runtime.block_on(engine.search(text, &options)).unwrap();
                    search_to_tempo(&response)["traces"].to_string()
                };
                let expected = answer(&whole);
                prop_assert_eq!(&answer(&cut), &expected, "cut: {}", text);
                prop_assert_eq!(&answer(&live), &expected, "live: {}", text);
                prop_assert_eq!(&answer(&compacted), &expected, "compacted: {}", text);
            }
        }
    }
}
