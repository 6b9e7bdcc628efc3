//! Spans, what they happened on (resource, scope) and what they carry (events, links).

use std::sync::Arc;

use super::{KeyValue, SpanId, TraceId};

/// What produced spans: a service instance, a host, ...
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resource {
    /// Whether the message carried a resource at all.
    pub present: bool,
    /// The attributes in received order; keys may repeat.
    pub attributes: Vec<KeyValue>,
    /// How many attributes the sender dropped.
    pub dropped_attributes_count: u32,
    /// References to entities the resource is made of.
    pub entity_refs: Vec<EntityRef>,
    /// The schema URL of the `ResourceSpans` message.
    pub schema_url: String,
}

/// A reference to an entity among a resource's attributes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntityRef {
    /// The schema URL of the entity.
    pub schema_url: String,
    /// The entity's type.
    pub entity_type: String,
    /// Keys of the attributes that identify the entity.
    pub id_keys: Vec<String>,
    /// Keys of the attributes that describe it.
    pub description_keys: Vec<String>,
}

/// An instrumentation scope.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scope {
    /// Whether the message carried a scope at all.
    pub present: bool,
    /// The scope's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its attributes in received order; keys may repeat.
    pub attributes: Vec<KeyValue>,
    /// How many attributes the sender dropped.
    pub dropped_attributes_count: u32,
    /// The schema URL of the `ScopeSpans` message.
    pub schema_url: String,
}

/// A span. Every field of OTLP's message, as received.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its id within the trace.
    pub span_id: SpanId,
    /// W3C trace state.
    pub trace_state: String,
    /// The parent's id: `None` where the field was empty; all zero is kept, and means a root too.
    pub parent_span_id: Option<SpanId>,
    /// W3C trace flags and OTLP's own bits.
    pub flags: u32,
    /// The span's name.
    pub name: String,
    /// OTLP's kind number, also when unknown.
    pub kind: i32,
    /// Start in ns since 1970.
    pub start_time_unix_nano: u64,
    /// End in ns since 1970; may lie before the start.
    pub end_time_unix_nano: u64,
    /// The attributes; keys may repeat.
    pub attributes: Vec<KeyValue>,
    /// How many attributes the sender dropped.
    pub dropped_attributes_count: u32,
    /// The events in received order.
    pub events: Vec<Event>,
    /// How many events the sender dropped.
    pub dropped_events_count: u32,
    /// The links in received order.
    pub links: Vec<Link>,
    /// How many links the sender dropped.
    pub dropped_links_count: u32,
    /// The status, where the message carried one.
    pub status: Option<Status>,
}

/// A span's status.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// The message, mostly of an error.
    pub message: String,
    /// OTLP's code number: 0 unset, 1 ok, 2 error; others are kept.
    pub code: i32,
}

/// Something that happened during a span.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Event {
    /// When, in ns since 1970.
    pub time_unix_nano: u64,
    /// Its name.
    pub name: String,
    /// Its attributes; keys may repeat.
    pub attributes: Vec<KeyValue>,
    /// How many attributes the sender dropped.
    pub dropped_attributes_count: u32,
}

/// A pointer from a span to another. The ids are kept as received, whatever their length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Link {
    /// The other span's trace id.
    pub trace_id: Vec<u8>,
    /// The other span's id.
    pub span_id: Vec<u8>,
    /// Its trace state.
    pub trace_state: String,
    /// The attributes; keys may repeat.
    pub attributes: Vec<KeyValue>,
    /// How many attributes the sender dropped.
    pub dropped_attributes_count: u32,
    /// W3C trace flags and OTLP's own bits.
    pub flags: u32,
}

/// A span with what it happened on and its place in the tree of its trace.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceSpan {
    /// The span.
    pub span: Span,
    /// Its resource, shared by the spans that have the same.
    pub resource: Arc<Resource>,
    /// Its instrumentation scope, shared likewise.
    pub scope: Arc<Scope>,
    /// Index of the parent in [`Trace::spans`]; `None` for roots and where the parent is missing.
    pub parent: Option<usize>,
    /// Whether another copy of this span (same id and kind) stands for it in queries.
    pub shadowed: bool,
}

/// The spans of one trace in pre-order: parents before children, children by start, then span id.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The trace's id.
    pub trace_id: TraceId,
    /// All its spans, duplicates included.
    pub spans: Vec<TraceSpan>,
}
