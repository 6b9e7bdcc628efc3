//! Stores on an object store: what is fetched and kept, what is refused, and what a store is there.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "support/numbered.rs"]
mod numbered;
#[path = "support/watched_store.rs"]
mod watched_store;

use std::{io::Write, path::Path, sync::Arc};

use futures::TryStreamExt;
use numbered::{numbers, request};
use object_store::{ObjectStore, ObjectStoreExt};
use tracestore::{
    Error, StoreOptions, StoreReader, TraceStore,
    io::{ObjectVfs, Vfs},
    model::TraceId,
};
use watched_store::Watched;

const STORE: &str = "mem://bucket/some/prefix";
const MIB: u64 = 1 << 20;

fn vfs(objects: &Arc<Watched>, cache: u64) -> ObjectVfs {
    ObjectVfs::with_cache(Arc::clone(objects) as Arc<dyn ObjectStore>, STORE, "some/prefix", cache).unwrap()
}

fn options(vfs: &ObjectVfs, log: Option<&Path>) -> StoreOptions {
    let mut options = StoreOptions::default();
    options.background = None;
    options.vfs = Arc::new(vfs.clone());
    options.log = log.map(Path::to_owned);
    options
}

/// Bytes that differ from place to place.
fn content(len: u64) -> Vec<u8> {
    (0..len).map(|place| (place ^ (place >> 8) ^ (place >> 16)) as u8).collect()
}

fn write(vfs: &dyn Vfs, path: &Path, content: &[u8]) {
    let mut file = vfs.create(path).unwrap();
    // As block files are written: in pieces of any size.
    content.chunks(1_300_000).for_each(|piece| file.write_all(piece).unwrap());
    file.sync().unwrap();
}

#[tokio::test]
async fn what_is_written_is_read_from_any_thread() {
    let objects = Arc::new(Watched::default());
    let (vfs, folder) = (vfs(&objects, 0), Path::new(STORE).join("blocks/a"));
    let (small, large) = (content(1_000), content(20 * MIB));
    // This is a thread of a runtime, which must not wait for futures.
    write(&vfs, &folder.join("small"), &small);
    write(&vfs, &folder.join("large"), &large);
    vfs.write_whole(&folder.join("meta.json"), b"{}").unwrap();
    assert_eq!(objects.uploads(), 1, "in parts only what is large");
    let read = |name: &str| vfs.read(&folder.join(name)).unwrap();
    rayon::scope(|scope| scope.spawn(|_| assert_eq!(read("small"), small)));
    assert!(read("large") == large);
    assert_eq!(vfs.list(&folder).unwrap(), ["large", "meta.json", "small"].map(Path::new));
    assert_eq!(vfs.sizes(&folder, &["small", "none", "large"]).unwrap(), [Some(1_000), None, Some(20 * MIB)]);
    assert_eq!(vfs.size(&folder.join("none")).unwrap(), None);
    assert!(vfs.read(&folder.join("none")).unwrap_err().is_not_found());
    let keys: Vec<_> =
        objects.objects.list(None).map_ok(|object| object.location.to_string()).try_collect().await.unwrap();
    assert!(keys.iter().all(|key| key.starts_with("some/prefix/blocks/a/")), "{keys:?}");

    // An upload that is given up is no object.
    let mut file = vfs.create(&folder.join("given up")).unwrap();
    file.write_all(&large).unwrap();
    drop(file);
    assert_eq!(vfs.size(&folder.join("given up")).unwrap(), None);
    vfs.remove(&folder).unwrap();
    vfs.remove(&folder).unwrap();
    assert!(vfs.list(&folder).unwrap().is_empty());
    let error = vfs.read(Path::new("/elsewhere")).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error}");
}

#[test]
fn pieces_are_fetched_once_near_ones_together_and_small_files_as_a_whole() {
    let objects = Arc::new(Watched::default());
    let (vfs, path) = (vfs(&objects, 16 * MIB), Path::new(STORE).join("file"));
    let bytes = content(9 * MIB);
    write(&vfs, &path, &bytes);
    let file = vfs.open(&path, 9 * MIB).unwrap();
    let read = |range: std::ops::Range<u64>| {
        let read = file.read(range.clone()).unwrap();
        assert!(read == bytes[range.start as usize..range.end as usize]);
        objects.gets()
    };
    assert_eq!(objects.gets(), 0);
    assert_eq!((read(10..1_000), read(10..1_000), read(5..5)), (1, 0, 0));
    // The first two are near each other, the third is known, the last is far away.
    let ranges = [2_000..3_000, 9_000..100_000, 10..1_000, 8 * MIB..8 * MIB + 7];
    file.prefetch(&ranges);
    assert_eq!(objects.gets(), 2);
    assert!(ranges.into_iter().all(|range| read(range) == 0));
    assert!(file.read(0..9 * MIB + 1).unwrap_err().is_corruption());

    write(&vfs, &path.with_extension("small"), &bytes[..1_000]);
    let small = vfs.open(&path.with_extension("small"), 1_000).unwrap();
    assert!(small.read(10..20).unwrap() == bytes[10..20] && small.read(900..1_000).unwrap() == bytes[900..1_000]);
    assert_eq!(objects.gets(), 1);
    let other_size = vfs.open(&path.with_extension("small"), 999).unwrap();
    assert!(other_size.read(0..9).unwrap_err().is_corruption());
}

