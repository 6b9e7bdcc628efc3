//! `traceql inspect`: what takes how many bytes.

use std::io::Write;

use serde_json::json;
use tracestore::block::Block;

use crate::{
    args::Inspect,
    exit::Failure,
    terminal::{Style, bytes, time},
};

pub(super) fn run(args: &Inspect, style: Style) -> Result<u8, Failure> {
    let snapshot = super::open(&args.paths)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if args.json {
        let blocks = snapshot.blocks().iter().map(|block| block_json(block)).collect::<Result<Vec<_>, _>>()?;
        serde_json::to_writer_pretty(&mut out, &json!({ "blocks": blocks }))?;
        writeln!(out)?;
        return Ok(0);
    }
    for block in snapshot.blocks() {
        print_block(&mut out, block, style)?;
    }
    let spans: u64 = snapshot.blocks().iter().map(|block| block.spans()).sum();
    writeln!(
        out,
        "{} in {} blocks, {spans} spans, {} bytes per span",
        bytes(snapshot.size()),
        snapshot.blocks().len(),
        style.bold(&per_span(snapshot.size(), spans)),
    )?;
    out.flush()?;
    Ok(0)
}

fn per_span(bytes: u64, spans: u64) -> String {
    format!("{:.2}", bytes as f64 / spans.max(1) as f64)
}

fn print_block(out: &mut impl Write, block: &Block, style: Style) -> Result<(), Failure> {
    let (start, end) = block.time_range();
    writeln!(out, "block {}", style.bold(&block.id().to_string()))?;
    writeln!(
        out,
        "  {} spans, {} traces, {} events, {} links, {} to {}",
        block.spans(),
        block.traces(),
        block.events(),
        block.links(),
        time(start),
        time(end)
    )?;
    let columns = block.columns()?;
    for (file, size) in block.files() {
        let line = format!("  {file:<45} {:>12} {:>8}", bytes(size), per_span(size, block.spans()));
        writeln!(out, "{}", style.bold(&line))?;
        for column in columns.iter().filter(|column| column.file == file) {
            writeln!(
                out,
                "    {:<43} {:>12} {:>8}  {} {}",
                column.column,
                bytes(column.bytes),
                per_span(column.bytes, block.spans()),
                column.encodings,
                style.dim(&column.compression),
            )?;
        }
    }
    Ok(writeln!(out)?)
}

fn block_json(block: &Block) -> Result<serde_json::Value, Failure> {
    let (start, end) = block.time_range();
    let columns = block.columns()?.into_iter().map(|column| {
        json!({
            "file": column.file,
            "column": column.column,
            "bytes": column.bytes,
            "uncompressed": column.uncompressed,
            "encodings": column.encodings,
            "compression": column.compression,
            "values": column.values,
            "nulls": column.nulls,
        })
    });
    let files = block.files().into_iter().map(|(name, bytes)| json!({ "name": name, "bytes": bytes }));
    Ok(json!({
        "id": block.id().to_string(),
        "path": block.path(),
        "spans": block.spans(),
        "traces": block.traces(),
        "events": block.events(),
        "links": block.links(),
        "start": start,
        "end": end,
        "bytes": block.size(),
        "bytes_per_span": block.size() as f64 / block.spans().max(1) as f64,
        "files": files.collect::<Vec<_>>(),
        "columns": columns.collect::<Vec<_>>(),
    }))
}
