//! All edges of stored traces.

use super::{edge::Edge, half::Key, pairing::Pairing};
use crate::{
    Result, Snapshot,
    spanmetrics::{SpanFacts, Window, for_each_trace},
};

/// Pairs the spans of the traces that have any in a window; edges outside of it are given too. `see` is called with
/// every span that queries see. What a consumer links to is looked up where its trace lies outside of the window.
pub(super) fn walk(
    pairing: &mut Pairing,
    snapshot: &Snapshot,
    window: &Window,
    see: &mut dyn FnMut(&SpanFacts<'_>),
    found: &mut dyn FnMut(&Edge<'_>),
) -> Result<()> {
    for_each_trace(snapshot, window, &mut |trace| {
        for span in trace.spans.iter().filter(|span| !span.shadowed) {
            let span = SpanFacts::stored(span);
            see(&span);
            pairing.push(&span, 0, found);
        }
        pairing.end_trace(trace.trace_id, found);
    })?;
    let wanted = pairing.wanted_clients();
    for keys in wanted.chunk_by(|a, b| a.0 == b.0) {
        let Some((trace, _)) = keys.first() else { continue };
        let Some(trace) = snapshot.find_trace(trace)? else { continue };
        let is_wanted = |key: Key| keys.contains(&key);
        for span in trace.spans.iter().filter(|span| !span.shadowed) {
            let span = SpanFacts::stored(span);
            if span.kind == 4 && is_wanted((span.trace_id, span.span_id)) {
                pairing.push(&span, 0, found);
            }
        }
    }
    pairing.finish(found);
    Ok(())
}
