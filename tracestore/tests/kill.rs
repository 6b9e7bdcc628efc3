//! A process that ingests is killed at random moments, again and again: what it said was acknowledged is there.
//!
//! This program starts itself as the process to be killed: as the test `child`, told by the environment what to do.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "support/numbered.rs"]
mod numbered;

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use numbered::{numbers, request};
use tracestore::{CutPolicy, Snapshot, StoreOptions, TraceStore};

const FOLDER: &str = "TRACESTORE_KILL_FOLDER";
const FIRST: &str = "TRACESTORE_KILL_FIRST";
/// How often a process is killed. With `TRACESTORE_KILLS` more: a soak.
const KILLS: u64 = 50;

fn options() -> StoreOptions {
    let mut options = StoreOptions::default();
    options.segment_bytes = 3000;
    options.background = Some(Duration::from_millis(1));
    options.cut = CutPolicy { bytes: 5000, ..CutPolicy::default() };
    options
}

/// Ingests until it is killed, and says so line by line. Does nothing when it is run as a test like others.
#[test]
fn child() {
    let (Ok(folder), Ok(first)) = (std::env::var(FOLDER), std::env::var(FIRST)) else { return };
    let store = TraceStore::open(folder, options()).unwrap();
    // The test's own line has begun.
    println!();
    for number in first.parse::<u64>().unwrap().. {
        println!("sent {number}");
        std::io::stdout().flush().unwrap();
        match store.ingest(request(number)) {
            Ok(_) => println!("acknowledged {number}"),
            // More than the thread writes away: nothing was taken.
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
    }
}

/// Runs a child that is killed when it has said so many lines; tells what it said.
fn run_and_kill(folder: &Path, first: u64, lines: usize) -> (Vec<u64>, Vec<u64>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut sent, mut acknowledged, mut seen) = (Vec::new(), Vec::new(), 0);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        // The last line may be cut short.
        let line = line.unwrap_or_default();
        let number = |list: &mut Vec<u64>, text: &str| list.extend(text.parse::<u64>());
        if let Some(text) = line.strip_prefix("sent ") {
            number(&mut sent, text);
        } else if let Some(text) = line.strip_prefix("acknowledged ") {
            number(&mut acknowledged, text);
        }
        seen += 1;
        if seen == lines {
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success(), "the child ended by itself");
    (sent, acknowledged)
}

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let kills = std::env::var("TRACESTORE_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let (mut sent, mut acknowledged) = (BTreeSet::new(), BTreeSet::new());
    for kill in 0..kills {
        let first = sent.last().map_or(0, |last| last + 1);
        // Some die while they recover, some when they have cut blocks.
        let lines = 3 + (kill * 97 % 350) as usize;
        let (more_sent, more_acknowledged) = run_and_kill(&store, first, lines);
        sent.extend(more_sent);
        acknowledged.extend(more_acknowledged);
        // Queries between kills, without a writer; then with one that recovers, sometimes.
        let mut check = |found: Vec<u64>, who: &str| {
            let found: BTreeSet<u64> = found.into_iter().collect();
            assert!(acknowledged.is_subset(&found), "{who} misses {:?}", acknowledged.difference(&found));
            // A line may be cut short or lost with the process: the request after the last that is known of.
            let last = sent.last().map_or(0, |last| last + 1);
            assert!(found.iter().all(|number| sent.contains(number) || *number == last), "{who} invents");
            sent.extend(found);
        };
        check(numbers(&Snapshot::open(std::slice::from_ref(&store)).unwrap()).unwrap(), "a reader");
        if kill % 3 == 2 {
            let store = TraceStore::open(&store, options()).unwrap();
            assert!(store.recovery().damage.is_empty(), "{}", store.recovery());
            check(numbers(&store.snapshot().unwrap()).unwrap(), "a writer");
        }
    }
    println!("{kills} kills, {} requests acknowledged, {} sent", acknowledged.len(), sent.len());
    assert!(acknowledged.len() as u64 > kills);
}
