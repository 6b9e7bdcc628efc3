//! Searches as our own JSON.

use serde_json::{Map, Value as Json, json};

use super::{stats, value};
use crate::{FieldValue, SearchResponse, SpanMatch, SpansetMatch, TraceMatch};

/// An answer as one document: what `traceql query -o json` prints.
#[must_use]
pub fn search_to_json(response: &SearchResponse) -> Json {
    let traces: Vec<Json> = response.traces.iter().map(trace_match_to_json).collect();
    let next = response.next.map(|next| next.to_string());
    json!({ "traces": traces, "partial": response.partial, "next": next, "stats": stats(&response.stats) })
}

/// One of its traces: a line of what `traceql query -o ndjson` prints.
#[must_use]
pub fn trace_match_to_json(trace: &TraceMatch) -> Json {
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
    let attributes = spanset.values().into_iter().map(|(name, found)| (name, value(found)));
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
