//! A process that merges the blocks of a store, such as `s3://bucket/prefix`, and nothing else. Any number of them may run,
//! beside those that ingest, and may end at any moment: what one has not finished another one does.
//!
//! ```sh
//! cargo run -p tracestore --no-default-features --features s3 --example compact_store -- s3://bucket/prefix
//! ```

use std::process::ExitCode;

use tracestore::{StoreOptions, TimeWindows, TraceStore};

fn main() -> ExitCode {
    let Some(store) = std::env::args().nth(1) else {
        eprintln!("usage: compact_store STORE");
        return ExitCode::from(2);
    };
    match compact(&store) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn compact(store: &str) -> tracestore::Result<()> {
    // It takes no spans, and so needs no log.
    let mut options = StoreOptions::default();
    options.background = None;
    let store = TraceStore::open(store, options)?;
    // Whatever was written a moment ago may be merged.
    let windows = TimeWindows { settled_after: None, ..TimeWindows::default() };
    let report = store.compact(Some(&windows))?;
    println!("{} blocks were merged into {}, {} merges were in vain", report.inputs, report.outputs, report.outdated);
    store.close()
}
