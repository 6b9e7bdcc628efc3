//! A search in the form of the recordings' answers.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use traceql::syntax::ast::{Field, FieldExpr, FieldExprKind, Intrinsic, Query, Scope};

use super::{
    eval::{Binding, field_value, keeps, service},
    model::{Placed, Trace},
    value::Value,
};

/// The answer of a query over all traces that overlap a range of unix seconds, without limits.
pub(crate) fn search(query: &Query, traces: &[Trace], range: Option<(u64, u64)>) -> Json {
    let second = 1_000_000_000;
    let in_range =
        |trace: &&Trace| range.is_none_or(|(start, end)| trace.start <= end * second && trace.end >= start * second);
    let mut fields = Vec::new();
    if let Some(expr) = &query.filter.expr {
        named_fields(expr, &mut fields);
    }
    let answers = traces.iter().filter(in_range).filter_map(|trace| {
        let mut matching: Vec<&Placed> =
            trace.spans.iter().filter(|span| keeps(query.filter.expr.as_ref(), trace, span)).collect();
        matching.sort_by_key(|span| (span.span.start_time_unix_nano, span.span.span_id.clone()));
        (!matching.is_empty()).then(|| (hex(&trace.id), answer(trace, &matching, &fields)))
    });
    Json::Object(answers.collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn named_fields(expr: &FieldExpr, fields: &mut Vec<Field>) {
    match &expr.kind {
        FieldExprKind::Literal(_) => {}
        FieldExprKind::Field(field) => fields.push(field.clone()),
        FieldExprKind::Unary { operand, .. } | FieldExprKind::Exists { operand, .. } => named_fields(operand, fields),
        FieldExprKind::Binary { left, right, .. } => {
            named_fields(left, fields);
            named_fields(right, fields);
        }
    }
}

fn answer(trace: &Trace, matching: &[&Placed], fields: &[Field]) -> Json {
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
    let spans = matching.iter().map(|span| (hex(&span.span.span_id), span_answer(trace, span, fields)));
    json!({
        "root_service": root_service.unwrap_or_else(|| "<root span not yet received>".to_owned()),
        "root_name": root.map_or("", |root| &root.span.name),
        "start": trace.start.to_string(),
        "duration_ms": (trace.end - trace.start) / 1_000_000,
        "service_stats": stats.collect::<Map<_, _>>(),
        "span_sets": [{ "spans": spans.collect::<Map<_, _>>(), "matched": matching.len(), "attributes": [] }],
    })
}

/// P3: every field that the query names and the span has; those of events and links once for each.
fn span_answer(trace: &Trace, span: &Placed, fields: &[Field]) -> Json {
    let mut attributes = Vec::new();
    for field in fields {
        let key = match field {
            Field::Attribute(attribute) => attribute.name.clone(),
            Field::Intrinsic(
                Intrinsic::Name
                | Intrinsic::Duration
                | Intrinsic::TraceDuration
                | Intrinsic::RootName
                | Intrinsic::RootServiceName
                | Intrinsic::TraceId
                | Intrinsic::SpanId,
            ) => continue,
            Field::Intrinsic(intrinsic) => intrinsic.to_string(),
        };
        let binding = Binding { trace, span, event: None, link: None };
        let scope = match field {
            Field::Attribute(attribute) => attribute.scope,
            Field::Intrinsic(Intrinsic::EventName | Intrinsic::EventTimeSinceStart) => Scope::Event,
            Field::Intrinsic(Intrinsic::LinkTraceId | Intrinsic::LinkSpanId) => Scope::Link,
            Field::Intrinsic(_) => Scope::Span,
        };
        let values: Vec<Value> = match scope {
            Scope::Event => span
                .span
                .events
                .iter()
                .filter_map(|event| field_value(&Binding { event: Some(event), ..binding }, field))
                .collect(),
            Scope::Link => span
                .span
                .links
                .iter()
                .filter_map(|link| field_value(&Binding { link: Some(link), ..binding }, field))
                .collect(),
            _ => field_value(&binding, field).into_iter().collect(),
        };
        let shown = values.iter().filter(|value| **value != Value::Other);
        attributes.extend(shown.map(|value| json!([key, value_json(value)])));
    }
    let nanos = span.span.end_time_unix_nano.wrapping_sub(span.span.start_time_unix_nano) as i64;
    json!({
        "start": span.span.start_time_unix_nano.to_string(),
        "duration": nanos.max(0).to_string(),
        "attributes": attributes,
    })
}

fn value_json(value: &Value) -> Json {
    match value {
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Float(value) if value.is_finite() => json!(value),
        Value::Float(value) if value.is_nan() => json!("NaN"),
        Value::Float(value) => json!(if *value > 0.0 { "Infinity" } else { "-Infinity" }),
        Value::String(text) => json!(text),
        Value::Duration(nanos) => json!(go_duration(*nanos)),
        Value::Status(code) => json!(traceql::output::status_word(*code)),
        Value::Kind(code) => json!(traceql::output::kind_word(*code)),
        Value::Array(elements) => elements.iter().map(value_json).collect(),
        Value::Other => Json::Null,
    }
}

/// As Go prints durations, for those of a second and less that the recordings have; longer ones in whole parts.
fn go_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let total = nanos.unsigned_abs();
    let part = |unit: u64, name: &str| {
        let text = format!("{:.9}", total as f64 / unit as f64);
        format!("{}{name}", text.trim_end_matches('0').trim_end_matches('.'))
    };
    let text = match total {
        0 => "0s".to_owned(),
        1..1_000 => format!("{total}ns"),
        1_000..1_000_000 => part(1_000, "µs"),
        1_000_000..1_000_000_000 => part(1_000_000, "ms"),
        1_000_000_000..60_000_000_000 => part(1_000_000_000, "s"),
        _ => {
            let (minutes, rest) = (total / 60_000_000_000, total % 60_000_000_000);
            let seconds = format!("{:.9}", rest as f64 / 1e9);
            let seconds = seconds.trim_end_matches('0').trim_end_matches('.');
            if minutes < 60 {
                format!("{minutes}m{seconds}s")
            } else {
                format!("{}h{}m{seconds}s", minutes / 60, minutes % 60)
            }
        }
    };
    format!("{sign}{text}")
}
