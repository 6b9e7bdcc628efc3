//! Figures: a workload generator and a benchmark of ingest and queries. See the README beside this file's crate.

mod ask;
mod cold;
mod compare;
mod duckdb;
mod durable;
mod growth;
mod ingest;
mod measure;
mod merge;
mod path;
mod produce;
mod queries;
mod report;
mod requests;
mod run;
mod soak;
mod structure;
mod table;
mod tempo;
mod warm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use trace_benches::{Result, workload};

#[derive(Debug, Parser)]
#[command(name = "trace-benches", version, about)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ingest a file, ask every question cold and warm, print a table.
    Run(run::Run),
    /// Print two files of figures side by side.
    Compare(compare::Compare),
    /// The table at several sizes, and how each row grows.
    Growth(growth::Growing),
    /// Ingest into a store that acknowledges: spans per second, CPU and memory by sync mode and producers.
    Durable(durable::Durable),
    /// Make many small blocks and merge them: MB per second, CPU and memory, what is written again.
    Compaction(merge::Compacting),
    /// Ingest, make blocks and query at the same time, and keep to a budget of memory.
    Soak(soak::Soak),
    /// Write a generated workload: zstd of varint-delimited OTLP requests.
    Generate(workload::Generate),
    /// Time structural operators in one large trace, at several sizes.
    Structure(structure::Structure),
    /// Go one of the paths whose instructions are counted: what `callgrind.sh` starts.
    Path(path::Path),
    #[command(hide = true)]
    Ingest(ingest::IngestFile),
    #[command(hide = true)]
    Ask(cold::Ask),
    #[command(hide = true)]
    Merge(merge::MergeBlocks),
    #[command(hide = true)]
    Produce(produce::Produce),
}

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Run(run) => run.execute(),
        Command::Compare(compare) => compare.execute(),
        Command::Growth(growth) => growth.execute(),
        Command::Durable(durable) => durable.execute(),
        Command::Compaction(compaction) => compaction.execute(),
        Command::Merge(merge) => merge.execute(),
        Command::Soak(soak) => soak.execute(),
        Command::Generate(generate) => generate.execute(),
        Command::Structure(structure) => structure.execute(),
        Command::Path(path) => path.execute(),
        Command::Ingest(ingest) => ingest.execute(),
        Command::Ask(ask) => ask.execute(),
        Command::Produce(produce) => produce.execute(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trace-benches: {error}");
            ExitCode::FAILURE
        }
    }
}
