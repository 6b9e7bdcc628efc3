//! `traceql ingest`

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tracestore::{IngestProgress, Store};

use crate::{args::Ingest, exit::Failure, terminal::bytes};

pub(super) fn run(args: &Ingest) -> Result<u8, Failure> {
    let store = Store::open_or_create(&args.store)?;
    let begun = Instant::now();
    let bar = progress_bar(args);
    let mut shown = Instant::now();
    let mut progress = |progress: IngestProgress| {
        if shown.elapsed() > Duration::from_millis(100) {
            shown = Instant::now();
            bar.set_position(progress.bytes_read);
            bar.set_message(format!("{} spans", progress.spans));
        }
    };
    let report = store.ingest(args.paths.iter().cloned(), &mut progress);
    bar.finish_and_clear();
    let report = report?;
    let seconds = begun.elapsed().as_secs_f64().max(1e-9);
    eprintln!(
        "{} spans of {} traces in {} {}: {} in, {} out, {:.0} spans/s",
        report.spans,
        report.traces,
        report.blocks.len(),
        if report.blocks.len() == 1 { "block" } else { "blocks" },
        bytes(report.bytes_in),
        bytes(report.bytes_out),
        report.spans as f64 / seconds,
    );
    if report.refusals.total() > 0 {
        eprintln!("{}", report.refusals);
    }
    Ok(0)
}

/// A bar over the bytes of the files; hidden where nobody watches.
fn progress_bar(args: &Ingest) -> ProgressBar {
    let sizes = args.paths.iter().map(|path| std::fs::metadata(path).map(|meta| meta.len()));
    let bar = match sizes.sum::<std::io::Result<u64>>() {
        Ok(total) => ProgressBar::new(total),
        Err(_) => ProgressBar::new_spinner(),
    };
    match ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {msg} {elapsed}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
