//! A trace as a tree with bars on a common scale of time.

use std::io::Write;

use tracestore::model::{Trace, TraceSpan, Value};

use crate::{
    exit::Failure,
    terminal::{Style, clean, duration, time},
};

/// OTLP's status code of errors.
const ERROR: i32 = 2;
/// How deep the tree is drawn; deeper spans stay at this depth.
const MAX_INDENT: usize = 24;

/// A line of the tree.
struct Line<'a> {
    span: &'a TraceSpan,
    tree: String,
}

pub(crate) fn waterfall(out: &mut impl Write, trace: &Trace, style: Style) -> Result<(), Failure> {
    let spans: Vec<&TraceSpan> = trace.spans.iter().filter(|span| !span.shadowed).collect();
    let times = spans.iter().map(|span| span.span.start_time_unix_nano).filter(|start| *start > 0);
    let start = times.min().unwrap_or(0);
    let end = spans.iter().map(|span| span.span.end_time_unix_nano).max().unwrap_or(start).max(start);
    let errors = spans.iter().filter(|span| is_error(span)).count();
    writeln!(
        out,
        "trace {}  {}  {}  {} spans{}",
        style.bold(&trace.trace_id.to_string()),
        time(start),
        duration(end - start),
        spans.len(),
        if errors > 0 { style.error(&format!(", {errors} errors")) } else { String::new() },
    )?;
    let lines = lines(trace);
    let labels: Vec<String> = lines.iter().map(|line| label(line.span)).collect();
    let widest = lines.iter().zip(&labels).map(|(line, label)| line.tree.chars().count() + label.chars().count()).max();
    let label_width = widest.unwrap_or(0).clamp(10, style.width / 2);
    let bar_width = style.width.saturating_sub(label_width + 12).clamp(10, 100);
    for (line, label) in lines.iter().zip(&labels) {
        let tree = &line.tree;
        let room = label_width.saturating_sub(tree.chars().count()).max(8);
        let shown: String = if label.chars().count() > room {
            label.chars().take(room - 1).chain(['…']).collect()
        } else {
            label.clone()
        };
        let padding = " ".repeat(room.saturating_sub(shown.chars().count()));
        let shown = if is_error(line.span) { style.error(&shown) } else { shown };
        let bar = bar(line.span, start, end, bar_width);
        let bar = if is_error(line.span) { style.error(&bar) } else { style.service(&bar) };
        let took = line.span.span.end_time_unix_nano.saturating_sub(line.span.span.start_time_unix_nano);
        writeln!(out, "{}{shown}{padding} {:>8} {bar}", style.dim(tree), duration(took))?;
    }
    Ok(())
}

fn is_error(span: &TraceSpan) -> bool {
    span.span.status.as_ref().is_some_and(|status| status.code == ERROR)
}

fn service(span: &TraceSpan) -> &str {
    let name = span.resource.attributes.iter().find(|attribute| attribute.key == "service.name");
    match name.map(|attribute| &attribute.value) {
        Some(Value::String(name)) => name,
        _ => "",
    }
}

/// Service and name, with marks for events and a missing parent.
fn label(span: &TraceSpan) -> String {
    let mut label = clean(&format!("{} {}", service(span), span.span.name)).trim().to_owned();
    let orphan = span.parent.is_none()
        && span.span.parent_span_id.is_some_and(|parent| parent.as_bytes().iter().any(|byte| *byte != 0));
    if orphan {
        label.push_str(" (parent missing)");
    }
    if !span.span.events.is_empty() {
        label.push_str(&format!(" ◆{}", span.span.events.len()));
    }
    label
}

/// The lines of the tree. Spans come in pre-order, so one walk from the end tells which have a later sibling.
fn lines(trace: &Trace) -> Vec<Line<'_>> {
    let count = trace.spans.len();
    let mut depths = vec![0_usize; count];
    let mut last = vec![true; count];
    let mut seen = vec![false; count];
    for (index, span) in trace.spans.iter().enumerate() {
        let depth = span.parent.and_then(|parent| depths.get(parent)).map_or(0, |depth| depth + 1);
        if let Some(slot) = depths.get_mut(index) {
            *slot = depth;
        }
    }
    for (index, span) in trace.spans.iter().enumerate().rev() {
        if let (Some(parent), Some(last)) = (span.parent, last.get_mut(index))
            && let Some(seen) = seen.get_mut(parent)
        {
            *last = !std::mem::replace(seen, true);
        }
    }
    // For each depth whether the branch goes on below.
    let mut open: Vec<bool> = Vec::new();
    let mut lines = Vec::with_capacity(count);
    for ((span, depth), last) in trace.spans.iter().zip(depths).zip(last) {
        open.truncate(depth.saturating_sub(1));
        if span.shadowed {
            continue;
        }
        let mut tree: String = open.iter().take(MAX_INDENT).map(|open| if *open { "│ " } else { "  " }).collect();
        if depth > 0 {
            tree.push_str(if last { "└ " } else { "├ " });
            open.push(!last);
        }
        lines.push(Line { span, tree });
    }
    lines
}

/// A bar from the span's start to its end, at least one mark long.
fn bar(span: &TraceSpan, start: u64, end: u64, width: usize) -> String {
    let total = end.saturating_sub(start).max(1) as f64;
    let place = |at: u64| (at.clamp(start, end) - start) as f64 / total * width as f64;
    let from = (place(span.span.start_time_unix_nano) as usize).min(width - 1);
    let to = (place(span.span.end_time_unix_nano).ceil() as usize).clamp(from + 1, width);
    format!("{}{}", " ".repeat(from), "━".repeat(to - from))
}
