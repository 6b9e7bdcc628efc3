//! What is left after deletions is what a store has that never had the deleted spans: random spans, cuts and deletions.
//! And what deletions leave on the disk.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "deletion/files.rs"]
mod files;
#[path = "support/known.rs"]
mod known;
#[path = "deletion/selectors.rs"]
mod selectors;
mod support;

use std::{collections::BTreeSet, path::Path, sync::Arc};

use known::known;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use prost::Message;
use selectors::{Pick, SpanKey, pick};
use tracestore::{
    Deletion, DeletionReport, Snapshot, StoreOptions, StoreReader, TraceStore, io::MemoryVfs, model::TraceId,
};

fn options(vfs: &MemoryVfs) -> StoreOptions {
    let mut options = StoreOptions::default();
    options.vfs = Arc::new(vfs.clone());
    options.background = None;
    options
}

fn open(vfs: &MemoryVfs) -> TraceStore {
    TraceStore::open("store", options(vfs)).unwrap()
}

fn reader(vfs: &MemoryVfs) -> StoreReader {
    StoreReader::open_on(Arc::new(vfs.clone()), Path::new("store")).unwrap()
}

/// A store with a block for each list of requests.
fn store(vfs: &MemoryVfs, blocks: &[Vec<ExportTraceServiceRequest>]) -> TraceStore {
    let store = open(vfs);
    for requests in blocks {
        for request in requests {
            store.ingest(request.encode_to_vec().into()).unwrap();
        }
        store.flush().unwrap();
    }
    store
}

/// Everything that a view shows, trace by trace: spans, structure, what is known of the trace; and how much it says it is.
fn seen(snapshot: &Snapshot) -> Vec<String> {
    let whole = snapshot.whole().unwrap();
    let (mut traces, mut counts) = (Vec::new(), (0, 0));
    for block in whole.blocks() {
        counts = (counts.0 + block.traces(), counts.1 + block.spans());
        let read: Vec<_> =
            (0..block.row_groups()).flat_map(|group| block.traces_of_row_group(group).unwrap()).collect();
        for (trace, known) in read.iter().zip(known(block)) {
            traces.push(format!("{known:?} {trace:?}"));
            assert_eq!(snapshot.find_trace(&trace.trace_id).unwrap().as_ref(), Some(trace));
        }
    }
    traces.sort();
    traces.push(format!("{counts:?}"));
    traces
}

/// The requests without some spans and all of their copies.
fn without(requests: &[ExportTraceServiceRequest], gone: &BTreeSet<SpanKey>) -> Vec<ExportTraceServiceRequest> {
    let mut requests = requests.to_vec();
    for scope_spans in
        requests.iter_mut().flat_map(|request| &mut request.resource_spans).flat_map(|r| &mut r.scope_spans)
    {
        scope_spans.spans.retain(|span| !gone.contains(&(span.trace_id.clone(), span.span_id.clone(), span.kind)));
    }
    requests
}

/// What a store shows that gets these requests in one block.
fn seen_of(requests: &[ExportTraceServiceRequest]) -> Vec<String> {
    let vfs = MemoryVfs::default();
    seen(&store(&vfs, &[requests.to_vec()]).snapshot().unwrap())
}

fn trace_id(number: u8) -> TraceId {
    TraceId::from_bytes([number; 16])
}

#[derive(Debug, Clone)]
enum Step {
    Trace(u8),
    Traces(Pick),
    Spans(Pick),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (1..4_u8).prop_map(Step::Trace),
        2 => pick().prop_map(Step::Traces),
        4 => pick().prop_map(Step::Spans),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn what_is_left_never_had_the_deleted_spans(
        blocks in prop::collection::vec(prop::collection::vec(support::request(), 1..3), 1..4),
        steps in prop::collection::vec(step(), 1..5),
    ) {
        let vfs = MemoryVfs::default();
        let mut store = store(&vfs, &blocks);
        let outside = reader(&vfs);
        let mut left = blocks.concat();
        for step in steps {
            let (deletion, gone) = match &step {
                Step::Reopen => {
                    drop(store);
                    store = open(&vfs);
                    prop_assert_eq!(seen(&store.snapshot().unwrap()), seen_of(&left));
                    continue;
                }
                Step::Trace(number) => {
                    (Deletion::Trace(trace_id(*number)), selectors::keys(&left, |span| span.trace_id == [*number; 16]))
                }
                Step::Traces(pick) => {
                    let traces: BTreeSet<Vec<u8>> = pick.seen_in(&store).into_iter().map(|(trace, ..)| trace).collect();
                    let gone = selectors::keys(&left, |span| traces.contains(&span.trace_id));
                    (Deletion::Traces(Arc::new(pick.clone())), gone)
                }
                Step::Spans(pick) => (Deletion::Spans(Arc::new(pick.clone())), pick.seen_in(&store)),
            };
            let before = seen(&store.snapshot().unwrap());
            let files = files::all(&vfs);
            let expected = deletion.preview(&store.snapshot().unwrap()).unwrap();
            prop_assert_eq!(files::all(&vfs), files, "a dry run changes nothing");
            let old = store.snapshot().unwrap();
            let report = store.delete(&deletion).unwrap();
            prop_assert_eq!(report, expected);
            prop_assert_eq!(report.spans, gone.len() as u64);
            prop_assert_eq!(seen(&old), before, "who holds a view keeps it");
            left = without(&left, &gone);
            let now = seen_of(&left);
            prop_assert_eq!(&seen(&store.snapshot().unwrap()), &now, "{:?}", step);
            prop_assert_eq!(outside.refresh().unwrap(), report != DeletionReport::default());
            prop_assert_eq!(&seen(&outside.snapshot().unwrap()), &now);
            prop_assert_eq!(&seen(&reader(&vfs).snapshot().unwrap()), &now);
            if let Deletion::Trace(_) = deletion {
                prop_assert_eq!(store.delete(&deletion).unwrap(), DeletionReport::default());
            }
        }
    }
}
