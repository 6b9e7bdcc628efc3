//! `traceql compact`: the recording in several blocks becomes one, with the same answers.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::process::{Command, Output, Stdio};

use tracestore::{Snapshot, StoreOptions, TraceStore};

const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/otlp/shop.otlp.zst");

fn traceql(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_traceql")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn spans(store: &str) -> Vec<u64> {
    let snapshot = Snapshot::open(&[store.into()]).unwrap();
    snapshot.blocks().iter().map(|block| block.spans()).collect()
}

#[test]
fn a_recording_that_was_ingested_twice_becomes_one_block_without_copies() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store").to_str().unwrap().to_owned();
    for _ in 0..2 {
        assert!(traceql(&["ingest", "--store", &store, SHOP]).status.success());
    }
    let ask =
        || traceql(&["query", "--limit", "1000", "-o", "json", "{ status = error } | count() > 1", &store]).stdout;
    let (once, before) = (spans(&store)[0], ask());
    assert_eq!(spans(&store), [once, once]);

    // The recording is old, its blocks are new: they wait for more of its hour.
    let early = traceql(&["compact", &store]);
    assert_eq!((early.status.code(), stderr(&early).as_str()), (Some(0), "nothing to merge\n"));
    let merged = traceql(&["compact", "--all", &store]);
    assert_eq!(merged.status.code(), Some(0), "{}", stderr(&merged));
    let expected =
        format!("2 blocks became 1: {} spans became {once} ({once} copies and 0 deleted ones left out), ", 2 * once);
    assert!(stderr(&merged).starts_with(&expected), "{}", stderr(&merged));
    assert_eq!(spans(&store), [once]);
    assert_eq!(ask(), before);
}

#[test]
fn a_store_that_somebody_writes_to_and_a_folder_that_is_none_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store").to_str().unwrap().to_owned();
    assert_eq!(traceql(&["compact", &store]).status.code(), Some(5));
    assert!(!folder.path().join("store").exists());
    let mut options = StoreOptions::default();
    options.background = None;
    let _writer = TraceStore::open(&store, options).unwrap();
    let locked = traceql(&["compact", &store]);
    assert_ne!(locked.status.code(), Some(0));
    assert!(stderr(&locked).contains("is open for writing elsewhere"), "{}", stderr(&locked));
}
