//! Arguments of the commands that remove spans, and of the one that merges blocks.

use std::{path::PathBuf, str::FromStr, time::Duration};

use clap::Args as ClapArgs;
use traceql::retention::{parse_keep, parse_size};

#[derive(Debug, ClapArgs)]
pub(crate) struct Delete {
    /// The store.
    #[arg(value_name = "STORE", env = "TRACEQL_STORE")]
    pub(crate) store: PathBuf,
    #[command(flatten)]
    pub(crate) what: Doomed,
    /// Say what would go, and change nothing.
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    /// Do not ask.
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// What is to be deleted.
#[derive(Debug, ClapArgs)]
#[group(required = true, multiple = false)]
pub(crate) struct Doomed {
    /// A trace.
    #[arg(long, value_name = "ID")]
    pub(crate) trace: Option<String>,
    /// All traces of which this TraceQL search finds a span.
    #[arg(long, value_name = "QUERY")]
    pub(crate) traces: Option<String>,
    /// All spans that this search finds; the others of their traces stay.
    #[arg(long, value_name = "QUERY")]
    pub(crate) spans: Option<String>,
}

#[derive(Debug, ClapArgs)]
#[command(group = clap::ArgGroup::new("policies").required(true).multiple(true))]
pub(crate) struct Retention {
    /// The store.
    #[arg(value_name = "STORE", env = "TRACEQL_STORE")]
    pub(crate) store: PathBuf,
    /// A file with rules: which traces are kept how long.
    #[arg(long, value_name = "FILE", group = "policies", conflicts_with_all = ["keep", "max_size"])]
    pub(crate) policy: Option<PathBuf>,
    /// How long traces are kept after their end: `30d`, `12h`.
    #[arg(long, value_name = "TIME", group = "policies")]
    pub(crate) keep: Option<Keep>,
    /// How large all blocks may be together: the oldest go first, whole. `50GB`, `512MiB`.
    #[arg(long, value_name = "SIZE", group = "policies", value_parser = parse_size)]
    pub(crate) max_size: Option<u64>,
    /// Say what would go, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Compact {
    /// The store.
    #[arg(value_name = "STORE", env = "TRACEQL_STORE")]
    pub(crate) store: PathBuf,
    /// Merge now what would wait for more: the last hours and days, too.
    #[arg(long)]
    pub(crate) all: bool,
}

/// How long something is kept; `None` within: for ever.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep(pub(crate) Option<Duration>);

impl FromStr for Keep {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse_keep(text).map(Self)
    }
}
