//! `traceql snapshot`

use tracestore::{CopyMode, copy_store};

use crate::{args::Snapshot, exit::Failure, terminal::bytes};

pub(super) fn run(args: &Snapshot) -> Result<u8, Failure> {
    let mode = if args.copy { CopyMode::Copy } else { CopyMode::Link };
    let report = copy_store(&args.store, &args.dir, mode)?;
    eprintln!(
        "{}: version {}, {} blocks, {} segments of the log, {}",
        args.dir.display(),
        report.version,
        report.blocks,
        report.segments,
        bytes(report.bytes),
    );
    Ok(0)
}
