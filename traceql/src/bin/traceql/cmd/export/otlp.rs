//! Traces as OTLP requests, each of some thousand spans.

use std::io::Write;

use traceql::Engine;
use tracestore::{
    model::Trace,
    otlp::{encode_request, traces_to_json},
};

use super::{Output, Wanted};
use crate::exit::Failure;

/// A request in protobuf after the other, each behind its length.
pub(super) fn protobuf(
    engine: &Engine,
    wanted: &Wanted,
    output: Output,
    is_packed: bool,
) -> Result<(Output, usize), Failure> {
    if !is_packed {
        let mut output = output;
        let spans = each(engine, wanted, |traces| write_framed(&mut output, traces))?;
        return Ok((output, spans));
    }
    let mut packed = zstd::Encoder::new(output, 3)?;
    let spans = each(engine, wanted, |traces| write_framed(&mut packed, traces))?;
    Ok((packed.finish()?, spans))
}

fn write_framed(out: &mut impl Write, traces: &[Trace]) -> Result<(), Failure> {
    let request = encode_request(traces);
    let mut rest = request.len();
    let mut len = Vec::with_capacity(10);
    while rest >= 0x80 {
        len.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    len.push(rest as u8);
    out.write_all(&len)?;
    Ok(out.write_all(&request)?)
}

/// A request in JSON on each line.
pub(super) fn json(engine: &Engine, wanted: &Wanted, mut output: Output) -> Result<(Output, usize), Failure> {
    let spans = each(engine, wanted, |traces| {
        serde_json::to_writer(&mut output, &traces_to_json(traces))?;
        Ok(writeln!(output)?)
    })?;
    Ok((output, spans))
}

/// Gives away the wanted traces, batch by batch; of copies of a span the one that stands for it. Tells how many spans
/// there were.
fn each(
    engine: &Engine,
    wanted: &Wanted,
    mut write: impl FnMut(&[Trace]) -> Result<(), Failure>,
) -> Result<usize, Failure> {
    let mut count = 0;
    let is_wanted = |id: &_| wanted.as_ref().is_none_or(|wanted| wanted.contains(id));
    for traces in engine.snapshot().traces(is_wanted)? {
        let mut traces = traces?;
        for trace in &mut traces {
            trace.spans.retain(|span| !span.shadowed);
            count += trace.spans.len();
        }
        write(&traces)?;
    }
    Ok(count)
}