#[test]
fn the_cache_keeps_its_budget() {
    let objects = Arc::new(Watched::default());
    let (vfs, path) = (vfs(&objects, 4 * MIB), Path::new(STORE).join("file"));
    write(&vfs, &path, &content(32 * MIB));
    let file = vfs.open(&path, 32 * MIB).unwrap();
    let read_all = || (0..320).for_each(|piece| drop(file.read(piece * 100_000..(piece + 1) * 100_000).unwrap()));
    read_all();
    assert_eq!(objects.gets(), 320);
    read_all();
    let again = objects.gets();
    assert!(again >= 320 - 4 * MIB / 100_000, "{again} of 320 were fetched again: more was kept than allowed");
}

#[test]
fn a_store_is_the_same_for_all_who_have_it_open() {
    let (objects, folder) = (Arc::new(Watched::default()), tempfile::tempdir().unwrap());
    let vfs = || vfs(&objects, MIB);
    let open = |name: &str| TraceStore::open(STORE, options(&vfs(), Some(&folder.path().join(name)))).unwrap();
    let (first, second) = (open("first"), open("second"));
    for number in 0..10 {
        first.ingest(request(number)).unwrap();
        second.ingest(request(100 + number)).unwrap();
    }
    first.flush().unwrap().unwrap();
    let reader = StoreReader::open_on(Arc::new(vfs()), Path::new(STORE)).unwrap();
    assert_eq!(numbers(&reader.snapshot().unwrap()).unwrap(), (0..10).collect::<Vec<_>>());
    second.flush().unwrap().unwrap();
    assert!(reader.refresh().unwrap());
    assert!(!reader.refresh().unwrap());
    let all: Vec<u64> = (0..10).chain(100..110).collect();
    assert_eq!(numbers(&reader.snapshot().unwrap()).unwrap(), all);
    assert_eq!(numbers(&second.snapshot().unwrap()).unwrap(), all);

    // What is in no block is in its writer's log, and found there by the next.
    first.ingest(request(10)).unwrap();
    let error = TraceStore::open(STORE, options(&vfs(), Some(&folder.path().join("first")))).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    drop(first);
    let first = open("first");
    assert_eq!(first.recovery().requests, 1);
    assert_eq!(numbers(&first.snapshot().unwrap()).unwrap().len(), 21);
    let id = TraceId::from_bytes([[7; 8], [0; 8]].concat().try_into().unwrap());
    assert!(first.snapshot().unwrap().find_trace(&id).unwrap().is_some());
}

#[test]
fn places_where_a_store_would_not_be_safe_are_refused() {
    let (objects, folder) = (Arc::new(Watched::default()), tempfile::tempdir().unwrap());
    let without_log = TraceStore::open(STORE, options(&vfs(&objects, MIB), None)).unwrap();
    let error = without_log.ingest(request(1)).unwrap_err().to_string();
    let expected = "mem://bucket/some/prefix: the store takes no more writes until it is opened again: it has no log, \
                    which cannot be on an object store (see StoreOptions::log)";
    assert_eq!(error, expected);
    without_log.close().unwrap();
    let careless = Arc::new(Watched::careless());
    let error = TraceStore::open(STORE, options(&vfs(&careless, MIB), Some(folder.path()))).unwrap_err().to_string();
    let expected = "write to mem://bucket/some/prefix/catalog/probe: the object store overwrites what it is told not to \
                    (If-None-Match is not respected): several writers would lose each other's blocks";
    assert_eq!(error, expected);
}

#[test]
fn damage_names_the_object() {
    let (objects, folder) = (Arc::new(Watched::default()), tempfile::tempdir().unwrap());
    let store = TraceStore::open(STORE, options(&vfs(&objects, MIB), Some(folder.path()))).unwrap();
    store.ingest(request(1)).unwrap();
    let id = store.flush().unwrap().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let key = object_store::path::Path::from(format!("some/prefix/blocks/{id}/spans.parquet"));
    let mut bytes = runtime.block_on(async { objects.get(&key).await.unwrap().bytes().await.unwrap() }).to_vec();
    let place = bytes.len() / 3;
    bytes[place] ^= 1;
    runtime.block_on(objects.objects.put(&key, bytes.into())).unwrap();
    let reader = StoreReader::open_on(Arc::new(vfs(&objects, MIB)), Path::new(STORE)).unwrap();
    let error = numbers(&reader.snapshot().unwrap()).unwrap_err();
    let path = format!("{STORE}/blocks/{id}/spans.parquet: corrupt at byte ");
    assert!(error.starts_with(&path), "{error}");
}
