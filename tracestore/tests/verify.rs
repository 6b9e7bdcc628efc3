//! What was written is sound; every damaged byte is named with its file; and rules that no checksum covers are checked.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "support/forged.rs"]
mod forged;
#[path = "support/numbered.rs"]
mod numbered;
mod support;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use forged::{Original, small_block};
use numbered::{deletion, request};
use proptest::prelude::*;
use prost::Message;
use tracestore::{
    StoreOptions, TraceStore, VerifyReport,
    block::BlockBuilder,
    io::{MemoryVfs, Vfs},
    model::BlockId,
    verify_on,
};

const DIR: &str = "block";

fn verify(vfs: &MemoryVfs, path: &str) -> VerifyReport {
    verify_on(Arc::new(vfs.clone()), Path::new(path)).unwrap()
}

fn in_memory(vfs: &MemoryVfs) -> StoreOptions {
    let mut options = StoreOptions::default();
    options.background = None;
    options.segment_bytes = 400;
    options.vfs = Arc::new(vfs.clone());
    options
}

/// A store with two blocks, one with deleted rows, four versions, and a log of two segments.
fn store() -> MemoryVfs {
    let vfs = MemoryVfs::default();
    let store = TraceStore::open("store", in_memory(&vfs)).unwrap();
    for number in 0..9 {
        store.ingest(request(number)).unwrap();
        if number % 3 == 2 && number < 6 {
            store.flush().unwrap().unwrap();
        }
        if number == 5 {
            store.delete(&deletion(1)).unwrap();
        }
    }
    vfs
}

