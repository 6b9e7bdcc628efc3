//! Retention of a store: what goes when, by whom it is started, and what it leaves.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{
    collections::BTreeSet,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message;
use tracestore::{
    RetentionPolicy, RetentionReport, RetentionRule, Snapshot, StoreOptions, StoreReader, TraceStore,
    io::{MemoryVfs, Vfs},
};

const HOUR: Duration = Duration::from_secs(3600);

/// The time some hours after 1970.
fn at(hours: u32) -> SystemTime {
    UNIX_EPOCH + hours * HOUR
}

/// A span of a trace that ends at some time.
fn span(trace: u8, id: u8, end: SystemTime) -> Span {
    let end = end.duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    Span {
        trace_id: vec![trace; 16],
        span_id: vec![id; 8],
        start_time_unix_nano: end - 1,
        end_time_unix_nano: end,
        ..Span::default()
    }
}

fn request(spans: Vec<Span>) -> bytes::Bytes {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec().into()
}

fn options(vfs: &MemoryVfs) -> StoreOptions {
    let mut options = StoreOptions::default();
    options.vfs = Arc::new(vfs.clone());
    options.background = None;
    options
}

/// A store with these blocks.
fn store(options: StoreOptions, blocks: Vec<Vec<Span>>) -> TraceStore {
    let store = TraceStore::open("store", options).unwrap();
    for spans in blocks {
        store.ingest(request(spans)).unwrap();
        store.flush().unwrap();
    }
    store
}

/// Traces and spans, by the first byte of their ids.
fn left(snapshot: &Snapshot) -> BTreeSet<(u8, u8)> {
    let whole = snapshot.whole().unwrap();
    let groups = whole.blocks().iter().flat_map(|block| (0..block.row_groups()).map(move |group| (block, group)));
    let traces = groups.flat_map(|(block, group)| block.traces_of_row_group(group).unwrap());
    let spans = traces.flat_map(|trace| trace.spans);
    spans.map(|span| (span.span.trace_id.as_bytes()[0], span.span.span_id.as_bytes()[0])).collect()
}

fn keep(hours: u32) -> RetentionPolicy {
    RetentionPolicy { rules: vec![RetentionRule::all(Some(hours * HOUR))], max_bytes: None }
}

#[test]
fn a_trace_is_as_old_as_its_latest_end() {
    let vfs = MemoryVfs::default();
    let blocks = vec![
        // Trace 1 goes on in the last block, and this block has young traces as well; trace 2 does not.
        vec![span(1, 1, at(10)), span(2, 1, at(10)), span(3, 1, at(20))],
        // A block of old spans alone.
        vec![span(4, 1, at(10))],
        vec![span(1, 2, at(20)), span(4, 2, at(20))],
    ];
    let store = store(options(&vfs), blocks);
    let all = left(&store.snapshot().unwrap());
    assert_eq!(store.retain(&keep(5), at(14)).unwrap(), RetentionReport::default());
    let expected = keep(5).preview(&store.snapshot().unwrap(), at(15)).unwrap();
    assert_eq!(left(&store.snapshot().unwrap()), all);
    let before = vfs.list(Path::new("store/catalog")).unwrap().len();
    let report = store.retain(&keep(5), at(15)).unwrap();
    assert_eq!(report, expected);
    assert_eq!((report.traces, report.stored_spans, report.removed_blocks), (2, 2, 1));
    let expected = BTreeSet::from([(1, 1), (1, 2), (3, 1), (4, 2)]);
    assert_eq!(left(&store.snapshot().unwrap()), expected);
    // One change, which is written down.
    let versions = vfs.list(Path::new("store/catalog")).unwrap();
    assert_eq!(versions.len(), before + 1);
    let newest = vfs.read(&Path::new("store/catalog").join(versions.last().unwrap())).unwrap();
    let newest = String::from_utf8(newest.to_vec()).unwrap();
    assert!(newest.contains(r#""action":"retention","detail":"all: 18000s","spans":2"#), "{newest}");
    drop(store);
    let reader = StoreReader::open_on(Arc::new(vfs.clone()), Path::new("store")).unwrap();
    assert_eq!(left(&reader.snapshot().unwrap()), expected);
    let store = TraceStore::open("store", options(&vfs)).unwrap();
    assert_eq!(store.retain(&keep(5), at(25)).unwrap().removed_blocks, 2);
    assert!(left(&store.snapshot().unwrap()).is_empty());
}

#[test]
fn the_oldest_blocks_go_when_there_is_no_room() {
    let vfs = MemoryVfs::default();
    let store =
        store(options(&vfs), vec![vec![span(1, 1, at(20))], vec![span(2, 1, at(10))], vec![span(3, 1, at(30))]]);
    let size = store.snapshot().unwrap().size();
    let policy = |max_bytes| RetentionPolicy { rules: Vec::new(), max_bytes: Some(max_bytes) };
    assert_eq!(store.retain(&policy(size), at(0)).unwrap().removed_blocks, 0);
    let report = store.retain(&policy(size - 1), at(0)).unwrap();
    assert_eq!(report.removed_bytes, size - store.snapshot().unwrap().size());
    assert_eq!(left(&store.snapshot().unwrap()), BTreeSet::from([(1, 1), (3, 1)]));
    store.retain(&policy(0), at(0)).unwrap();
    assert!(left(&store.snapshot().unwrap()).is_empty());
}

/// Half an hour and three hours ago.
fn recent() -> Vec<Span> {
    let now = SystemTime::now();
    vec![span(1, 1, now - HOUR / 2), span(2, 1, now - 3 * HOUR)]
}

#[test]
fn a_step_applies_the_policy_of_the_store() {
    let vfs = MemoryVfs::default();
    let mut options = options(&vfs);
    options.retention = Some(keep(1));
    let store = store(options, vec![recent()]);
    assert_eq!(left(&store.snapshot().unwrap()).len(), 2);
    store.step().unwrap();
    assert_eq!(left(&store.snapshot().unwrap()), BTreeSet::from([(1, 1)]));
    // Not again before its period is over.
    store.ingest(request(vec![span(3, 1, SystemTime::now() - 3 * HOUR)])).unwrap();
    store.flush().unwrap();
    store.step().unwrap();
    assert_eq!(left(&store.snapshot().unwrap()), BTreeSet::from([(1, 1), (3, 1)]));
}

#[test]
fn the_thread_of_a_store_applies_its_policy() {
    let mut options = options(&MemoryVfs::default());
    options.retention = Some(keep(1));
    options.retention_period = Duration::ZERO;
    options.background = Some(Duration::from_millis(1));
    let store = store(options, vec![recent()]);
    while left(&store.snapshot().unwrap()).len() > 1 {
        std::thread::yield_now();
    }
    assert_eq!(left(&store.snapshot().unwrap()), BTreeSet::from([(1, 1)]));
    assert_eq!(store.trouble(), None);
    store.close().unwrap();
}
