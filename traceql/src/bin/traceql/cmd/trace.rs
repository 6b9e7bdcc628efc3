//! `traceql trace`

use std::io::Write;

use traceql::Engine;
use tracestore::otlp::traces_to_json;

use super::lookup;
use crate::{
    args::{Trace, TraceFormat},
    exit::{Failure, NOTHING_FOUND},
    output,
    terminal::Style,
};

pub(super) async fn run(args: &Trace, style: Style) -> Result<u8, Failure> {
    let engine = Engine::new(super::open(&args.paths)?);
    let Some(trace) = lookup::find(&engine, &args.id).await? else {
        return Ok(NOTHING_FOUND);
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match args.output {
        TraceFormat::Waterfall => output::waterfall(&mut out, &trace, style)?,
        TraceFormat::Timing => output::timing(&mut out, &trace)?,
        TraceFormat::Otlp => {
            serde_json::to_writer(&mut out, &traces_to_json(std::slice::from_ref(&trace)))?;
            writeln!(out)?;
        }
    }
    out.flush()?;
    Ok(0)
}
