//! A crash at every operation of runs that ingest, flush, merge, delete and apply retention: nothing acknowledged is lost,
//! nothing is invented, nothing is there twice, what was deleted stays away, and no crash looks like damage. Then failures instead of crashes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "support/crash_vfs.rs"]
mod crash_vfs;
#[path = "support/numbered.rs"]
mod numbered;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::ErrorKind,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use crash_vfs::{CrashVfs, Entry, Failure, Files, Random, Survives};
use numbered::{count_block, deletion, numbers, request, whole_requests, without_the_oldest};
use tracestore::{Snapshot, StoreOptions, StoreReader, SyncMode, TimeWindows, TraceStore, io::Vfs};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// How many different runs. With `TRACESTORE_CRASH_RUNS` more: a soak.
const RUNS: u64 = 5;
/// How many random remains there are of each crash, beside what was synced and all.
const REMAINS: u64 = 6;

fn options(vfs: &CrashVfs) -> StoreOptions {
    let mut options = StoreOptions::default();
    options.vfs = Arc::new(vfs.clone());
    options.background = None;
    options.segment_bytes = 700;
    options
}

/// A run of a store that is opened several times, never closed well but once. Errors are taken as they come.
fn run(vfs: &CrashVfs, seed: u64, sync: SyncMode) {
    let mut random = Random(seed);
    let mut number = 0;
    for session in 0..3 {
        let mut options = options(vfs);
        options.sync = sync;
        if session == 2 {
            options.orphan_grace = std::time::Duration::ZERO;
        }
        vfs.note(Entry::Doing("open"));
        let Ok(store) = TraceStore::open("store", options) else { continue };
        for _ in 0..2 {
            vfs.note(Entry::Doing("ingest"));
            for _ in 0..1 + random.below(7) {
                vfs.note(Entry::Sent(number));
                if store.ingest(request(number)).is_ok() {
                    vfs.note(Entry::Acknowledged(number));
                }
                number += 1;
            }
            if random.below(3) > 0 {
                vfs.note(Entry::Doing("flush"));
                drop(store.flush());
            }
            if random.below(2) > 0 {
                vfs.note(Entry::Doing("merge"));
                // Into one block, or into several.
                let max_spans = if random.below(3) > 0 { 1000 } else { 3 };
                drop(store.compact(Some(&TimeWindows { max_spans, ..TimeWindows::default().at_once() })));
            }
            match random.below(4) {
                0 | 1 => delete(vfs, &store, random.below(number as usize) as u64),
                2 => retain(vfs, &store),
                _ => {}
            }
        }
        if session == 1 {
            vfs.note(Entry::Doing("close"));
            drop(store.close());
        }
    }
}

/// Deletes a request.
fn delete(vfs: &CrashVfs, store: &TraceStore, number: u64) {
    vfs.note(Entry::Doing("delete"));
    vfs.note(Entry::Deleting(vec![number]));
    if store.delete(&deletion(number)).is_ok() {
        vfs.note(Entry::Deleted(vec![number]));
    }
}

/// Drops the oldest block.
fn retain(vfs: &CrashVfs, store: &TraceStore) {
    let Ok(Some((policy, numbers))) = store.snapshot().map(|snapshot| without_the_oldest(&snapshot)) else { return };
    vfs.note(Entry::Doing("retention"));
    vfs.note(Entry::Deleting(numbers.clone()));
    if store.retain(&policy, std::time::SystemTime::now()).is_ok() {
        vfs.note(Entry::Deleted(numbers));
    }
}

/// What was sent and what was acknowledged in the first entries of a journal.
fn oracle(journal: &[Entry]) -> (BTreeSet<u64>, BTreeSet<u64>) {
    let sent = journal.iter().filter_map(|entry| if let Entry::Sent(number) = entry { Some(*number) } else { None });
    let acknowledged =
        journal.iter().filter_map(|entry| if let Entry::Acknowledged(number) = entry { Some(*number) } else { None });
    (sent.collect(), acknowledged.collect())
}

