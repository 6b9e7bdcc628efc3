//! The arguments of what works on whole stores: `inspect`, `verify`, `snapshot`, `export`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use crate::time::Moment;

#[derive(Debug, ClapArgs)]
pub(crate) struct Inspect {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Show the versions of the catalog and the segments of the log, and no blocks; PATH is a store.
    #[arg(long)]
    pub(crate) log: bool,
    /// What to look into.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Exit code 4 when anything is damaged; each file is named with the place.")]
pub(crate) struct Verify {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Stores and blocks.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Snapshot {
    /// Copy the files of blocks, too. Without it a block's files get a second name where the file system can do that:
    /// they take no space, and damage to one is damage to the other.
    #[arg(long)]
    pub(crate) copy: bool,
    /// The store.
    pub(crate) store: PathBuf,
    /// The folder to make; nothing has this name yet.
    pub(crate) dir: PathBuf,
}

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Traces are whole, and each span is there once. A parquet file has a row for each span: the columns of the \
                  SQL table `spans`, and one for each span and resource attribute and type; events and links are left \
                  out.\n\nExamples:\n  \
                  traceql export --query '{ status = error }' --to errors.otlp.zst traces\n  \
                  traceql export -o json --start -1h traces | jq .\n  \
                  traceql export -o parquet --to spans.parquet traces"
)]
pub(crate) struct Export {
    /// The form.
    #[arg(short, long, value_enum, default_value_t = ExportFormat::Otlp)]
    pub(crate) output: ExportFormat,
    /// Only whole traces in which this search finds something.
    #[arg(short, long, value_name = "QUERY")]
    pub(crate) query: Option<String>,
    /// Only traces that end at this time or later: RFC 3339, a date, unix seconds (or ms, us, ns), now, now-1h, -15m.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) start: Option<Moment>,
    /// Only traces that start at this time or earlier.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) end: Option<Moment>,
    /// The file to write, which gets its name when it is whole; without it, standard output. With OTLP, a name that ends
    /// in .zst asks for compression.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    /// What to export.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// OTLP requests in protobuf, each behind its length as a variable-length number.
    Otlp,
    /// OTLP requests in JSON, one on each line.
    Json,
    /// A Parquet file with a row for each span.
    Parquet,
}
