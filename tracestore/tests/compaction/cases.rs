//! What merging does beside its result.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tracestore::{
    BlockSummary, CompactionJob, CompactionStrategy, Deletion, StoreOptions, TimeWindows, TraceStore,
    io::{MemoryVfs, Vfs},
    model::TraceId,
};

use super::{at_once, numbered, numbered::numbers, open, reader, seen};

fn flush(store: &TraceStore, requests: std::ops::Range<u64>) {
    for number in requests {
        store.ingest(numbered::request(number)).unwrap();
    }
    store.flush().unwrap().unwrap();
}

fn all(end: u64) -> Vec<u64> {
    (0..end).collect()
}

#[test]
fn blocks_become_one_and_copies_are_left_out() {
    let vfs = MemoryVfs::default();
    let store = open(&vfs);
    for _ in 0..2 {
        flush(&store, 0..10);
        flush(&store, 5..20);
    }
    let sent: u64 = (0..10).chain(5..20).map(numbered::spans_of).sum();
    let spans: u64 = (0..20).map(numbered::spans_of).sum();
    let report = store.compact(Some(&at_once())).unwrap();
    assert_eq!((report.jobs, report.inputs, report.outputs), (1, 4, 1));
    assert_eq!((report.spans_in, report.spans_out), (2 * sent, spans));
    assert_eq!((report.duplicates(), report.deleted), (2 * sent - spans, 0));
    assert!(report.bytes_out < report.bytes_in && report.bytes_out > 0);
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.blocks().len(), 1);
    assert_eq!(snapshot.blocks()[0].spans(), spans);
    assert_eq!(numbers(&snapshot).unwrap(), all(20));
    assert_eq!(numbers(&reader(&vfs).snapshot().unwrap()).unwrap(), all(20));
    let text = report.to_string();
    assert!(text.starts_with("4 blocks became 1: "), "{text}");
    assert_eq!(store.compact(Some(&at_once())).unwrap().to_string(), "nothing to merge");
}

#[test]
fn a_step_merges_what_is_due() {
    let mut options = StoreOptions::default();
    options.vfs = Arc::new(MemoryVfs::default());
    options.background = None;
    options.compaction = Some(Arc::new(at_once()));
    let store = TraceStore::open("store", options).unwrap();
    flush(&store, 0..3);
    flush(&store, 3..6);
    store.step().unwrap();
    assert_eq!(store.snapshot().unwrap().blocks().len(), 1);
    assert_eq!(numbers(&store.snapshot().unwrap()).unwrap(), all(6));
}

#[test]
fn blocks_that_somebody_reads_stay() {
    let mut options = StoreOptions::default();
    let vfs = MemoryVfs::default();
    options.vfs = Arc::new(vfs.clone());
    options.background = None;
    options.orphan_grace = Duration::ZERO;
    let store = TraceStore::open("store", options).unwrap();
    flush(&store, 0..3);
    flush(&store, 3..6);
    let old = store.snapshot().unwrap();
    let folders = |vfs: &MemoryVfs| vfs.list(Path::new("store/blocks")).unwrap().len();
    store.compact(Some(&at_once())).unwrap();
    flush(&store, 6..7);
    assert_eq!(folders(&vfs), 4);
    assert_eq!(numbers(&old).unwrap(), all(6));
    drop(old);
    // Removed in the past: times are in milliseconds.
    while folders(&vfs) > store.snapshot().unwrap().blocks().len() {
        flush(&store, 6..7);
    }
    store.compact(Some(&at_once())).unwrap();
    let spans = (0..7).map(numbered::spans_of).sum::<u64>();
    assert_eq!(store.snapshot().unwrap().blocks()[0].spans(), spans);
}

/// Chooses the first two blocks; before that, somebody deletes a trace.
#[derive(Debug)]
struct Disturbed(TraceStore, TraceId);

impl CompactionStrategy for Disturbed {
    fn choose(&self, blocks: &[BlockSummary], now: u64) -> Vec<CompactionJob> {
        self.0.delete(&Deletion::Trace(self.1)).unwrap();
        at_once().choose(blocks, now)
    }
}

#[test]
fn what_changes_meanwhile_is_merged_as_it_is_then() {
    let vfs = MemoryVfs::default();
    let store = open(&vfs);
    flush(&store, 0..10);
    flush(&store, 5..10);
    let trace = *store.snapshot().unwrap().blocks()[0].traces_of_row_group(0).unwrap()[0].trace_id.as_bytes();
    let trace = TraceId::from_bytes(trace);
    let report = store.compact(Some(&Disturbed(store.clone(), trace))).unwrap();
    assert_eq!((report.jobs, report.outdated, report.outputs), (1, 1, 1));
    assert!(report.deleted > 0);
    assert_eq!(store.snapshot().unwrap().find_trace(&trace).unwrap(), None);
    assert_eq!(vfs.list(Path::new("store/blocks")).unwrap().len(), 3, "what was given up is gone");
}

#[test]
fn a_block_all_of_which_is_deleted_leaves_nothing() {
    let vfs = MemoryVfs::default();
    let store = open(&vfs);
    flush(&store, 0..4);
    flush(&store, 4..8);
    let snapshot = store.snapshot().unwrap().whole().unwrap();
    let traces = snapshot.blocks().iter().flat_map(|block| block.traces_of_row_group(0).unwrap());
    for trace in traces {
        store.delete(&Deletion::Trace(trace.trace_id)).unwrap();
    }
    store.compact(Some(&at_once())).unwrap();
    assert_eq!(store.snapshot().unwrap().blocks().len(), 0);
    flush(&store, 8..9);
    assert_eq!(numbers(&store.snapshot().unwrap()).unwrap(), [8]);
}

