//! `traceql verify`

use std::io::Write;

use serde_json::json;
use tracestore::VerifyReport;

use crate::{
    args::Verify,
    exit::{DATA, Failure},
    terminal::bytes,
};

pub(super) fn run(args: &Verify) -> Result<u8, Failure> {
    let mut report = VerifyReport::default();
    for path in &args.paths {
        report.merge(tracestore::verify(path)?);
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &to_json(&report))?;
        writeln!(out)?;
    } else {
        for damage in &report.damage {
            writeln!(out, "{damage}")?;
        }
        let verdict = if report.is_sound() { "sound" } else { "DAMAGED" };
        let (files, blocks, spans, requests) = (report.files, report.blocks, report.spans, report.requests);
        let read = bytes(report.bytes);
        writeln!(
            out,
            "{verdict}: {files} files, {read}; {blocks} blocks, {spans} spans; {requests} requests in the log"
        )?;
        if report.torn_bytes > 0 {
            writeln!(
                out,
                "{} bytes of the log were never synced: a writer is at work, or was stopped",
                report.torn_bytes
            )?;
        }
    }
    Ok(if report.is_sound() { 0 } else { DATA })
}

fn to_json(report: &VerifyReport) -> serde_json::Value {
    let damage = report
        .damage
        .iter()
        .map(|damage| json!({ "path": damage.path, "offset": damage.offset, "reason": damage.reason }));
    json!({
        "sound": report.is_sound(),
        "files": report.files,
        "bytes": report.bytes,
        "blocks": report.blocks,
        "spans": report.spans,
        "requests": report.requests,
        "torn_bytes": report.torn_bytes,
        "damage": damage.collect::<Vec<_>>(),
    })
}
