//! Stores that are written to: acknowledged is there, at once and after reopening; one writer, many readers.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "support/numbered.rs"]
mod numbered;

use std::{path::Path, sync::Arc, time::Duration};

use numbered::{numbers, request};
use tracestore::{
    CutPolicy, CutReason, Error, Snapshot, Store, StoreOptions, StoreReader, SyncMode, TraceStore,
    io::{MemoryVfs, Vfs},
};

const SECOND: Duration = Duration::from_secs(1);

fn options() -> StoreOptions {
    let mut options = StoreOptions::default();
    options.background = None;
    options
}

fn in_memory(vfs: &MemoryVfs) -> StoreOptions {
    let mut options = options();
    options.vfs = Arc::new(vfs.clone());
    options
}

fn ingest(store: &TraceStore, requests: std::ops::Range<u64>) {
    for number in requests {
        assert_eq!(store.ingest(request(number)).unwrap().spans, numbered::spans_of(number));
    }
}

fn range(range: std::ops::Range<u64>) -> Vec<u64> {
    range.collect()
}

#[test]
fn live_and_flushed_spans_are_one_answer() {
    let folder = tempfile::tempdir().unwrap();
    let store = TraceStore::open(folder.path().join("a/b/store"), options()).unwrap();
    assert!(store.recovery().is_clean());
    assert_eq!(numbers(&store.snapshot().unwrap()).unwrap(), range(0..0));
    assert_eq!(store.flush().unwrap(), None);
    ingest(&store, 0..10);
    assert_eq!(numbers(&store.snapshot().unwrap()).unwrap(), range(0..10));
    let before = store.snapshot().unwrap();
    assert!(store.flush().unwrap().is_some());
    ingest(&store, 10..20);
    assert_eq!(numbers(&store.snapshot().unwrap()).unwrap(), range(0..20));
    assert_eq!(numbers(&before).unwrap(), range(0..10), "readers keep what they hold");
    let whole = store.snapshot().unwrap().whole().unwrap();
    assert!(
        store
            .snapshot()
            .unwrap()
            .whole_at_hand()
            .is_some_and(|view| Arc::ptr_eq(&view.blocks()[0], &whole.blocks()[0]))
    );
    store.close().unwrap();
    assert_eq!(numbers(&store.snapshot().unwrap()).unwrap(), range(0..20));
    let error = store.ingest(request(20)).unwrap_err();
    assert!(matches!(error, Error::Stopped { .. }) && !error.is_retryable(), "{error}");
    assert!(store.flush().is_err());
    store.close().unwrap();
}

#[test]
fn what_was_acknowledged_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    for (round, sync) in [SyncMode::Full, SyncMode::Off, SyncMode::Interval(SECOND)].into_iter().enumerate() {
        let first = round as u64 * 20;
        let mut options = options();
        options.sync = sync;
        options.segment_bytes = 500;
        let store = TraceStore::open(folder.path(), options).unwrap();
        assert_eq!(store.recovery().requests, if round == 0 { 0 } else { 10 });
        ingest(&store, first..first + 10);
        store.flush().unwrap().unwrap();
        ingest(&store, first + 10..first + 20);
        let clone = store.clone();
        drop(store);
        assert_eq!(clone.live().requests, 10);
    }
    let store = TraceStore::open(folder.path(), options()).unwrap();
    assert_eq!(store.recovery().to_string(), "21 spans in 10 requests were recovered from the log");
    assert_eq!(numbers(&store.snapshot().unwrap()).unwrap(), range(0..60));
    store.close().unwrap();
    drop(store);
    let store = TraceStore::open(folder.path(), options()).unwrap();
    assert!(store.recovery().is_clean());
    assert_eq!(numbers(&store.snapshot().unwrap()).unwrap(), range(0..60));
    assert_eq!(std::fs::read_dir(folder.path().join("wal")).unwrap().count(), 0);
}

