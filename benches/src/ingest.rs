//! Bulk ingest: a file of OTLP requests into a new store, by a process of its own, so that its figures are its own.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use clap::Args;
use trace_benches::process;
use tracestore::Store;

use crate::{Result, cold::output_of, report::Ingest};

/// Ingest a file and print its figures as JSON: what `run` starts as a process of its own.
#[derive(Debug, Args)]
pub(crate) struct IngestFile {
    /// The store's folder.
    store: PathBuf,
    /// The OTLP file; `-` is standard input.
    data: PathBuf,
}

impl IngestFile {
    pub(crate) fn execute(&self) -> Result<()> {
        let begun = Instant::now();
        let report = Store::open_or_create(&self.store)?.ingest([self.data.clone()], &mut |_| {})?;
        let figures = Ingest {
            spans: report.spans,
            spans_per_s: report.spans as f64 / begun.elapsed().as_secs_f64(),
            cpu_s: process::cpu_seconds(),
            peak_rss_mb: process::peak_rss_mb(),
        };
        println!("{}", serde_json::to_string(&figures)?);
        Ok(())
    }
}

/// Ingests a file.
pub(crate) fn ingest_file(store: &Path, data: &Path) -> Result<Ingest> {
    output_of(Command::new(std::env::current_exe()?).arg("ingest").arg(store).arg(data))
}

/// Ingests so many generated spans, as they are made by a process beside.
pub(crate) fn ingest_generated(store: &Path, spans: u64) -> Result<Ingest> {
    let this = std::env::current_exe()?;
    let mut generate = Command::new(&this);
    generate.args(["generate", "--out", "-", "--spans", &spans.to_string()]).stdout(Stdio::piped());
    let mut generating = generate.spawn()?;
    let made = generating.stdout.take().ok_or("no pipe")?;
    let ingest = output_of(Command::new(&this).arg("ingest").arg(store).arg("-").stdin(made));
    let is_whole = generating.wait()?.success();
    match (ingest, is_whole) {
        (Ok(_), false) => Err("the workload was not generated to its end".into()),
        (ingest, _) => ingest,
    }
}
