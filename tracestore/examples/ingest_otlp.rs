//! Makes a store out of OTLP files and says what became of them.
//!
//! ```sh
//! cargo run --release -p tracestore --no-default-features --example ingest_otlp -- STORE FILE...
//! ```

use std::{path::PathBuf, process::ExitCode};

use tracestore::Store;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let Some(store) = arguments.next() else {
        eprintln!("usage: ingest_otlp STORE FILE...");
        return ExitCode::from(2);
    };
    match ingest(&store, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn ingest(path: &std::path::Path, files: impl Iterator<Item = PathBuf>) -> tracestore::Result<()> {
    // A store is a folder. It is made when it is not there.
    let store = Store::open_or_create(path)?;

    // Files may be protobuf or JSON, framed in any of the usual ways, packed or not. All are taken, or none.
    let report = store.ingest(files, &mut |_| {})?;
    println!("{} spans of {} traces, {} refused", report.spans, report.traces, report.refusals.total());

    // A snapshot is a view of the blocks as they are now.
    let snapshot = store.snapshot()?;
    for block in snapshot.blocks() {
        let per_span = |bytes: u64| bytes as f64 / block.spans() as f64;
        println!("block {}: {:.2} bytes per span", block.id(), per_span(block.size()));
        for (file, bytes) in block.files() {
            println!("  {file:<20} {:7.3}", per_span(bytes));
        }
        for column in block.columns()? {
            if per_span(column.bytes) >= 0.05 {
                let (name, encodings) = (format!("{} {}", column.file, column.column), column.encodings);
                println!("    {name:<55} {:7.3} {encodings} {}", per_span(column.bytes), column.compression);
            }
        }
    }
    Ok(())
}
