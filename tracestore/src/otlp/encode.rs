//! Owned values to protobuf: deterministic, fields in the order of their numbers, defaults left out as proto3 does.

mod fields;

pub(crate) use fields::{EventFields, LinkFields, SpanFields};

use super::{
    Message,
    view::{ResourceView, ScopeView, SpanView},
};
use crate::model::{EntityRef, KeyValue, Resource, Scope, Span, Trace, TraceSpan, Value};

/// A `Span` message.
#[must_use]
pub fn encode_span(span: &Span) -> Vec<u8> {
    let mut message = Message::default();
    message.span(span);
    message.0
}

pub(super) fn entity_ref(entity: &EntityRef) -> Vec<u8> {
    let mut message = Message::default();
    message.text(1, &entity.schema_url);
    message.text(2, &entity.entity_type);
    entity.id_keys.iter().for_each(|key| message.bytes(3, key.as_bytes()));
    entity.description_keys.iter().for_each(|key| message.bytes(4, key.as_bytes()));
    message.0
}

/// A `Resource` message.
pub(crate) fn encode_resource(resource: &Resource) -> Vec<u8> {
    let mut message = Message::default();
    message.attributes(1, &resource.attributes);
    message.unsigned(2, resource.dropped_attributes_count);
    resource.entity_refs.iter().for_each(|entity| message.bytes(3, &entity_ref(entity)));
    message.0
}

/// An `InstrumentationScope` message.
pub(crate) fn encode_scope(scope: &Scope) -> Vec<u8> {
    let mut message = Message::default();
    message.text(1, &scope.name);
    message.text(2, &scope.version);
    message.attributes(3, &scope.attributes);
    message.unsigned(4, scope.dropped_attributes_count);
    message.0
}

/// Traces as an `ExportTraceServiceRequest`: spans grouped by resource and scope, in the order of their first span.
#[must_use]
pub fn encode_request(traces: &[Trace]) -> Vec<u8> {
    let mut request = Message::default();
    let spans: Vec<&TraceSpan> = traces.iter().flat_map(|trace| &trace.spans).collect();
    for (resource, spans) in group(&spans, |span| &*span.resource) {
        let mut resource_spans = Message::default();
        if resource.present {
            resource_spans.bytes(1, &encode_resource(resource));
        }
        for (scope, spans) in group(&spans, |span| &*span.scope) {
            let mut scope_spans = Message::default();
            if scope.present {
                scope_spans.bytes(1, &encode_scope(scope));
            }
            spans.iter().for_each(|span| scope_spans.bytes(2, &encode_span(&span.span)));
            scope_spans.text(3, &scope.schema_url);
            resource_spans.bytes(2, &scope_spans.0);
        }
        resource_spans.text(3, &resource.schema_url);
        request.bytes(1, &resource_spans.0);
    }
    request.0
}

/// What spans share: a resource or a scope.
pub(super) trait Shared: PartialEq {
    /// The message, whether there was one or not.
    fn encode(&self) -> Vec<u8>;
}

impl Shared for Resource {
    fn encode(&self) -> Vec<u8> {
        encode_resource(self)
    }
}

impl Shared for Scope {
    fn encode(&self) -> Vec<u8> {
        encode_scope(self)
    }
}

/// Spans by what they share, in order of first appearance. Equal values are few: found by comparison, and by their bytes
/// as well, since 0.0 equals -0.0.
pub(super) fn group<'a, T: Shared>(
    spans: &[&'a TraceSpan],
    key: impl Fn(&'a TraceSpan) -> &'a T,
) -> Vec<(&'a T, Vec<&'a TraceSpan>)> {
    let mut groups: Vec<(&T, Vec<&TraceSpan>)> = Vec::new();
    let same = |a: &T, b: &T| std::ptr::eq(a, b) || a == b && a.encode() == b.encode();
    for span in spans {
        let value = key(span);
        match groups.iter_mut().rev().find(|(found, _)| same(found, value)) {
            Some((_, spans)) => spans.push(span),
            None => groups.push((value, vec![span])),
        }
    }
    groups
}

/// The bytes that decide between copies of a span: attribute lists sorted by key. The same for a span that was received
/// and for one that a block gives back.
pub(crate) fn canonical_span(view: &SpanView<'_>) -> Vec<u8> {
    let Some(mut span) = view.to_span() else { return Vec::new() };
    normalise(&mut span.attributes);
    span.events.iter_mut().for_each(|event| normalise(&mut event.attributes));
    span.links.iter_mut().for_each(|link| normalise(&mut link.attributes));
    encode_span(&span)
}

/// The same for its resource.
pub(crate) fn canonical_resource(view: &ResourceView<'_>) -> Vec<u8> {
    let mut resource = view.to_resource("");
    normalise(&mut resource.attributes);
    encode_resource(&resource)
}

/// The same for its scope.
pub(crate) fn canonical_scope(view: &ScopeView<'_>) -> Vec<u8> {
    let mut scope = view.to_scope("");
    normalise(&mut scope.attributes);
    encode_scope(&scope)
}

/// Sorts a list by key; repeated keys stay in order. A NaN loses its payload, as it does in a block's JSON.
fn normalise(attributes: &mut [KeyValue]) {
    attributes.sort_by(|a, b| a.key.cmp(&b.key));
    attributes.iter_mut().for_each(|attribute| normalise_value(&mut attribute.value));
}

fn normalise_value(value: &mut Value) {
    match value {
        Value::Double(double) if double.is_nan() => *double = f64::NAN,
        Value::Array(elements) => elements.iter_mut().for_each(normalise_value),
        Value::KvList(entries) => entries.iter_mut().for_each(|entry| normalise_value(&mut entry.value)),
        _ => {}
    }
}
