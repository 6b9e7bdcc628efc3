//! Views to owned values, for those few that need to be held: lookups, comparisons of copies.

use super::view::{EventView, KeyValueView, LinkView, ResourceView, ScopeView, SpanView, ValueView};
use crate::model::{Event, KeyValue, Link, Resource, Scope, Span, SpanId, Status, TraceId, Value};

impl From<ValueView<'_>> for Value {
    /// The value with everything below it; parts that cannot be decoded are left out.
    fn from(view: ValueView<'_>) -> Self {
        match view {
            ValueView::Empty => Self::Empty,
            ValueView::String(text) => Self::String(text.to_owned()),
            ValueView::Bool(value) => Self::Bool(value),
            ValueView::Int(value) => Self::Int(value),
            ValueView::Double(value) => Self::Double(value),
            ValueView::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
            ValueView::Array(elements) => Self::Array(elements.values().flatten().map(Self::from).collect()),
            ValueView::KvList(entries) => Self::KvList(entries.entries().flatten().map(KeyValue::from).collect()),
        }
    }
}

impl From<KeyValueView<'_>> for KeyValue {
    fn from(view: KeyValueView<'_>) -> Self {
        Self { key: view.key.to_owned(), value: view.value.into() }
    }
}

impl From<&EventView<'_>> for Event {
    fn from(view: &EventView<'_>) -> Self {
        Self {
            time_unix_nano: view.time_unix_nano,
            name: view.name.to_owned(),
            attributes: view.attributes().flatten().map(KeyValue::from).collect(),
            dropped_attributes_count: view.dropped_attributes_count,
        }
    }
}

impl From<&LinkView<'_>> for Link {
    fn from(view: &LinkView<'_>) -> Self {
        Self {
            trace_id: view.trace_id.to_vec(),
            span_id: view.span_id.to_vec(),
            trace_state: view.trace_state.to_owned(),
            attributes: view.attributes().flatten().map(KeyValue::from).collect(),
            dropped_attributes_count: view.dropped_attributes_count,
            flags: view.flags,
        }
    }
}

impl SpanView<'_> {
    /// The span as an owned value; `None` when its ids are not of the right length.
    #[must_use]
    pub fn to_span(&self) -> Option<Span> {
        Some(Span {
            trace_id: TraceId::from_slice(self.trace_id)?,
            span_id: SpanId::from_slice(self.span_id)?,
            trace_state: self.trace_state.to_owned(),
            parent_span_id: SpanId::from_slice(self.parent_span_id),
            flags: self.flags,
            name: self.name.to_owned(),
            kind: self.kind,
            start_time_unix_nano: self.start_time_unix_nano,
            end_time_unix_nano: self.end_time_unix_nano,
            attributes: self.attributes().flatten().map(KeyValue::from).collect(),
            dropped_attributes_count: self.dropped_attributes_count,
            events: self.events().flatten().map(|event| Event::from(&event)).collect(),
            dropped_events_count: self.dropped_events_count,
            links: self.links().flatten().map(|link| Link::from(&link)).collect(),
            dropped_links_count: self.dropped_links_count,
            status: self.status.map(|status| Status { message: status.message.to_owned(), code: status.code }),
        })
    }
}

impl ResourceView<'_> {
    /// The resource as an owned value.
    #[must_use]
    pub fn to_resource(&self, schema_url: &str) -> Resource {
        Resource {
            present: true,
            attributes: self.attributes().flatten().map(KeyValue::from).collect(),
            dropped_attributes_count: self.dropped_attributes_count,
            entity_refs: self.entity_refs().unwrap_or_default(),
            schema_url: schema_url.to_owned(),
        }
    }
}

impl ScopeView<'_> {
    /// The scope as an owned value.
    #[must_use]
    pub fn to_scope(&self, schema_url: &str) -> Scope {
        Scope {
            present: true,
            name: self.name.to_owned(),
            version: self.version.to_owned(),
            attributes: self.attributes().flatten().map(KeyValue::from).collect(),
            dropped_attributes_count: self.dropped_attributes_count,
            schema_url: schema_url.to_owned(),
        }
    }
}
