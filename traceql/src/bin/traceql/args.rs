//! The command line.

mod graph;
mod query;
mod store;
mod upkeep;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

pub(crate) use graph::{GraphFormat, Header, Processor, RemoteWrite, SeriesFormat, ServiceGraph, SpanMetrics};
pub(crate) use query::{Format, Query, Sort};
pub(crate) use store::{Export, ExportFormat, Inspect, Snapshot, Verify};
pub(crate) use upkeep::{Compact, Delete, Doomed, Retention};

use crate::time::Moment;

/// Search OpenTelemetry traces with TraceQL, in stores and in OTLP files.
#[derive(Debug, Parser)]
#[command(
    name = "traceql",
    version,
    propagate_version = true,
    after_long_help = "PATH is a store folder, a block folder, or an OTLP file (protobuf or JSON, in any of the usual \
                       framings, also as .gz and .zst), told apart by content; `-` is standard input.\n\n\
                       Exit codes: 0 ok, 1 nothing found (trace, or query with --fail-empty) or a failed test of rules, 2 usage, \
                       3 query or rule file, \
                       4 bad or corrupt data, 5 input or output, 6 limit, 130 interrupted.\n\n\
                       Examples:\n  traceql ingest --store traces spans.otlp.zst\n  \
                       traceql query '{ status = error && duration > 100ms }' traces\n  \
                       traceql query -o tempo '{ .http.method = \"POST\" }' spans.json | jq .\n  \
                       traceql query '{ status = error } | rate() by (resource.service.name)' traces\n  \
                       traceql check --strict '{ span.http.status_code >= 500 } | rate()'\n  \
                       traceql sql \"SELECT service, count(*) FROM spans GROUP BY service\" traces\n  \
                       traceql values resource.service.name -q '{ status = error }' traces\n  \
                       traceql trace 4bf92f3577b34da6a3ce929d0e0e4736 traces\n  \
                       traceql diff 4bf92f35 00f067aa traces\n  \
                       traceql service-graph --start -1h traces\n  \
                       traceql span-metrics --store traces\n  \
                       traceql delete --spans '{ span.user.email = \"a@example.org\" }' --dry-run traces\n  \
                       traceql retention --keep 30d --max-size 50GB traces\n  \
                       traceql rules test rules.test.yaml"
)]
pub(crate) struct Args {
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add the spans of OTLP files to a store.
    Ingest(Ingest),
    /// Merge the blocks of a store into fewer and larger ones; copies of spans and deleted spans leave the disk.
    Compact(Compact),
    /// Delete a trace, or the traces or spans that a query finds, from a store for good.
    Delete(Delete),
    /// Remove from a store what is kept no longer: by age, by size, and by what traces are.
    Retention(Retention),
    /// Find traces with spans that match a TraceQL query, or chart the series of a metrics query.
    Query(Query),
    /// Ask in SQL, of spans, traces, events and links.
    Sql(Sql),
    /// List the names of attributes: what there is to ask for.
    Tags(Tags),
    /// List the values of an attribute, and how many spans have each.
    Values(Values),
    /// Show one trace: its tree, where the time went, and the critical path.
    Trace(Trace),
    /// Compare two traces: which spans appeared, vanished, became slower or faster.
    Diff(Diff),
    /// Make Prometheus series of spans: calls, latencies, sizes, and requests between services.
    SpanMetrics(SpanMetrics),
    /// Show who calls whom, how often, how long it takes and how often it fails.
    ServiceGraph(ServiceGraph),
    /// Show what a store or block is made of.
    Inspect(Inspect),
    /// Check every byte of stores and blocks, and that what is in them fits together.
    Verify(Verify),
    /// Copy a store as it is at one moment, also while it is written.
    Snapshot(Snapshot),
    /// Write traces as OTLP or as a table of spans.
    Export(Export),
    /// Show the plan of a query.
    Explain(Explain),
    /// Say whether queries are valid, and what is wrong with them.
    Check(Check),
    /// Print a query in canonical form; comments are not kept.
    Fmt(Fmt),
    /// Check, test and evaluate alert and recording rules.
    #[command(subcommand)]
    Rules(Rules),
    /// Print a completion script for a shell.
    Completions { shell: clap_complete::Shell },
    /// Print the man page, as roff.
    Man,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Ingest {
    /// The store's folder, or a URL such as s3://bucket/prefix; made when it is not there.
    #[arg(long, value_name = "DIR", env = "TRACEQL_STORE")]
    pub(crate) store: PathBuf,
    /// OTLP files; `-` is standard input.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

/// Where queries come from.
#[derive(Debug, ClapArgs)]
#[group(required = true, multiple = false)]
pub(crate) struct QuerySource {
    /// The query.
    pub(crate) query: Option<String>,
    /// A file with a query on each line; `-` is standard input. Blank lines are passed over.
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Check {
    /// Give Tempo's verdict: no extensions of the language.
    #[arg(long)]
    pub(crate) strict: bool,
    /// The format of the verdicts.
    #[arg(short, long, value_enum, default_value_t = CheckFormat::Text)]
    pub(crate) output: CheckFormat,
    #[command(flatten)]
    pub(crate) source: QuerySource,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    /// A verdict on each line, and below it, indented, what there is to say.
    Text,
    /// A JSON object for each query and line.
    Json,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Fmt {
    /// One line, however long.
    #[arg(long)]
    pub(crate) one_line: bool,
    #[command(flatten)]
    pub(crate) source: QuerySource,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Selection {
    /// Only traces that end at this time or later: RFC 3339, a date, unix seconds (or ms, us, ns), now, now-1h, -15m.
    /// Of metrics: only spans that start after it.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) start: Option<Moment>,
    /// Only traces, or spans, that start at this time or earlier.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) end: Option<Moment>,
    /// At most this many traces, the newest.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    /// At most this many spans of each trace; 0 for all.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) spss: usize,
}

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Tables: spans, traces, events, links, attribute_keys, and traceql('{ … }'), which has what a search \
                  finds. `DESCRIBE spans` lists the columns; attributes are columns too, in double quotes.\n\n\
                  Examples:\n  \
                  traceql sql \"SELECT service, count(*) FROM spans WHERE status = 'error' GROUP BY service\" traces\n  \
                  traceql sql 'SELECT name, \"http.method\", duration_nanos FROM spans ORDER BY 3 DESC LIMIT 5' traces\n  \
                  traceql sql \"SELECT root_name, count(*) FROM traceql('{ status = error }') JOIN traces USING (trace_id) GROUP BY 1\" traces\n  \
                  traceql sql 'SELECT * FROM attribute_keys' traces"
)]
pub(crate) struct Sql {
    /// The format of the rows.
    #[arg(short, long, value_enum, default_value_t = RowFormat::Auto)]
    pub(crate) output: RowFormat,
    /// One statement that reads, in DataFusion's SQL.
    pub(crate) statement: String,
    /// What to ask.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowFormat {
    /// A table on a terminal, else ndjson.
    Auto,
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// A JSON object per row and line.
    Ndjson,
    /// A line per row.
    Csv,
}

/// What names and values are asked of.
#[derive(Debug, ClapArgs)]
pub(crate) struct TagSelection {
    /// Only what is on spans that match this query; it may be unfinished, and what counts is the filter it begins with.
    #[arg(short, long, value_name = "QUERY")]
    pub(crate) query: Option<String>,
    /// Only what is on traces that end at this time or later: RFC 3339, a date, unix seconds, now, now-1h, -15m.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) start: Option<Moment>,
    /// Only what is on traces that start at this time or earlier.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) end: Option<Moment>,
    /// At most this many values, or names of each scope.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// The format of the list.
    #[arg(short, long, value_enum, default_value_t = TagFormat::Auto)]
    pub(crate) output: TagFormat,
    /// Where to look.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Tags {
    /// Only names of this scope.
    #[arg(long, value_enum)]
    pub(crate) scope: Option<Scope>,
    #[command(flatten)]
    pub(crate) selection: TagSelection,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    Span,
    Resource,
    Event,
    Link,
    Instrumentation,
    Intrinsic,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Values {
    /// The attribute or intrinsic as a query writes it, such as span.http.method, .http.method or name.
    pub(crate) field: String,
    #[command(flatten)]
    pub(crate) selection: TagSelection,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TagFormat {
    /// A table on a terminal, else a name or value on each line.
    Auto,
    /// For people; values with how many spans have them.
    Table,
    /// One JSON document.
    Json,
    /// A JSON object per name or value and line.
    Ndjson,
    /// The JSON of Tempo's API.
    Tempo,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Trace {
    /// The format of the trace.
    #[arg(short, long, value_enum, default_value_t = TraceFormat::Waterfall)]
    pub(crate) output: TraceFormat,
    /// The trace's id in hexadecimal digits, leading zeros optional; or its first digits, at least 4, if no other trace
    /// has them.
    pub(crate) id: String,
    /// Where to look.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceFormat {
    /// A tree with times, for people; `*` and heavy lines mark the critical path.
    Waterfall,
    /// Self times and the critical path, as JSON.
    Timing,
    /// OTLP as JSON.
    #[value(alias = "json")]
    Otlp,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Diff {
    /// The format of the differences.
    #[arg(short, long, value_enum, default_value_t = DiffFormat::Auto)]
    pub(crate) output: DiffFormat,
    /// The first trace: its id, or at least 4 first digits of it.
    #[arg(value_name = "A")]
    pub(crate) before: String,
    /// The second trace.
    #[arg(value_name = "B")]
    pub(crate) after: String,
    /// Where to look.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    /// A table on a terminal, else json.
    Auto,
    /// For people.
    Table,
    /// One JSON document.
    Json,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Explain {
    /// Run the query, and show what each operator did.
    #[arg(long)]
    pub(crate) analyze: bool,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// The query.
    pub(crate) query: String,
    /// What to search.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// Say whether rule files are valid, and what is wrong with them.
    Check(RulesCheck),
    /// Run files of unit tests: what alerts and samples rules give over given spans.
    Test(RulesTest),
    /// Evaluate a rule file over data, and print how alerts change.
    Eval(RulesEval),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RulesCheck {
    /// The format of the verdicts.
    #[arg(short, long, value_enum, default_value_t = CheckFormat::Text)]
    pub(crate) output: CheckFormat,
    /// Rule files (YAML, in the format of Prometheus).
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RulesTest {
    /// Test files (YAML). Paths in them are relative to them.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RulesEval {
    /// The time of the last evaluation: RFC 3339, a date, unix seconds (or ms, us, ns), now, now-1h, -15m.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) at: Moment,
    /// The time of the first evaluation; from it on, groups are evaluated at their intervals. Without it there is one.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: Option<Moment>,
    /// The format of what changes and is recorded.
    #[arg(short, long, value_enum, default_value_t = RulesFormat::Auto)]
    pub(crate) output: RulesFormat,
    /// The rule file.
    pub(crate) file: PathBuf,
    /// What queries are asked of.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RulesFormat {
    /// Text on a terminal, else ndjson.
    Auto,
    /// For people.
    Text,
    /// One JSON document: changes, recorded samples, failures, and the alerts at the end.
    Json,
    /// A JSON object per change, sample or failure and line.
    Ndjson,
}
