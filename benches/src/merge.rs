//! Compaction: many small blocks of a stream merged, by a process of its own.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use clap::Args;
use trace_benches::process;
use tracestore::{StoreOptions, TimeWindows, TraceStore};

use crate::{
    Result,
    cold::output_of,
    produce::{Produced, Syncing},
    report::Compaction,
    requests,
};

#[derive(Debug, Args)]
pub(crate) struct Compacting {
    #[command(flatten)]
    input: requests::Input,
    /// Blocks are made of so many MiB of requests.
    #[arg(long, default_value_t = 16)]
    cut: usize,
}

impl Compacting {
    pub(crate) fn execute(&self) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let (requests, store) = (folder.path().join("requests"), folder.path().join("store"));
        self.input.write(&requests)?;
        let mut child = Command::new(std::env::current_exe()?);
        child.arg("produce").arg(&store).arg(&requests).args(["--producers", "1", "--sync", Syncing::Off.name()]);
        let produced: Produced = output_of(child.args(["--cut", &self.cut.to_string()]))?;
        let Some(merged) = merge(&store)? else {
            return Err(format!("nothing to merge in {} blocks", produced.blocks).into());
        };
        let (read, written) = (merged.bytes_read as f64 / 1e6, merged.bytes_written as f64 / 1e6);
        println!("{} blocks became {}, {} spans", merged.blocks_before, merged.blocks_after, merged.spans);
        println!("{read:.1} MB read and {written:.1} MB written in {:.2} s, {:.2} CPU s", merged.seconds, merged.cpu_s);
        println!("{:.1} MB/s, {:.0} spans/s", (read + written) / merged.seconds, merged.spans as f64 / merged.seconds);
        println!("write amplification {:.2}", 1.0 + written / read);
        println!("peak memory {:.0} MB", merged.peak_rss_mb);
        Ok(())
    }
}

/// Merge what can be merged in a store and print what that took as JSON: what `run` starts as a process of its own.
#[derive(Debug, Args)]
pub(crate) struct MergeBlocks {
    /// The store's folder.
    store: PathBuf,
}

impl MergeBlocks {
    pub(crate) fn execute(&self) -> Result<()> {
        let mut options = StoreOptions::default();
        (options.background, options.compaction) = (None, None);
        let store = TraceStore::open(&self.store, options)?;
        let begun = Instant::now();
        let report = store.compact(Some(&TimeWindows::default().at_once()))?;
        let figures = Compaction {
            blocks_before: report.inputs,
            blocks_after: report.outputs,
            bytes_read: report.bytes_in,
            bytes_written: report.bytes_out,
            spans: report.spans_out,
            seconds: begun.elapsed().as_secs_f64(),
            cpu_s: process::cpu_seconds(),
            peak_rss_mb: process::peak_rss_mb(),
        };
        println!("{}", serde_json::to_string(&figures)?);
        Ok(())
    }
}

/// Merges what can be merged; `None` when that is nothing.
pub(crate) fn merge(store: &Path) -> Result<Option<Compaction>> {
    let figures: Compaction = output_of(Command::new(std::env::current_exe()?).arg("merge").arg(store))?;
    Ok((figures.blocks_before > 0).then_some(figures))
}