/// What was found out already in a run: many crashes leave the same.
#[derive(Default)]
struct Known {
    /// The numbers on a disk, by a hash of all of it: the disks themselves would fill the memory.
    disks: Mutex<HashMap<u128, Vec<u64>>>,
    /// The numbers in a block, by hashes of its files.
    blocks: Mutex<BTreeMap<Vec<u64>, BTreeMap<u64, u64>>>,
}

impl Known {
    /// [`recover`] on a disk that nobody has seen before.
    fn recover(&self, files: Files, seed: u64) -> Vec<u64> {
        let content = files.iter().flat_map(|(name, content)| {
            let name = name.to_str().unwrap().as_bytes();
            [xxh3_64(name), content.len() as u64, xxh3_64(content)]
        });
        let hash = xxh3_128(&content.flat_map(u64::to_le_bytes).collect::<Vec<u8>>());
        if let Some(found) = self.disks.lock().unwrap().get(&hash) {
            return found.clone();
        }
        let found = recover(self, files, seed);
        self.disks.lock().unwrap().insert(hash, found.clone());
        found
    }

    /// The numbers of the requests that a view holds.
    fn numbers(&self, vfs: &CrashVfs, snapshot: &Snapshot) -> Result<Vec<u64>, String> {
        let count = |block: &Arc<tracestore::block::Block>| {
            if block.deleted_spans() > 0 {
                return Ok(count_block(block)?.0);
            }
            let mut names = vfs.list(block.path()).map_err(|error| error.to_string())?;
            // It has the block's id, and was checked when the block was opened.
            names.retain(|name| !name.ends_with("meta.json"));
            let hash = |name| vfs.read(&block.path().join(name)).map(|content| xxh3_64(&content));
            let hashes =
                names.into_iter().map(hash).collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
            if let Some(count) = self.blocks.lock().unwrap().get(&hashes) {
                return Ok(count.clone());
            }
            let (count, _) = count_block(block)?;
            self.blocks.lock().unwrap().insert(hashes, count.clone());
            Ok(count)
        };
        whole_requests(snapshot.blocks().iter().map(count).collect::<Result<Vec<_>, String>>()?)
    }
}

/// Does some work for every number below `count`, on all cores. Not on rayon's threads: these take up other work while they
/// wait for what a store gives them, and would pile up disks.
fn for_each(count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(number) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < count) {
                    work(number);
                }
            });
        }
    });
}

/// Opens a store on what a crash has left, and crashes while it is opened, a few times; gives what is found at last.
fn recover(known: &Known, files: Files, seed: u64) -> Vec<u64> {
    let mut random = Random(seed);
    let mut files = files;
    let mut found: Option<Vec<u64>> = None;
    for round in 0..=random.below(2) {
        let vfs = CrashVfs::new(files);
        let store = TraceStore::open("store", options(&vfs)).unwrap();
        assert!(store.recovery().damage.is_empty(), "a crash looks like damage: {}", store.recovery());
        let now = known.numbers(&vfs, &store.snapshot().unwrap()).unwrap();
        if let Some(found) = &found {
            assert_eq!(now, *found, "another recovery, another answer (round {round})");
        }
        found = Some(now);
        drop(store);
        let survives = match random.below(3) {
            0 => Survives::Synced,
            1 => Survives::All,
            _ => Survives::Some(random.next()),
        };
        files = vfs.crash(random.below(vfs.journal().len() + 1), survives);
    }
    // What is left of the last crash is as good as new.
    let vfs = CrashVfs::new(files);
    let is_thorough = seed.is_multiple_of(8);
    let reader = is_thorough.then(|| StoreReader::open_on(Arc::new(vfs.clone()), Path::new("store")));
    let store = TraceStore::open("store", options(&vfs)).unwrap();
    let snapshot = store.snapshot().unwrap();
    let last = if is_thorough { numbers(&snapshot) } else { known.numbers(&vfs, &snapshot) }.unwrap();
    assert_eq!(Some(&last), found.as_ref());
    // A crash before the first block leaves a folder that is no store yet.
    if let Some(Ok(reader)) = reader {
        assert_eq!(numbers(&reader.snapshot().unwrap()).unwrap(), last, "a reader sees what a writer recovers");
    }
    if is_thorough {
        store.ingest(request(9999)).unwrap();
        drop(store);
        let vfs = CrashVfs::new(vfs.crash(vfs.journal().len(), Survives::Synced));
        let store = TraceStore::open("store", options(&vfs)).unwrap();
        let more: Vec<u64> = last.iter().copied().chain([9999]).collect();
        assert_eq!(numbers(&store.snapshot().unwrap()).unwrap(), more);
    }
    last
}

