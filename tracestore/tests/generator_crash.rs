//! A crash at every operation of runs that ingest, flush and publish with a generator of metrics: what is counted
//! afterwards is what queries see, each span once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[allow(dead_code, reason = "every test file uses its own part")]
#[path = "support/crash_vfs.rs"]
mod crash_vfs;
mod metrics_support;
#[path = "support/numbered.rs"]
mod numbered;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::ErrorKind,
    sync::{Arc, Mutex},
};

use crash_vfs::{CrashVfs, Entry, Failure, Files, Random, Survives};
use metrics_support::{samples, written};
use numbered::request;
use rayon::prelude::*;
use tracestore::{
    MetricsGenerator, StoreOptions, SyncMode, TraceStore,
    spanmetrics::{SpanMetricsConfig, TextFormat},
};

/// How many different runs. With `TRACESTORE_CRASH_RUNS` more: a soak.
const RUNS: u64 = 3;
/// How many random remains there are of each crash, beside what was synced and all.
const REMAINS: u64 = 1;

fn open(vfs: &CrashVfs, sync: SyncMode) -> tracestore::Result<(TraceStore, Arc<MetricsGenerator>)> {
    let mut config = SpanMetricsConfig::default();
    config.intrinsics.service = false;
    config.intrinsics.span_kind = false;
    config.intrinsics.status_code = false;
    config.latency = false;
    config.size = false;
    let generator = Arc::new(MetricsGenerator::new(Some(config), None).unwrap().with_clock(|| 5_000));
    let mut options = StoreOptions::default();
    options.vfs = Arc::new(vfs.clone());
    options.background = None;
    options.segment_bytes = 700;
    options.sync = sync;
    options.observer = Some(Arc::<MetricsGenerator>::clone(&generator));
    Ok((TraceStore::open("store", options)?, generator))
}

/// How many spans of each request were counted.
fn counted(store: &TraceStore, generator: &MetricsGenerator) -> BTreeMap<u64, u64> {
    store.feed_observer();
    let text = written(TextFormat::Prometheus, |out| generator.write(out));
    let number = |line: &&str| {
        let (name, count) = line.strip_prefix("{span_name=\"").unwrap().split_once("\"} ").unwrap();
        (name.parse().unwrap(), count.parse().unwrap())
    };
    samples(&text, "traces_spanmetrics_calls_total").iter().map(number).collect()
}

/// How many spans of each request queries see.
fn seen(store: &TraceStore) -> BTreeMap<u64, u64> {
    let mut seen = BTreeMap::new();
    for block in store.snapshot().unwrap().whole().unwrap().blocks() {
        let traces = (0..block.row_groups()).flat_map(|group| block.traces_of_row_group(group).unwrap());
        for span in traces.flat_map(|trace| trace.spans).filter(|span| !span.shadowed) {
            *seen.entry(span.span.name.parse().unwrap()).or_default() += 1;
        }
    }
    seen
}

/// A run of a store that is opened several times; a client repeats what was not acknowledged when it is next there.
fn run(vfs: &CrashVfs, seed: u64, sync: SyncMode) {
    let mut random = Random(seed);
    let mut number = 0;
    let mut unanswered = Vec::new();
    for session in 0..3 {
        let Ok((store, generator)) = open(vfs, sync) else { continue };
        let send = |number, unanswered: &mut Vec<u64>| {
            vfs.note(Entry::Sent(number));
            match store.ingest(request(number)) {
                Ok(_) => vfs.note(Entry::Acknowledged(number)),
                Err(_) => unanswered.push(number),
            }
        };
        std::mem::take(&mut unanswered).into_iter().for_each(|number| send(number, &mut unanswered));
        for _ in 0..2 {
            for _ in 0..1 + random.below(5) {
                send(number, &mut unanswered);
                number += 1;
            }
            if random.below(2) > 0 {
                counted(&store, &generator);
            }
            if random.below(3) > 0 {
                drop(store.flush());
            }
        }
        if session == 1 {
            drop(store.close());
        }
    }
}

