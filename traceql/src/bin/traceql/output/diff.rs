//! How two traces differ: as a table, and as JSON.

use std::io::Write;

use serde_json::{Value as Json, json};
use traceql::{
    analysis::{Amount, Change, ChangeKind, SpanKey, Totals, TraceDiff},
    output::kind_word,
};
use tracestore::model::Trace;

use crate::{
    exit::Failure,
    terminal::{Style, clean, duration, time},
};

/// How many steps of a path are told, from its end.
const MAX_STEPS: usize = 100;

/// A heading for the two traces, then a line for each change.
pub(crate) fn diff_table(
    out: &mut impl Write,
    traces: [&Trace; 2],
    diff: &TraceDiff,
    style: Style,
) -> Result<(), Failure> {
    heading(out, traces, diff, style)?;
    if diff.changes.is_empty() {
        return Ok(writeln!(out, "no differences")?);
    }
    let head = format!("  {:>9} {:>9}  {:>8} → {:<8}  spans", "self", "took", "A", "B");
    writeln!(out, "\n{}", style.dim(&head))?;
    diff.changes.iter().try_for_each(|change| line(out, diff, change, style))
}

fn heading(out: &mut impl Write, traces: [&Trace; 2], diff: &TraceDiff, style: Style) -> Result<(), Failure> {
    for (word, trace, totals) in [("A", traces[0], &diff.before), ("B", traces[1], &diff.after)] {
        let start = trace.spans.iter().map(|span| span.span.start_time_unix_nano).filter(|start| *start > 0).min();
        let id = style.bold(&trace.trace_id.to_string());
        let errors = match totals.errors {
            0 => String::new(),
            count => style.error(&format!(", {}", plural(count, "error"))),
        };
        let (start, took) = (time(start.unwrap_or(0)), duration(totals.duration));
        writeln!(out, "{word} {id}  {start}  {took:>8}  {}{errors}", plural(totals.spans, "span"))?;
    }
    let took = i128::from(diff.after.duration) - i128::from(diff.before.duration);
    let TraceDiff { matched, only_before, only_after, .. } = diff;
    let spans = format!("{} matched, {only_before} only in A, {only_after} only in B", plural(*matched, "span"));
    Ok(writeln!(out, "{}; {spans}", signed(took, style, 0))?)
}

fn line(out: &mut impl Write, diff: &TraceDiff, change: &Change, style: Style) -> Result<(), Failure> {
    let mark = match change.kind {
        ChangeKind::Changed => style.dim("~"),
        ChangeKind::Appeared => style.error("+"),
        ChangeKind::Vanished => style.good("-"),
    };
    let (own, took) = (signed(change.self_time_diff(), style, 9), signed(change.duration_diff(), style, 9));
    let (before, after) = (taken(&change.before), taken(&change.after));
    let columns = format!("{mark} {own} {took}  {before:>8} → {after:<8}  {:<11}", counts(change));
    let room = style.width.saturating_sub(COLUMNS).max(30);
    writeln!(out, "{columns} {}", place(diff, change, room, style))?;
    Ok(())
}

/// The width of all before the place.
const COLUMNS: usize = 56;

/// The durations of a path's spans, added up.
fn taken(amount: &Amount) -> String {
    if amount.count == 0 { "·".to_owned() } else { duration(amount.duration) }
}

/// How many spans; of a subtree all of them.
fn counts(change: &Change) -> String {
    let (before, after) = (change.before.spans, change.after.spans);
    if before == after { before.to_string() } else { format!("{before} → {after}") }
}

/// The span, what became of errors, and what is above it.
fn place(diff: &TraceDiff, change: &Change, room: usize, style: Style) -> String {
    let mut path = diff.path(change).take(MAX_STEPS);
    let Some(own) = path.next() else { return String::new() };
    let (service, name) = (clean(&own.service), clean(&own.name));
    let kind = format!("({})", kind_word(own.kind));
    let errors = errors(change);
    let mut above = String::new();
    let mut last = own;
    for step in path {
        above.push_str(&format!(" ‹ {}", clean(&label(step, last))));
        last = step;
    }
    let used: usize = [&service, &name, &kind, &errors].iter().map(|text| text.chars().count() + 1).sum();
    let above = cut(&above, room.saturating_sub(used));
    let shown = [style.service(&service), name, style.dim(&kind), style.error(&errors), style.dim(above.trim())];
    shown.iter().filter(|text| !text.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// A step of a path; the service only where it is another one than below.
fn label(step: &SpanKey, below: &SpanKey) -> String {
    if step.service == below.service { step.name.clone() } else { format!("{} {}", step.service, step.name) }
}

fn errors(change: &Change) -> String {
    let count = |sign: &str, count: usize| (count > 0).then(|| format!("{sign}{}", plural(count, "error")));
    let counts = [count("+", change.errors_appeared), count("-", change.errors_vanished)];
    counts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

/// A difference of times, at least so wide: slower is bad.
fn signed(nanos: i128, style: Style, width: usize) -> String {
    let amount = duration(u64::try_from(nanos.unsigned_abs()).unwrap_or(u64::MAX));
    match nanos {
        0 => format!("{:>width$}", "0"),
        1.. => style.error(&format!("{:>width$}", format!("+{amount}"))),
        _ => style.good(&format!("{:>width$}", format!("-{amount}"))),
    }
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// One document: ids at full width, times as text of ns, differences with their sign.
pub(crate) fn diff_json(out: &mut impl Write, traces: [&Trace; 2], diff: &TraceDiff) -> Result<(), Failure> {
    let document = json!({
        "before": totals(traces[0], &diff.before),
        "after": totals(traces[1], &diff.after),
        "matched": diff.matched,
        "onlyBefore": diff.only_before,
        "onlyAfter": diff.only_after,
        "changes": diff.changes.iter().map(|change| change_json(diff, change)).collect::<Vec<_>>(),
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    Ok(writeln!(out)?)
}

fn totals(trace: &Trace, totals: &Totals) -> Json {
    json!({
        "traceId": trace.trace_id.to_string(),
        "spans": totals.spans,
        "durationNanos": totals.duration.to_string(),
        "selfTimeNanos": totals.self_time.to_string(),
        "errors": totals.errors,
    })
}

/// The path from the top down; of a very long one the end.
fn change_json(diff: &TraceDiff, change: &Change) -> Json {
    let word = match change.kind {
        ChangeKind::Changed => "changed",
        ChangeKind::Appeared => "appeared",
        ChangeKind::Vanished => "vanished",
    };
    let step = |key: &SpanKey| json!({ "service": key.service, "name": key.name, "kind": kind_word(key.kind) });
    let mut path: Vec<Json> = diff.path(change).take(MAX_STEPS).map(step).collect();
    path.reverse();
    json!({
        "change": word,
        "path": path,
        "before": amount(&change.before),
        "after": amount(&change.after),
        "durationDiffNanos": change.duration_diff().to_string(),
        "selfTimeDiffNanos": change.self_time_diff().to_string(),
        "slower": change.slower,
        "faster": change.faster,
        "errorsAppeared": change.errors_appeared,
        "errorsVanished": change.errors_vanished,
    })
}

fn amount(amount: &Amount) -> Json {
    json!({
        "count": amount.count,
        "durationNanos": amount.duration.to_string(),
        "spans": amount.spans,
        "selfTimeNanos": amount.self_time.to_string(),
        "errors": amount.errors,
    })
}