#[test]
fn one_writer_and_any_number_of_readers_that_follow() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let store = TraceStore::open(path, options()).unwrap();
    let error = TraceStore::open(path, options()).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    let error = Store::open_or_create(path).unwrap().ingest(["-".into()], &mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    let readers = [StoreReader::open(path).unwrap(), StoreReader::open(path).unwrap()];
    let mut sent = 0;
    for step in 0..8 {
        ingest(&store, sent..sent + 3);
        sent += 3;
        if step % 3 == 2 {
            store.flush().unwrap().unwrap();
        }
        for reader in &readers {
            let before = reader.snapshot().unwrap();
            assert_eq!(numbers(&before).unwrap(), range(0..sent - 3));
            assert!(reader.refresh().unwrap());
            assert!(!reader.refresh().unwrap());
            assert_eq!(numbers(&reader.snapshot().unwrap()).unwrap(), range(0..sent));
            assert_eq!(numbers(&before).unwrap(), range(0..sent - 3));
        }
    }
    assert_eq!(numbers(&Snapshot::open(&[path.to_owned()]).unwrap()).unwrap(), range(0..sent));
    drop(store);
    // Nobody has the store open, and nobody has made blocks of its log.
    assert_eq!(numbers(&Snapshot::open(&[path.to_owned()]).unwrap()).unwrap(), range(0..sent));
    let store = TraceStore::open(path, options()).unwrap();
    ingest(&store, sent..sent + 1);
    assert!(readers[0].refresh().unwrap());
    assert_eq!(numbers(&readers[0].snapshot().unwrap()).unwrap(), range(0..sent + 1));
}

#[test]
fn a_reader_in_the_middle_of_writing_sees_a_prefix() {
    let folder = tempfile::tempdir().unwrap();
    let store = TraceStore::open(folder.path(), options()).unwrap();
    let reader = StoreReader::open(folder.path()).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 0..200 {
                ingest(&store, number..number + 1);
                if number % 40 == 39 {
                    store.flush().unwrap().unwrap();
                }
            }
        });
        let mut last = 0;
        while last < 200 {
            // After an end of the writer, whatever it is, one look is enough.
            let is_done = writer.is_finished();
            reader.refresh().unwrap();
            let found = numbers(&reader.snapshot().unwrap()).unwrap();
            assert_eq!(found, range(0..found.len() as u64));
            assert!(found.len() >= last);
            last = found.len();
            assert!(!is_done || last == 200);
        }
    });
}

#[test]
fn refusals_are_told_and_what_is_no_request_is_not_taken() {
    let vfs = MemoryVfs::default();
    let store = TraceStore::open("store", in_memory(&vfs)).unwrap();
    let mut bad = request(1).to_vec();
    let at = bad.windows(8).position(|window| window == [7; 8]).unwrap();
    bad[at..at + 16].fill(0);
    let pushed = store.ingest(bad.into()).unwrap();
    assert_eq!((pushed.spans, pushed.refusals.total()), (1, 1));
    let error = store.ingest(request(2).slice(..20)).unwrap_err();
    assert!(error.is_bad_input() && error.to_string().starts_with("request: byte "), "{error}");
    assert_eq!(store.ingest(bytes::Bytes::new()).unwrap().spans, 0);
    assert_eq!(store.live().requests, 1);
    assert_eq!(store.snapshot().unwrap().blocks()[0].spans(), 1);
}

#[test]
fn live_data_is_bounded_and_the_error_says_try_again() {
    let vfs = MemoryVfs::default();
    let mut options = in_memory(&vfs);
    options.memory_budget = 1000;
    let store = TraceStore::open("store", options).unwrap();
    let mut sent = 0;
    let error = loop {
        match store.ingest(request(sent)) {
            Ok(_) => sent += 1,
            Err(error) => break error,
        }
    };
    assert!(error.is_retryable() && matches!(error, Error::Overloaded { .. }), "{error}");
    assert!(sent > 2 && store.live().bytes <= 1000);
    store.flush().unwrap().unwrap();
    ingest(&store, sent..sent + 1);
    assert_eq!(numbers(&store.snapshot().unwrap()).unwrap(), range(0..sent + 1));
    let huge = [&request(99)[..], &request(98), &request(97), &request(96), &request(95), &request(94)].concat();
    let error = store.ingest([&huge[..], &huge].concat().into()).unwrap_err();
    assert!(error.is_limit() && !error.is_retryable(), "{error}");
}

#[test]
fn a_step_cuts_a_block_when_it_is_due() {
    let vfs = MemoryVfs::default();
    let mut options = in_memory(&vfs);
    options.sync = SyncMode::Interval(Duration::ZERO);
    options.cut = CutPolicy { bytes: 600, age: SECOND * 3600, idle: SECOND * 3600 };
    let store = TraceStore::open("store", options.clone()).unwrap();
    assert_eq!(store.step().unwrap(), None);
    ingest(&store, 0..1);
    assert_eq!(store.step().unwrap(), None);
    ingest(&store, 1..10);
    assert_eq!(store.step().unwrap(), Some(CutReason::Bytes));
    assert_eq!((store.live().requests, store.snapshot().unwrap().blocks().len()), (0, 1));
    drop(store);
    options.cut.idle = Duration::ZERO;
    let store = TraceStore::open("store", options).unwrap();
    ingest(&store, 10..11);
    assert_eq!(store.step().unwrap(), Some(CutReason::Idle));
}

