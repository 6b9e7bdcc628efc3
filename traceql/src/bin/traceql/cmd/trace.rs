//! `traceql trace`

use std::io::Write;

use tracestore::{model::TraceId, otlp::traces_to_json};

use crate::{
    args::{Trace, TraceFormat},
    exit::{Failure, NOTHING_FOUND},
    output,
    terminal::Style,
};

pub(super) fn run(args: &Trace, style: Style) -> Result<u8, Failure> {
    let id: TraceId =
        args.id.parse().map_err(|error: tracestore::model::ParseIdError| Failure::Usage(error.to_string()))?;
    let Some(trace) = super::open(&args.paths)?.find_trace(&id)? else {
        eprintln!("traceql: there is no trace {id}");
        return Ok(NOTHING_FOUND);
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match args.output {
        TraceFormat::Waterfall => output::waterfall(&mut out, &trace, style)?,
        TraceFormat::Otlp => {
            serde_json::to_writer(&mut out, &traces_to_json(std::slice::from_ref(&trace)))?;
            writeln!(out)?;
        }
    }
    out.flush()?;
    Ok(0)
}
