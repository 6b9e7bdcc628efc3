//! Several ingesters, compactors and readers of one store on an object store that fails: nothing acknowledged is lost, nothing is there
//! twice, and every view is what the store was at one moment. The order of all requests is decided by seeds:
//! `TRACESTORE_OBJECT_STORE_RUNS` is how many.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "support/numbered.rs"]
mod numbered;
#[path = "support/sim_store.rs"]
mod sim_store;

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use numbered::{deletion, numbers, request};
use sim_store::{Actor, Counts, Dice, World};
use tracestore::{
    BlockSummary, CompactionJob, CompactionStrategy, Error, Snapshot, StoreOptions, StoreReader, SyncMode, TraceStore,
    io::{ObjectVfs, Vfs},
    verify_on,
};

const STORE: &str = "sim://store";
const INGESTERS: usize = 2;
const COMPACTORS: usize = 2;
const READERS: usize = 1;
const ACTORS: usize = INGESTERS + COMPACTORS + READERS;
/// Numbers of requests from one ingester to the next.
const FAR: u64 = 1_000;

fn vfs(actor: &Actor) -> Arc<dyn Vfs> {
    Arc::new(ObjectVfs::new(Arc::new(actor.clone()), STORE, "below/a/prefix").unwrap())
}

fn options(vfs: Arc<dyn Vfs>, log: &Path) -> StoreOptions {
    let mut options = StoreOptions::default();
    options.background = None;
    options.compaction = None;
    options.sync = SyncMode::Off;
    options.segment_bytes = 1_000;
    options.vfs = vfs;
    options.log = Some(log.to_owned());
    options
}

/// Merges two blocks, whichever they are, while there are more than some: those of two compactors are always the same. From
/// the others split traces are gathered.
#[derive(Debug)]
struct Pairs {
    left: usize,
}

impl CompactionStrategy for Pairs {
    fn choose(&self, blocks: &[BlockSummary], _now: u64) -> Vec<CompactionJob> {
        let mut folders: Vec<String> = blocks.iter().map(|block| block.folder.clone()).collect();
        if folders.len() <= self.left {
            return Vec::new();
        }
        folders.sort();
        folders.truncate(2);
        let job = CompactionJob { blocks: folders, max_request_bytes: u64::MAX, max_spans: u64::MAX };
        if job.blocks.len() == 2 { vec![job] } else { Vec::new() }
    }

    fn settled(&self, blocks: &[BlockSummary], _now: u64) -> Vec<String> {
        blocks.iter().map(|block| block.folder.clone()).collect()
    }
}

/// Tries until the object store lets it happen; anything but its failures is a fault.
fn insist<T>(mut work: impl FnMut() -> Result<T, Error>) -> T {
    for _ in 0..200 {
        match work() {
            Ok(done) => return done,
            Err(error) => assert!(is_simulated(&error), "{error}"),
        }
    }
    panic!("it never worked");
}

fn is_simulated(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.to_string().contains("simulation"))
}

/// The numbers in a view, each there as a whole and once.
fn seen(actor: &Actor, snapshot: &Snapshot) -> Vec<u64> {
    actor.calmly(|| numbers(snapshot)).unwrap()
}

fn holds(all: &[u64], some: impl IntoIterator<Item = u64>) -> bool {
    some.into_iter().all(|number| all.binary_search(&number).is_ok())
}

/// What an ingester has sent, and what of it was deleted, or perhaps deleted.
struct Sent {
    all: std::ops::Range<u64>,
    gone: BTreeSet<u64>,
    unknown: BTreeSet<u64>,
}

impl Sent {
    /// What has to be there.
    fn left(&self) -> impl Iterator<Item = u64> {
        self.all.clone().filter(|number| !self.gone.contains(number) && !self.unknown.contains(number))
    }
}

/// Ingests, flushes, deletes in some worlds, and now and then ends without a word and begins again.
fn ingester(world: &Arc<World>, number: usize, seed: u64, log: &Path, ingesting: &AtomicUsize) -> Sent {
    let (actor, _leave) = Actor::enter(world, number);
    let (first, mut dice) = (number as u64 * FAR, Dice(seed ^ number as u64));
    let mut sent = Sent { all: first..first, gone: BTreeSet::new(), unknown: BTreeSet::new() };
    // A process that begins again knows nothing, and has no cache.
    let open = || insist(|| TraceStore::open(STORE, options(vfs(&actor), log)));
    let mut store = open();
    for _ in 0..12 {
        match dice.below(10) {
            0..5 => {
                for _ in 0..=dice.below(3) {
                    store.ingest(request(sent.all.end)).unwrap();
                    sent.all.end += 1;
                }
            }
            // Whether it works or not.
            5..8 => drop(store.flush()),
            8 => {
                drop(store);
                store = open();
            }
            _ if deletes(seed) => {
                let number = first + dice.below((sent.all.end - first).max(1));
                match store.delete(&deletion(number)) {
                    Ok(_) if sent.all.contains(&number) => drop(sent.gone.insert(number)),
                    Ok(_) => {}
                    Err(error) => {
                        assert!(is_simulated(&error) || error.is_retryable(), "{error}");
                        sent.unknown.insert(number);
                    }
                }
            }
            _ => assert!(holds(&seen(&actor, &store.snapshot().unwrap()), sent.left())),
        }
    }
    insist(|| store.flush());
    assert!(holds(&seen(&actor, &store.snapshot().unwrap()), sent.left()));
    // It has nothing left to do: whether this works or not, all is in the store.
    drop(store.close());
    ingesting.fetch_sub(1, Ordering::SeqCst);
    sent
}

