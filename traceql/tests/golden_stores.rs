//! Stores that older builds have written are read, queried, verified, and written to: `testdata/stores`. When a format
//! changes: do as `testdata/stores/README.md` says; never change what is there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::path::{Path, PathBuf};

use serde_json::Value;
use traceql::{BlockingEngine, SearchOptions};
use tracestore::{Snapshot, StoreOptions, TraceStore, otlp::traces_to_json, verify};

/// Every format that a released build has written.
const FORMATS: [&str; 1] = ["v1"];

/// Queries, and the first byte of the ids of the traces that they find, newest first.
const QUERIES: [(&str, &[u8]); 7] = [
    ("{ }", &[4, 3, 2, 1]),
    (
        "{ span.http.method = \"POST\" && status = error } >> { event.exception.message = \"out of stock\" }",
        &[4, 3, 2, 1],
    ),
    ("{ resource.service.name = \"mail\" && duration > 9800us }", &[4, 3, 2, 1]),
    ("{ trace:id = \"02020202020202020202020202020202\" }", &[2]),
    ("{ link.why = \"follows\" && span.skus = \"SKU-2\" } | count() > 14", &[4, 3, 2, 1]),
    ("{ } | count() > 15", &[]),
    ("{ span.http.method = \"repeated\" }", &[]),
];

fn folder(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/stores").join(format)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// The traces as lines of OTLP, sorted.
fn lines(snapshot: &Snapshot) -> Vec<String> {
    let traces = snapshot.traces(|_| true).unwrap().flat_map(Result::unwrap);
    let mut lines: Vec<String> = traces.map(|trace| traces_to_json(&[trace]).to_string()).collect();
    lines.sort();
    lines
}

fn check(store: &Path, expected: &[String]) {
    let report = verify(store).unwrap();
    assert!(report.is_sound(), "{:?}", report.damage);
    let snapshot = Snapshot::open(&[store.to_owned()]).unwrap();
    assert!(lines(&snapshot) == expected, "other traces in {}", store.display());
    let engine = BlockingEngine::new(snapshot).unwrap();
    for (query, ids) in QUERIES {
        let response = engine.search(query, &SearchOptions::default()).unwrap();
        let found: Vec<String> = response.traces.iter().map(|trace| trace.trace_id.to_string()).collect();
        let expected: Vec<String> = ids.iter().map(|id| format!("{id:02x}").repeat(16)).collect();
        assert_eq!(found, expected, "{query}");
    }
}

#[test]
fn what_older_builds_have_written_is_read() {
    let known = std::fs::read_dir(folder("")).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
    assert_eq!(known, FORMATS.len(), "a golden store is not tested");
    for format in FORMATS {
        let text = std::fs::read_to_string(folder(format).join("traces.jsonl")).unwrap();
        let expected = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap().to_string());
        let mut expected: Vec<String> = expected.collect();
        expected.sort();
        assert_eq!(expected.len(), 4);
        // As it lies there: nothing is written.
        check(&folder(format).join("store"), &expected);
        // A writer goes on with it, and makes blocks of its log.
        let temporary = tempfile::tempdir().unwrap();
        let store = temporary.path().join("store");
        copy(&folder(format).join("store"), &store);
        let mut options = StoreOptions::default();
        options.background = None;
        let writer = TraceStore::open(&store, options).unwrap();
        assert_eq!((writer.recovery().requests, writer.recovery().damage.len()), (2, 0));
        writer.close().unwrap();
        check(&store, &expected);
        assert_eq!(verify(&store).unwrap().requests, 0);
    }
}
