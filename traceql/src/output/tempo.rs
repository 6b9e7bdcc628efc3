//! A search's answer as the JSON body of Tempo's search API, field for field: proto3's JSON rules (64-bit numbers as
//! text, zero values left out), ids without leading zeros, attributes without their scope.

use serde_json::{Value as Json, json};

use super::proto::{Object, any_value};
use crate::{
    FieldValue, SearchResponse, SpanMatch, SpansetMatch, TraceMatch,
    syntax::ast::{Field, Intrinsic},
};

/// What Tempo writes where a trace's root is missing.
const NO_ROOT: &str = "<root span not yet received>";

/// The answer as Tempo would give it.
#[must_use]
pub fn search_to_tempo(response: &SearchResponse) -> Json {
    let traces: Vec<Json> = response.traces.iter().map(trace).collect();
    let mut metrics = Object::default();
    metrics.number("inspectedTraces", response.traces.len() as u64);
    metrics.text("inspectedBytes", response.stats.bytes_read);
    metrics.number("totalBlocks", response.stats.blocks);
    metrics.number("completedJobs", response.stats.blocks);
    metrics.number("totalJobs", response.stats.blocks);
    json!({ "traces": traces, "metrics": metrics.into_json() })
}

fn trace(trace: &TraceMatch) -> Json {
    let mut object = Object::default();
    let id = trace.trace_id.to_string();
    object.put("traceID", json!(id.trim_start_matches('0')));
    let service = trace.root_service.as_deref().filter(|service| !service.is_empty()).unwrap_or(NO_ROOT);
    object.put("rootServiceName", json!(service));
    if let Some(name) = trace.root_name.as_deref().filter(|name| !name.is_empty()) {
        object.put("rootTraceName", json!(name));
    }
    object.text("startTimeUnixNano", trace.start_time_unix_nano);
    object.number("durationMs", trace.duration_nanos / 1_000_000);
    let sets: Vec<Json> = trace.spansets.iter().map(spanset).collect();
    if let Some(first) = sets.first() {
        object.put("spanSet", first.clone());
    }
    object.put("spanSets", Json::Array(sets));
    let stats = trace.service_stats.iter().map(|stats| {
        let mut object = Object::default();
        object.number("spanCount", stats.spans.into());
        object.number("errorCount", stats.errors.into());
        (stats.service.clone(), object.into_json())
    });
    object.put("serviceStats", Json::Object(stats.collect()));
    object.into_json()
}

fn spanset(spanset: &SpansetMatch) -> Json {
    let mut object = Object::default();
    object.put("spans", spanset.spans.iter().map(span).collect());
    object.number("matched", spanset.matched as u64);
    if !spanset.attributes.is_empty() {
        let attributes = spanset.attributes.iter();
        let attributes =
            attributes.map(|attribute| json!({ "key": attribute.name, "value": any_value(&attribute.value) }));
        object.put("attributes", attributes.collect());
    }
    object.into_json()
}

fn span(span: &SpanMatch) -> Json {
    let mut object = Object::default();
    object.put("spanID", json!(span.span_id.to_string()));
    if span.shows_name() && !span.name.is_empty() {
        object.put("name", json!(span.name));
    }
    object.text("startTimeUnixNano", span.start_time_unix_nano);
    object.text("durationNanos", span.duration_nanos);
    let attributes: Vec<Json> = span.attributes.iter().filter_map(attribute).collect();
    if !attributes.is_empty() {
        object.put("attributes", Json::Array(attributes));
    }
    object.into_json()
}

/// An attribute of a span; what the span or trace shows elsewhere is none.
fn attribute(attribute: &FieldValue) -> Option<Json> {
    let key = match &attribute.field {
        Field::Attribute(attribute) => attribute.name.clone(),
        Field::Intrinsic(
            Intrinsic::Name
            | Intrinsic::Duration
            | Intrinsic::TraceDuration
            | Intrinsic::RootName
            | Intrinsic::RootServiceName
            | Intrinsic::TraceId
            | Intrinsic::SpanId,
        ) => return None,
        Field::Intrinsic(intrinsic) => intrinsic.to_string(),
    };
    Some(json!({ "key": key, "value": any_value(&attribute.value) }))
}

/// A status as a query writes it.
#[must_use]
pub fn status_word(code: i32) -> String {
    match code {
        0 => "unset".to_owned(),
        1 => "ok".to_owned(),
        2 => "error".to_owned(),
        code => format!("status({code})"),
    }
}

/// A kind as a query writes it.
#[must_use]
pub fn kind_word(code: i32) -> String {
    match code {
        0 => "unspecified".to_owned(),
        1 => "internal".to_owned(),
        2 => "server".to_owned(),
        3 => "client".to_owned(),
        4 => "producer".to_owned(),
        5 => "consumer".to_owned(),
        code => format!("kind({code})"),
    }
}
