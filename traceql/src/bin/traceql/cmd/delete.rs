//! `traceql delete`

use std::{
    io::{BufRead, IsTerminal, Write},
    sync::Arc,
};

use traceql::QuerySelector;
use tracestore::{Deletion, DeletionReport, StoreOptions, StoreReader, TraceStore};

use crate::{
    args::{Delete, Doomed},
    exit::Failure,
};

pub(super) fn run(args: &Delete) -> Result<u8, Failure> {
    let deletion = deletion(&args.what)?;
    // A writer would make a store where there is none.
    let reader = StoreReader::open(&args.store)?;
    if !args.yes {
        let report = deletion.preview(&reader.snapshot()?)?;
        writeln!(std::io::stdout(), "{}", told("would go", &report))?;
        if args.dry_run || report.stored_spans == 0 {
            return Ok(0);
        }
        if !confirmed()? {
            return Err(Failure::Usage("nothing was deleted; --yes deletes without asking".to_owned()));
        }
    }
    let store = TraceStore::open(&args.store, options())?;
    let report = store.delete(&deletion)?;
    store.close()?;
    writeln!(std::io::stdout(), "{}", told("deleted", &report))?;
    Ok(0)
}

/// A store that is opened for one thing.
pub(super) fn options() -> StoreOptions {
    let mut options = StoreOptions::default();
    options.background = None;
    options
}

fn deletion(what: &Doomed) -> Result<Deletion, Failure> {
    let selector = |query: &str| QuerySelector::new(query).map(Arc::new);
    Ok(match what {
        Doomed { traces: Some(query), .. } => Deletion::Traces(selector(query)?),
        Doomed { spans: Some(query), .. } => Deletion::Spans(selector(query)?),
        Doomed { trace, .. } => {
            let id = trace.as_deref().unwrap_or_default().parse();
            Deletion::Trace(id.map_err(|error: tracestore::model::ParseIdError| Failure::Usage(error.to_string()))?)
        }
    })
}

/// Asks who sits before the terminal; nobody there is no.
fn confirmed() -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    let mut stderr = std::io::stderr();
    write!(stderr, "Delete them for good? [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn told(done: &str, report: &DeletionReport) -> String {
    let DeletionReport { traces, spans, stored_spans, blocks, .. } = report;
    let copies = match stored_spans.saturating_sub(*spans) {
        0 => String::new(),
        copies => format!(", with {copies} further copies,"),
    };
    format!("{spans} spans of {traces} traces in {blocks} blocks{copies} {done}")
}
