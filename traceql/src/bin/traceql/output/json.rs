//! Our own JSON: ids at full width, times as text of ns, attributes under their scoped names with typed values.

use std::io::Write;

use serde_json::{Map, Value as Json, json};
use traceql::{FieldValue, SearchResponse, SearchStats, SpanMatch, SpansetMatch, TraceMatch, Value};

use crate::exit::Failure;

/// One document.
pub(crate) fn json(out: &mut impl Write, response: &SearchResponse) -> Result<(), Failure> {
    let traces: Vec<Json> = response.traces.iter().map(trace).collect();
    let next = response.next.map(|next| next.to_string());
    serde_json::to_writer_pretty(
        &mut *out,
        &json!({ "traces": traces, "partial": response.partial, "next": next, "stats": stats(&response.stats) }),
    )?;
    Ok(writeln!(out)?)
}

/// What it took.
pub(super) fn stats(stats: &SearchStats) -> Json {
    json!({
        "blocks": stats.blocks,
        "spans": stats.spans,
        "rowsRead": stats.rows_read,
        "bytesRead": stats.bytes_read,
        "elapsedMs": stats.elapsed.as_secs_f64() * 1e3,
    })
}

/// A trace per line.
pub(crate) fn ndjson(out: &mut impl Write, response: &SearchResponse) -> Result<(), Failure> {
    for found in &response.traces {
        serde_json::to_writer(&mut *out, &trace(found))?;
        writeln!(out)?;
    }
    Ok(())
}

fn trace(trace: &TraceMatch) -> Json {
    let services = trace
        .service_stats
        .iter()
        .map(|stats| json!({ "service": stats.service, "spans": stats.spans, "errors": stats.errors }));
    json!({
        "traceId": trace.trace_id.to_string(),
        "rootService": trace.root_service,
        "rootName": trace.root_name,
        "startTimeUnixNano": trace.start_time_unix_nano.to_string(),
        "durationNanos": trace.duration_nanos.to_string(),
        "services": services.collect::<Vec<_>>(),
        "spansets": trace.spansets.iter().map(spanset).collect::<Vec<_>>(),
    })
}

fn spanset(spanset: &SpansetMatch) -> Json {
    let attributes = super::spanset_values(spanset).into_iter().map(|(name, found)| (name, value(found)));
    json!({
        "matched": spanset.matched,
        "attributes": attributes.collect::<Map<_, _>>(),
        "spans": spanset.spans.iter().map(span).collect::<Vec<_>>(),
    })
}

fn span(span: &SpanMatch) -> Json {
    json!({
        "spanId": span.span_id.to_string(),
        "name": span.name,
        "startTimeUnixNano": span.start_time_unix_nano.to_string(),
        "durationNanos": span.duration_nanos.to_string(),
        "attributes": attributes(&span.attributes),
    })
}

/// Fields by name; what has several values (of events, of links) as a list of them.
fn attributes(values: &[FieldValue]) -> Json {
    let mut object = Map::new();
    for attribute in values {
        let name = attribute.field.to_string();
        let repeated = values.iter().filter(|other| other.field == attribute.field).count() > 1;
        let value = value(&attribute.value);
        match object.get_mut(&name) {
            Some(Json::Array(list)) if repeated => list.push(value),
            _ => {
                object.insert(name, if repeated { json!([value]) } else { value });
            }
        }
    }
    Json::Object(object)
}

/// As JSON knows it; nanoseconds for durations, words for keywords.
pub(super) fn value(value: &Value) -> Json {
    match value {
        Value::Bool(value) => json!(value),
        Value::Int(value) | Value::Duration(value) => json!(value),
        Value::Float(value) if value.is_finite() => json!(value),
        Value::Array(values) => values.iter().map(self::value).collect(),
        Value::Nil => Json::Null,
        Value::Json(text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        other => json!(super::text(other)),
    }
}
