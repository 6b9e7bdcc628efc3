//! A search in the form of the recordings' answers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};
use traceql::syntax::ast::{Body, Field, Intrinsic, Query, Scope};

use super::{
    eval::{Binding, field_value, service},
    fields, json,
    model::{Placed, Trace},
    pipeline::{self, Spanset},
    value::Value,
};

/// The answer of a query over all traces that overlap a range of unix seconds, without limits.
pub(crate) fn search(query: &Query, traces: &[Trace], range: Option<(u64, u64)>) -> Json {
    let Body::Search(pipeline) = &query.body else { panic!("metrics") };
    let second = 1_000_000_000;
    // P2: inclusive.
    let in_range =
        |trace: &&Trace| range.is_none_or(|(start, end)| trace.start <= end * second && trace.end >= start * second);
    let mut fields = Vec::new();
    fields::of_pipeline(pipeline, &mut fields);
    let answers = traces.iter().filter(in_range).filter_map(|trace| {
        let spansets = pipeline::run(pipeline, trace);
        (!spansets.is_empty()).then(|| (hex(&trace.id), trace_answer(trace, &spansets, &fields)))
    });
    Json::Object(answers.collect())
}

/// The spans of a trace, by their indices, that a query finds.
pub(crate) fn matched(query: &Query, trace: &Trace) -> BTreeSet<usize> {
    let Body::Search(pipeline) = &query.body else { panic!("metrics") };
    pipeline::run(pipeline, trace).into_iter().flat_map(|spanset| spanset.spans).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn trace_answer(trace: &Trace, spansets: &[Spanset], fields: &[Field]) -> Json {
    // T4, and what Tempo writes where there is none.
    let root = trace.root.map(|root| &trace.spans[root]);
    let root_service = root.map(|root| service(&root.resource)).filter(|service| !service.is_empty());
    let mut stats: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for span in &trace.spans {
        let entry = stats.entry(service(&span.resource)).or_default();
        entry.0 += 1;
        entry.1 += u64::from(span.span.status.as_ref().is_some_and(|status| status.code == 2));
    }
    let stats =
        stats.into_iter().map(|(name, (spans, errors))| (name, json!({ "spanCount": spans, "errorCount": errors })));
    json!({
        "root_service": root_service.unwrap_or_else(|| "<root span not yet received>".to_owned()),
        "root_name": root.map_or("", |root| &root.span.name),
        "start": trace.start.to_string(),
        "duration_ms": (trace.end - trace.start) / 1_000_000,
        "service_stats": stats.collect::<Map<_, _>>(),
        "span_sets": spansets.iter().map(|spanset| spanset_answer(trace, spanset, fields)).collect::<Json>(),
    })
}

fn spanset_answer(trace: &Trace, spanset: &Spanset, fields: &[Field]) -> Json {
    let mut spans: Vec<&Placed> = spanset.spans.iter().map(|span| &trace.spans[*span]).collect();
    // P2: the order matters only for spans with one id, of which the last is shown.
    spans.sort_by_key(|span| (span.span.start_time_unix_nano, span.span.span_id.clone()));
    let spans = spans.into_iter().map(|span| (hex(&span.span.span_id), span_answer(trace, span, fields)));
    let attributes = spanset.attributes.iter().map(|(name, value)| json!([name, json::value(value.as_ref())]));
    json!({
        "spans": spans.collect::<Map<_, _>>(),
        "matched": spanset.spans.len(),
        "attributes": attributes.collect::<Json>(),
    })
}

fn span_answer(trace: &Trace, span: &Placed, fields: &[Field]) -> Json {
    let mut attributes = Vec::new();
    for field in fields {
        let Some(key) = key(field) else { continue };
        attributes.extend(shown(trace, span, field).iter().map(|value| json!([key, json::value(Some(value))])));
    }
    let nanos = span.span.end_time_unix_nano.wrapping_sub(span.span.start_time_unix_nano) as i64;
    json!({
        "start": span.span.start_time_unix_nano.to_string(),
        "duration": nanos.max(0).to_string(),
        "attributes": attributes,
    })
}

/// P3: the key without scope; none for what the span or the trace shows elsewhere (traceql.md §7.5).
fn key(field: &Field) -> Option<String> {
    match field {
        Field::Attribute(attribute) => Some(attribute.name.clone()),
        Field::Intrinsic(
            Intrinsic::Name
            | Intrinsic::Duration
            | Intrinsic::TraceDuration
            | Intrinsic::RootName
            | Intrinsic::RootServiceName
            | Intrinsic::TraceId
            | Intrinsic::SpanId,
        ) => None,
        Field::Intrinsic(intrinsic) => Some(intrinsic.to_string()),
    }
}

/// The values of a field: one where the span has it; S1: one for each event or link that has it, in their order.
fn shown(trace: &Trace, span: &Placed, field: &Field) -> Vec<Value> {
    let binding = Binding { trace, span, event: None, link: None };
    let (events, links) = (&span.span.events, &span.span.links);
    match fields::scope(field) {
        Scope::Event => {
            let values = events.iter().map(|event| field_value(&Binding { event: Some(event), ..binding }, field));
            values.flatten().collect()
        }
        Scope::Link => {
            let values = links.iter().map(|link| field_value(&Binding { link: Some(link), ..binding }, field));
            values.flatten().collect()
        }
        _ => field_value(&binding, field).into_iter().collect(),
    }
}
