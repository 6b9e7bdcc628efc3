//! Spans and requests written in few words, and series as text without headings.

#![allow(dead_code, reason = "every test file uses its own part")]

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value as Any},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::Link},
};
use prost::Message;
use tracestore::spanmetrics::{Exposition, TextFormat, TextWriter};

pub(crate) const SECOND: u64 = 1_000_000_000;
pub(crate) const MILLI: u64 = 1_000_000;
/// When test spans start, unless they say otherwise.
pub(crate) const START: u64 = 1_700_000_000 * SECOND;

pub(crate) const INTERNAL: i32 = 1;
pub(crate) const SERVER: i32 = 2;
pub(crate) const CLIENT: i32 = 3;
pub(crate) const PRODUCER: i32 = 4;
pub(crate) const CONSUMER: i32 = 5;

pub(crate) fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Any::StringValue(value.to_owned()))
}

pub(crate) fn int(key: &str, value: i64) -> KeyValue {
    attribute(key, Any::IntValue(value))
}

pub(crate) fn double(key: &str, value: f64) -> KeyValue {
    attribute(key, Any::DoubleValue(value))
}

pub(crate) fn bool(key: &str, value: bool) -> KeyValue {
    attribute(key, Any::BoolValue(value))
}

pub(crate) fn texts(key: &str, values: &[&str]) -> KeyValue {
    let value = |text: &&str| AnyValue { value: Some(Any::StringValue((*text).to_owned())) };
    attribute(key, Any::ArrayValue(ArrayValue { values: values.iter().map(value).collect() }))
}

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// A span of trace 1 with this id and parent (0 for none), that takes 10 ms.
pub(crate) fn span(id: u8, parent: u8, kind: i32, name: &str) -> Span {
    Span {
        trace_id: vec![1; 16],
        span_id: vec![id; 8],
        parent_span_id: if parent == 0 { Vec::new() } else { vec![parent; 8] },
        name: name.to_owned(),
        kind,
        start_time_unix_nano: START,
        end_time_unix_nano: START + 10 * MILLI,
        ..Span::default()
    }
}

/// What tests change about a span.
pub(crate) trait With: Sized {
    fn trace(self, trace: u8) -> Self;
    fn took(self, millis: u64) -> Self;
    fn starts(self, after: u64) -> Self;
    fn error(self) -> Self;
    fn with(self, attributes: &[KeyValue]) -> Self;
    fn links(self, trace: u8, span: u8) -> Self;
}

impl With for Span {
    fn trace(self, trace: u8) -> Self {
        Self { trace_id: vec![trace; 16], ..self }
    }

    fn took(self, millis: u64) -> Self {
        Self { end_time_unix_nano: self.start_time_unix_nano + millis * MILLI, ..self }
    }

    fn starts(self, after: u64) -> Self {
        let took = self.end_time_unix_nano - self.start_time_unix_nano;
        Self { start_time_unix_nano: START + after, end_time_unix_nano: START + after + took, ..self }
    }

    fn error(self) -> Self {
        Self { status: Some(Status { message: "it broke".to_owned(), code: 2 }), ..self }
    }

    fn with(mut self, attributes: &[KeyValue]) -> Self {
        self.attributes.extend_from_slice(attributes);
        self
    }

    fn links(mut self, trace: u8, span: u8) -> Self {
        self.links.push(Link { trace_id: vec![trace; 16], span_id: vec![span; 8], ..Link::default() });
        self
    }
}

/// Spans of a service.
pub(crate) fn service(name: &str, spans: Vec<Span>) -> ResourceSpans {
    resource(&[text("service.name", name)], spans)
}

pub(crate) fn resource(attributes: &[KeyValue], spans: Vec<Span>) -> ResourceSpans {
    ResourceSpans {
        resource: Some(Resource { attributes: attributes.to_vec(), ..Resource::default() }),
        scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    }
}

pub(crate) fn request(resource_spans: Vec<ResourceSpans>) -> Vec<u8> {
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

/// What is written, as text.
pub(crate) fn written(format: TextFormat, write: impl FnOnce(&mut dyn Exposition) -> std::io::Result<()>) -> String {
    let mut out = TextWriter::new(Vec::new(), format);
    write(&mut out).unwrap();
    out.finish().unwrap();
    String::from_utf8(out.into_inner()).unwrap()
}

/// The samples of one name, without it.
pub(crate) fn samples<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    let starts = |rest: &&str| rest.starts_with(['{', ' ']);
    text.lines().filter_map(|line| line.strip_prefix(name)).filter(starts).collect()
}
