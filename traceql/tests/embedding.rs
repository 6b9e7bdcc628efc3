//! What the façade gives programs that are built around it: traces by id, searches as streams, threads left free.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{path::Path, sync::Arc, time::Duration};

use datafusion::common::runtime::SpawnedTask;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message;
use traceql::{BlockingEngine, Engine, Progress, SearchEvent, SearchOptions, TagOptions};
use tracestore::{
    Snapshot,
    block::{Block, BlockBuilder},
    io::{MemoryVfs, Vfs},
    model::{BlockId, TraceId},
};

/// 100 traces of six spans, of which every seventh is split: its even spans are in another block.
fn split_store() -> Snapshot {
    let span = |index: u64| Span {
        trace_id: [[(index / 6) as u8; 8], (index / 6 + 1).to_be_bytes()].concat(),
        span_id: (index + 1).to_be_bytes().to_vec(),
        parent_span_id: if index.is_multiple_of(6) { Vec::new() } else { (index / 6 * 6 + 1).to_be_bytes().to_vec() },
        name: format!("name {}", index % 7),
        start_time_unix_nano: 1_000 + index,
        end_time_unix_nano: 1_100 + index,
        ..Span::default()
    };
    let block = |wanted: &dyn Fn(u64) -> bool| {
        let spans = (0..600).filter(|index| wanted(*index)).map(span).collect();
        let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
        let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
        let mut builder = BlockBuilder::new();
        builder.push(&ExportTraceServiceRequest { resource_spans }.encode_to_vec().into()).unwrap();
        let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
        builder.finish(vfs.as_ref(), Path::new("block"), BlockId::generate()).unwrap();
        Block::open(vfs, Path::new("block")).unwrap()
    };
    let apart = |index: u64| (index / 6).is_multiple_of(7) && index.is_multiple_of(2);
    Snapshot::new(vec![block(&|index| !apart(index)), block(&apart)])
}

/// The number of a trace, counted from 0, as an id.
fn id(trace: u64) -> TraceId {
    format!("{}{:016x}", format!("{trace:02x}").repeat(8), trace + 1).parse().unwrap()
}

#[tokio::test]
async fn traces_are_found_by_id_and_by_first_digits() {
    let (snapshot, nobody) = (split_store(), "ff".parse::<TraceId>().unwrap());
    let engine = Engine::new(snapshot.clone());
    for trace in [0, 7, 8] {
        let found = engine.trace(&id(trace)).await.unwrap().unwrap();
        assert_eq!((found.trace_id, found.spans.len()), (id(trace), 6));
        assert_eq!(Some(found), snapshot.find_trace(&id(trace)).unwrap());
    }
    assert_eq!(engine.trace(&nobody).await.unwrap(), None);
    let ids = |found: Vec<tracestore::TraceCandidate>| found.iter().map(|one| one.trace_id).collect::<Vec<_>>();
    assert_eq!(ids(engine.traces_by_prefix("070", 9).await.unwrap()), [id(7)]);
    assert_eq!(ids(engine.traces_by_prefix("0", 3).await.unwrap()), [id(0), id(1), id(2)]);
    assert!(engine.traces_by_prefix("no digits", 3).await.unwrap_err().is_bad_input());
}

#[test]
fn callers_that_are_not_asynchronous_have_the_same() {
    let engine = BlockingEngine::new(split_store()).unwrap();
    assert_eq!(engine.trace(&id(7)).unwrap().unwrap().spans.len(), 6);
    assert_eq!(engine.traces_by_prefix("07", 2).unwrap().len(), 1);
    let events: Vec<_> = engine.search_events("{ name = `name 3` }", &SearchOptions::default()).collect();
    assert!(matches!(events.last(), Some(Ok(SearchEvent::Done(response))) if response.traces.len() == 20));
}

/// What is read by the thread that polls a future on a runtime of one thread.
fn read_here<T>(work: impl Future<Output = T>) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let before = Snapshot::bytes_read_by_thread();
    runtime.block_on(work);
    Snapshot::bytes_read_by_thread() - before
}

#[test]
fn split_traces_are_not_put_together_by_threads_that_run_futures() {
    let before = Snapshot::bytes_read_by_thread();
    let blocking = split_store();
    blocking.whole().unwrap();
    let whole = Snapshot::bytes_read_by_thread() - before;
    assert!(whole > 0, "nothing is counted");
    // What is found nowhere needs the view and nothing more; found traces are read elsewhere, too.
    let search = |snapshot: Snapshot| async move {
        let found = Engine::new(snapshot).search("{ .nobody = 1 }", &SearchOptions::default()).await.unwrap();
        assert!(found.traces.is_empty());
    };
    assert_eq!(read_here(search(split_store())), read_here(search(blocking)));
    assert_eq!(read_here(async { Engine::new(split_store()).trace(&id(7)).await.unwrap().unwrap() }), 0);
    let names = async { Engine::new(split_store()).tag_names(&TagOptions::default()).await.unwrap() };
    assert_eq!(read_here(names), 0);
}

