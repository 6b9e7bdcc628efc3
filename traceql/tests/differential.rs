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

/// Whether an answer is neither empty nor every span of every trace: only then does it tell right from wrong.
fn is_telling(answer: &serde_json::Value, traces: &[naive::Trace]) -> bool {
    let answer = answer.as_object().unwrap();
    let spans = |trace: &serde_json::Value| {
        let sets = trace["span_sets"].as_array().unwrap();
        sets.iter().map(|set| set["matched"].as_u64().unwrap()).sum::<u64>()
    };
    let found: u64 = answer.values().map(spans).sum();
    let all: u64 = traces.iter().map(|trace| trace.spans.len() as u64).sum();
    let grouped = answer
        .values()
        .any(|trace| trace["span_sets"][0]["attributes"].as_array().is_some_and(|list| !list.is_empty()));
    !answer.is_empty() && (found != all || grouped)
}

#[test]
fn half_of_the_random_pairs_are_telling() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut pairs, mut telling) = (0, 0);
    for _ in 0..60 {
        let requests = prop::collection::vec(naive::large_request(), 1..3).new_tree(&mut runner).unwrap().current();
        let traces = naive::Trace::of(&requests);
        for text in (0..6).flat_map(|_| {
            let filter = naive::query().new_tree(&mut runner).unwrap().current();
            [filter, naive::pipeline().new_tree(&mut runner).unwrap().current()]
        }) {
            let Ok(query) = traceql::parse(&text) else { continue };
            pairs += 1;
            telling += u32::from(is_telling(&naive::search(&query, &traces, None), &traces));
        }
    }
    println!("{telling} of {pairs} pairs have an answer that is neither empty nor everything");
    assert!(telling * 2 >= pairs, "{telling} of {pairs}");
}
