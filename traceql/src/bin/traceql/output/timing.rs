//! Self times and critical paths as JSON: ids at full width, times as text of ns, as in our other JSON.

use std::io::Write;

use serde_json::{Value as Json, json};
use traceql::analysis::{self, CriticalPath, Section, SpanTiming, Timing};
use tracestore::model::Trace;

use crate::exit::Failure;

/// One document. Spans are referred to by their place in the list of spans, since ids may repeat.
pub(crate) fn timing(out: &mut impl Write, trace: &Trace) -> Result<(), Failure> {
    let timing = analysis::timing(trace);
    let places = places(trace);
    let shown = (0..trace.spans.len()).filter(|index| places.get(*index).is_some_and(Option::is_some));
    let document = json!({
        "traceId": trace.trace_id.to_string(),
        "spans": shown.filter_map(|index| span(trace, &timing, &places, index)).collect::<Vec<_>>(),
        "criticalPaths": timing.paths.iter().map(|path| critical_path(path, &timing, &places)).collect::<Vec<_>>(),
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    Ok(writeln!(out)?)
}

/// The place of each span among those that are shown; shadowed copies are not.
fn places(trace: &Trace) -> Vec<Option<usize>> {
    let mut shown = 0..;
    trace.spans.iter().map(|span| if span.shadowed { None } else { shown.next() }).collect()
}

fn span(trace: &Trace, timing: &Timing, places: &[Option<usize>], index: usize) -> Option<Json> {
    let (span, times) = (trace.spans.get(index)?, timing.spans.get(index)?);
    let SpanTiming { duration, self_time, critical, critical_time, clock_shift, .. } = *times;
    Some(json!({
        "spanId": span.span.span_id.to_string(),
        "parent": span.parent.and_then(|parent| places.get(parent)),
        "service": span.service(),
        "name": span.span.name,
        "kind": traceql::output::kind_word(span.span.kind),
        "error": span.is_error(),
        "startTimeUnixNano": span.span.start_time_unix_nano.to_string(),
        "durationNanos": duration.to_string(),
        "selfTimeNanos": self_time.to_string(),
        "critical": critical,
        "criticalTimeNanos": critical_time.to_string(),
        "clockShiftNanos": clock_shift.to_string(),
    }))
}

fn critical_path(path: &CriticalPath, timing: &Timing, places: &[Option<usize>]) -> Json {
    let place = |span: usize| places.get(span).copied().flatten();
    let section = |section: &Section| {
        json!({
            "span": place(section.span),
            "startTimeUnixNano": section.start.to_string(),
            "durationNanos": (section.end - section.start).to_string(),
        })
    };
    json!({
        "top": place(path.top),
        "durationNanos": timing.spans.get(path.top).map_or(0, |span| span.duration).to_string(),
        "sections": path.sections.iter().map(section).collect::<Vec<_>>(),
    })
}
