//! Exit codes, documented in the help text and stable.

use std::{io, path::PathBuf, process::ExitCode};

/// A test of rules failed.
pub(crate) const TEST_FAILED: u8 = 1;
/// Nothing found where that was asked to be an error, or no such trace.
pub(crate) const NOTHING_FOUND: u8 = 1;
/// Wrong usage; clap's own code.
pub(crate) const USAGE: u8 = 2;
/// The query is wrong.
pub(crate) const QUERY: u8 = 3;
/// Bad or corrupt data.
pub(crate) const DATA: u8 = 4;
/// The operating system refused something.
pub(crate) const IO: u8 = 5;
/// A limit was reached.
pub(crate) const LIMIT: u8 = 6;
/// Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Engine(traceql::Error),
    Usage(String),
    Input(PathBuf, io::Error),
    Output(io::Error),
}

impl From<traceql::Error> for Failure {
    fn from(error: traceql::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<tracestore::Error> for Failure {
    fn from(error: tracestore::Error) -> Self {
        Self::Engine(error.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Output(error.into())
    }
}

impl Failure {
    /// Says what happened on standard error; returns the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let code = match &self {
            // Whoever reads has seen enough.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
            Self::Output(_) | Self::Input(..) => IO,
            Self::Usage(_) => USAGE,
            Self::Engine(error) => of_engine(error),
        };
        match self {
            // A diagnostic has a heading of its own.
            Self::Engine(error @ traceql::Error::Query(_)) => eprintln!("{error}"),
            Self::Engine(error) => eprintln!("traceql: {error}"),
            Self::Usage(message) => eprintln!("traceql: {message}"),
            Self::Input(path, error) => eprintln!("traceql: {}: {error}", path.display()),
            Self::Output(error) => eprintln!("traceql: cannot write: {error}"),
        }
        ExitCode::from(code)
    }
}

/// The class of an engine's error.
pub(crate) fn of_engine(error: &traceql::Error) -> u8 {
    match error {
        _ if error.is_options() => USAGE,
        _ if error.is_query() => QUERY,
        _ if error.is_corruption() || error.is_bad_input() => DATA,
        _ if error.is_limit() => LIMIT,
        _ => IO,
    }
}