/// Opens a store on what a crash has left, and crashes while it is opened, a few times; what is counted is what is stored.
fn recover(mut files: Files, seed: u64) -> Vec<u64> {
    let mut random = Random(seed);
    for _ in 0..random.below(2) {
        let vfs = CrashVfs::new(files);
        drop(open(&vfs, SyncMode::Full).unwrap());
        let survives = match random.below(3) {
            0 => Survives::Synced,
            1 => Survives::All,
            _ => Survives::Some(random.next()),
        };
        files = vfs.crash(random.below(vfs.journal().len() + 1), survives);
    }
    let (store, generator) = open(&CrashVfs::new(files), SyncMode::Full).unwrap();
    assert!(store.recovery().damage.is_empty(), "a crash looks like damage: {}", store.recovery());
    assert_eq!(store.recovery().unobserved, 0);
    let stored = seen(&store);
    assert_eq!(counted(&store, &generator), stored, "counted, seen");
    store.ingest(request(9_999)).unwrap();
    assert_eq!(counted(&store, &generator), seen(&store), "counted, seen");
    stored.into_keys().collect()
}

/// Which states were recovered already: many crashes leave the same.
#[derive(Default)]
struct Known(Mutex<HashMap<Files, Vec<u64>>>);

impl Known {
    fn recover(&self, files: Files, seed: u64) -> BTreeSet<u64> {
        if let Some(found) = self.0.lock().unwrap().get(&files) {
            return found.iter().copied().collect();
        }
        let found = recover(files.clone(), seed);
        self.0.lock().unwrap().insert(files, found.clone());
        found.into_iter().collect()
    }
}

fn acknowledged(journal: &[Entry]) -> BTreeSet<u64> {
    let number = |entry: &Entry| if let Entry::Acknowledged(number) = entry { Some(*number) } else { None };
    journal.iter().filter_map(number).collect()
}

#[test]
fn after_a_crash_anywhere_what_is_counted_is_what_queries_see() {
    let runs = std::env::var("TRACESTORE_CRASH_RUNS").map_or(RUNS, |runs| runs.parse().unwrap());
    let (mut points, mut states) = (0, 0);
    for seed in 0..runs {
        let sync = if seed % 3 == 2 { SyncMode::Off } else { SyncMode::Full };
        let vfs = CrashVfs::default();
        run(&vfs, seed, sync);
        let (journal, known) = (vfs.journal(), Known::default());
        let remains = [Survives::Synced, Survives::All].into_iter();
        let remains: Vec<_> = remains.chain((0..REMAINS).map(|number| Survives::Some(number << 32 | seed))).collect();
        let crashes: Vec<(usize, Survives)> = (1..=journal.len())
            .filter(|entries| journal[entries - 1].kind().is_some())
            .flat_map(|entries| remains.iter().map(move |survives| (entries, *survives)))
            .collect();
        crashes.par_iter().for_each(|(entries, survives)| {
            let survives = match survives {
                Survives::Some(seed) => Survives::Some(seed ^ ((*entries as u64) << 16)),
                survives => *survives,
            };
            let found = known.recover(vfs.crash(*entries, survives), seed + *entries as u64);
            let lost: Vec<_> = acknowledged(&journal[..*entries]).difference(&found).copied().collect();
            let may_lose = sync == SyncMode::Off && survives != Survives::All;
            assert!(may_lose || lost.is_empty(), "run {seed}, crash after entry {entries}: lost {lost:?}");
        });
        points += crashes.len();
        states += known.0.lock().unwrap().len();
    }
    println!("{points} crash points, {states} different disks");
    assert!(points as u64 > 500 * runs);
}

#[test]
fn after_a_failure_anywhere_what_is_counted_is_what_queries_see() {
    let whole = CrashVfs::default();
    run(&whole, 1, SyncMode::Full);
    let known = Known::default();
    (0..whole.operations()).into_par_iter().for_each(|at| {
        let vfs = CrashVfs::default();
        let kind = if at % 2 == 0 { ErrorKind::Other } else { ErrorKind::StorageFull };
        vfs.fail(Some(Failure { at, for_ever: at % 3 == 2, short: at % 2 == 1, kind }));
        run(&vfs, 1, SyncMode::Full);
        let journal = vfs.journal();
        for survives in [Survives::Synced, Survives::Some(at as u64)] {
            let found = known.recover(vfs.crash(journal.len(), survives), at as u64);
            let lost: Vec<_> = acknowledged(&journal).difference(&found).copied().collect();
            assert!(lost.is_empty(), "a failure at operation {at}: lost {lost:?}");
        }
    });
}
