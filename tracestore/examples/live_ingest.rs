//! A process that takes requests as they come: each is durable when it is taken, and seen by queries at once. Several of
//! them may share a store on an object store; each has a log of its own on the local disk.
//!
//! ```sh
//! cargo run -p tracestore --no-default-features --features s3 --example live_ingest -- \
//!     s3://bucket/prefix LOG recording.otlp 0 2      # every second request, beginning with the first
//! ```

use std::{path::Path, process::ExitCode};

use tracestore::{StoreOptions, TraceStore, otlp::MessageSource};

/// After so many requests the live data is made into a block. A real ingester leaves this to the store's policy.
const REQUESTS_PER_BLOCK: usize = 3;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [store, log, file, part, parts] = arguments.as_slice() else {
        eprintln!("usage: live_ingest STORE LOG FILE PART PARTS");
        return ExitCode::from(2);
    };
    let (part, parts) = (part.parse().unwrap_or(0), parts.parse().unwrap_or(1));
    match ingest(store, log.as_ref(), file.as_ref(), part, parts) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn ingest(store: &str, log: &Path, file: &Path, part: usize, parts: usize) -> tracestore::Result<()> {
    let mut options = StoreOptions::default();
    // Others may merge: see `compact_store`.
    options.compaction = None;
    // A store in a folder has its log there; on an object store there can be none.
    options.log = store.contains("://").then(|| log.to_owned());
    let store = TraceStore::open(store, options)?;
    // What the last one could not make into blocks, because it was killed, was in its log.
    if !store.recovery().is_clean() {
        println!("{}", store.recovery());
    }
    let mut taken = 0;
    for (number, request) in MessageSource::open(file)?.enumerate() {
        let request = request?;
        if number % parts.max(1) != part {
            continue;
        }
        store.ingest(request.bytes)?;
        taken += 1;
        if taken % REQUESTS_PER_BLOCK == 0 {
            store.flush()?;
        }
    }
    store.close()?;
    println!("{taken} requests were taken");
    Ok(())
}
