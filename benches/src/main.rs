//! Figures: a workload generator and a benchmark of ingest and queries. See the README beside this file's crate.

mod process;
mod queries;
mod report;
mod run;
mod structure;
mod workload;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// What can go wrong here; nobody asks what kind it was.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Debug, Parser)]
#[command(name = "trace-benches", version, about)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ingest a file, run the queries, print a table.
    Run(run::Run),
    /// Write a generated workload: zstd of varint-delimited OTLP requests.
    Generate(workload::Generate),
    /// Time structural operators in one large trace, at several sizes.
    Structure(structure::Structure),
    /// Ingest a file and print its figures as JSON: what `run` starts as a process of its own.
    Ingest {
        /// The store's folder.
        store: PathBuf,
        /// The OTLP file.
        data: PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Run(run) => run.execute(),
        Command::Generate(generate) => generate.execute(),
        Command::Structure(structure) => structure.execute(),
        Command::Ingest { store, data } => run::ingest(&store, &data),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trace-benches: {error}");
            ExitCode::FAILURE
        }
    }
}
