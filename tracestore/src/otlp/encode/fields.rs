//! OTLP's messages, field by field: from owned values, and from parts that lie in columns. Everything that this crate says
//! in protobuf about spans, events, links and attributes is written here.

use crate::{
    model::{Event, KeyValue, Link, Span, Value},
    otlp::{Message, ValueView},
};

impl Message {
    pub(in crate::otlp) fn attributes(&mut self, number: u32, attributes: &[KeyValue]) {
        attributes.iter().for_each(|attribute| self.attribute(number, &attribute.key, &attribute.value));
    }

    /// An attribute with a value that is no list.
    pub(crate) fn scalar_attribute(&mut self, number: u32, key: &str, value: &ValueView<'_>) {
        self.nested(number, |message| {
            message.text(1, key);
            message.nested(2, |message| message.scalar(value));
        });
    }

    /// An attribute with any value.
    pub(crate) fn attribute(&mut self, number: u32, key: &str, value: &Value) {
        self.nested(number, |message| {
            message.text(1, key);
            message.nested(2, |message| message.value(value));
        });
    }

    /// A value that is no list. One that is set is written also when it is a default: that tells it from an empty one.
    fn scalar(&mut self, value: &ValueView<'_>) {
        match value {
            ValueView::String(text) => self.bytes(1, text.as_bytes()),
            ValueView::Bool(bool) => {
                self.tag(2, 0);
                self.varint(u64::from(*bool));
            }
            ValueView::Int(int) => {
                self.tag(3, 0);
                self.varint(int.cast_unsigned());
            }
            ValueView::Double(double) => {
                self.tag(4, 1);
                self.0.extend_from_slice(&double.to_bits().to_le_bytes());
            }
            ValueView::Bytes(bytes) => self.bytes(7, bytes),
            ValueView::Empty | ValueView::Array(_) | ValueView::KvList(_) => {}
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Empty => {}
            Value::String(text) => self.scalar(&ValueView::String(text)),
            Value::Bool(bool) => self.scalar(&ValueView::Bool(*bool)),
            Value::Int(int) => self.scalar(&ValueView::Int(*int)),
            Value::Double(double) => self.scalar(&ValueView::Double(*double)),
            Value::Bytes(bytes) => self.scalar(&ValueView::Bytes(bytes)),
            Value::Array(elements) => self.nested(5, |list| {
                elements.iter().for_each(|element| list.nested(1, |message| message.value(element)));
            }),
            Value::KvList(entries) => self.nested(6, |list| list.attributes(1, entries)),
        }
    }

    fn event(&mut self, event: &Event) {
        let fields = EventFields {
            time_unix_nano: event.time_unix_nano,
            name: &event.name,
            dropped_attributes_count: event.dropped_attributes_count,
        };
        fields.write(self, |message| message.attributes(3, &event.attributes));
    }

    fn link(&mut self, link: &Link) {
        let fields = LinkFields {
            trace_id: &link.trace_id,
            span_id: &link.span_id,
            trace_state: &link.trace_state,
            dropped_attributes_count: link.dropped_attributes_count,
            flags: link.flags,
        };
        fields.write(self, |message| message.attributes(4, &link.attributes));
    }

    pub(in crate::otlp) fn span(&mut self, span: &Span) {
        let fields = SpanFields {
            trace_id: span.trace_id.as_bytes(),
            span_id: span.span_id.as_bytes(),
            trace_state: &span.trace_state,
            parent_span_id: span.parent_span_id.as_ref().map(|id| id.as_bytes().as_slice()),
            name: &span.name,
            kind: span.kind,
            start_time_unix_nano: span.start_time_unix_nano,
            end_time_unix_nano: span.end_time_unix_nano,
            dropped_attributes_count: span.dropped_attributes_count,
            dropped_events_count: span.dropped_events_count,
            dropped_links_count: span.dropped_links_count,
            status: span.status.as_ref().map(|status| (status.message.as_str(), status.code)),
            flags: span.flags,
        };
        fields.write(
            self,
            |message| message.attributes(SpanFields::ATTRIBUTES, &span.attributes),
            |message| {
                span.events.iter().for_each(|event| message.nested(SpanFields::EVENTS, |inner| inner.event(event)))
            },
            |message| span.links.iter().for_each(|link| message.nested(SpanFields::LINKS, |inner| inner.link(link))),
        );
    }
}

