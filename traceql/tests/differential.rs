//! Random traces, random queries: the engine says what the naive evaluator says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod naive;
mod support;

use std::{path::Path, sync::Arc};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use prost::Message;
use traceql::{Engine, SearchOptions, output::search_to_tempo};
use tracestore::{
    Snapshot,
    block::{Block, BlockBuilder},
    io::{MemoryVfs, Vfs},
    model::BlockId,
};

fn engine_over(requests: &[ExportTraceServiceRequest]) -> Engine {
    let mut builder = BlockBuilder::new();
    for request in requests {
        builder.push(&request.encode_to_vec().into()).unwrap();
    }
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
    builder.finish(vfs.as_ref(), Path::new("block"), BlockId::generate()).unwrap();
    Engine::new(Snapshot::new(vec![Block::open(vfs, Path::new("block")).unwrap()]))
}

fn compare(requests: &[ExportTraceServiceRequest], queries: &[String]) -> Result<usize, TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (engine, traces) = (engine_over(requests), naive::Trace::of(requests));
    let options = SearchOptions::default().with_limit(1_000).with_spss(0);
    let mut compared = 0;
    for text in queries {
        let Ok(query) = traceql::compile(text).and_then(|_| traceql::parse(text)) else { continue };
        let expected = naive::search(&query, &traces, None);
        let response = runtime.block_on(engine.search(text, &options));
        let response = response.map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        let actual = support::normalise(&search_to_tempo(&response));
        if let Some(difference) = support::difference(&expected, &actual) {
            return Err(TestCaseError::fail(format!("{text}\n{difference}")));
        }
        compared += 1;
    }
    Ok(compared)
}

/// How many data sets each property is tested on, with 12 queries each: `DIFFERENTIAL_CASES` for a soak.
fn cases() -> u32 {
    std::env::var("DIFFERENTIAL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(150)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_agrees_with_the_judge(
        requests in prop::collection::vec(naive::request(), 1..3),
        queries in prop::collection::vec(naive::query(), 12),
    ) {
        compare(&requests, &queries)?;
    }

    #[test]
    fn the_engine_agrees_with_the_judge_on_pipelines(
        requests in prop::collection::vec(naive::large_request(), 1..3),
        queries in prop::collection::vec(naive::pipeline(), 12),
    ) {
        compare(&requests, &queries)?;
    }
}

#[test]
fn most_random_queries_are_well_typed() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let compiled = (0..500).filter(|_| {
        let text = naive::query().new_tree(&mut runner).unwrap().current();
        traceql::compile(&text).is_ok()
    });
    let count = compiled.count();
    assert!(count > 350, "{count} of 500");
}