#[test]
fn damaged_blocks_are_left_alone_and_the_others_are_merged() {
    let vfs = MemoryVfs::default();
    let store = open(&vfs);
    (0..4).for_each(|number| flush(&store, 2 * number..2 * number + 2));
    drop(store);
    let blocks = Path::new("store/blocks");
    let damaged: PathBuf = vfs.list(blocks).unwrap()[1].clone();
    let path = blocks.join(&damaged).join("spans.parquet");
    let mut bytes = vfs.read(&path).unwrap().to_vec();
    bytes[20] ^= 1;
    vfs.put(&path, bytes.into());
    let store = open(&vfs);
    // Two at once: one pair is damaged.
    let strategy = TimeWindows { max_inputs: 2, ..at_once() };
    let report = store.compact(Some(&strategy)).unwrap();
    assert_eq!((report.jobs, report.outputs, report.left_alone.len()), (1, 1, 1));
    let left = &report.left_alone[0];
    assert!(left.blocks.iter().any(|folder| Path::new(folder) == damaged), "{left:?}");
    assert!(left.reason.contains("spans.parquet"), "{}", left.reason);
    assert!(store.trouble().unwrap().contains("spans.parquet"));
    assert_eq!(store.snapshot().unwrap().blocks().len(), 3);
    assert_eq!(store.compact(Some(&strategy)).unwrap().left_alone, []);
}

#[test]
fn a_closed_store_is_not_merged() {
    let store = open(&MemoryVfs::default());
    flush(&store, 0..1);
    store.close().unwrap();
    assert!(matches!(store.compact(None).unwrap_err(), tracestore::Error::Stopped { .. }));
}

/// Blocks that are full: none is merged with another.
fn full() -> TimeWindows {
    TimeWindows { max_spans: 1, ..at_once() }
}

#[test]
fn split_traces_of_full_blocks_are_put_together_for_good() {
    let vfs = MemoryVfs::default();
    let store = open(&vfs);
    flush(&store, 0..10);
    flush(&store, 10..20);
    let before = seen(&store.snapshot().unwrap());
    let report = store.compact(Some(&full())).unwrap();
    // Every trace of these requests lies in both blocks: nothing is left of them.
    assert_eq!((report.jobs, report.gathered, report.inputs), (1, 5, 0));
    assert!(report.to_string().ends_with("\n5 traces that lay in several blocks were put together"), "{report}");
    assert_eq!(store.snapshot().unwrap().blocks().len(), 1);
    assert_eq!(seen(&store.snapshot().unwrap()), before);

    // A later span of one trace: it alone leaves its block.
    flush(&store, 21..22);
    let split = store.snapshot().unwrap();
    assert!(split.whole_at_hand().is_none());
    let report = store.compact(Some(&full())).unwrap();
    assert_eq!((report.jobs, report.gathered), (1, 1));
    let gathered = store.snapshot().unwrap();
    assert_eq!(seen(&gathered), seen(&split));
    assert_eq!(gathered.blocks().len(), 2);
    let whole = gathered.whole_at_hand().unwrap();
    assert!(gathered.blocks().iter().zip(whole.blocks()).all(|(stored, seen)| Arc::ptr_eq(stored, seen)));
    // Readers see the same, and a store that is opened again knows it still.
    let again = reader(&vfs).snapshot().unwrap();
    assert!(again.whole_at_hand().is_some());
    assert_eq!(seen(&again), seen(&split));

    // Merged at last, what has moved is neither deleted nor a copy.
    let report = store.compact(Some(&at_once())).unwrap();
    assert_eq!((report.inputs, report.outputs, report.deleted, report.duplicates()), (2, 1, 0, 0));
    assert_eq!(report.spans_out, (0..20).chain(21..22).map(numbered::spans_of).sum::<u64>());
    assert!(store.snapshot().unwrap().blocks().iter().all(|block| block.deleted_spans() == 0));
    assert_eq!(seen(&store.snapshot().unwrap()), seen(&split));
}

#[test]
fn what_is_known_of_one_store_is_not_taken_for_two() {
    let (mut blocks, mut one) = (Vec::new(), Vec::new());
    for vfs in [MemoryVfs::default(), MemoryVfs::default()] {
        let store = open(&vfs);
        flush(&store, 0..2);
        flush(&store, 2..4);
        store.compact(Some(&full())).unwrap();
        let snapshot = store.snapshot().unwrap();
        assert!(snapshot.whole_at_hand().is_some());
        one = seen(&snapshot);
        blocks.extend(snapshot.blocks().iter().cloned());
    }
    // The same spans in both.
    let both = tracestore::Snapshot::new(blocks);
    assert!(both.whole_at_hand().is_none());
    assert_eq!(seen(&both), one);
}

#[test]
fn blocks_whose_split_traces_cannot_be_read_stay_as_they_are() {
    let vfs = MemoryVfs::default();
    let store = open(&vfs);
    flush(&store, 0..10);
    flush(&store, 10..20);
    let path = store.snapshot().unwrap().blocks()[0].path().join("spans.parquet");
    drop(store);
    let mut damaged = vfs.read(&path).unwrap().to_vec();
    damaged[4..200].fill(0);
    vfs.put(&path, damaged.into());
    let store = open(&vfs);
    let report = store.compact(Some(&full())).unwrap();
    assert_eq!((report.jobs, report.gathered, report.left_alone.len()), (0, 0, 1));
    assert_eq!(report.left_alone[0].blocks.len(), 2);
    assert!(report.left_alone[0].reason.contains("spans.parquet"), "{:?}", report.left_alone);
    assert_eq!(store.snapshot().unwrap().blocks().len(), 2);
    assert_eq!(store.compact(Some(&full())).unwrap().left_alone, []);
}
