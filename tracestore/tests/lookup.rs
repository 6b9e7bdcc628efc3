//! Traces by the first digits of their ids, in one block and in several.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message;
use tracestore::{Error, Snapshot, Store};

/// A span of the trace with these first bytes: id, parent's id, start.
fn request(spans: &[([u8; 2], u8, u8, u64)]) -> Vec<u8> {
    let span = |(trace, id, parent, start): &([u8; 2], u8, u8, u64)| Span {
        trace_id: [&trace[..], &[9; 14]].concat(),
        span_id: vec![*id; 8],
        parent_span_id: if *parent == 0 { Vec::new() } else { vec![*parent; 8] },
        name: format!("span {id}"),
        start_time_unix_nano: *start,
        end_time_unix_nano: start + 1,
        ..Span::default()
    };
    let scope_spans = vec![ScopeSpans { spans: spans.iter().map(span).collect(), ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

/// A view of a store with a block of each request.
fn snapshot(folder: &tempfile::TempDir, requests: &[Vec<u8>]) -> Snapshot {
    let store = Store::open_or_create(&folder.path().join("store")).unwrap();
    for request in requests {
        let file = folder.path().join("request");
        std::fs::write(&file, request).unwrap();
        store.ingest([file], &mut |_| {}).unwrap();
    }
    store.snapshot().unwrap()
}

/// First digits of the ids, starts and names of roots.
fn found(snapshot: &Snapshot, digits: &str, limit: usize) -> Vec<(String, u64, Option<String>)> {
    let found = snapshot.find_by_prefix(digits, limit).unwrap().into_iter();
    found.map(|one| (one.trace_id.to_string()[..4].to_owned(), one.start, one.root.map(|(name, _)| name))).collect()
}

#[test]
fn first_digits_find_traces_in_the_order_of_their_ids() {
    let folder = tempfile::tempdir().unwrap();
    let spans = [([0xab, 0x20], 1, 0, 30), ([0xab, 0x10], 2, 7, 20), ([0xac, 0], 3, 0, 10), ([0, 1], 4, 0, 40)];
    let snapshot = snapshot(&folder, &[request(&spans)]);
    let root = |id: &str, start, name: &str| (id.to_owned(), start, Some(name.to_owned()));
    let orphan = ("ab10".to_owned(), 20, None);
    assert_eq!(found(&snapshot, "ab", 9), [orphan.clone(), root("ab20", 30, "span 1")]);
    assert_eq!(found(&snapshot, "AB1", 9), std::slice::from_ref(&orphan));
    assert_eq!(found(&snapshot, "a", 2), [orphan, root("ab20", 30, "span 1")]);
    assert_eq!(found(&snapshot, "0", 9), [root("0001", 40, "span 4")]);
    let whole = snapshot.find_by_prefix("ac", 1).unwrap()[0].trace_id.to_string();
    assert_eq!(found(&snapshot, &whole, 9), [root("ac00", 10, "span 3")]);
    assert!(found(&snapshot, "ff", 9).is_empty() && found(&snapshot, "ab", 0).is_empty());
    for bad in ["", "x", &format!("{whole}0")] {
        assert!(matches!(snapshot.find_by_prefix(bad, 9), Err(Error::Id(_))), "{bad}");
    }
}

#[test]
fn a_trace_in_several_blocks_is_found_once() {
    let folder = tempfile::tempdir().unwrap();
    let (split, other) = ([0xab, 0x10], [0xab, 0x20]);
    let parts = [request(&[(split, 2, 1, 10), (other, 3, 0, 5)]), request(&[(split, 1, 0, 20)])];
    let snapshot = snapshot(&folder, &parts);
    let root = |id: &str, start, name: &str| (id.to_owned(), start, Some(name.to_owned()));
    let expected = [root("ab10", 10, "span 1"), root("ab20", 5, "span 3")];
    assert_eq!(found(&snapshot, "ab", 9), expected);
    assert_eq!(found(&snapshot, "ab", 1), expected[..1]);
    // The whole view hides the parts, and has the trace elsewhere.
    let whole = snapshot.whole().unwrap();
    assert_eq!(whole.blocks().len(), 3);
    assert_eq!(found(&whole, "ab", 9), expected);
    assert_eq!(found(&whole, "ab", 1), expected[..1]);
}
