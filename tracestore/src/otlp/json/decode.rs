//! A JSON request to the protobuf message that means the same, which then takes the same way as any other.
//!
//! Takes what senders and tools write: `resourceSpans`, Tempo's `batches`, either inside `trace`; ids in hexadecimal of
//! either case; numbers as numbers or text; enums as numbers or names; names in camel case or snake case. An id that is
//! no hexadecimal text becomes an empty one, for which its span is refused.

use serde_json::Value as Json;

use super::value::{attributes_from_json, entity_refs_from, kind, list};
use crate::otlp::{Message, encode::entity_ref};

type Result<T> = std::result::Result<T, String>;

/// The request as protobuf.
///
/// # Errors
/// What is wrong with it, in words.
pub(in crate::otlp) fn request_from_json(json: &Json) -> Result<Vec<u8>> {
    let Json::Object(object) = json else { return Err(format!("this is {}, not an OTLP request", kind(json))) };
    let body = match object.get("trace") {
        Some(trace @ Json::Object(_)) => trace,
        _ => json,
    };
    let names = ["resourceSpans", "resource_spans", "batches"];
    let Some(name) = names.into_iter().find(|name| body.get(name).is_some()) else {
        return Err(foreign(json));
    };
    let mut request = Message::default();
    for resource_spans in list(body, name)? {
        request.bytes(1, &self::resource_spans(resource_spans)?);
    }
    Ok(request.0)
}

/// What a JSON object without `resourceSpans` might be.
fn foreign(json: &Json) -> String {
    let looks = [
        ("data", "Jaeger's JSON"),
        ("resourceLogs", "OTLP logs"),
        ("resourceMetrics", "OTLP metrics"),
        ("SpanContext", "Go's stdouttrace"),
        ("traces", "an answer of Tempo's search API"),
    ];
    match looks.into_iter().find(|(name, _)| json.get(name).is_some()) {
        Some((_, what)) => format!("this looks like {what}, not like OTLP traces: there is no `resourceSpans`"),
        None => "this is no OTLP request: there is no `resourceSpans`".to_owned(),
    }
}

/// The member with one of its two names, null counting as none.
fn get<'a>(json: &'a Json, camel: &str, snake: &str) -> Option<&'a Json> {
    json.get(camel).or_else(|| json.get(snake)).filter(|json| !json.is_null())
}

fn text<'a>(json: &'a Json, camel: &str, snake: &str) -> Result<&'a str> {
    match get(json, camel, snake) {
        None => Ok(""),
        Some(Json::String(text)) => Ok(text),
        Some(other) => Err(format!("`{camel}` is {}, not text", kind(other))),
    }
}

fn number(json: &Json, camel: &str, snake: &str) -> Result<u64> {
    let Some(json) = get(json, camel, snake) else { return Ok(0) };
    let number = json.as_u64().or_else(|| json.as_str()?.parse().ok());
    number.ok_or_else(|| format!("`{camel}` is {json}, not a whole number from 0"))
}

fn number32(json: &Json, camel: &str, snake: &str) -> Result<u32> {
    u32::try_from(number(json, camel, snake)?).map_err(|_| format!("`{camel}` does not fit 32 bits"))
}

/// An enum's number, or the place of its name in a list.
fn enumeration(json: &Json, name: &str, prefix: &str, names: &[&str]) -> Result<i32> {
    let Some(json) = json.get(name).filter(|json| !json.is_null()) else { return Ok(0) };
    let number = match json {
        Json::String(text) => {
            let word = text.strip_prefix(prefix).unwrap_or(text);
            names
                .iter()
                .position(|name| *name == word)
                .and_then(|at| i32::try_from(at).ok())
                .or_else(|| text.parse().ok())
        }
        json => json.as_i64().and_then(|number| i32::try_from(number).ok()),
    };
    number.ok_or_else(|| format!("`{name}` is {json}, which is no known name or number"))
}

/// Bytes of a hexadecimal id, empty where it is none.
fn id(json: &Json, camel: &str, snake: &str) -> Result<Vec<u8>> {
    let text = text(json, camel, snake)?;
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
        _ => None,
    };
    Ok(text.as_bytes().chunks(2).map(byte).collect::<Option<_>>().unwrap_or_default())
}

fn attributes(message: &mut Message, number: u32, json: &Json) -> Result<()> {
    message.attributes(number, &attributes_from_json(list(json, "attributes")?, 0)?);
    Ok(())
}

