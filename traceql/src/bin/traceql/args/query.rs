//! The arguments of `traceql query`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::Selection;
use crate::time::Span;

#[derive(Debug, ClapArgs)]
pub(crate) struct Query {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// What traces are ordered by.
    #[arg(long, value_enum, default_value_t = Sort::Start)]
    pub(crate) sort: Sort,
    /// The smallest first; without it the newest, or longest, come first.
    #[arg(long)]
    pub(crate) ascending: bool,
    /// The next page: behind the place that the answer before has named (`next` of -o json, --stats).
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<traceql::Cursor>,
    /// End the search after this many seconds, with exit code 6.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timeout: Option<f64>,
    /// End the search when it has decoded this many bytes, with exit code 6.
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_bytes: Option<u64>,
    /// End the search when it holds about this many bytes of memory, with exit code 6.
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_memory: Option<u64>,
    /// Print what was found when --timeout or --max-bytes ends the search, and say so on standard error.
    #[arg(long)]
    pub(crate) partial: bool,
    /// The format of the results.
    #[arg(short, long, value_enum, default_value_t = Format::Auto)]
    pub(crate) output: Format,
    /// Exit with 1 when nothing is found.
    #[arg(long)]
    pub(crate) fail_empty: bool,
    /// Say on standard error what the query took.
    #[arg(long)]
    pub(crate) stats: bool,
    /// The query, such as '{ status = error }'.
    pub(crate) query: String,
    /// What to search.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    // The last: its heading holds for what follows.
    #[command(flatten)]
    pub(crate) metrics: Metrics,
}

/// What only metrics queries take.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Metrics queries")]
pub(crate) struct Metrics {
    /// A value for every such length of time: 15s, 1m, or seconds. [default: about 240 values]
    #[arg(long, value_name = "DURATION")]
    pub(crate) step: Option<Span>,
    /// One value for the whole time.
    #[arg(long, conflicts_with = "step")]
    pub(crate) instant: bool,
    /// At most this many series.
    #[arg(long, value_name = "N")]
    pub(crate) max_series: Option<usize>,
    /// Up to this many example spans, in the formats that have a place for them (json, ndjson, tempo).
    #[arg(long, value_name = "N")]
    pub(crate) exemplars: Option<usize>,
    /// Ask again every so many seconds (2) until interrupted, of what the paths hold then.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "2")]
    pub(crate) watch: Option<Span>,
    /// Draw charts with nothing but ASCII characters. [default: where the locale is not UTF-8]
    #[arg(long)]
    pub(crate) ascii: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    /// The trace's earliest start.
    Start,
    /// The trace's duration.
    Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table on a terminal (a chart of metrics), else ndjson.
    Auto,
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// A JSON object per trace, or series, and line.
    Ndjson,
    /// A line per span, or value of a series.
    Csv,
    /// The JSON of Tempo's API.
    Tempo,
    /// The JSON of Prometheus' query API; metrics only.
    Prometheus,
    /// Lines, a heat map, bars or a ranking, whatever shows the series best; metrics only.
    Chart,
}