fn check(found: &[u64], journal: &[Entry], what: &str) {
    let (sent, acknowledged) = oracle(journal);
    let found: BTreeSet<u64> = found.iter().copied().collect();
    // What was not acknowledged may come to light later.
    let known = |numbers: &[u64]| -> BTreeSet<u64> {
        numbers.iter().copied().filter(|number| acknowledged.contains(number)).collect()
    };
    let (mut deleted, mut perhaps, mut last) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for entry in journal {
        match entry {
            Entry::Deleting(numbers) => last = known(numbers).difference(&perhaps).copied().collect(),
            Entry::Deleted(numbers) => deleted.append(&mut known(numbers)),
            _ => continue,
        }
        perhaps.extend(last.iter().copied());
    }
    let back: Vec<_> = found.intersection(&deleted).collect();
    assert!(back.is_empty(), "{what}: {back:?} are back after {:?}", journal.last());
    let there = found.intersection(&last).count();
    assert!(there == 0 || there == last.len(), "{what}: {there} of {last:?} are there after {:?}", journal.last());
    let lost: Vec<_> = acknowledged.difference(&found).filter(|number| !perhaps.contains(number)).collect();
    assert!(lost.is_empty(), "{what}: lost {lost:?} after {:?}", journal.last());
    let invented: Vec<_> = found.difference(&sent).collect();
    assert!(invented.is_empty(), "{what}: invented {invented:?} after {:?}", journal.last());
}

#[test]
fn a_crash_anywhere_loses_nothing_and_invents_nothing() {
    let runs = std::env::var("TRACESTORE_CRASH_RUNS").map_or(RUNS, |runs| runs.parse().unwrap());
    let (mut kinds, mut works, mut states) = (BTreeMap::<&str, u64>::new(), BTreeMap::<&str, u64>::new(), 0);
    for seed in 0..runs {
        let vfs = CrashVfs::default();
        run(&vfs, seed, SyncMode::Full);
        let (journal, known) = (vfs.journal(), Known::default());
        let remains = [Survives::Synced, Survives::All].into_iter();
        let remains: Vec<_> = remains.chain((0..REMAINS).map(|number| Survives::Some(number << 32 | seed))).collect();
        let crashes: Vec<(usize, Survives)> = (1..=journal.len())
            .filter(|entries| journal[entries - 1].kind().is_some())
            .flat_map(|entries| remains.iter().map(move |survives| (entries, *survives)))
            .collect();
        for_each(crashes.len(), |number| {
            let (entries, survives) = crashes[number];
            let survives = match survives {
                Survives::Some(seed) => Survives::Some(seed ^ ((entries as u64) << 16)),
                survives => survives,
            };
            let found = known.recover(vfs.crash(entries, survives), seed + entries as u64);
            check(
                &found,
                &journal[..entries],
                &format!("run {seed}, crash after entry {entries}, {survives:?} survives"),
            );
        });
        let mut work = "";
        for entry in &journal {
            if let Entry::Doing(now) = entry {
                work = now;
            } else if let Some(kind) = entry.kind() {
                *kinds.entry(kind).or_default() += remains.len() as u64;
                *works.entry(work).or_default() += remains.len() as u64;
            }
        }
        states += known.disks.lock().unwrap().len();
    }
    let total: u64 = kinds.values().sum();
    println!(
        "{total} crash points, {states} different disks, by the operation before: {kinds:?}, by what went on: {works:?}"
    );
    assert!(total >= 10_000 * runs / RUNS);
}

