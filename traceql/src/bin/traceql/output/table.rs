//! A table for people: a line per trace, below it the matching spans with what the query asked about.

use std::io::Write;

use traceql::{SearchResponse, SpanMatch, TraceMatch, Value};

use crate::{
    exit::Failure,
    terminal::{Style, clean, duration, time},
};

pub(crate) fn table(out: &mut impl Write, response: &SearchResponse, style: Style) -> Result<(), Failure> {
    for found in &response.traces {
        trace(out, found, style)?;
    }
    let count = response.traces.len();
    let spans: usize = response.traces.iter().flat_map(|trace| &trace.spansets).map(|set| set.matched).sum();
    let (traces, spans_word) = (plural(count, "trace"), plural(spans, "matching span"));
    let summary = format!("{count} {traces}, {spans} {spans_word}, {:.1?}", response.stats.elapsed);
    Ok(writeln!(out, "{}", style.dim(&summary))?)
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}

fn trace(out: &mut impl Write, trace: &TraceMatch, style: Style) -> Result<(), Failure> {
    let service = clean(trace.root_service.as_deref().unwrap_or("(no root)"));
    let name = clean(trace.root_name.as_deref().unwrap_or(""));
    let spans: u32 = trace.service_stats.iter().map(|stats| stats.spans).sum();
    let errors: u32 = trace.service_stats.iter().map(|stats| stats.errors).sum();
    let errors = if errors > 0 {
        style.error(&format!(", {errors} {}", plural(errors as usize, "error")))
    } else {
        String::new()
    };
    writeln!(
        out,
        "{}  {}  {:>7}  {} {}  {}{errors}",
        style.bold(&trace.trace_id.to_string()),
        time(trace.start_time_unix_nano),
        duration(trace.duration_nanos),
        style.service(&service),
        name,
        style.dim(&format!("{spans} {}", plural(spans as usize, "span"))),
    )?;
    for set in &trace.spansets {
        let values = set.values().into_iter();
        let values: Vec<String> = values
            .map(|(name, value)| format!("{} {}", style.dim(&format!("{}:", clean(&name))), clean(&super::text(value))))
            .collect();
        if !values.is_empty() {
            writeln!(out, "  {}", values.join("   "))?;
        }
        for found in &set.spans {
            span(out, found, trace.start_time_unix_nano, style)?;
        }
        let hidden = set.matched.saturating_sub(set.spans.len());
        if hidden > 0 {
            writeln!(out, "    {}", style.dim(&format!("… {hidden} more (--spss 0 shows all)")))?;
        }
    }
    Ok(())
}

fn span(out: &mut impl Write, span: &SpanMatch, start: u64, style: Style) -> Result<(), Failure> {
    let offset = span.start_time_unix_nano.saturating_sub(start);
    let mut shown = String::new();
    for attribute in &span.attributes {
        let value = clean(&super::text(&attribute.value));
        let value = if attribute.value == Value::Status(2) { style.error(&value) } else { value };
        shown.push_str(&format!("  {}{value}", style.dim(&format!("{}=", attribute.field))));
    }
    let name = clean(&span.name);
    let times = format!("+{:<7} {:>7}", duration(offset), duration(span.duration_nanos));
    Ok(writeln!(out, "    {} {times}  {name}{shown}", style.dim(&span.span_id.to_string()))?)
}
