//! Ingest into a store that acknowledges: each sync mode and number of producers by a process of its own.

use std::{path::PathBuf, process::Command};

use clap::Args;

use crate::{
    Result,
    cold::output_of,
    produce::{Produced, Syncing},
    requests,
};

#[derive(Debug, Args)]
pub(crate) struct Durable {
    #[command(flatten)]
    input: requests::Input,
    #[arg(long, value_delimiter = ',', default_value = "1,4")]
    producers: Vec<usize>,
    #[arg(long, value_delimiter = ',', default_value = "full,interval,off")]
    sync: Vec<Syncing>,
    /// Where the stores are made; fsync of some file systems (tmpfs) costs nothing. Default: the system's temporary folder.
    #[arg(long)]
    folder: Option<PathBuf>,
}

impl Durable {
    pub(crate) fn execute(&self) -> Result<()> {
        let folder = match &self.folder {
            Some(folder) => tempfile::tempdir_in(folder)?,
            None => tempfile::tempdir()?,
        };
        let requests = folder.path().join("requests");
        self.input.write(&requests)?;
        println!(
            "{:<10} {:>9} {:>10} {:>10} {:>12} {:>12} {:>7} {:>8} {:>10} {:>9} {:>8} {:>6}",
            "sync",
            "producers",
            "spans",
            "a request",
            "spans/s",
            "in blocks/s",
            "CPU s",
            "peak MB",
            "median ms",
            "p99 ms",
            "retries",
            "blocks"
        );
        for sync in &self.sync {
            for producers in &self.producers {
                let store = folder.path().join("store");
                let mut child = Command::new(std::env::current_exe()?);
                child.arg("produce").arg(&store).arg(&requests);
                child.args(["--sync", sync.name(), "--producers", &producers.to_string()]);
                print(*sync, *producers, &output_of(&mut child)?);
                std::fs::remove_dir_all(&store)?;
            }
        }
        Ok(())
    }
}

fn print(sync: Syncing, producers: usize, produced: &Produced) {
    let spans = produced.spans as f64;
    println!(
        "{:<10} {producers:>9} {spans:>10} {:>10.1} {:>12.0} {:>12.0} {:>7.2} {:>8.0} {:>10.3} {:>9.3} {:>8} {:>6}",
        sync.name(),
        spans / produced.requests.max(1) as f64,
        spans / produced.acknowledged_s,
        spans / produced.closed_s,
        produced.cpu_s,
        produced.peak_rss_mb,
        produced.median_ms,
        produced.p99_ms,
        produced.retries,
        produced.blocks
    );
}
