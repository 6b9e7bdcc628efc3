//! Traces by what people type for an id.

use traceql::Engine;
use tracestore::{
    TraceCandidate,
    model::{ParseIdError, Trace, TraceId},
};

use crate::{
    exit::Failure,
    terminal::{clean, time},
};

/// Fewer digits are no start of an id.
const MIN_DIGITS: usize = 4;
/// So many candidates are listed.
const MAX_LISTED: usize = 10;

/// The trace with an id, leading zeros optional, or else the only one whose id starts so. Where there is none it says so
/// on standard error.
pub(super) async fn find(engine: &Engine, text: &str) -> Result<Option<Trace>, Failure> {
    let id: TraceId = text.parse().map_err(|error: ParseIdError| Failure::Usage(error.to_string()))?;
    if let Some(trace) = engine.trace(&id).await? {
        return Ok(Some(trace));
    }
    let is_start = (MIN_DIGITS..32).contains(&text.len());
    let candidates = if is_start { engine.traces_by_prefix(text, MAX_LISTED + 1).await? } else { Vec::new() };
    match candidates.as_slice() {
        [] => {
            let start = if is_start { format!(", and none whose id starts with {text}") } else { String::new() };
            eprintln!("traceql: there is no trace {id}{start}");
            Ok(None)
        }
        [only] => Ok(engine.trace(&only.trace_id).await?),
        several => Err(Failure::Usage(list(text, several))),
    }
}

fn list(text: &str, candidates: &[TraceCandidate]) -> String {
    let mut message = format!("several traces have an id that starts with {text}:");
    for candidate in candidates.iter().take(MAX_LISTED) {
        let root = candidate.root.as_ref().map(|(name, service)| clean(&format!("{service} {name}")));
        let root = root.as_deref().map_or("(no root)", str::trim);
        message.push_str(&format!("\n  {}  {}  {root}", candidate.trace_id, time(candidate.start)));
    }
    if candidates.len() > MAX_LISTED {
        message.push_str("\n  … and more");
    }
    message
}