/// Whether ingesters delete in a world.
fn deletes(seed: u64) -> bool {
    seed % 5 > 2
}

/// Merges what there is to merge as long as somebody ingests, and begins again as a new process now and then. Tells how many
/// merges it has done, how many were in vain, and how many traces it has gathered.
fn compactor(world: &Arc<World>, number: usize, seed: u64, ingesting: &AtomicUsize) -> [u64; 3] {
    let (actor, _leave) = Actor::enter(world, number);
    let mut dice = Dice(seed ^ number as u64);
    let open = || {
        let mut options = options(vfs(&actor), Path::new(""));
        options.log = None;
        insist(|| TraceStore::open(STORE, options.clone()))
    };
    let (mut store, mut counts) = (open(), [0; 3]);
    let strategy = Pairs { left: 1 + 3 * (seed as usize % 2) };
    while ingesting.load(Ordering::SeqCst) > 0 {
        if dice.below(16) == 0 {
            store = open();
        }
        match store.compact(Some(&strategy)) {
            Ok(report) => {
                let more = [report.jobs, report.outdated, report.gathered];
                counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
            }
            // What is left behind is an orphan, or was published after all.
            Err(error) => assert!(is_simulated(&error), "{error}"),
        }
        if dice.below(4) == 0 {
            seen(&actor, &store.snapshot().unwrap());
        }
    }
    counts
}

/// Looks again and again: what was there stays there.
fn reader(world: &Arc<World>, number: usize, seed: u64) {
    let (actor, _leave) = Actor::enter(world, number);
    // There is no store before somebody has made it.
    let reader = (0..100).find_map(|_| StoreReader::open_on(vfs(&actor), Path::new(STORE)).ok());
    let Some(reader) = reader else { return };
    let mut before = Vec::new();
    for _ in 0..6 {
        insist(|| reader.refresh());
        let now = seen(&actor, &reader.snapshot().unwrap());
        assert!(deletes(seed) || holds(&now, before));
        before = now;
    }
}

/// Runs an actor with threads of its own: one that waits for its turn holds up no other.
fn alone<T: Send>(part: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap().install(part)
}

/// Adds what happened to requests, and what compactors did.
fn run(seed: u64, merges: &mut [u64; 3]) -> Counts {
    // Some worlds do not fail, and are the harder to be first in.
    let world = World::new(seed, ACTORS, [0, 1, 3][seed as usize % 3]);
    let (folder, ingesting) = (tempfile::tempdir().unwrap(), AtomicUsize::new(INGESTERS));
    let sent: Vec<Sent> = thread::scope(|scope| {
        let ingesters: Vec<_> = (0..INGESTERS)
            .map(|number| {
                let (world, ingesting, log) = (&world, &ingesting, folder.path().join(number.to_string()));
                scope.spawn(move || alone(|| ingester(world, number, seed, &log, ingesting)))
            })
            .collect();
        let (world, ingesting) = (&world, &ingesting);
        let compactors: Vec<_> = (INGESTERS..INGESTERS + COMPACTORS)
            .map(|number| scope.spawn(move || alone(|| compactor(world, number, seed, ingesting))))
            .collect();
        for number in INGESTERS + COMPACTORS..ACTORS {
            scope.spawn(move || alone(|| reader(world, number, seed)));
        }
        for compactor in compactors {
            let more = compactor.join().unwrap();
            merges.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        }
        ingesters.into_iter().map(|ingester| ingester.join().unwrap()).collect()
    });
    let counts = world.counts();
    let (actor, _leave) = Actor::enter(&world.alone(), 0);
    let found = actor.calmly(|| StoreReader::open_on(vfs(&actor), Path::new(STORE)).unwrap().snapshot().unwrap());
    let found = seen(&actor, &found);
    let may_be = |number: &u64| sent.iter().any(|sent| sent.all.contains(number) && !sent.gone.contains(number));
    assert!(found.iter().all(may_be), "seed {seed}: {found:?}");
    assert!(holds(&found, sent.iter().flat_map(Sent::left)), "seed {seed}: {found:?}");
    let report = actor.calmly(|| verify_on(vfs(&actor), Path::new(STORE)).unwrap());
    assert_eq!(report.damage, [], "seed {seed}");
    counts
}

#[test]
fn nothing_is_lost_and_nothing_is_there_twice() {
    let runs = std::env::var("TRACESTORE_OBJECT_STORE_RUNS").map_or(20, |runs| runs.parse().unwrap());
    let (mut counts, mut merges) = (Counts::default(), [0; 3]);
    for seed in 0..runs {
        counts += run(seed, &mut merges);
    }
    let [done, in_vain, gathered] = merges;
    println!("{runs} runs: {counts:?}, {done} merges, {in_vain} in vain, {gathered} traces gathered");
    assert!(counts.refused > 0 && counts.lost_replies > 0 && counts.lost_races > 0);
    assert!(done > 0 && in_vain > 0 && gathered > 0);
}
