//! The sub-commands, one file each.

mod check;
mod compact;
mod delete;
mod diff;
mod explain;
mod export;
mod fmt;
mod ingest;
mod inspect;
mod inspect_log;
mod lookup;
mod metrics;
mod query;
mod remote_write;
mod retention;
mod rules;
mod service_graph;
mod snapshot;
mod span_metrics;
mod sql;
mod tags;
mod trace;
mod values;
mod verify;

use std::io::Write;

use clap::CommandFactory;

use crate::{
    args::{Args, Command, QuerySource, Selection},
    exit::Failure,
    terminal,
    time::Moment,
};

/// Runs a command; gives its exit code.
pub(crate) async fn run(args: Args) -> Result<u8, Failure> {
    let style = terminal::style(args.color);
    match args.command {
        Command::Ingest(ingest) => ingest::run(&ingest),
        Command::Compact(compact) => compact::run(&compact),
        Command::Delete(delete) => delete::run(&delete),
        Command::Retention(retention) => retention::run(&retention),
        Command::Query(query) => query::run(&query, style).await,
        Command::Sql(sql) => sql::run(&sql, style).await,
        Command::Tags(tags) => tags::run(&tags, style).await,
        Command::Values(values) => values::run(&values, style).await,
        Command::Trace(trace) => trace::run(&trace, style).await,
        Command::Diff(diff) => diff::run(&diff, style).await,
        Command::SpanMetrics(metrics) => span_metrics::run(&metrics),
        Command::ServiceGraph(graph) => service_graph::run(&graph, style),
        Command::Inspect(inspect) if inspect.log => inspect_log::run(&inspect, style),
        Command::Inspect(inspect) => inspect::run(&inspect, style),
        Command::Verify(verify) => verify::run(&verify),
        Command::Snapshot(snapshot) => snapshot::run(&snapshot),
        Command::Export(export) => export::run(&export).await,
        Command::Explain(explain) => explain::run(&explain).await,
        Command::Check(check) => check::run(&check),
        Command::Fmt(fmt) => fmt::run(&fmt),
        Command::Rules(rules) => rules::run(&rules, style).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "traceql", &mut script);
            print(&script)
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Args::command()).render(&mut page)?;
            print(&page)
        }
    }
}

fn print(bytes: &[u8]) -> Result<u8, Failure> {
    std::io::stdout().lock().write_all(bytes)?;
    Ok(0)
}

/// The queries that are meant; those of a file with the numbers of their lines.
fn queries(source: &QuerySource) -> Result<Vec<(Option<usize>, String)>, Failure> {
    if let Some(query) = &source.query {
        return Ok(vec![(None, query.clone())]);
    }
    let Some(path) = &source.file else { return Ok(Vec::new()) };
    let text = match path.to_str() {
        Some("-") => std::io::read_to_string(std::io::stdin()),
        _ => std::fs::read_to_string(path),
    };
    let text = text.map_err(|error| Failure::Input(path.clone(), error))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    Ok(lines.map(|(index, line)| (Some(index + 1), line.to_owned())).collect())
}

/// Refuses the first option that was given and has no meaning here.
fn refuse(options: &[(&str, bool)], why: &str) -> Result<(), Failure> {
    match options.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(Failure::Usage(format!("{name} {why}"))),
        None => Ok(()),
    }
}

/// Opens what a query is asked of, and says what of it was refused.
fn open(paths: &[std::path::PathBuf]) -> Result<tracestore::Snapshot, Failure> {
    let snapshot = tracestore::Snapshot::open(paths)?;
    if snapshot.refusals().total() > 0 {
        eprintln!("traceql: {}", snapshot.refusals());
    }
    Ok(snapshot)
}

/// The engine's options for a selection.
fn options(selection: &Selection) -> Result<traceql::SearchOptions, Failure> {
    let (start, end) = times(selection.start, selection.end)?;
    let options = traceql::SearchOptions::default().with_time(start, end);
    Ok(options.with_limit(selection.limit).with_spss(selection.spss))
}

/// A range of time in ns since 1970.
fn times(start: Option<Moment>, end: Option<Moment>) -> Result<(Option<u64>, Option<u64>), Failure> {
    match (start, end) {
        (Some(start), Some(end)) if start.nanos() > end.nanos() => {
            Err(Failure::Usage("--start lies after --end".to_owned()))
        }
        _ => Ok((start.map(Moment::nanos), end.map(Moment::nanos))),
    }
}
