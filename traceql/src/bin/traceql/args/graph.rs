//! The arguments of `traceql span-metrics` and `traceql service-graph`.

use std::{path::PathBuf, str::FromStr};

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
                  promtool tsdb create-blocks-from openmetrics history.om data\n  \
                  traceql span-metrics --store traces --remote-write http://localhost:9090/api/v1/write")]
pub(crate) struct SpanMetrics {
    /// A store's folder. What the store has counted itself as spans came in is shown, as of its latest block; its spans
    /// are counted instead where it does not count, and with --start, --end, --step, --config or a PATH.
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
    #[command(flatten)]
    pub(crate) remote: RemoteWrite,
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
    /// Prometheus' protobuf, with exemplars and native histograms.
    Protobuf,
}

/// Where series are sent to instead of being printed.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Remote write")]
pub(crate) struct RemoteWrite {
    /// Send the series to this address instead of printing them; with --step time by time, else with the time of --end.
    #[arg(long = "remote-write", value_name = "URL", conflicts_with = "format")]
    pub(crate) url: Option<String>,
    /// A folder for requests that wait. What an earlier command has left there is sent first. [default: in memory]
    #[arg(long, value_name = "DIR")]
    pub(crate) spool: Option<PathBuf>,
    /// How long to wait for a receiver that does not answer; what has waited longer is dropped.
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    pub(crate) outage: Span,
    /// A header of each request.
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<Header>,
    /// The user and password for HTTP's basic authentication.
    #[arg(long, value_name = "USER:PASSWORD", env = "TRACEQL_BASIC_AUTH", hide_env_values = true)]
    pub(crate) basic_auth: Option<String>,
    /// A token to name oneself with.
    #[arg(long, value_name = "TOKEN", env = "TRACEQL_BEARER_TOKEN", hide_env_values = true)]
    pub(crate) bearer_token: Option<String>,
}

/// A header on the command line.
#[derive(Debug, Clone)]
pub(crate) struct Header(pub(crate) String, pub(crate) String);

impl FromStr for Header {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once(':').ok_or("write NAME: VALUE")?;
        Ok(Self(name.trim().to_owned(), value.trim().to_owned()))
    }
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
