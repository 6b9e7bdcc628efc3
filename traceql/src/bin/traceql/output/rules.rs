//! What came of evaluating rules: lines for people, JSON.

use std::io::Write;

use serde_json::{Value as Json, json};
use traceql::rules::{Alert, Change, Evaluation, Failure as RuleFailure, Labels, Recorded};

use crate::{
    exit::Failure,
    terminal::{Style, clean, time},
};

/// A line per change with the annotations below it, a line per recorded sample; in order of time.
pub(crate) fn rules_text(out: &mut impl Write, evaluation: &Evaluation, style: Style) -> Result<(), Failure> {
    let mut blocks: Vec<(u64, String)> = Vec::new();
    blocks.extend(evaluation.changes.iter().map(|found| (found.at, change_text(found, style))));
    blocks.extend(evaluation.recorded.iter().map(|found| {
        let (name, labels) = (style.bold(&clean(&found.name)), labels_text(&found.labels));
        (found.at, format!("{}  {:<19}  {name} {labels} = {}\n", time(found.at), "recorded", found.value))
    }));
    blocks.sort_by_key(|(at, _)| *at);
    for (_, text) in blocks {
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

fn change_text(change: &Change, style: Style) -> String {
    let to = if change.is_resolved() { "resolved" } else { change.to.name() };
    let states = format!("{:<8} → {to:<8}", change.from.name());
    let states = match to {
        "firing" => style.error(&states),
        "resolved" => style.good(&states),
        _ => states,
    };
    let mut labels = change.alert.labels.clone();
    let name = style.bold(&clean(&labels.remove("alertname").unwrap_or_default()));
    let mut text = format!("{}  {states}  {name} {} = {}\n", time(change.at), labels_text(&labels), change.alert.value);
    for (name, annotation) in &change.alert.annotations {
        text.push_str(&format!("    {} {}\n", style.dim(&format!("{}:", clean(name))), clean(annotation)));
    }
    text
}

fn labels_text(labels: &Labels) -> String {
    let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{}={value:?}", clean(name))).collect();
    clean(&format!("{{{}}}", pairs.join(", ")))
}

/// One document.
pub(crate) fn rules_json<'a>(
    out: &mut impl Write,
    evaluation: &Evaluation,
    alerts: impl Iterator<Item = &'a Alert>,
) -> Result<(), Failure> {
    let document = json!({
        "changes": evaluation.changes.iter().map(change).collect::<Vec<_>>(),
        "recorded": evaluation.recorded.iter().map(recorded).collect::<Vec<_>>(),
        "failures": evaluation.failures.iter().map(failure).collect::<Vec<_>>(),
        "alerts": alerts.map(alert).collect::<Vec<_>>(),
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    Ok(writeln!(out)?)
}

/// An object per line: `change`, `recorded` or `failure` says what it is.
pub(crate) fn rules_ndjson(out: &mut impl Write, evaluation: &Evaluation) -> Result<(), Failure> {
    let mut lines: Vec<(u64, Json)> = Vec::new();
    lines.extend(evaluation.changes.iter().map(|found| (found.at, json!({ "change": change(found) }))));
    lines.extend(evaluation.recorded.iter().map(|found| (found.at, json!({ "recorded": recorded(found) }))));
    lines.extend(evaluation.failures.iter().map(|found| (found.at, json!({ "failure": failure(found) }))));
    lines.sort_by_key(|(at, _)| *at);
    for (_, line) in lines {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn change(change: &Change) -> Json {
    json!({
        "group": change.group,
        "timeUnixNano": change.at.to_string(),
        "from": change.from.name(),
        "to": change.to.name(),
        "resolved": change.is_resolved(),
        "alert": alert(&change.alert),
    })
}

fn alert(alert: &Alert) -> Json {
    json!({
        "labels": alert.labels,
        "annotations": alert.annotations,
        "value": number(alert.value),
        "state": alert.state.name(),
        "activeAtUnixNano": alert.active_at.to_string(),
    })
}

fn recorded(recorded: &Recorded) -> Json {
    json!({
        "group": recorded.group,
        "timeUnixNano": recorded.at.to_string(),
        "name": recorded.name,
        "labels": recorded.labels,
        "value": number(recorded.value),
    })
}

fn failure(failure: &RuleFailure) -> Json {
    json!({
        "group": failure.group,
        "rule": failure.rule,
        "timeUnixNano": failure.at.to_string(),
        "error": failure.error.to_string(),
    })
}

/// JSON has no infinite numbers: they are texts.
fn number(value: f64) -> Json {
    if value.is_finite() { json!(value) } else { json!(value.to_string()) }
}
