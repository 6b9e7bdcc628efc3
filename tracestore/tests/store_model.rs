//! Random sequences of what can be done to a store, against a list of numbers.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "support/numbered.rs"]
mod numbered;

use std::{collections::BTreeSet, path::Path, sync::Arc, time::SystemTime};

use numbered::{deletion, numbers, request, without_the_oldest};
use proptest::prelude::*;
use tracestore::{
    StoreOptions, StoreReader, SyncMode, TimeWindows, TraceStore,
    io::{MemoryVfs, Vfs},
};

#[derive(Debug, Clone)]
enum Step {
    Ingest(u64),
    Flush,
    /// Closed well, or left as a crash of the process leaves it.
    Reopen {
        close: bool,
        sync: SyncMode,
    },
    Query,
    Refresh,
    /// Merged into blocks of about so many spans.
    Compact(u64),
    Delete(u64),
    /// The oldest block goes.
    Retain,
}

fn step() -> impl Strategy<Value = Step> {
    let sync = prop::sample::select(vec![SyncMode::Full, SyncMode::Off]);
    prop_oneof![
        5 => (1..4_u64).prop_map(Step::Ingest),
        2 => Just(Step::Flush),
        1 => (any::<bool>(), sync).prop_map(|(close, sync)| Step::Reopen { close, sync }),
        2 => Just(Step::Query),
        2 => Just(Step::Refresh),
        2 => prop::sample::select(vec![1, 4, 1000]).prop_map(Step::Compact),
        2 => (0..20_u64).prop_map(Step::Delete),
        1 => Just(Step::Retain),
    ]
}

fn open(vfs: &MemoryVfs, sync: SyncMode) -> TraceStore {
    let mut options = StoreOptions::default();
    options.vfs = Arc::new(vfs.clone());
    options.background = None;
    options.segment_bytes = 600;
    options.sync = sync;
    TraceStore::open("store", options).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_is_the_list_of_what_it_took(steps in prop::collection::vec(step(), 1..30)) {
        let vfs = MemoryVfs::default();
        let mut store = open(&vfs, SyncMode::Full);
        let reader = StoreReader::open_on(Arc::new(vfs.clone()), Path::new("store")).unwrap();
        // How much was taken, how much of it waits, what of it was deleted, and what the reader has seen.
        let (mut taken, mut live, mut gone, mut seen) = (0, 0, BTreeSet::new(), Vec::new());
        let mut is_synced = true;
        for step in steps {
            let left: Vec<u64> = (0..taken).filter(|number| !gone.contains(number)).collect();
            match step {
                Step::Ingest(requests) => {
                    for _ in 0..requests {
                        store.ingest(request(taken)).unwrap();
                        taken += 1;
                        live += 1;
                    }
                }
                Step::Flush => {
                    prop_assert_eq!(store.flush().unwrap().is_some(), live > 0);
                    live = 0;
                    prop_assert_eq!(vfs.list(Path::new("store/wal")).unwrap().len(), 0);
                }
                Step::Reopen { close, sync } => {
                    if close {
                        store.close().unwrap();
                        live = 0;
                    }
                    drop(store);
                    store = open(&vfs, sync);
                    is_synced = sync == SyncMode::Full;
                    prop_assert_eq!(store.recovery().requests, live);
                    prop_assert_eq!(store.recovery().is_clean(), live == 0);
                    live = 0;
                }
                Step::Query => {
                    prop_assert_eq!(store.live().requests as u64, live);
                    prop_assert_eq!(numbers(&store.snapshot().unwrap()).unwrap(), left);
                }
                Step::Compact(max_spans) => {
                    let strategy = TimeWindows { max_spans, ..TimeWindows::default().at_once() };
                    let report = store.compact(Some(&strategy)).unwrap();
                    prop_assert!(report.left_alone.is_empty() && report.duplicates() == 0);
                    prop_assert_eq!(store.compact(Some(&strategy)).unwrap().jobs, 0);
                }
                Step::Delete(number) => {
                    let report = store.delete(&deletion(number)).unwrap();
                    let expected = if left.contains(&number) { numbered::spans_of(number) } else { 0 };
                    prop_assert_eq!((report.spans, report.stored_spans), (expected, expected));
                    gone.extend((number < taken).then_some(number));
                    live = 0;
                }
                Step::Retain => {
                    if let Some((policy, oldest)) = without_the_oldest(&store.snapshot().unwrap()) {
                        let report = store.retain(&policy, SystemTime::now()).unwrap();
                        prop_assert_eq!(report.removed_blocks, 1);
                        gone.extend(oldest);
                    }
                }
                // In memory, a file's bytes can be read when they were synced.
                Step::Refresh if !is_synced => {}
                Step::Refresh => {
                    let is_other = reader.refresh().unwrap();
                    prop_assert!(is_other || seen == left);
                    prop_assert_eq!(numbers(&reader.snapshot().unwrap()).unwrap(), left.clone());
                    seen = left;
                    prop_assert!(!reader.refresh().unwrap());
                }
            }
        }
    }
}
