//! Random OTLP requests, and requests in a form that can be compared.

#![allow(dead_code, reason = "every test file uses its own part")]

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{
        AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList, any_value::Value as Any,
    },
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::Event, span::Link},
};
use proptest::prelude::*;

/// Texts that repeat, are empty, or are odd.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["", "a", "b", "http.method", "service.name", "x:str", "ü", "\u{0}", "\"quoted\""])
            .prop_map(str::to_owned),
        1 => ".{0,12}",
    ]
}

fn double() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("NaN differs from itself", |value| !value.is_nan()),
        Just(-0.0),
        Just(f64::INFINITY)
    ]
}

fn any_value() -> impl Strategy<Value = Option<AnyValue>> {
    let scalar = prop_oneof![
        Just(None),
        text().prop_map(|text| Some(Any::StringValue(text))),
        any::<bool>().prop_map(|bool| Some(Any::BoolValue(bool))),
        prop_oneof![any::<i64>(), 0..5_i64].prop_map(|int| Some(Any::IntValue(int))),
        double().prop_map(|double| Some(Any::DoubleValue(double))),
        prop::collection::vec(any::<u8>(), 0..5).prop_map(|bytes| Some(Any::BytesValue(bytes))),
    ];
    let value = scalar.prop_map(|value| AnyValue { value }).prop_recursive(3, 12, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4);
        let entries = prop::collection::vec((text(), inner.clone()), 0..4);
        prop_oneof![
            list.prop_map(|values| AnyValue { value: Some(Any::ArrayValue(ArrayValue { values })) }),
            // Elements of one type: these are stored by element.
            prop::collection::vec(0..9_i64, 1..4).prop_map(|ints| {
                let values = ints.into_iter().map(|int| AnyValue { value: Some(Any::IntValue(int)) }).collect();
                AnyValue { value: Some(Any::ArrayValue(ArrayValue { values })) }
            }),
            entries.prop_map(|entries| {
                let values = entries.into_iter().map(|(key, value)| key_value(key, Some(value))).collect();
                AnyValue { value: Some(Any::KvlistValue(KeyValueList { values })) }
            }),
        ]
    });
    // A key without a value and one with an empty value mean the same: only the second is made.
    value.prop_map(Some)
}

fn key_value(key: String, value: Option<AnyValue>) -> KeyValue {
    KeyValue { key, value, ..KeyValue::default() }
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    prop::collection::vec((text(), any_value()).prop_map(|(key, value)| key_value(key, value)), 0..6)
}

fn event() -> impl Strategy<Value = Event> {
    (any::<u64>(), text(), attributes(), 0..3_u32).prop_map(|(time_unix_nano, name, attributes, dropped)| Event {
        time_unix_nano,
        name,
        attributes,
        dropped_attributes_count: dropped,
    })
}

fn link() -> impl Strategy<Value = Link> {
    let id = || prop::collection::vec(any::<u8>(), 0..17);
    (id(), id(), text(), attributes(), 0..3_u32, any::<u32>()).prop_map(
        |(trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags)| Link {
            trace_id,
            span_id,
            trace_state,
            attributes,
            dropped_attributes_count,
            flags,
        },
    )
}

/// A span of one of a few traces, with one of a few ids, so that parents, duplicates and cycles occur.
fn span() -> impl Strategy<Value = Span> {
    let ids = (1..4_u8, 1..9_u8, prop::option::of(0..9_u8));
    let time = || prop_oneof![Just(0), 1_000..2_000_u64, any::<u64>()];
    let counts = (0..3_u32, 0..3_u32, 0..3_u32, any::<u32>());
    let lists = (attributes(), prop::collection::vec(event(), 0..3), prop::collection::vec(link(), 0..3));
    let status = prop::option::of((text(), any::<i8>()));
    (ids, text(), text(), any::<i8>(), (time(), time()), counts, lists, status).prop_map(
        |((trace, id, parent), name, trace_state, kind, (start, end), counts, (attributes, events, links), status)| {
            Span {
                trace_id: vec![trace; 16],
                span_id: vec![id; 8],
                parent_span_id: parent.map_or(Vec::new(), |parent| vec![parent; 8]),
                trace_state,
                name,
                kind: i32::from(kind % 8),
                start_time_unix_nano: start,
                end_time_unix_nano: end,
                attributes,
                events,
                links,
                dropped_attributes_count: counts.0,
                dropped_events_count: counts.1,
                dropped_links_count: counts.2,
                flags: counts.3,
                status: status.map(|(message, code)| Status { message, code: i32::from(code) }),
            }
        },
    )
}

fn resource() -> impl Strategy<Value = Option<Resource>> {
    let entity = (text(), text(), prop::collection::vec(text(), 0..3), prop::collection::vec(text(), 0..3));
    let entity = entity.prop_map(|(schema_url, r#type, id_keys, description_keys)| EntityRef {
        schema_url,
        r#type,
        id_keys,
        description_keys,
    });
    let resource = (attributes(), 0..3_u32, prop::collection::vec(entity, 0..2));
    prop::option::of(resource.prop_map(|(attributes, dropped_attributes_count, entity_refs)| Resource {
        attributes,
        dropped_attributes_count,
        entity_refs,
    }))
}

fn scope() -> impl Strategy<Value = Option<InstrumentationScope>> {
    prop::option::of((text(), text(), attributes(), 0..3_u32).prop_map(
        |(name, version, attributes, dropped_attributes_count)| InstrumentationScope {
            name,
            version,
            attributes,
            dropped_attributes_count,
        },
    ))
}

/// A request with every field of OTLP in use.
pub(crate) fn request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scope_spans = (scope(), prop::collection::vec(span(), 0..6), text())
        .prop_map(|(scope, spans, schema_url)| ScopeSpans { scope, spans, schema_url });
    let resource_spans = (resource(), prop::collection::vec(scope_spans, 0..3), text())
        .prop_map(|(resource, scope_spans, schema_url)| ResourceSpans { resource, scope_spans, schema_url });
    prop::collection::vec(resource_spans, 0..3).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

/// The spans of requests with their resource and scope, in an order that does not depend on how they were grouped;
/// attribute lists sorted by key, equal keys in received order.
pub(crate) fn comparable(requests: &[ExportTraceServiceRequest]) -> Vec<String> {
    let mut spans = Vec::new();
    for resource_spans in requests.iter().flat_map(|request| &request.resource_spans) {
        let mut resource = resource_spans.resource.clone();
        resource.iter_mut().for_each(|resource| sort(&mut resource.attributes));
        for scope_spans in &resource_spans.scope_spans {
            let mut scope = scope_spans.scope.clone();
            scope.iter_mut().for_each(|scope| sort(&mut scope.attributes));
            for span in &scope_spans.spans {
                let mut span = span.clone();
                sort(&mut span.attributes);
                span.events.iter_mut().for_each(|event| sort(&mut event.attributes));
                span.links.iter_mut().for_each(|link| sort(&mut link.attributes));
                let urls = (&resource_spans.schema_url, &scope_spans.schema_url);
                spans.push(format!("{span:?} {resource:?} {scope:?} {urls:?}"));
            }
        }
    }
    spans.sort();
    spans
}

fn sort(attributes: &mut [KeyValue]) {
    attributes.sort_by(|a, b| a.key.cmp(&b.key));
}
