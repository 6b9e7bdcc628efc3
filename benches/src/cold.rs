//! Questions asked cold: by a new process, after the system was asked to forget the store's files.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use clap::Args;
use serde::{Deserialize, Serialize};
use trace_benches::process;
use traceql::Engine;
use tracestore::{Snapshot, model::TraceId};

use crate::{
    Result,
    ask::Asker,
    queries::{self, Question},
};

/// Ask one question of a store and print what that took as JSON: what `run` starts as a process of its own.
#[derive(Debug, Args)]
pub(crate) struct Ask {
    /// The store's folder.
    store: PathBuf,
    /// One of the known questions.
    question: String,
    /// The trace that is looked up, if that is the question.
    #[arg(long)]
    trace: Option<TraceId>,
}

/// What a process took that asked one question.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct ColdFigures {
    /// From opening the store to the answer.
    pub(crate) ms: f64,
    pub(crate) cpu_s: f64,
    pub(crate) peak_rss_mb: f64,
    /// Bytes that came from storage: what shows that it was cold.
    pub(crate) storage_bytes: u64,
}

impl Ask {
    pub(crate) fn execute(&self) -> Result<()> {
        let question = queries::find(&self.question).ok_or_else(|| format!("unknown question {}", self.question))?;
        let before = process::storage_bytes_read();
        let begun = Instant::now();
        let snapshot = Snapshot::open(std::slice::from_ref(&self.store))?;
        let asker = Asker::new(Engine::new(snapshot), self.trace.into_iter().collect())?;
        asker.ask(question)?;
        let figures = ColdFigures {
            ms: begun.elapsed().as_secs_f64() * 1e3,
            cpu_s: process::cpu_seconds(),
            peak_rss_mb: process::peak_rss_mb(),
            storage_bytes: process::storage_bytes_read() - before,
        };
        println!("{}", serde_json::to_string(&figures)?);
        Ok(())
    }
}

/// Asks a question of a store that nobody has open, so many times; gives the figures of the process in the middle.
pub(crate) fn ask_cold(
    store: &Path,
    question: &Question,
    trace: Option<TraceId>,
    times: usize,
) -> Result<Option<ColdFigures>> {
    let mut figures = Vec::with_capacity(times);
    for _ in 0..times {
        process::forget_files(store)?;
        let mut child = Command::new(std::env::current_exe()?);
        child.arg("ask").arg(store).arg(question.text);
        if let Some(trace) = trace {
            child.args(["--trace", &trace.to_string()]);
        }
        figures.push(output_of(&mut child)?);
    }
    figures.sort_by(|a: &ColdFigures, b| a.ms.total_cmp(&b.ms));
    Ok(figures.get(figures.len() / 2).copied())
}

/// Runs a process that prints JSON.
pub(crate) fn output_of<T: serde::de::DeserializeOwned>(command: &mut Command) -> Result<T> {
    let child = command.output()?;
    match child.status.success() {
        true => Ok(serde_json::from_slice(&child.stdout)?),
        false => Err(String::from_utf8_lossy(&child.stderr).into()),
    }
}
