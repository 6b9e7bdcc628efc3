//! What deletions leave on the disk, and what becomes of it when it is damaged.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message;
use tracestore::{
    Deletion, Error, FoundSpans, Result, Snapshot, SpanSelector, StoreReader, TraceStore,
    io::{MemoryVfs, Vfs},
};

/// Every file of the store.
pub(crate) fn all(vfs: &MemoryVfs) -> BTreeMap<PathBuf, Bytes> {
    let mut files = BTreeMap::new();
    let mut folders = vec![PathBuf::from("store")];
    while let Some(folder) = folders.pop() {
        for name in vfs.list(&folder).unwrap() {
            let path = folder.join(name);
            match vfs.size(&path).unwrap() {
                Some(_) => drop(files.insert(path.clone(), vfs.read(&path).unwrap())),
                None => folders.push(path),
            }
        }
    }
    files
}

fn span(trace: u8, number: u64) -> Span {
    let (trace_id, span_id) = (vec![trace; 16], number.to_be_bytes().to_vec());
    Span { trace_id, span_id, name: number.to_string(), ..Span::default() }
}

fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] }
}

/// Finds spans by their names.
#[derive(Debug)]
struct Named(fn(&str) -> bool);

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("some names")
    }
}

impl SpanSelector for Named {
    fn select(&self, view: &Snapshot, found: &mut FoundSpans) -> Result<()> {
        found.add_if(view, |trace, span| (self.0)(&trace.spans[span].span.name))
    }
}

fn spans(named: fn(&str) -> bool) -> Deletion {
    Deletion::Spans(Arc::new(Named(named)))
}

/// A store of one block: three spans of trace 1, one of trace 2.
fn small(vfs: &MemoryVfs) -> TraceStore {
    super::store(vfs, &[vec![request(vec![span(1, 1), span(1, 2), span(1, 3), span(2, 4)])]])
}

fn deleted(vfs: &MemoryVfs) -> Vec<PathBuf> {
    all(vfs).into_keys().filter(|path| path.starts_with("store/deleted")).collect()
}

fn names(snapshot: &Snapshot) -> Vec<String> {
    let mut names = Vec::new();
    FoundSpans::default()
        .add_if(&snapshot.whole().unwrap(), |trace, span| {
            names.push(trace.spans[span].span.name.clone());
            false
        })
        .unwrap();
    names.sort();
    names
}

#[test]
fn any_damage_to_a_file_of_deleted_rows_is_named() {
    let vfs = MemoryVfs::default();
    let store = small(&vfs);
    store.delete(&spans(|name| name == "2")).unwrap();
    drop(store);
    let [path] = deleted(&vfs).try_into().unwrap();
    let content = vfs.read(&path).unwrap();
    let flipped = (0..content.len() * 8).map(|bit| {
        let mut damaged = content.to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        damaged
    });
    let cut = (0..content.len()).map(|len| content[..len].to_vec());
    let longer = [content.to_vec(), vec![0]].concat();
    for damaged in flipped.chain(cut).chain([longer]) {
        let copy = MemoryVfs::default();
        all(&vfs).into_iter().for_each(|(path, content)| copy.put(&path, content));
        copy.put(&path, damaged.into());
        let error = StoreReader::open_on(Arc::new(copy), Path::new("store")).unwrap_err();
        assert!(error.is_corruption() && error.to_string().starts_with(path.to_str().unwrap()), "{error}");
    }
    vfs.remove(&path).unwrap();
    let error = StoreReader::open_on(Arc::new(vfs), Path::new("store")).unwrap_err();
    assert!(error.is_corruption() && error.to_string().starts_with(path.to_str().unwrap()), "{error}");
}

#[test]
fn files_go_with_what_they_are_about() {
    let vfs = MemoryVfs::default();
    let store = small(&vfs);
    drop(store);
    let mut options = super::options(&vfs);
    options.orphan_grace = Duration::ZERO;
    let store = TraceStore::open("store", options).unwrap();
    store.delete(&spans(|name| name == "2")).unwrap();
    let first = deleted(&vfs);
    assert_eq!(first.len(), 1);
    std::thread::sleep(Duration::from_millis(2));
    store.delete(&spans(|name| name == "3")).unwrap();
    let second = deleted(&vfs);
    assert!(second.len() == 1 && second != first, "{first:?} {second:?}");
    assert_eq!(names(&store.snapshot().unwrap()), ["1", "4"]);
    std::thread::sleep(Duration::from_millis(2));
    // Nothing is left of the block.
    let report = store.delete(&spans(|_| true)).unwrap();
    assert_eq!((report.traces, report.spans, report.blocks, report.removed_blocks), (2, 2, 1, 1));
    assert_eq!(names(&store.snapshot().unwrap()), [""; 0]);
    assert!(deleted(&vfs).is_empty());
    let versions = vfs.list(Path::new("store/catalog")).unwrap();
    let newest = vfs.read(&Path::new("store/catalog").join(versions.last().unwrap())).unwrap();
    let newest = String::from_utf8(newest.to_vec()).unwrap();
    assert_eq!(newest.matches(r#""action":"delete","detail":"spans some names","spans":"#).count(), 3, "{newest}");
}

#[test]
fn where_too_many_traces_lose_spans_a_block_is_written_anew() {
    let vfs = MemoryVfs::default();
    let large = (1..=20_000).map(|number| span(3, number)).collect();
    let store = super::store(&vfs, &[vec![request(vec![span(1, 1), span(1, 2)])], vec![request(large)]]);
    let report = store.delete(&spans(|name| name == "1" || name == "19999")).unwrap();
    assert_eq!((report.spans, report.blocks, report.rewritten_blocks), (3, 2, 1));
    // The other one has its deleted row.
    assert_eq!(deleted(&vfs).len(), 1);
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.blocks().iter().map(|block| block.deleted_spans()).sum::<u64>(), 1);
    assert_eq!(names(&snapshot).len(), 19_999);
    assert_eq!(names(&super::reader(&vfs).snapshot().unwrap()).len(), 19_999);
}

#[test]
fn a_selector_that_fails_deletes_nothing() {
    #[derive(Debug)]
    struct Failing;
    impl std::fmt::Display for Failing {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("all and nothing")
        }
    }
    impl SpanSelector for Failing {
        fn select(&self, _: &Snapshot, found: &mut FoundSpans) -> Result<()> {
            found.add(0, 0);
            Err(Error::Selector { selector: self.to_string(), source: "there is no such thing".into() })
        }
    }
    let vfs = MemoryVfs::default();
    let store = small(&vfs);
    let before = all(&vfs);
    let error = store.delete(&Deletion::Spans(Arc::new(Failing))).unwrap_err();
    assert_eq!(error.to_string(), "all and nothing: there is no such thing");
    assert_eq!(all(&vfs), before);
}

#[test]
fn what_comes_in_after_a_deletion_stays() {
    let vfs = MemoryVfs::default();
    let store = small(&vfs);
    store.delete(&Deletion::Trace(super::trace_id(1))).unwrap();
    assert_eq!(names(&store.snapshot().unwrap()), ["4"]);
    store.ingest(request(vec![span(1, 2)]).encode_to_vec().into()).unwrap();
    assert_eq!(names(&store.snapshot().unwrap()), ["2", "4"]);
    drop(store);
    assert_eq!(names(&super::open(&vfs).snapshot().unwrap()), ["2", "4"]);
}