fn resource_spans(json: &Json) -> Result<Vec<u8>> {
    let mut message = Message::default();
    if let Some(resource) = json.get("resource").filter(|json| !json.is_null()) {
        let mut inner = Message::default();
        attributes(&mut inner, 1, resource)?;
        inner.unsigned(2, number32(resource, "droppedAttributesCount", "dropped_attributes_count")?);
        for entity in entity_refs_from(list(resource, "entityRefs")?)? {
            inner.bytes(3, &entity_ref(&entity));
        }
        message.bytes(1, &inner.0);
    }
    let names = ["scopeSpans", "scope_spans", "instrumentationLibrarySpans"];
    for name in names {
        for scope_spans in list(json, name)? {
            message.bytes(2, &self::scope_spans(scope_spans)?);
        }
    }
    message.text(3, text(json, "schemaUrl", "schema_url")?);
    Ok(message.0)
}

fn scope_spans(json: &Json) -> Result<Vec<u8>> {
    let mut message = Message::default();
    if let Some(scope) = get(json, "scope", "instrumentationLibrary") {
        let mut inner = Message::default();
        inner.text(1, text(scope, "name", "name")?);
        inner.text(2, text(scope, "version", "version")?);
        attributes(&mut inner, 3, scope)?;
        inner.unsigned(4, number32(scope, "droppedAttributesCount", "dropped_attributes_count")?);
        message.bytes(1, &inner.0);
    }
    for span in list(json, "spans")? {
        message.bytes(2, &self::span(span)?);
    }
    message.text(3, text(json, "schemaUrl", "schema_url")?);
    Ok(message.0)
}

fn span(json: &Json) -> Result<Vec<u8>> {
    const KINDS: [&str; 6] = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
    if !json.is_object() {
        return Err(format!("a span is {}, not an object", kind(json)));
    }
    let mut message = Message::default();
    message.bytes(1, &id(json, "traceId", "trace_id")?);
    message.bytes(2, &id(json, "spanId", "span_id")?);
    message.text(3, text(json, "traceState", "trace_state")?);
    let parent = text(json, "parentSpanId", "parent_span_id")?;
    if !parent.is_empty() {
        // A parent that is no id must not look like none at all.
        let bytes = id(json, "parentSpanId", "parent_span_id")?;
        message.bytes(4, if bytes.is_empty() { parent.as_bytes().get(..1).unwrap_or(&[]) } else { &bytes });
    }
    message.text(5, text(json, "name", "name")?);
    message.enumeration(6, enumeration(json, "kind", "SPAN_KIND_", &KINDS)?);
    message.fixed64(7, number(json, "startTimeUnixNano", "start_time_unix_nano")?);
    message.fixed64(8, number(json, "endTimeUnixNano", "end_time_unix_nano")?);
    attributes(&mut message, 9, json)?;
    message.unsigned(10, number32(json, "droppedAttributesCount", "dropped_attributes_count")?);
    for event in list(json, "events")? {
        let mut inner = Message::default();
        inner.fixed64(1, number(event, "timeUnixNano", "time_unix_nano")?);
        inner.text(2, text(event, "name", "name")?);
        attributes(&mut inner, 3, event)?;
        inner.unsigned(4, number32(event, "droppedAttributesCount", "dropped_attributes_count")?);
        message.bytes(11, &inner.0);
    }
    message.unsigned(12, number32(json, "droppedEventsCount", "dropped_events_count")?);
    for link in list(json, "links")? {
        let mut inner = Message::default();
        for (number, bytes) in [(1, id(link, "traceId", "trace_id")?), (2, id(link, "spanId", "span_id")?)] {
            if !bytes.is_empty() {
                inner.bytes(number, &bytes);
            }
        }
        inner.text(3, text(link, "traceState", "trace_state")?);
        attributes(&mut inner, 4, link)?;
        inner.unsigned(5, number32(link, "droppedAttributesCount", "dropped_attributes_count")?);
        inner.fixed32(6, number32(link, "flags", "flags")?);
        message.bytes(13, &inner.0);
    }
    message.unsigned(14, number32(json, "droppedLinksCount", "dropped_links_count")?);
    if let Some(status) = json.get("status").filter(|json| !json.is_null()) {
        let mut inner = Message::default();
        inner.text(2, text(status, "message", "message")?);
        inner.enumeration(3, enumeration(status, "code", "STATUS_CODE_", &["UNSET", "OK", "ERROR"])?);
        message.bytes(15, &inner.0);
    }
    message.fixed32(16, number32(json, "flags", "flags")?);
    Ok(message.0)
}
