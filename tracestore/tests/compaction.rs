//! A compacted store shows what one block of everything would: random spans, cuts, deletions and limits. And what merging
//! does beside: conflicts, damage, limits, blocks that somebody still reads.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "compaction/cases.rs"]
mod cases;
#[path = "support/known.rs"]
mod known;
#[path = "support/numbered.rs"]
mod numbered;
mod support;

use std::{path::Path, sync::Arc, time::Duration};

use known::known;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use prost::Message;
use tracestore::{
    Deletion, Snapshot, StoreOptions, StoreReader, TimeWindows, TraceStore, io::MemoryVfs, model::TraceId, verify_on,
};

fn open(vfs: &MemoryVfs) -> TraceStore {
    let mut options = StoreOptions::default();
    options.vfs = Arc::new(vfs.clone());
    options.background = None;
    TraceStore::open("store", options).unwrap()
}

fn reader(vfs: &MemoryVfs) -> StoreReader {
    StoreReader::open_on(Arc::new(vfs.clone()), Path::new("store")).unwrap()
}

/// Everything in one window.
fn at_once() -> TimeWindows {
    TimeWindows { windows: vec![Duration::MAX], ..TimeWindows::default().at_once() }
}

fn ingest(store: &TraceStore, requests: &[ExportTraceServiceRequest]) {
    for request in requests {
        store.ingest(request.encode_to_vec().into()).unwrap();
    }
}

/// Everything that queries see, trace by trace: spans, structure, what is known of the trace.
fn seen(snapshot: &Snapshot) -> Vec<String> {
    let whole = snapshot.whole().unwrap();
    let mut traces = Vec::new();
    for block in whole.blocks() {
        let read = (0..block.row_groups()).flat_map(|group| block.traces_of_row_group(group).unwrap());
        for (mut trace, known) in read.zip(known(block)) {
            // Copies come last: no parent lies behind them.
            trace.spans.retain(|span| !span.shadowed);
            traces.push(format!("{known:?} {trace:?}"));
        }
    }
    traces.sort();
    traces
}

#[derive(Debug, Clone)]
enum Step {
    Ingest(Vec<ExportTraceServiceRequest>),
    Flush,
    /// Everything into blocks of about so many spans.
    Compact(u64),
    DeleteTrace(u8),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(support::request(), 1..3).prop_map(Step::Ingest),
        3 => Just(Step::Flush),
        3 => prop::sample::select(vec![1, 5, 1000]).prop_map(Step::Compact),
        1 => (1..4_u8).prop_map(Step::DeleteTrace),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn a_compacted_store_is_one_block_of_everything(steps in prop::collection::vec(step(), 2..12)) {
        let (vfs, plain) = (MemoryVfs::default(), MemoryVfs::default());
        let (mut store, oracle) = (open(&vfs), open(&plain));
        let outside = reader(&vfs);
        for step in steps {
            match step {
                Step::Ingest(requests) => {
                    ingest(&store, &requests);
                    ingest(&oracle, &requests);
                }
                Step::Flush => drop(store.flush().unwrap()),
                Step::Compact(max_spans) => {
                    let old = store.snapshot().unwrap();
                    let before = seen(&old);
                    let strategy = TimeWindows { max_spans, ..at_once() };
                    let report = store.compact(Some(&strategy)).unwrap();
                    prop_assert_eq!(&report.left_alone, &[]);
                    prop_assert_eq!(seen(&old), before, "who holds a view keeps it");
                    let stored: u64 = reader(&vfs).snapshot().unwrap().blocks().iter().map(|block| block.spans()).sum();
                    let live: u64 = store.snapshot().unwrap().blocks().iter().map(|block| block.spans()).sum();
                    prop_assert_eq!(stored, live);
                    prop_assert_eq!(store.compact(Some(&strategy)).unwrap().jobs, 0, "it comes to an end");
                    prop_assert_eq!(verify_on(Arc::new(vfs.clone()), Path::new("store")).unwrap().damage, []);
                    // Nothing is left to be put together for each view, but for what is in no block yet.
                    let stored = StoreReader::open_on(Arc::new(vfs.clone()), Path::new("store")).unwrap();
                    let is_live = store.live().requests > 0;
                    prop_assert!(is_live || stored.snapshot().unwrap().whole_at_hand().is_some());
                }
                Step::DeleteTrace(number) => {
                    let deletion = Deletion::Trace(TraceId::from_bytes([number; 16]));
                    store.delete(&deletion).unwrap();
                    oracle.delete(&deletion).unwrap();
                }
                Step::Reopen => {
                    drop(store);
                    store = open(&vfs);
                }
            }
            let expected = seen(&oracle.snapshot().unwrap());
            prop_assert_eq!(&seen(&store.snapshot().unwrap()), &expected);
            outside.refresh().unwrap();
            prop_assert_eq!(&seen(&outside.snapshot().unwrap()), &expected);
        }
        // All in one, without anything that nobody sees.
        store.flush().unwrap();
        let report = store.compact(Some(&at_once())).unwrap();
        let snapshot = store.snapshot().unwrap();
        prop_assert!(snapshot.blocks().len() <= 1);
        prop_assert_eq!(&seen(&snapshot), &seen(&oracle.snapshot().unwrap()));
        let traces = snapshot.blocks().iter().flat_map(|block| block.traces_of_row_group(0).unwrap());
        prop_assert!(report.jobs == 0 || traces.flat_map(|trace| trace.spans).all(|span| !span.shadowed));
    }
}