/// The fields of a `Span` message but for its lists.
#[derive(Debug)]
pub(crate) struct SpanFields<'a> {
    pub(crate) trace_id: &'a [u8],
    pub(crate) span_id: &'a [u8],
    pub(crate) trace_state: &'a str,
    pub(crate) parent_span_id: Option<&'a [u8]>,
    pub(crate) name: &'a str,
    pub(crate) kind: i32,
    pub(crate) start_time_unix_nano: u64,
    pub(crate) end_time_unix_nano: u64,
    pub(crate) dropped_attributes_count: u32,
    pub(crate) dropped_events_count: u32,
    pub(crate) dropped_links_count: u32,
    /// Message and code.
    pub(crate) status: Option<(&'a str, i32)>,
    pub(crate) flags: u32,
}

impl SpanFields<'_> {
    pub(crate) const ATTRIBUTES: u32 = 9;
    pub(crate) const EVENTS: u32 = 11;
    pub(crate) const LINKS: u32 = 13;

    /// Writes the message; the lists are written where it is their turn.
    pub(crate) fn write(
        &self,
        message: &mut Message,
        attributes: impl FnOnce(&mut Message),
        events: impl FnOnce(&mut Message),
        links: impl FnOnce(&mut Message),
    ) {
        message.bytes(1, self.trace_id);
        message.bytes(2, self.span_id);
        message.text(3, self.trace_state);
        if let Some(parent) = self.parent_span_id {
            message.bytes(4, parent);
        }
        message.text(5, self.name);
        message.enumeration(6, self.kind);
        message.fixed64(7, self.start_time_unix_nano);
        message.fixed64(8, self.end_time_unix_nano);
        attributes(message);
        message.unsigned(10, self.dropped_attributes_count);
        events(message);
        message.unsigned(12, self.dropped_events_count);
        links(message);
        message.unsigned(14, self.dropped_links_count);
        if let Some((text, code)) = self.status {
            message.nested(15, |status| {
                status.text(2, text);
                status.enumeration(3, code);
            });
        }
        message.fixed32(16, self.flags);
    }
}

/// The fields of an `Event` message but for its attributes.
#[derive(Debug)]
pub(crate) struct EventFields<'a> {
    pub(crate) time_unix_nano: u64,
    pub(crate) name: &'a str,
    pub(crate) dropped_attributes_count: u32,
}

impl EventFields<'_> {
    pub(crate) const ATTRIBUTES: u32 = 3;

    pub(crate) fn write(&self, message: &mut Message, attributes: impl FnOnce(&mut Message)) {
        message.fixed64(1, self.time_unix_nano);
        message.text(2, self.name);
        attributes(message);
        message.unsigned(4, self.dropped_attributes_count);
    }
}

/// The fields of a `Link` message but for its attributes.
#[derive(Debug)]
pub(crate) struct LinkFields<'a> {
    pub(crate) trace_id: &'a [u8],
    pub(crate) span_id: &'a [u8],
    pub(crate) trace_state: &'a str,
    pub(crate) dropped_attributes_count: u32,
    pub(crate) flags: u32,
}

impl LinkFields<'_> {
    pub(crate) const ATTRIBUTES: u32 = 4;

    pub(crate) fn write(&self, message: &mut Message, attributes: impl FnOnce(&mut Message)) {
        if !self.trace_id.is_empty() {
            message.bytes(1, self.trace_id);
        }
        if !self.span_id.is_empty() {
            message.bytes(2, self.span_id);
        }
        message.text(3, self.trace_state);
        attributes(message);
        message.unsigned(5, self.dropped_attributes_count);
        message.fixed32(6, self.flags);
    }
}