#[tokio::test]
async fn a_stream_tells_of_progress_and_ends_with_the_answer() {
    let engine = Engine::new(split_store());
    for query in ["{ name = `name 3` }", "{ } >> { }", "{ } | by(name) | count() > 0"] {
        let expected = engine.search(query, &SearchOptions::default()).await.unwrap();
        let mut stream = engine.search_stream(query, &SearchOptions::default());
        // A stream may be sent to another task.
        let events = SpawnedTask::spawn(async move {
            let mut events = Vec::new();
            while let Some(event) = stream.next().await {
                events.push(event.unwrap());
            }
            assert!(stream.next().await.is_none());
            events
        });
        let mut events = events.join().await.unwrap();
        let Some(SearchEvent::Done(response)) = events.pop() else { panic!("no answer") };
        assert!(response.traces.len() == 20 && response.traces == expected.traces, "{query}");
        assert_eq!((response.next, response.partial), (expected.next, false));
        let progress = events.iter().map(|event| match event {
            SearchEvent::Progress(progress) => progress,
            other => panic!("{other:?}"),
        });
        let progress: Vec<&Progress> = progress.collect();
        // One part of a block is read in one go, so there is time to tell before the first.
        assert_eq!(progress[0].units, 0);
        assert!(progress.is_sorted_by_key(|progress| (progress.elapsed, progress.units, progress.rows)));
    }
}

#[tokio::test]
async fn a_stream_gives_its_error_once() {
    let engine = Engine::new(split_store());
    let mut wrong = engine.search_stream("{ nme = 1 }", &SearchOptions::default());
    assert!(wrong.next().await.unwrap().unwrap_err().is_query());
    assert!(wrong.next().await.is_none());
    let none = SearchOptions::default().with_limits(Some(Duration::ZERO), None, false);
    assert!(engine.search_stream("{ }", &none).next().await.unwrap().unwrap_err().is_limit());
}

#[tokio::test]
async fn a_stream_that_is_dropped_lets_go_of_all() {
    let snapshot = split_store().whole().unwrap();
    let engine = Engine::new(snapshot.clone());
    let held = || snapshot.blocks().iter().map(Arc::strong_count).collect::<Vec<_>>();
    let before = held();
    let mut stream = engine.search_stream("{ }", &SearchOptions::default());
    assert!(matches!(stream.next().await, Some(Ok(SearchEvent::Progress(_)))));
    assert_ne!(held(), before);
    drop(stream);
    // What was cut short is dropped by the runtime.
    while held() != before {
        tokio::task::yield_now().await;
    }
}

#[test]
fn lookups_need_no_runtime() {
    let engine = Engine::new(split_store());
    let found = futures::executor::block_on(engine.trace(&id(7))).unwrap().unwrap();
    assert_eq!(found.spans.len(), 6);
}

#[tokio::test]
async fn what_a_search_finds_comes_as_record_batches() {
    use datafusion::arrow::{
        array::{Array, AsArray, RecordBatch},
        compute::concat_batches,
        datatypes::Int64Type,
    };
    let engine = Engine::new(split_store());
    for query in ["{ name != `name 3` }", "{ } > { name = `name 2` } | by(name) | count() > 0"] {
        let options = SearchOptions::default().with_limit(7).with_spss(0);
        let expected = engine.search(query, &options).await.unwrap();
        let mut stream = engine.search_batches(query, &options).await.unwrap();
        let schema = stream.schema();
        let mut batches: Vec<RecordBatch> = Vec::new();
        while let Some(batch) = stream.next().await {
            batches.push(batch.unwrap());
        }
        let rows = concat_batches(&schema, &batches).unwrap();
        let text = |name: &str, row: usize| rows.column_by_name(name).unwrap().as_string_view().value(row).to_owned();
        let mut found: Vec<(String, String, String)> =
            (0..rows.num_rows()).map(|row| (text("trace:id", row), text("span:id", row), text("name", row))).collect();
        let spans = expected.traces.iter().flat_map(|trace| {
            let spans = trace.spansets.iter().flat_map(|set| &set.spans);
            spans.map(|span| (trace.trace_id.to_string(), span.span_id.to_string(), span.name.clone()))
        });
        let mut wanted: Vec<(String, String, String)> = spans.collect();
        found.sort();
        wanted.sort();
        assert!(wanted.len() >= 7 && expected.traces.len() == 7, "{query}: {}", wanted.len());
        assert_eq!(found, wanted, "{query}");
        if query.contains("count()") {
            let counts = rows.column_by_name("count()").unwrap().as_primitive::<Int64Type>();
            let groups = rows.column_by_name("by(name)").unwrap().as_string_view();
            assert!(counts.null_count() == 0 && groups.iter().all(|name| name == Some("name 2")), "{groups:?}");
        }
    }
    assert!(engine.search_batches("{ name = }", &SearchOptions::default()).await.unwrap_err().is_query());
    let too_little = SearchOptions::default().with_max_memory(Some(10));
    let mut stream = engine.search_batches("{ }", &too_little).await.unwrap();
    assert!(stream.next().await.unwrap().unwrap_err().is_limit());
}
