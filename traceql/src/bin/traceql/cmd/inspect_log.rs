//! `traceql inspect --log`: the versions of a catalog, and the log behind the newest.

use std::io::Write;

use serde_json::{Value, json};
use tracestore::{SegmentInfo, StoreContents, VersionInfo, inspect_store};

use crate::{
    args::Inspect,
    exit::Failure,
    terminal::{Style, bytes, clean, time},
};

const MILLISECOND: u64 = 1_000_000;

pub(super) fn run(args: &Inspect, style: Style) -> Result<u8, Failure> {
    let stores = args.paths.iter().map(inspect_store).collect::<Result<Vec<_>, _>>()?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if args.json {
        let stores = args.paths.iter().zip(&stores).map(|(path, store)| {
            json!({
                "path": path,
                "versions": store.versions.iter().map(version_json).collect::<Vec<_>>(),
                "segments": store.segments.iter().map(segment_json).collect::<Vec<_>>(),
                "torn_bytes": store.torn_bytes,
                "damage": store.damage.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        });
        serde_json::to_writer_pretty(&mut out, &json!({ "stores": stores.collect::<Vec<_>>() }))?;
        writeln!(out)?;
    } else {
        for (path, store) in args.paths.iter().zip(&stores) {
            writeln!(out, "store {}", style.bold(&path.display().to_string()))?;
            print(&mut out, store, style)?;
        }
    }
    out.flush()?;
    Ok(0)
}

fn print(out: &mut impl Write, store: &StoreContents, style: Style) -> Result<(), Failure> {
    for version in &store.versions {
        writeln!(
            out,
            "  version {:<6} {:>10} {:>6} blocks {:>6} removed, log covered up to record {} (segment {})",
            version.number,
            bytes(version.bytes),
            version.blocks.len(),
            version.removed.len(),
            version.covered,
            version.first_segment,
        )?;
    }
    if let Some(newest) = store.versions.last() {
        for (folder, level, deleted) in &newest.blocks {
            let deleted = if *deleted > 0 { format!(", {deleted} rows deleted") } else { String::new() };
            writeln!(out, "    block {} level {level}{deleted}", clean(folder))?;
        }
        for (folder, removed) in &newest.removed {
            let when = time(removed.saturating_mul(MILLISECOND));
            writeln!(out, "    {}", style.dim(&format!("removed {} at {when}", clean(folder))))?;
        }
        for entry in &newest.audit {
            let when = time(entry.time.saturating_mul(MILLISECOND));
            let (action, detail) = (clean(&entry.action), clean(&entry.detail));
            writeln!(out, "    {when} version {} {action}: {detail}, {} spans", entry.version, entry.spans)?;
        }
    }
    for segment in &store.segments {
        let records = match segment.records {
            Some((first, last)) => format!("records {first} to {last}, {} spans", segment.spans),
            None => "no records".to_owned(),
        };
        writeln!(out, "  segment {:<6} {:>10} {records}", segment.number, bytes(segment.bytes))?;
    }
    if store.torn_bytes > 0 {
        writeln!(out, "  {} bytes of the log were never synced", store.torn_bytes)?;
    }
    for damage in &store.damage {
        writeln!(out, "  {}", style.error(&damage.to_string()))?;
    }
    Ok(())
}

fn version_json(version: &VersionInfo) -> Value {
    let blocks = version
        .blocks
        .iter()
        .map(|(folder, level, deleted)| json!({ "folder": folder, "level": level, "deleted_rows": deleted }));
    let removed = version.removed.iter().map(|(folder, time)| json!({ "folder": folder, "removed_unix_ms": time }));
    let audit = version.audit.iter().map(|entry| {
        json!({
            "version": entry.version,
            "time_unix_ms": entry.time,
            "action": entry.action,
            "detail": entry.detail,
            "spans": entry.spans,
        })
    });
    json!({
        "number": version.number,
        "path": version.path,
        "bytes": version.bytes,
        "covered_record": version.covered,
        "first_segment": version.first_segment,
        "blocks": blocks.collect::<Vec<_>>(),
        "removed": removed.collect::<Vec<_>>(),
        "audit": audit.collect::<Vec<_>>(),
    })
}

fn segment_json(segment: &SegmentInfo) -> Value {
    json!({
        "number": segment.number,
        "path": segment.path,
        "bytes": segment.bytes,
        "first_record": segment.records.map(|(first, _)| first),
        "last_record": segment.records.map(|(_, last)| last),
        "requests": segment.requests,
        "spans": segment.spans,
    })
}
