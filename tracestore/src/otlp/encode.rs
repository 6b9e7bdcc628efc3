//! Owned values to protobuf: deterministic, fields in the order of their numbers, defaults left out as proto3 does.

use super::view::{ResourceView, ScopeView, SpanView};
use crate::model::{EntityRef, Event, KeyValue, Link, Resource, Scope, Span, Status, Trace, TraceSpan, Value};

/// A message in the making.
#[derive(Debug, Default)]
pub(super) struct Message(pub(super) Vec<u8>);

impl Message {
    pub(super) fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub(super) fn tag(&mut self, number: u32, wire_type: u64) {
        self.varint(u64::from(number) << 3 | wire_type);
    }

    /// A length-delimited field, written whatever is in it.
    pub(super) fn bytes(&mut self, number: u32, bytes: &[u8]) {
        self.tag(number, 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, number: u32, text: &str) {
        if !text.is_empty() {
            self.bytes(number, text.as_bytes());
        }
    }

    pub(super) fn unsigned(&mut self, number: u32, value: u32) {
        if value != 0 {
            self.tag(number, 0);
            self.varint(u64::from(value));
        }
    }

    pub(super) fn enumeration(&mut self, number: u32, value: i32) {
        if value != 0 {
            self.tag(number, 0);
            self.varint(i64::from(value).cast_unsigned());
        }
    }

    pub(super) fn fixed64(&mut self, number: u32, value: u64) {
        if value != 0 {
            self.tag(number, 1);
            self.0.extend_from_slice(&value.to_le_bytes());
        }
    }

    pub(super) fn fixed32(&mut self, number: u32, value: u32) {
        if value != 0 {
            self.tag(number, 5);
            self.0.extend_from_slice(&value.to_le_bytes());
        }
    }

    pub(super) fn attributes(&mut self, number: u32, attributes: &[KeyValue]) {
        attributes.iter().for_each(|attribute| self.bytes(number, &key_value(attribute)));
    }
}

pub(super) fn key_value(entry: &KeyValue) -> Vec<u8> {
    let mut message = Message::default();
    message.text(1, &entry.key);
    message.bytes(2, &value(&entry.value));
    message.0
}

pub(super) fn value(value: &Value) -> Vec<u8> {
    let mut message = Message::default();
    // A value that is set is written also when it is a default: that is what tells it from an empty one.
    match value {
        Value::Empty => {}
        Value::String(text) => message.bytes(1, text.as_bytes()),
        Value::Bool(bool) => {
            message.tag(2, 0);
            message.varint(u64::from(*bool));
        }
        Value::Int(int) => {
            message.tag(3, 0);
            message.varint(int.cast_unsigned());
        }
        Value::Double(double) => {
            message.tag(4, 1);
            message.0.extend_from_slice(&double.to_bits().to_le_bytes());
        }
        Value::Array(elements) => {
            let mut list = Message::default();
            elements.iter().for_each(|element| list.bytes(1, &self::value(element)));
            message.bytes(5, &list.0);
        }
        Value::KvList(entries) => {
            let mut list = Message::default();
            entries.iter().for_each(|entry| list.bytes(1, &key_value(entry)));
            message.bytes(6, &list.0);
        }
        Value::Bytes(bytes) => message.bytes(7, bytes),
    }
    message.0
}

fn event(event: &Event) -> Vec<u8> {
    let mut message = Message::default();
    message.fixed64(1, event.time_unix_nano);
    message.text(2, &event.name);
    message.attributes(3, &event.attributes);
    message.unsigned(4, event.dropped_attributes_count);
    message.0
}

fn link(link: &Link) -> Vec<u8> {
    let mut message = Message::default();
    if !link.trace_id.is_empty() {
        message.bytes(1, &link.trace_id);
    }
    if !link.span_id.is_empty() {
        message.bytes(2, &link.span_id);
    }
    message.text(3, &link.trace_state);
    message.attributes(4, &link.attributes);
    message.unsigned(5, link.dropped_attributes_count);
    message.fixed32(6, link.flags);
    message.0
}

fn status(status: &Status) -> Vec<u8> {
    let mut message = Message::default();
    message.text(2, &status.message);
    message.enumeration(3, status.code);
    message.0
}

/// A `Span` message.
#[must_use]
pub fn encode_span(span: &Span) -> Vec<u8> {
    let mut message = Message::default();
    message.bytes(1, span.trace_id.as_bytes());
    message.bytes(2, span.span_id.as_bytes());
    message.text(3, &span.trace_state);
    if let Some(parent) = &span.parent_span_id {
        message.bytes(4, parent.as_bytes());
    }
    message.text(5, &span.name);
    message.enumeration(6, span.kind);
    message.fixed64(7, span.start_time_unix_nano);
    message.fixed64(8, span.end_time_unix_nano);
    message.attributes(9, &span.attributes);
    message.unsigned(10, span.dropped_attributes_count);
    span.events.iter().for_each(|event| message.bytes(11, &self::event(event)));
    message.unsigned(12, span.dropped_events_count);
    span.links.iter().for_each(|link| message.bytes(13, &self::link(link)));
    message.unsigned(14, span.dropped_links_count);
    if let Some(status) = &span.status {
        message.bytes(15, &self::status(status));
    }
    message.fixed32(16, span.flags);
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

fn encode_resource(resource: &Resource) -> Vec<u8> {
    let mut message = Message::default();
    message.attributes(1, &resource.attributes);
    message.unsigned(2, resource.dropped_attributes_count);
    resource.entity_refs.iter().for_each(|entity| message.bytes(3, &entity_ref(entity)));
    message.0
}

fn encode_scope(scope: &Scope) -> Vec<u8> {
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