/// All files below a folder.
fn files(vfs: &MemoryVfs, dir: &Path) -> Vec<PathBuf> {
    let paths = vfs.list(dir).unwrap().into_iter().map(|name| dir.join(name));
    paths.flat_map(|path| if vfs.size(&path).unwrap().is_some() { vec![path] } else { files(vfs, &path) }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn what_is_written_is_sound(requests in prop::collection::vec(support::request(), 1..3)) {
        let (vfs, mut builder) = (MemoryVfs::default(), BlockBuilder::new());
        for request in requests {
            builder.push(&request.encode_to_vec().into()).unwrap();
        }
        builder.finish(&vfs, Path::new(DIR), BlockId::generate()).unwrap();
        let report = verify(&vfs, DIR);
        prop_assert!(report.is_sound(), "{:?}", report.damage);
    }
}

#[test]
fn a_catalog_that_says_too_much_of_its_blocks_is_damage() {
    let vfs = MemoryVfs::default();
    let store = TraceStore::open("store", in_memory(&vfs)).unwrap();
    // Both have spans of trace 2.
    for number in 1..3 {
        store.ingest(request(number)).unwrap();
        store.flush().unwrap().unwrap();
    }
    drop(store);
    let path = files(&vfs, Path::new("store/catalog")).into_iter().max().unwrap();
    let text = String::from_utf8(vfs.read(&path).unwrap().to_vec()).unwrap();
    let (_, catalog) = text.split_once("\"catalog\":").unwrap();
    let catalog = catalog.strip_suffix('}').unwrap().replace("\"level\":0", "\"level\":0,\"gathered\":true");
    let checksum = xxhash_rust::xxh3::xxh3_64(catalog.as_bytes());
    vfs.put(&path, format!("{{\"checksum\":\"{checksum:016x}\",\"catalog\":{catalog}}}").into());
    let report = verify(&vfs, "store");
    assert_eq!(report.damage.len(), 1, "{:?}", report.damage);
    assert_eq!(report.damage[0].path, path);
    assert!(report.damage[0].reason.ends_with("lies in several blocks that are said to share none"));
}

#[test]
fn a_store_is_looked_at_as_a_whole() {
    let vfs = store();
    let report = verify(&vfs, "store");
    assert!(report.is_sound(), "{:?}", report.damage);
    assert_eq!((report.blocks, report.requests, report.torn_bytes), (2, 3, 0));
    assert_eq!(report.files, files(&vfs, Path::new("store")).len() as u64);
    assert!(verify_on(Arc::new(vfs.clone()), Path::new("store/wal")).unwrap_err().is_not_found());
    let block = vfs.list(Path::new("store/blocks")).unwrap().remove(0);
    assert_eq!(verify(&vfs, Path::new("store/blocks").join(block).to_str().unwrap()).blocks, 1);
}

#[test]
fn every_damaged_byte_is_named_with_its_file() {
    let vfs = store();
    let mut log_end = 0;
    for path in files(&vfs, Path::new("store")) {
        let content = vfs.read(&path).unwrap();
        for at in (0..content.len()).step_by(37) {
            let mut damaged = content.to_vec();
            damaged[at] ^= 1;
            vfs.put(&path, damaged.into());
            let report = verify(&vfs, "store");
            // Nobody says of the last record that it was synced: it is a torn write.
            log_end += usize::from(report.torn_bytes > 0);
            let is_named = report.damage.iter().any(|damage| damage.path == path);
            assert!(is_named || report.torn_bytes > 0, "{} byte {at}: {report:?}", path.display());
        }
        vfs.put(&path, content.slice(..content.len() - 1));
        let report = verify(&vfs, "store");
        assert!(!report.is_sound() || report.torn_bytes > 0, "{} cut short: {report:?}", path.display());
        vfs.remove(&path).unwrap();
        // Old versions, and the end of the log, are not missed.
        let may_go = path.starts_with("store/wal") || path.starts_with("store/catalog");
        assert!(may_go || !verify(&vfs, "store").is_sound(), "{} removed", path.display());
        vfs.put(&path, content);
    }
    assert!(log_end < 100, "{log_end}");
}

#[test]
fn rules_are_checked_where_checksums_fit() {
    let original = || Original::read(&small_block(Path::new(DIR)), Path::new(DIR));
    let rewritten = original().with_number("spans.parquet", "kind", 0, |kind| kind);
    assert_eq!(verify(&rewritten.forge(|_, _| {}), DIR).damage, []);
    let mut unseen = Vec::new();
    for (file, column, row, add, rule) in [
        (
            "traces.parquet",
            "start",
            1,
            -100,
            "trace 1 (03030303030303030303030303030303) is not where its start and id",
        ),
        ("traces.parquet", "duration", 2, 900, "row group 0 has other times than meta.json says"),
        ("traces.parquet", "duration", 0, -1, "trace 0 has other spans, errors or times"),
        ("traces.parquet", "spans", 1, 1, "the services of trace 1 have (13, 13) spans and errors, not (14, 13)"),
        ("traces.parquet", "errors", 1, -1, "the services of trace 1"),
        ("traces.parquet", "first_row", 1, 1, "the rows of trace 1 do not follow those of the trace before"),
        ("traces.parquet", "rows", 1, 1, "the rows of trace 2 do not follow those of the trace before"),
        ("traces.parquet", "by_id", 1, 1, "`by_id` has trace"),
        ("spans.parquet", "start_time", 0, 20_000_000_000, "row 0 has a wrong `start15`"),
        ("spans.parquet", "resource", 7, 1, "row 7 has a wrong `start15`, or no resource or scope"),
        ("spans.parquet", "scope", 7, 1, "row 7 has a wrong `start15`, or no resource or scope"),
        ("spans.parquet", "trace", 12, 1, "the rows of trace 0 are not in their row group"),
        ("spans.parquet", "status_code", 0, 1, "trace 0 has other spans, errors or times"),
        ("spans.parquet", "duration", 38, 1_000, "trace 2 has other spans, errors or times"),
        ("spans.parquet", "parent_offset", 2, -1, "row 2 of trace 0 is not where its tree puts it"),
        ("spans.parquet", "descendants", 0, 20, "row 0 of trace 0 is not where its tree puts it"),
        ("spans.parquet", "descendants", 11, -1, "row 12 of trace 0 is not where its tree puts it"),
        ("spans.parquet", "row_flags", 0, -1, "row 0 of trace 0 is not where its tree puts it"),
        ("spans.parquet", "row_flags", 5, -4, "row 5 of trace 0 is not where its tree puts it"),
        ("spans.parquet", "row_flags", 12, 2, "trace 0 has copies of spans in its tree"),
        ("events.parquet", "span", 3, 9, "the rows of row group 0 are not in order of its spans"),
        ("links.parquet", "span", 38, 9, "the rows of row group 0 are not in order of its spans"),
        ("links.parquet", "trace", 0, 9, "link 0 points to no trace"),
        ("keys.parquet", "count", 0, 1, "`service.name` has 1 values in row group -1, not 2"),
        ("keys.parquet", "first_row", 0, 1, "do not follow those of the key before"),
    ] {
        let forged = original().with_number(file, column, row, |number| number + add).forge(|_, _| {});
        let damage = verify(&forged, DIR).damage;
        if !damage.iter().any(|damage| damage.reason.contains(rule)) {
            unseen.push(format!("{file} {column} {row}: {damage:?}"));
        }
    }
    assert!(unseen.is_empty(), "{unseen:#?}");
    let forged = original().forge(|name, content| {
        if name == "traces.bloom" {
            content[20..44].fill(0);
        }
    });
    assert!(verify(&forged, DIR).damage[0].to_string().contains("traces.bloom: damaged at byte 0: the trace 0"));
}
