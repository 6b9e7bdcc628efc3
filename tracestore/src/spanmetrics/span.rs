//! One span as metrics are made of it: the same of a received message (borrowed views, ingest) and of a stored trace.

use super::value::AttributeValue;
use crate::{
    model::{KeyValue, Span, SpanId, TraceId, TraceSpan, Value},
    otlp::{Refusal, RequestView, ResourceView, ScopeView, SpanView, encode_span},
};

/// A span, borrowed from where it is.
#[derive(Debug, Clone, Copy)]
pub struct SpanFacts<'a> {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its id.
    pub span_id: SpanId,
    /// The parent's id; `None` of roots, also of those with an id of zeros.
    pub parent_span_id: Option<SpanId>,
    /// The name.
    pub name: &'a str,
    /// OTLP's kind number.
    pub kind: i32,
    /// OTLP's status number, 0 where there is no status.
    pub status_code: i32,
    /// The status's message.
    pub status_message: &'a str,
    /// Start in ns since 1970.
    pub start: u64,
    /// End in ns since 1970; may lie before the start.
    pub end: u64,
    /// W3C trace state.
    pub trace_state: &'a str,
    /// Its attributes.
    pub attributes: Attributes<'a>,
    /// What it happened on.
    pub resource: ResourceFacts<'a>,
    body: Body<'a>,
}

/// What spans happened on.
#[derive(Debug, Clone, Copy)]
pub struct ResourceFacts<'a> {
    /// `service.name`, empty where there is none or one that is no text.
    pub service: &'a str,
    /// All attributes.
    pub attributes: Attributes<'a>,
}

/// The whole span, for what is seldom asked of it.
#[derive(Debug, Clone, Copy)]
enum Body<'a> {
    Received { view: SpanView<'a>, size: u64 },
    Stored(&'a Span),
}

/// A list of attributes. Of a key that is there twice the first counts.
#[derive(Debug, Clone, Copy)]
pub struct Attributes<'a>(List<'a>);

#[derive(Debug, Clone, Copy)]
enum List<'a> {
    Span(SpanView<'a>),
    Resource(Option<ResourceView<'a>>),
    Stored(&'a [KeyValue]),
}

impl<'a> ResourceFacts<'a> {
    fn new(attributes: Attributes<'a>) -> Self {
        let service = match attributes.get("service.name") {
            Some(AttributeValue::String(name)) => name,
            _ => "",
        };
        Self { service, attributes }
    }
}

impl<'a> SpanFacts<'a> {
    /// A received span; `None` when its ids are not what ids are, as ingest has it. `size` is that of the message in
    /// bytes.
    fn received(view: SpanView<'a>, size: u64, resource: ResourceFacts<'a>) -> Option<Self> {
        if Refusal::of_ids(&view).is_some() {
            return None;
        }
        let status = view.status.unwrap_or_default();
        Some(Self {
            trace_id: TraceId::from_slice(view.trace_id)?,
            span_id: SpanId::from_slice(view.span_id)?,
            parent_span_id: SpanId::from_slice(view.parent_span_id).filter(names_one),
            name: view.name,
            kind: view.kind,
            status_code: status.code,
            status_message: status.message,
            start: view.start_time_unix_nano,
            end: view.end_time_unix_nano,
            trace_state: view.trace_state,
            attributes: Attributes(List::Span(view)),
            resource,
            body: Body::Received { view, size },
        })
    }

    /// A stored span.
    #[must_use]
    pub fn stored(span: &'a TraceSpan) -> Self {
        let TraceSpan { span, resource, .. } = span;
        let status = span.status.as_ref();
        Self {
            trace_id: span.trace_id,
            span_id: span.span_id,
            parent_span_id: span.parent_span_id.filter(names_one),
            name: &span.name,
            kind: span.kind,
            status_code: status.map_or(0, |status| status.code),
            status_message: status.map_or("", |status| &status.message),
            start: span.start_time_unix_nano,
            end: span.end_time_unix_nano,
            trace_state: &span.trace_state,
            attributes: Attributes(List::Stored(&span.attributes)),
            resource: ResourceFacts::new(Attributes(List::Stored(&resource.attributes))),
            body: Body::Stored(span),
        }
    }

    /// End − start in ns; 0 where the end lies before the start.
    #[must_use]
    pub fn duration_nanos(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether the status is error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.status_code == 2
    }

    /// The size of the protobuf message in bytes; a stored span is encoded for it.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self.body {
            Body::Received { size, .. } => size,
            Body::Stored(span) => encode_span(span).len() as u64,
        }
    }

    /// The spans that it links to; links with ids of other lengths than ids have are left out.
    #[must_use]
    pub fn links(&self) -> Vec<(TraceId, SpanId)> {
        let ids = |trace: &[u8], span: &[u8]| Some((TraceId::from_slice(trace)?, SpanId::from_slice(span)?));
        match self.body {
            Body::Received { view, .. } => {
                view.links().flatten().filter_map(|link| ids(link.trace_id, link.span_id)).collect()
            }
            Body::Stored(span) => span.links.iter().filter_map(|link| ids(&link.trace_id, &link.span_id)).collect(),
        }
    }

    /// An attribute of the resource, or else of the span.
    #[must_use]
    pub fn resource_or_span(&self, key: &str) -> Option<AttributeValue<'a>> {
        self.resource.attributes.get(key).or_else(|| self.attributes.get(key))
    }

    /// An attribute of the span, or else of the resource.
    #[must_use]
    pub fn span_or_resource(&self, key: &str) -> Option<AttributeValue<'a>> {
        self.attributes.get(key).or_else(|| self.resource.attributes.get(key))
    }
}

