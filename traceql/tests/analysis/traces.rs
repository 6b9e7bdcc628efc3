//! Hand-made traces.

use std::sync::Arc;

use tracestore::model::{KeyValue, Resource, Scope, Span, SpanId, Status, Trace, TraceId, TraceSpan, Value};

pub(crate) const INTERNAL: i32 = 1;
pub(crate) const SERVER: i32 = 2;
pub(crate) const CLIENT: i32 = 3;
pub(crate) const PRODUCER: i32 = 4;
pub(crate) const CONSUMER: i32 = 5;

/// What times are counted from: a start of zero would be no time.
pub(crate) const START: u64 = 1_000_000;

/// A span with what is below it.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) kind: i32,
    pub(crate) service: &'static str,
    pub(crate) error: bool,
    pub(crate) orphan: bool,
    pub(crate) children: Vec<Node>,
}

/// An internal span of `shop`.
pub(crate) fn node(name: &str, start: u64, end: u64) -> Node {
    let (start, end) = (START + start, START + end);
    let (kind, service) = (INTERNAL, "shop");
    Node { name: name.to_owned(), start, end, kind, service, error: false, orphan: false, children: Vec::new() }
}

impl Node {
    pub(crate) fn kind(self, kind: i32) -> Self {
        Self { kind, ..self }
    }

    pub(crate) fn service(self, service: &'static str) -> Self {
        Self { service, ..self }
    }

    pub(crate) fn error(self) -> Self {
        Self { error: true, ..self }
    }

    pub(crate) fn orphan(self) -> Self {
        Self { orphan: true, ..self }
    }

    pub(crate) fn with(self, children: impl IntoIterator<Item = Node>) -> Self {
        Self { children: children.into_iter().collect(), ..self }
    }

    fn span(&self, id: u64, parent: Option<u64>) -> Span {
        Span {
            trace_id: TraceId::from_bytes([7; 16]),
            span_id: SpanId::from_bytes(id.to_be_bytes()),
            trace_state: String::new(),
            parent_span_id: parent.map(|parent| SpanId::from_bytes(parent.to_be_bytes())),
            flags: 0,
            name: self.name.clone(),
            kind: self.kind,
            start_time_unix_nano: self.start,
            end_time_unix_nano: self.end,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: Vec::new(),
            dropped_events_count: 0,
            links: Vec::new(),
            dropped_links_count: 0,
            status: self.error.then(|| Status { message: String::new(), code: 2 }),
        }
    }
}

/// The trace of some trees, in the order in which a store has them.
pub(crate) fn trace(mut tops: Vec<Node>) -> Trace {
    tops.sort_by_key(|top| (top.orphan, top.start));
    let mut trace = Trace { trace_id: TraceId::from_bytes([7; 16]), spans: Vec::new() };
    let mut stack: Vec<(Node, Option<usize>)> = tops.into_iter().rev().map(|top| (top, None)).collect();
    while let Some((mut node, parent)) = stack.pop() {
        let index = trace.spans.len();
        let parent_id = parent.map(|parent| parent as u64 + 1).or(node.orphan.then_some(u64::MAX));
        let name = KeyValue { key: "service.name".to_owned(), value: Value::String(node.service.to_owned()) };
        let resource = Resource { present: true, attributes: vec![name], ..Resource::default() };
        trace.spans.push(TraceSpan {
            span: node.span(index as u64 + 1, parent_id),
            resource: Arc::new(resource),
            scope: Arc::new(Scope::default()),
            parent,
            shadowed: false,
        });
        node.children.sort_by_key(|child| child.start);
        stack.extend(node.children.into_iter().rev().map(|child| (child, Some(index))));
    }
    trace
}
