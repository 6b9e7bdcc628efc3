//! The arguments of `traceql span-metrics` and `traceql service-graph`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use crate::time::{Moment, Span};

/// What spans metrics are made of.
#[derive(Debug, ClapArgs)]
pub(crate) struct SpanRange {
    /// Only spans that start after this time: RFC 3339, a date, unix seconds (or ms, us, ns), now, now-1h, -15m.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) start: Option<Moment>,
    /// Only spans that start at this time or earlier.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) end: Option<Moment>,
    /// The configuration: YAML, with the keys that Tempo has for its metrics generator.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  \
                  traceql span-metrics --store traces > metrics.prom\n  \
                  traceql span-metrics --step 1m --start -1d traces > history.om\n  \
                  promtool tsdb create-blocks-from openmetrics history.om data")]
pub(crate) struct SpanMetrics {
    /// A store's folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// The format of the series.
    #[arg(long, value_enum, default_value_t = SeriesFormat::Auto)]
    pub(crate) format: SeriesFormat,
    /// A sample of each series for every such length of time, with its time: what a server would have scraped.
    #[arg(long, value_name = "DURATION")]
    pub(crate) step: Option<Span>,
    /// Which metrics to make. [default: those of the configuration, or both]
    #[arg(long = "processor", value_enum, value_name = "NAME")]
    pub(crate) processors: Vec<Processor>,
    #[command(flatten)]
    pub(crate) range: SpanRange,
    /// Other stores, blocks and OTLP files.
    #[arg(value_name = "PATH", required_unless_present = "store")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SeriesFormat {
    /// openmetrics with --step, else prometheus.
    Auto,
    /// Prometheus' text format 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0, with exemplars.
    Openmetrics,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Processor {
    /// traces_spanmetrics_…
    SpanMetrics,
    /// traces_service_graph_…
    ServiceGraphs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ServiceGraph {
    /// The format of the graph.
    #[arg(short, long, value_enum, default_value_t = GraphFormat::Auto)]
    pub(crate) output: GraphFormat,
    /// Draw with nothing but ASCII characters. [default: where the locale is not UTF-8]
    #[arg(long)]
    pub(crate) ascii: bool,
    #[command(flatten)]
    pub(crate) range: SpanRange,
    /// What to look into.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A chart on a terminal, else json.
    Auto,
    /// A drawing: who calls whom, from the outside in.
    Chart,
    /// A line for each edge.
    Table,
    /// One JSON document.
    Json,
    /// Graphviz.
    Dot,
}
