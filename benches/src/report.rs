//! What a run measured: as JSON, for comparisons over time.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{
    Result,
    cold::ColdFigures,
    queries::{self, Question},
    warm::WarmFigures,
};

/// Everything that a run measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) ingest: Ingest,
    pub(crate) size: Size,
    /// Where blocks were merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) compaction: Option<Compaction>,
    pub(crate) queries: Vec<QueryFigures>,
}

/// What ingest took, in a process of its own.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Ingest {
    pub(crate) spans: u64,
    pub(crate) spans_per_s: f64,
    pub(crate) cpu_s: f64,
    pub(crate) peak_rss_mb: f64,
}

/// What compaction took, in a process of its own.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Compaction {
    pub(crate) blocks_before: u64,
    pub(crate) blocks_after: u64,
    pub(crate) bytes_read: u64,
    pub(crate) bytes_written: u64,
    pub(crate) spans: u64,
    pub(crate) seconds: f64,
    pub(crate) cpu_s: f64,
    pub(crate) peak_rss_mb: f64,
}

/// What the blocks take.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Size {
    pub(crate) bytes_per_span: f64,
}

/// What a question took. Times in ms; what was not measured is absent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct QueryFigures {
    pub(crate) query: String,
    pub(crate) kind: String,
    /// A new process, nothing of the store in memory: from opening the store to the answer.
    pub(crate) cold_ms: Option<f64>,
    pub(crate) median_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    /// Traces, series or texts.
    pub(crate) results: Option<usize>,
    /// Rows for which a condition was tested.
    pub(crate) rows_read: Option<u64>,
    /// Bytes of columns that were decoded.
    pub(crate) bytes_read: Option<u64>,
    pub(crate) row_groups: Option<u64>,
    pub(crate) row_groups_pruned: Option<u64>,
    /// CPU time of all threads, warm, in the mean.
    pub(crate) cpu_ms: Option<f64>,
    /// Of the cold process: CPU, memory, bytes that came from storage.
    pub(crate) cold_cpu_s: Option<f64>,
    pub(crate) peak_rss_mb: Option<f64>,
    pub(crate) storage_bytes: Option<u64>,
    /// What DuckDB took over the same files.
    pub(crate) duckdb_ms: Option<f64>,
    /// What another endpoint took, and how much it found.
    pub(crate) endpoint_ms: Option<f64>,
    pub(crate) endpoint_results: Option<usize>,
}

impl QueryFigures {
    pub(crate) fn new(question: &Question, cold: Option<ColdFigures>, warm: WarmFigures) -> Self {
        let stats = warm.answer.stats;
        Self {
            query: question.text.to_owned(),
            kind: question.kind.name().to_owned(),
            cold_ms: cold.map(|cold| cold.ms),
            median_ms: Some(warm.median_ms),
            p99_ms: Some(warm.p99_ms),
            results: Some(warm.answer.results),
            rows_read: stats.map(|stats| stats.rows_read),
            bytes_read: stats.map(|stats| stats.bytes_read),
            row_groups: stats.map(|stats| stats.row_groups),
            row_groups_pruned: stats.map(|stats| stats.row_groups_pruned),
            cpu_ms: Some(warm.cpu_ms),
            cold_cpu_s: cold.map(|cold| cold.cpu_s),
            peak_rss_mb: cold.map(|cold| cold.peak_rss_mb),
            storage_bytes: cold.map(|cold| cold.storage_bytes),
            ..Self::default()
        }
    }

    /// The question, if it is still asked.
    pub(crate) fn question(&self) -> Option<&'static Question> {
        queries::find(&self.query)
    }
}

impl Report {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()).into())
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        std::fs::write(path, serde_json::to_string_pretty(self)? + "\n")
            .map_err(|error| format!("{}: {error}", path.display()).into())
    }
}
