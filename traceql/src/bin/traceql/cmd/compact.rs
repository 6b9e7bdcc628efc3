//! `traceql compact`

use tracestore::{StoreReader, TimeWindows, TraceStore};

use super::delete::options;
use crate::{
    args::Compact,
    exit::{DATA, Failure},
};

pub(super) fn run(args: &Compact) -> Result<u8, Failure> {
    // A writer would make a store where there is none.
    StoreReader::open(&args.store)?;
    let store = TraceStore::open(&args.store, options())?;
    let strategy = if args.all { TimeWindows::default().at_once() } else { TimeWindows::default() };
    let report = store.compact(Some(&strategy))?;
    store.close()?;
    eprintln!("{report}");
    Ok(if report.left_alone.is_empty() { 0 } else { DATA })
}