#[test]
fn the_thread_of_a_store_cuts_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = StoreOptions::default();
    options.cut.bytes = 1;
    let store = TraceStore::open(folder.path(), options).unwrap();
    ingest(&store, 0..5);
    while store.live().requests > 0 {
        std::thread::yield_now();
    }
    assert_eq!(store.trouble(), None);
    assert_eq!(numbers(&store.snapshot().unwrap()).unwrap(), range(0..5));
}

#[test]
fn producers_in_many_threads_and_flushes_between_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options();
    options.segment_bytes = 4000;
    let store = TraceStore::open(folder.path(), options.clone()).unwrap();
    std::thread::scope(|scope| {
        for producer in 0..4 {
            let store = store.clone();
            scope.spawn(move || {
                (0..50).for_each(|number| ingest(&store, producer * 50 + number..producer * 50 + number + 1))
            });
        }
        for _ in 0..5 {
            store.flush().unwrap();
            numbers(&store.snapshot().unwrap()).unwrap();
        }
    });
    assert_eq!(numbers(&store.snapshot().unwrap()).unwrap(), range(0..200));
    drop(store);
    let store = TraceStore::open(folder.path(), options).unwrap();
    assert_eq!(numbers(&store.snapshot().unwrap()).unwrap(), range(0..200));
}

#[test]
fn a_folder_of_blocks_without_a_catalog_is_read_and_grows() {
    let folder = tempfile::tempdir().unwrap();
    let (path, file) = (folder.path().join("store"), folder.path().join("a.otlp"));
    std::fs::write(&file, request(0)).unwrap();
    Store::open_or_create(&path).unwrap().ingest([file], &mut |_| {}).unwrap();
    std::fs::remove_dir_all(path.join("catalog")).unwrap();
    let blocks = path.join("blocks");
    let block = std::fs::read_dir(&blocks).unwrap().next().unwrap().unwrap().path();
    // As people copy blocks.
    std::fs::rename(block, blocks.join("mine")).unwrap();
    let paths = [path.clone()];
    assert_eq!(numbers(&Snapshot::open(&paths).unwrap()).unwrap(), [0]);
    assert!(!path.join("catalog").exists(), "reading changes nothing");
    let store = TraceStore::open(&path, options()).unwrap();
    ingest(&store, 1..2);
    store.close().unwrap();
    assert_eq!(numbers(&Snapshot::open(&paths).unwrap()).unwrap(), [0, 1]);
    // With a catalog, a folder that it does not name is none of the store.
    std::fs::create_dir(blocks.join("other")).unwrap();
    for entry in std::fs::read_dir(blocks.join("mine")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), blocks.join("other").join(entry.file_name())).unwrap();
    }
    assert_eq!(numbers(&Snapshot::open(&paths).unwrap()).unwrap(), [0, 1]);
    std::fs::remove_file(blocks.join("mine").join("meta.json")).unwrap();
    let error = Snapshot::open(&paths).unwrap_err();
    assert!(error.is_corruption() && error.to_string().contains("mine"), "{error}");
}

#[test]
fn orphans_go_after_their_time() {
    let folder = tempfile::tempdir().unwrap();
    let orphan = folder.path().join("blocks/0199f7c2-0000-7000-8000-000000000001");
    let store = TraceStore::open(folder.path(), options()).unwrap();
    store.close().unwrap();
    drop(store);
    std::fs::create_dir(&orphan).unwrap();
    std::fs::write(orphan.join("spans.parquet"), "half").unwrap();
    let mut patient = options();
    patient.orphan_grace = SECOND * 3600 * 24 * 365 * 1000;
    drop(TraceStore::open(folder.path(), patient).unwrap());
    assert!(orphan.exists());
    drop(TraceStore::open(folder.path(), options()).unwrap());
    assert!(!orphan.exists());
}

#[test]
fn a_folder_that_is_no_store_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("letter.txt"), "dear").unwrap();
    assert!(TraceStore::open(folder.path(), options()).unwrap_err().is_not_found());
    assert!(StoreReader::open(folder.path()).unwrap_err().is_not_found());
    assert!(StoreReader::open(folder.path().join("nothing")).unwrap_err().is_not_found());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// The only file of a folder.
fn only_file(vfs: &MemoryVfs, dir: &str) -> std::path::PathBuf {
    let names = vfs.list(Path::new(dir)).unwrap();
    assert_eq!(names.len(), 1, "{names:?}");
    Path::new(dir).join(&names[0])
}

