//! `traceql fmt`

use std::io::Write;

use traceql::Compiler;

use super::queries;
use crate::{
    args::Fmt,
    exit::{Failure, QUERY},
};

/// Prints queries in canonical form; what is no query is reported, the rest is printed all the same.
pub(super) fn run(args: &Fmt) -> Result<u8, Failure> {
    let mut out = std::io::stdout().lock();
    let mut code = 0;
    for (line, query) in queries(&args.source)? {
        let report = Compiler::new().check(&query);
        match report.query {
            // A file has a query on each line.
            Some(tree) if args.one_line || line.is_some() => writeln!(out, "{tree}")?,
            Some(tree) => writeln!(out, "{tree:#}")?,
            None => {
                eprintln!("{}", report.diagnostics);
                code = QUERY;
            }
        }
    }
    Ok(code)
}
