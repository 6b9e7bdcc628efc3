//! Results as JSON, for comparisons over time, and as a table.

use serde::{Deserialize, Serialize};

use crate::queries::{BYTES_PER_SPAN, INGEST_CPU_S, PEAK_RSS_MB, QUERIES, TRACE_BY_ID_MS};

/// Everything that a run measured.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) ingest: Ingest,
    pub(crate) size: Size,
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

/// What the blocks take.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Size {
    pub(crate) bytes_per_span: f64,
}

/// What a query took, warm.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct QueryFigures {
    pub(crate) query: String,
    pub(crate) kind: String,
    /// Not measured yet.
    pub(crate) cold_ms: Option<f64>,
    pub(crate) median_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    /// How many traces or series; none where the query is not supported yet.
    pub(crate) results: Option<usize>,
    /// What DuckDB took over the same files, if it was asked.
    pub(crate) duckdb_ms: Option<f64>,
}

impl Report {
    /// Prints the table; a row that meets its target is marked.
    pub(crate) fn print(&self) {
        println!("{:<100} {:>9} {:>9} {:>9} {:>9}", "", "Tempo v3", "target", "median", "p99");
        let row = |name: &str, tempo: Option<f64>, target: f64, value: f64, unit: &str| {
            let tempo = tempo.map_or(String::new(), |tempo| format!("{tempo}"));
            let mark = if value <= target { "✓" } else { " " };
            println!("{name:<100} {tempo:>9} {target:>9} {value:>9.2} {:>9} {mark} {unit}", "");
        };
        row("ingest, CPU seconds", Some(INGEST_CPU_S.0), INGEST_CPU_S.1, self.ingest.cpu_s, "s");
        row("ingest, peak memory", Some(PEAK_RSS_MB.0), PEAK_RSS_MB.1, self.ingest.peak_rss_mb, "MB");
        row("bytes per span", Some(BYTES_PER_SPAN.0), BYTES_PER_SPAN.1, self.size.bytes_per_span, "B");
        println!("{:<100} {:>29.0}", "ingest, spans per second (not durable one by one yet)", self.ingest.spans_per_s);
        for figures in &self.queries {
            let known = QUERIES.iter().find(|query| query.text == figures.query);
            let lookup = (figures.kind == "trace").then_some(TRACE_BY_ID_MS);
            let target = known.map(|query| query.target_ms).or(lookup);
            let tempo = known.map_or(String::new(), |query| query.tempo_ms.to_string());
            let wanted = target.map_or(String::new(), |target| target.to_string());
            match (figures.median_ms, figures.p99_ms, figures.results) {
                (Some(median), Some(p99), Some(results)) => {
                    let mark = if target.is_some_and(|target| median <= target) { "✓" } else { " " };
                    let what = match figures.kind.as_str() {
                        "metrics" => "series",
                        "tags" => "texts",
                        _ => "traces",
                    };
                    let duckdb = figures.duckdb_ms.map_or(String::new(), |ms| format!("; DuckDB {ms:.2} ms"));
                    println!(
                        "{:<100} {tempo:>9} {wanted:>9} {median:>9.2} {p99:>9.2} {mark} ms, {results} {what}{duckdb}",
                        figures.query
                    );
                }
                _ => println!("{:<100} {tempo:>9} {wanted:>9} {:>9}", figures.query, "not yet supported"),
            }
        }
    }
}