#[test]
fn a_damaged_log_is_recovered_around_the_damage_and_kept() {
    let vfs = MemoryVfs::default();
    let store = TraceStore::open("store", in_memory(&vfs)).unwrap();
    ingest(&store, 0..5);
    drop(store);
    let segment = only_file(&vfs, "store/wal");
    let content = vfs.read(&segment).unwrap();
    let mut damaged = content.to_vec();
    let third = content.windows(4).enumerate().filter(|(_, window)| window == b"REC1").nth(2).unwrap().0;
    damaged[third + 60] ^= 1;
    vfs.put(&segment, damaged.clone().into());
    let error = StoreReader::open_on(Arc::new(vfs.clone()), Path::new("store")).unwrap_err();
    assert!(error.is_corruption() && error.to_string().starts_with(&segment.display().to_string()), "{error}");
    let store = TraceStore::open("store", in_memory(&vfs)).unwrap();
    assert_eq!(numbers(&store.snapshot().unwrap()).unwrap(), [0, 1, 3, 4]);
    let text = store.recovery().to_string();
    assert!(text.contains(&format!("damaged at byte {third}: 1 record that was synced is missing")), "{text}");
    assert_eq!(store.recovery().quarantined, [only_file(&vfs, "store/quarantine")]);
    assert_eq!(vfs.read(&store.recovery().quarantined[0]).unwrap(), damaged);
    ingest(&store, 5..6);
    drop(store);
    let store = TraceStore::open("store", in_memory(&vfs)).unwrap();
    assert!(store.recovery().damage.is_empty());
    assert_eq!(numbers(&store.snapshot().unwrap()).unwrap(), [0, 1, 3, 4, 5]);
}

/// A file with other content; what is next to it stays.
fn damaged_copies(content: &[u8]) -> impl Iterator<Item = (String, Vec<u8>)> {
    let flipped = (0..content.len()).map(|at| {
        let mut damaged = content.to_vec();
        damaged[at] ^= 1 << (at % 8);
        (format!("byte {at} flipped"), damaged)
    });
    flipped.chain((0..content.len()).map(|len| (format!("cut to {len} bytes"), content[..len].to_vec())))
}

fn copy_of(vfs: &MemoryVfs, folder: &Path, copy: &MemoryVfs) {
    for name in vfs.list(folder).unwrap() {
        let path = folder.join(name);
        match vfs.size(&path).unwrap() {
            Some(_) => copy.put(&path, vfs.read(&path).unwrap()),
            None => copy_of(vfs, &path, copy),
        }
    }
}

#[test]
fn any_damage_to_log_or_catalog_is_named_or_harmless() {
    let vfs = MemoryVfs::default();
    let store = TraceStore::open("store", in_memory(&vfs)).unwrap();
    ingest(&store, 0..1);
    store.flush().unwrap().unwrap();
    ingest(&store, 1..3);
    drop(store);
    let log = only_file(&vfs, "store/wal");
    let newest = Path::new("store/catalog").join(vfs.list(Path::new("store/catalog")).unwrap().pop().unwrap());
    for path in [log, newest] {
        for (what, damaged) in damaged_copies(&vfs.read(&path).unwrap()) {
            let copy = MemoryVfs::default();
            copy_of(&vfs, Path::new("store"), &copy);
            copy.put(&path, damaged.into());
            let reader = StoreReader::open_on(Arc::new(copy.clone()), Path::new("store"));
            let store = match TraceStore::open("store", in_memory(&copy)) {
                Ok(store) => store,
                Err(error) => {
                    assert!(error.to_string().starts_with(&path.display().to_string()), "{what}: {error}");
                    assert!(reader.is_err());
                    continue;
                }
            };
            let found = numbers(&store.snapshot().unwrap()).unwrap();
            assert!(found.starts_with(&[0]) && found.iter().all(|number| *number < 3), "{what}: {found:?}");
            let recovery = store.recovery();
            let is_told = recovery.torn_bytes > 0 || !recovery.damage.is_empty();
            // A cut between two records, or of the whole file, cannot be told from a crash.
            assert!(found == [0, 1, 2] || is_told || what.starts_with("cut to"), "{what}: {found:?}");
            match reader {
                Ok(reader) => assert_eq!(numbers(&reader.snapshot().unwrap()).unwrap(), found, "{what}"),
                Err(error) => assert!(error.is_corruption() && !recovery.damage.is_empty(), "{what}: {error}"),
            }
        }
    }
}