#[test]
fn without_syncs_the_end_of_the_process_loses_nothing() {
    let vfs = CrashVfs::default();
    run(&vfs, 3, SyncMode::Off);
    let (journal, known) = (vfs.journal(), Known::default());
    for_each(journal.len(), |number| {
        let entries = number + 1;
        let found = known.recover(vfs.crash(entries, Survives::All), entries as u64);
        check(&found, &journal[..entries], &format!("the process ends after entry {entries}"));
        // The machine may lose what was acknowledged, but leaves nothing that was not sent, and no damage.
        let found = known.recover(vfs.crash(entries, Survives::Some(entries as u64)), entries as u64);
        let (sent, _) = oracle(&journal[..entries]);
        assert!(found.iter().all(|number| sent.contains(number)));
    });
}

#[test]
fn a_failure_anywhere_loses_nothing_that_was_acknowledged() {
    let whole = CrashVfs::default();
    run(&whole, 1, SyncMode::Full);
    let known = Known::default();
    let unharmed = AtomicUsize::new(0);
    for_each(whole.operations(), |at| {
        let failure = |for_ever, short, kind| Failure { at, for_ever, short, kind };
        let failure = match at % 3 {
            0 => failure(false, false, ErrorKind::Other),
            1 => failure(false, true, ErrorKind::StorageFull),
            _ => failure(true, true, ErrorKind::StorageFull),
        };
        let vfs = CrashVfs::default();
        vfs.fail(Some(failure));
        run(&vfs, 1, SyncMode::Full);
        let journal = vfs.journal();
        for survives in [Survives::Synced, Survives::All, Survives::Some(failure.at as u64)] {
            let found = known.recover(vfs.crash(journal.len(), survives), failure.at as u64);
            check(&found, &journal, &format!("{failure:?}, then a crash of which {survives:?} survives"));
        }
        let (sent, acknowledged) = oracle(&journal);
        unharmed.fetch_add(usize::from(sent == acknowledged), Ordering::Relaxed);
    });
    let (failures, unharmed) = (whole.operations(), unharmed.into_inner());
    println!("{failures} failures, {unharmed} of them without an error for who ingests");
    assert!(unharmed > 0 && unharmed < failures);
}

#[test]
fn a_failed_sync_ends_writing_for_good() {
    let vfs = CrashVfs::default();
    let store = TraceStore::open("store", options(&vfs)).unwrap();
    store.ingest(request(0)).unwrap();
    // The next record's write goes well, its sync does not.
    vfs.fail(Some(Failure { at: vfs.operations() + 1, for_ever: false, short: false, kind: ErrorKind::Other }));
    for number in 1..4 {
        let error = store.ingest(request(number)).unwrap_err();
        assert!(matches!(error, tracestore::Error::Stopped { .. }) && !error.is_retryable(), "{error}");
    }
    assert!(store.flush().is_err() && store.close().is_err());
    let vfs = CrashVfs::new(vfs.crash(vfs.journal().len(), Survives::Synced));
    let store = TraceStore::open("store", options(&vfs)).unwrap();
    assert_eq!(numbers(&store.snapshot().unwrap()).unwrap(), [0]);
}

#[test]
fn a_full_disk_is_an_error_until_there_is_room() {
    let vfs = CrashVfs::default();
    let store = TraceStore::open("store", options(&vfs)).unwrap();
    store.ingest(request(0)).unwrap();
    vfs.fail(Some(Failure { at: vfs.operations(), for_ever: true, short: true, kind: ErrorKind::StorageFull }));
    // A write fails first: the sync of the record before it was asked for already.
    assert!(matches!(store.ingest(request(1)).unwrap_err(), tracestore::Error::Io { .. }));
    assert!(matches!(store.flush().unwrap_err(), tracestore::Error::Io { .. }));
    assert!(matches!(store.ingest(request(2)).unwrap_err(), tracestore::Error::Io { .. }));
    assert_eq!(numbers(&store.snapshot().unwrap()).unwrap(), [0]);
    vfs.fail(None);
    store.ingest(request(3)).unwrap();
    let found = recover(&Known::default(), vfs.crash(vfs.journal().len(), Survives::Synced), 0);
    assert_eq!(found, [0, 3]);
    store.flush().unwrap().unwrap();
    assert_eq!(numbers(&store.snapshot().unwrap()).unwrap(), [0, 3]);
}
