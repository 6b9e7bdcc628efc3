//! Merges all blocks of a store and says how fast that went; with a strategy of its own, which says what it chooses.
//!
//! ```sh
//! cargo run --release -p tracestore --no-default-features --example compact -- STORE
//! ```

use std::{process::ExitCode, time::Instant};

use tracestore::{BlockSummary, CompactionJob, CompactionStrategy, StoreOptions, StoreReader, TimeWindows, TraceStore};

/// The usual strategy without waiting for more spans.
#[derive(Debug)]
struct Told(TimeWindows);

impl CompactionStrategy for Told {
    fn choose(&self, blocks: &[BlockSummary], now: u64) -> Vec<CompactionJob> {
        let jobs = self.0.choose(blocks, now);
        if let Some(job) = jobs.first() {
            eprintln!("of {} blocks, {} are merged", blocks.len(), job.blocks.len());
        }
        jobs
    }
}

fn main() -> ExitCode {
    let Some(store) = std::env::args_os().nth(1) else {
        eprintln!("usage: compact STORE");
        return ExitCode::from(2);
    };
    match compact(store.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn compact(path: &std::path::Path) -> tracestore::Result<()> {
    // A writer would make a store where there is none.
    StoreReader::open(path)?;
    // This program merges when it wants to: no threads.
    let mut options = StoreOptions::default();
    options.background = None;
    let store = TraceStore::open(path, options)?;
    let start = Instant::now();
    let report = store.compact(Some(&Told(TimeWindows::default().at_once())))?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{report}");
    if report.jobs > 0 {
        let (spans, bytes) = (report.spans_in as f64, report.bytes_in as f64);
        let (micros, rate) = (seconds * 1e6 / spans, bytes / 1e6 / seconds);
        println!("{seconds:.2} s: {:.0} spans/s, {micros:.2} µs per span, {rate:.1} MB/s of blocks", spans / seconds);
    }
    store.close()
}
