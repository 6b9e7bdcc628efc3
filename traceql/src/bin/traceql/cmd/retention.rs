//! `traceql retention`

use std::{io::Write, time::SystemTime};

use traceql::retention::check_policy;
use tracestore::{RetentionPolicy, RetentionReport, RetentionRule, StoreReader, TraceStore};

use super::delete::options;
use crate::{
    args::Retention,
    exit::{Failure, QUERY},
    terminal::bytes,
};

pub(super) fn run(args: &Retention) -> Result<u8, Failure> {
    let Some(policy) = policy(args)? else { return Ok(QUERY) };
    let now = SystemTime::now();
    // A writer would make a store where there is none.
    let reader = StoreReader::open(&args.store)?;
    let (done, report) = if args.dry_run {
        ("would go", policy.preview(&reader.snapshot()?, now)?)
    } else {
        let store = TraceStore::open(&args.store, options())?;
        let report = store.retain(&policy, now)?;
        store.close()?;
        ("removed", report)
    };
    let RetentionReport { traces, stored_spans, removed_blocks, removed_bytes, .. } = report;
    let size = bytes(removed_bytes);
    writeln!(
        std::io::stdout(),
        "{stored_spans} spans of {traces} traces {done}, and with them {removed_blocks} whole blocks of {size}"
    )?;
    Ok(0)
}

/// The policy that is meant; `None` when its file is wrong, which is then said.
fn policy(args: &Retention) -> Result<Option<RetentionPolicy>, Failure> {
    let Some(path) = &args.policy else {
        let rules = args.keep.iter().map(|keep| RetentionRule::all(keep.0)).collect();
        return Ok(Some(RetentionPolicy { rules, max_bytes: args.max_size }));
    };
    let text = std::fs::read_to_string(path).map_err(|error| Failure::Input(path.clone(), error))?;
    let report = check_policy(&text);
    super::rules::write_diagnostics(&mut std::io::stderr().lock(), path, &report.diagnostics)?;
    Ok(report.policy)
}
