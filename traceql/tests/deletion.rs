//! What is left after deletions by TraceQL is what a store has that never had the deleted spans: the judge says which spans
//! go, and every answer afterwards is that over the input without them, whatever the cut.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod blocks;
#[path = "deletion/command.rs"]
mod command;
mod naive;

use std::{collections::BTreeSet, sync::Arc};

use blocks::{block, single_spans};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use prost::Message;
use tokio::runtime::Runtime;
use traceql::{
    Engine, MetricsOptions, QuerySelector, SearchOptions, TagOptions, TagScope,
    output::{search_to_tempo, tag_names_to_tempo, tag_values_to_tempo},
};
use tracestore::{Deletion, Snapshot, StoreOptions, StoreReader, TraceStore, io::MemoryVfs};

/// How many data sets; `DELETION_CASES` for a soak.
fn cases() -> u32 {
    std::env::var("DELETION_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(25)
}

fn open(vfs: &MemoryVfs) -> TraceStore {
    let mut options = StoreOptions::default();
    options.vfs = Arc::new(vfs.clone());
    options.background = None;
    TraceStore::open("store", options).unwrap()
}

/// A store of blocks that spans are dealt to, some to two of them; the last spans are live.
fn store(vfs: &MemoryVfs, singles: &[ExportTraceServiceRequest], places: &[(u8, bool)], blocks: u8) -> TraceStore {
    let store = open(vfs);
    for block in 0..blocks {
        for (single, (place, twice)) in singles.iter().zip(places.iter().cycle()) {
            if place % blocks == block || *twice && place.wrapping_add(1) % blocks == block {
                store.ingest(single.encode_to_vec().into()).unwrap();
            }
        }
        if block + 1 < blocks {
            store.flush().unwrap();
        }
    }
    store
}

/// Trace id, span id, kind.
type SpanKey = (Vec<u8>, Vec<u8>, i32);

/// The spans that the judge finds.
fn found(query: &str, left: &[ExportTraceServiceRequest], whole_traces: bool) -> BTreeSet<SpanKey> {
    let traces = naive::Trace::of(left);
    let mut gone = BTreeSet::new();
    for trace in &traces {
        let matched = naive::matched(&traceql::parse(query).unwrap(), trace);
        let spans = trace.spans.iter().enumerate();
        let spans = spans.filter(|(index, _)| matched.contains(index) || whole_traces && !matched.is_empty());
        gone.extend(spans.map(|(_, placed)| (trace.id.clone(), placed.span.span_id.clone(), placed.span.kind)));
    }
    gone
}

fn without(singles: &[ExportTraceServiceRequest], gone: &BTreeSet<SpanKey>) -> Vec<ExportTraceServiceRequest> {
    let stays = |request: &&ExportTraceServiceRequest| {
        let span = &request.resource_spans[0].scope_spans[0].spans[0];
        !gone.contains(&(span.trace_id.clone(), span.span_id.clone(), span.kind))
    };
    singles.iter().filter(stays).cloned().collect()
}

/// What an engine says, in every way that it can be asked.
fn answers(runtime: &Runtime, snapshot: Snapshot, searches: &[String], metrics: &[String]) -> Vec<String> {
    let engine = Engine::new(snapshot);
    let mut answers = Vec::new();
    for options in [
        SearchOptions::default().with_limit(1_000).with_spss(0),
        SearchOptions::default().with_limit(2).with_spss(1).with_time(Some(20), Some(60)),
    ] {
        for text in searches {
            let response = runtime.block_on(engine.search(text, &options)).unwrap();
            answers.push(format!("{text}: {}", search_to_tempo(&response)["traces"]));
        }
    }
    for text in metrics {
        let options = MetricsOptions::new(5, 48).with_step(10);
        let response = runtime.block_on(engine.query_range(text, &options)).unwrap();
        let series = response.series.iter().map(|series| format!("{:?} {:?}", series.labels, series.values));
        answers.push(format!("{text}: {:?}", series.collect::<Vec<_>>()));
    }
    let names = runtime.block_on(engine.tag_names(&TagOptions::default())).unwrap();
    answers.push(format!("{}", tag_names_to_tempo(&names)));
    let attributes = names.scopes.iter().filter(|scope| scope.scope != TagScope::Intrinsic);
    for field in attributes.flat_map(|scope| scope.fields()) {
        let values = runtime.block_on(engine.tag_values(&field, &TagOptions::default())).unwrap();
        answers.push(format!("{field}: {}", tag_values_to_tempo(&values)));
    }
    for field in ["name", "status", "rootName", "traceDuration", "span:childCount"] {
        let values = runtime.block_on(engine.tag_values(field, &TagOptions::default())).unwrap();
        answers.push(format!("{field}: {}", tag_values_to_tempo(&values)));
    }
    answers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_those_of_a_store_that_never_had_the_spans(
        requests in prop::collection::vec(naive::large_request(), 1..3),
        places in prop::collection::vec((any::<u8>(), prop::bool::weighted(0.3)), 1..40),
        blocks in 1..=4_u8,
        deletions in prop::collection::vec((prop_oneof![naive::query(), naive::pipeline()], any::<bool>()), 1..4),
        searches in prop::collection::vec(prop_oneof![naive::query(), naive::pipeline()], 6),
        metrics in prop::collection::vec(naive::metrics_query(), 3),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let compiles = |text: &String| traceql::compile(text).is_ok();
        let searches: Vec<String> = searches.into_iter().filter(compiles).collect();
        let metrics: Vec<String> = metrics.into_iter().filter(compiles).collect();
        let mut left = single_spans(&requests);
        let vfs = MemoryVfs::default();
        let store = store(&vfs, &left, &places, blocks);
        for (query, whole_traces) in deletions.iter().filter(|(query, _)| traceql::compile(query).is_ok()) {
            let gone = found(query, &left, *whole_traces);
            let selector = Arc::new(QuerySelector::new(query).unwrap());
            let deletion = if *whole_traces { Deletion::Traces(selector) } else { Deletion::Spans(selector) };
            let preview = deletion.preview(&store.snapshot().unwrap()).unwrap();
            prop_assert_eq!(preview.spans, gone.len() as u64, "{}", query);
            prop_assert_eq!(store.delete(&deletion).unwrap().spans, gone.len() as u64);
            left = without(&left, &gone);
            let expected = Snapshot::new(block(&left).into_iter().collect());
            let expected = answers(&runtime, expected, &searches, &metrics);
            let now = answers(&runtime, store.snapshot().unwrap(), &searches, &metrics);
            prop_assert_eq!(&now, &expected, "after {}", query);
            let reader = StoreReader::open_on(Arc::new(vfs.clone()), std::path::Path::new("store")).unwrap();
            let outside = answers(&runtime, reader.snapshot().unwrap(), &searches, &[]);
            prop_assert_eq!(&outside[..2 * searches.len()], &expected[..2 * searches.len()]);
        }
    }
}

#[test]
fn random_deletions_are_telling() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut some, mut partial) = (0, 0);
    for _ in 0..100 {
        let requests = prop::collection::vec(naive::large_request(), 1..3).new_tree(&mut runner).unwrap().current();
        let query = prop_oneof![naive::query(), naive::pipeline()].new_tree(&mut runner).unwrap().current();
        if traceql::compile(&query).is_err() {
            continue;
        }
        let left = single_spans(&requests);
        let gone = found(&query, &left, false);
        some += usize::from(!gone.is_empty() && gone.len() < found("{ }", &left, false).len());
        partial += usize::from(gone.len() < found(&query, &left, true).len());
    }
    assert!(some > 25 && partial > 20, "of 100 deletions {some} find some spans, {partial} parts of traces");
}

#[test]
fn deletions_are_asked_for_within_a_runtime_too() {
    let vfs = MemoryVfs::default();
    let request = blocks_of_one();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let store = open(&vfs);
        store.ingest(request.encode_to_vec().into()).unwrap();
        let all = Deletion::Spans(Arc::new(QuerySelector::new("{ name = `a` }").unwrap()));
        assert_eq!(store.delete(&all).unwrap().spans, 1);
        assert!(QuerySelector::new("{ } | rate()").unwrap_err().is_query());
    });
}

fn blocks_of_one() -> ExportTraceServiceRequest {
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
    let span = Span { trace_id: vec![1; 16], span_id: vec![1; 8], name: "a".into(), ..Span::default() };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] }
}
