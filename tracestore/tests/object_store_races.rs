//! Several writers and readers of one store on an object store that fails: nothing acknowledged is lost, nothing is there
//! twice, and every view is what the store was at one moment. The order of all requests is decided by seeds:
//! `TRACESTORE_OBJECT_STORE_RUNS` is how many.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "support/numbered.rs"]
mod numbered;
#[path = "support/sim_store.rs"]
mod sim_store;

use std::{path::Path, sync::Arc, thread};

use numbered::{numbers, request};
use sim_store::{Actor, Counts, Dice, World};
use tracestore::{
    Error, Snapshot, StoreOptions, StoreReader, SyncMode, TraceStore,
    io::{ObjectVfs, Vfs},
};

const STORE: &str = "sim://store";
const INGESTERS: usize = 2;
const READERS: usize = 1;
/// Numbers of requests from one ingester to the next.
const FAR: u64 = 1_000;

fn vfs(actor: &Actor) -> Arc<dyn Vfs> {
    Arc::new(ObjectVfs::new(Arc::new(actor.clone()), STORE, "below/a/prefix").unwrap())
}

fn options(vfs: Arc<dyn Vfs>, log: &Path) -> StoreOptions {
    let mut options = StoreOptions::default();
    options.background = None;
    options.sync = SyncMode::Off;
    options.segment_bytes = 1_000;
    options.vfs = vfs;
    options.log = Some(log.to_owned());
    options
}

/// Tries until the object store lets it happen; anything but its failures is a fault.
fn insist<T>(mut work: impl FnMut() -> Result<T, Error>) -> T {
    for _ in 0..200 {
        match work() {
            Ok(done) => return done,
            Err(Error::Io { source, .. }) if source.to_string().contains("simulation") => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("it never worked");
}

/// The numbers in a view, each there as a whole and once.
fn seen(actor: &Actor, snapshot: &Snapshot) -> Vec<u64> {
    actor.calmly(|| numbers(snapshot)).unwrap()
}

fn holds(all: &[u64], some: impl IntoIterator<Item = u64>) -> bool {
    some.into_iter().all(|number| all.binary_search(&number).is_ok())
}

/// Ingests and flushes, and now and then ends without a word and begins again. Tells which numbers it has sent.
fn ingester(world: &Arc<World>, number: usize, seed: u64, log: &Path) -> std::ops::Range<u64> {
    let (actor, _leave) = Actor::enter(world, number);
    let (first, mut dice) = (number as u64 * FAR, Dice(seed ^ number as u64));
    let mut next = first;
    // A process that begins again knows nothing, and has no cache.
    let open = || insist(|| TraceStore::open(STORE, options(vfs(&actor), log)));
    let mut store = open();
    for _ in 0..12 {
        match dice.below(10) {
            0..5 => {
                for _ in 0..=dice.below(3) {
                    store.ingest(request(next)).unwrap();
                    next += 1;
                }
            }
            // Whether it works or not.
            5..8 => drop(store.flush()),
            8 => {
                drop(store);
                store = open();
            }
            _ => assert!(holds(&seen(&actor, &store.snapshot().unwrap()), first..next)),
        }
    }
    insist(|| store.flush());
    assert!(holds(&seen(&actor, &store.snapshot().unwrap()), first..next));
    // It has nothing left to do: whether this works or not, all is in the store.
    drop(store.close());
    first..next
}

/// Looks again and again: what was there stays there.
fn reader(world: &Arc<World>, number: usize) {
    let (actor, _leave) = Actor::enter(world, number);
    // There is no store before somebody has made it.
    let reader = (0..100).find_map(|_| StoreReader::open_on(vfs(&actor), Path::new(STORE)).ok());
    let Some(reader) = reader else { return };
    let mut before = Vec::new();
    for _ in 0..6 {
        insist(|| reader.refresh());
        let now = seen(&actor, &reader.snapshot().unwrap());
        assert!(holds(&now, before));
        before = now;
    }
}

fn run(seed: u64) -> Counts {
    let world = World::new(seed, INGESTERS + READERS);
    let folder = tempfile::tempdir().unwrap();
    let sent: Vec<u64> = thread::scope(|scope| {
        let ingesters: Vec<_> = (0..INGESTERS)
            .map(|number| {
                let (world, log) = (&world, folder.path().join(number.to_string()));
                scope.spawn(move || ingester(world, number, seed, &log))
            })
            .collect();
        for number in INGESTERS..INGESTERS + READERS {
            let world = &world;
            scope.spawn(move || reader(world, number));
        }
        ingesters.into_iter().flat_map(|ingester| ingester.join().unwrap()).collect()
    });
    let counts = world.counts();
    let (actor, _leave) = Actor::enter(&world.alone(), 0);
    let found = actor.calmly(|| StoreReader::open_on(vfs(&actor), Path::new(STORE)).unwrap().snapshot().unwrap());
    assert_eq!(seen(&actor, &found), sent, "seed {seed}");
    counts
}

#[test]
fn nothing_is_lost_and_nothing_is_there_twice() {
    let runs = std::env::var("TRACESTORE_OBJECT_STORE_RUNS").map_or(20, |runs| runs.parse().unwrap());
    let mut counts = Counts::default();
    for seed in 0..runs {
        counts += run(seed);
    }
    println!("{runs} runs: {counts:?}");
    assert!(counts.refused > 0 && counts.lost_replies > 0 && counts.lost_races > 0);
}
