//! The benchmark: ingest, compaction, then every question cold and warm, then the yardsticks.

use std::path::{Path, PathBuf};

use clap::Args;
use tracestore::Snapshot;

use crate::{
    Result, duckdb,
    ingest::{ingest_file, ingest_generated},
    measure::Measure,
    merge::merge,
    queries::{BESIDES, FURTHER, GENERATED, Question, RECORDING},
    report::{Report, Size},
    table,
    tempo::Endpoint,
};

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    measure: Measure,
    /// Where to write the figures as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// A Python with the package `duckdb`: asks DuckDB the same over the same files, where SQL can.
    #[arg(long, value_name = "PYTHON")]
    duckdb: Option<PathBuf>,
    #[command(flatten)]
    endpoint: Endpoint,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Input {
    /// The recording: an OTLP file in any form.
    #[arg(long)]
    data: Option<PathBuf>,
    /// A generated workload of about so many spans instead.
    #[arg(long)]
    spans: Option<u64>,
}

impl Run {
    pub(crate) fn execute(&self) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let store = folder.path().join("store");
        let mut report = self.report(&store)?;
        if let Some(python) = &self.duckdb {
            duckdb::add(&mut report.queries, python, &store, self.measure.repeat)?;
        }
        if let (Some(data), true) = (&self.input.data, self.endpoint.is_given()) {
            self.endpoint.add(&mut report.queries, &store, data, self.measure.repeat)?;
        }
        table::print(&report);
        if let Some(path) = &self.json {
            report.write(path)?;
        }
        Ok(())
    }

    /// What the store takes and how it answers.
    fn report(&self, store: &Path) -> Result<Report> {
        let ingest = match (&self.input.data, self.input.spans) {
            (Some(data), _) => ingest_file(store, data)?,
            (None, spans) => ingest_generated(store, spans.unwrap_or(0))?,
        };
        let compaction = merge(store)?;
        let size = size(store, ingest.spans)?;
        let queries = match &self.input.data {
            Some(_) => self.measure.measure(store, RECORDING.iter().chain(&FURTHER).chain(&BESIDES))?,
            None => self.measure.measure(store, questions_of_generated())?,
        };
        Ok(Report { ingest, size, compaction, queries })
    }
}

/// What is asked of a generated workload.
pub(crate) fn questions_of_generated() -> impl Iterator<Item = &'static Question> {
    GENERATED.iter().chain(&BESIDES)
}

/// What the blocks of a store take.
pub(crate) fn size(store: &Path, spans: u64) -> Result<Size> {
    let bytes = Snapshot::open(&[store.to_owned()])?.size();
    Ok(Size { bytes_per_span: bytes as f64 / spans.max(1) as f64 })
}
