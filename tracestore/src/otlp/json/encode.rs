//! Traces as OTLP's JSON: a document that every OTLP reader takes. Empty fields are left out.

use serde_json::{Map, Value as Json, json};

use super::value::{attributes, entity_refs};
use crate::{
    model::{Event, KeyValue, Link, Resource, Scope, Span, Trace, TraceSpan},
    otlp::encode::group,
};

/// Traces as a JSON document with `resourceSpans`.
#[must_use]
pub fn traces_to_json(traces: &[Trace]) -> Json {
    let spans: Vec<&TraceSpan> = traces.iter().flat_map(|trace| &trace.spans).collect();
    let resource_spans = group(&spans, |span| &*span.resource).into_iter().map(|(resource, spans)| {
        let scope_spans = group(&spans, |span| &*span.scope).into_iter().map(|(scope, spans)| {
            let mut object = Object::default();
            object.when(scope.present, "scope", || self::scope(scope));
            object.put("spans", spans.iter().map(|span| self::span(&span.span)).collect::<Json>());
            object.text("schemaUrl", &scope.schema_url);
            object.finish()
        });
        let scope_spans: Json = scope_spans.collect();
        let mut object = Object::default();
        object.when(resource.present, "resource", || self::resource(resource));
        object.put("scopeSpans", scope_spans);
        object.text("schemaUrl", &resource.schema_url);
        object.finish()
    });
    json!({ "resourceSpans": resource_spans.collect::<Json>() })
}

/// A JSON object that leaves out what is empty.
#[derive(Default)]
struct Object(Map<String, Json>);

impl Object {
    fn put(&mut self, name: &str, value: Json) {
        self.0.insert(name.to_owned(), value);
    }

    fn when(&mut self, present: bool, name: &str, value: impl FnOnce() -> Json) {
        if present {
            self.put(name, value());
        }
    }

    fn text(&mut self, name: &str, text: &str) {
        self.when(!text.is_empty(), name, || json!(text));
    }

    fn count(&mut self, name: &str, count: u32) {
        self.when(count > 0, name, || json!(count));
    }

    fn time(&mut self, name: &str, time: u64) {
        self.when(time > 0, name, || json!(time.to_string()));
    }

    fn attributes(&mut self, list: &[KeyValue]) {
        self.when(!list.is_empty(), "attributes", || attributes(list));
    }

    fn finish(self) -> Json {
        Json::Object(self.0)
    }
}

fn resource(resource: &Resource) -> Json {
    let mut object = Object::default();
    object.attributes(&resource.attributes);
    object.count("droppedAttributesCount", resource.dropped_attributes_count);
    object.when(!resource.entity_refs.is_empty(), "entityRefs", || entity_refs(&resource.entity_refs));
    object.finish()
}

fn scope(scope: &Scope) -> Json {
    let mut object = Object::default();
    object.text("name", &scope.name);
    object.text("version", &scope.version);
    object.attributes(&scope.attributes);
    object.count("droppedAttributesCount", scope.dropped_attributes_count);
    object.finish()
}

fn span(span: &Span) -> Json {
    let mut object = Object::default();
    object.put("traceId", json!(span.trace_id.to_string()));
    object.put("spanId", json!(span.span_id.to_string()));
    object.text("traceState", &span.trace_state);
    if let Some(parent) = &span.parent_span_id {
        object.put("parentSpanId", json!(parent.to_string()));
    }
    object.text("name", &span.name);
    object.when(span.kind != 0, "kind", || json!(span.kind));
    object.time("startTimeUnixNano", span.start_time_unix_nano);
    object.time("endTimeUnixNano", span.end_time_unix_nano);
    object.attributes(&span.attributes);
    object.count("droppedAttributesCount", span.dropped_attributes_count);
    object.when(!span.events.is_empty(), "events", || span.events.iter().map(event).collect());
    object.count("droppedEventsCount", span.dropped_events_count);
    object.when(!span.links.is_empty(), "links", || span.links.iter().map(link).collect());
    object.count("droppedLinksCount", span.dropped_links_count);
    if let Some(status) = &span.status {
        let mut inner = Object::default();
        inner.text("message", &status.message);
        inner.when(status.code != 0, "code", || json!(status.code));
        object.put("status", inner.finish());
    }
    object.count("flags", span.flags);
    object.finish()
}

fn event(event: &Event) -> Json {
    let mut object = Object::default();
    object.time("timeUnixNano", event.time_unix_nano);
    object.text("name", &event.name);
    object.attributes(&event.attributes);
    object.count("droppedAttributesCount", event.dropped_attributes_count);
    object.finish()
}

fn link(link: &Link) -> Json {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut object = Object::default();
    object.text("traceId", &hex(&link.trace_id));
    object.text("spanId", &hex(&link.span_id));
    object.text("traceState", &link.trace_state);
    object.attributes(&link.attributes);
    object.count("droppedAttributesCount", link.dropped_attributes_count);
    object.count("flags", link.flags);
    object.finish()
}