/// An id of zeros names no span.
fn names_one(id: &SpanId) -> bool {
    id.as_bytes().iter().any(|byte| *byte != 0)
}

/// Visits the spans of an encoded `ExportTraceServiceRequest`, those left out that ingest refuses.
pub fn for_each_span(request: &[u8], visit: &mut impl FnMut(&SpanFacts<'_>)) {
    for resource_spans in RequestView::new(request).resource_spans().flatten() {
        let Ok(resource) = resource_spans.resource.map(ResourceView::parse).transpose() else { continue };
        let resource = ResourceFacts::new(Attributes(List::Resource(resource)));
        let scopes = resource_spans.scope_spans().flatten();
        let scopes = scopes.filter(|scope| scope.scope.is_none_or(|scope| ScopeView::parse(scope).is_ok()));
        for message in scopes.flat_map(|scope| scope.spans()).flatten() {
            let view = SpanView::parse(message).ok().filter(|view| view.validate().is_ok());
            if let Some(span) = view.and_then(|view| SpanFacts::received(view, message.len() as u64, resource)) {
                visit(&span);
            }
        }
    }
}

impl<'a> Attributes<'a> {
    /// The value of a key, where it has one that is not empty.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<AttributeValue<'a>> {
        self.find(key).filter(|value| !matches!(value, AttributeValue::Other(value) if **value == Value::Empty))
    }

    /// The value of a key, also one that is empty.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<AttributeValue<'a>> {
        Some(match self.0 {
            List::Span(view) => view.attributes().flatten().find(|found| found.key == key)?.value.into(),
            List::Resource(view) => view?.attributes().flatten().find(|found| found.key == key)?.value.into(),
            List::Stored(list) => AttributeValue::from(&list.iter().find(|found| found.key == key)?.value),
        })
    }

    /// The text of the first of some keys that has one which is not empty. One walk, whatever the number of keys.
    pub(crate) fn first_text(&self, keys: &[impl AsRef<str>]) -> Option<String> {
        let (mut best, mut empty) = (None, Vec::new());
        let mut see = |key: &str, value: &dyn Fn() -> AttributeValue<'a>| {
            let rank = keys.iter().position(|wanted| wanted.as_ref() == key);
            let better = |rank: &usize| best.as_ref().is_none_or(|(found, _)| rank < found) && !empty.contains(rank);
            let Some(rank) = rank.filter(better) else { return };
            match value().text() {
                // Of a key that is there twice the first counts.
                text if text.is_empty() => empty.push(rank),
                text => best = Some((rank, text.into_owned())),
            }
        };
        match self.0 {
            List::Span(view) => view.attributes().flatten().for_each(|found| see(found.key, &|| found.value.into())),
            List::Resource(view) => {
                let list = view.iter().flat_map(ResourceView::attributes).flatten();
                list.for_each(|found| see(found.key, &|| found.value.into()));
            }
            List::Stored(list) => list.iter().for_each(|found| see(&found.key, &|| (&found.value).into())),
        }
        best.map(|(_, text)| text)
    }

    /// Visits all of them in their order.
    pub fn for_each(&self, visit: &mut dyn FnMut(&'a str, AttributeValue<'a>)) {
        match self.0 {
            List::Span(view) => view.attributes().flatten().for_each(|found| visit(found.key, found.value.into())),
            List::Resource(view) => {
                let list = view.iter().flat_map(ResourceView::attributes).flatten();
                list.for_each(|found| visit(found.key, found.value.into()));
            }
            List::Stored(list) => list.iter().for_each(|found| visit(&found.key, (&found.value).into())),
        }
    }
}
