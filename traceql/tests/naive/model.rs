//! Traces from OTLP, by prost: parents, roots, numbers, duplicates, all the slow way.

use std::{collections::BTreeMap, io::Read, path::Path};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{InstrumentationScope, KeyValue},
    resource::v1::Resource,
    trace::v1::Span,
};
use prost::Message;
use traceql::syntax::ast::Relation;

/// A span with its place in the trace.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) span: Span,
    pub(crate) resource: Resource,
    pub(crate) scope: InstrumentationScope,
    /// Index of the parent.
    pub(crate) parent: Option<usize>,
    pub(crate) children: i64,
    /// Nested-set numbers (T3).
    pub(crate) left: i64,
    pub(crate) right: i64,
    pub(crate) parent_left: i64,
}

impl Placed {
    /// The id of its parent, empty for roots.
    fn parent_id(&self) -> &[u8] {
        if is_root(&self.span) { &[] } else { &self.span.parent_span_id }
    }
}

/// A whole trace.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    pub(crate) id: Vec<u8>,
    pub(crate) spans: Vec<Placed>,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// The root that starts first (T4).
    pub(crate) root: Option<usize>,
}

/// The traces of a file of varint-delimited requests, packed with zstd.
pub(crate) fn read_traces(path: &Path) -> Vec<Trace> {
    let mut bytes = Vec::new();
    zstd::Decoder::new(std::fs::File::open(path).unwrap()).unwrap().read_to_end(&mut bytes).unwrap();
    let mut rest = bytes.as_slice();
    let mut requests = Vec::new();
    while !rest.is_empty() {
        requests.push(ExportTraceServiceRequest::decode_length_delimited(&mut rest).unwrap());
    }
    Trace::of(&requests)
}

impl Trace {
    /// The traces of some requests.
    pub(crate) fn of(requests: &[ExportTraceServiceRequest]) -> Vec<Self> {
        let mut traces: BTreeMap<Vec<u8>, Vec<Placed>> = BTreeMap::new();
        for resource_spans in requests.iter().flat_map(|request| &request.resource_spans) {
            for scope_spans in &resource_spans.scope_spans {
                for span in &scope_spans.spans {
                    let zero = |id: &[u8]| id.iter().all(|byte| *byte == 0);
                    if span.trace_id.len() != 16
                        || zero(&span.trace_id)
                        || span.span_id.len() != 8
                        || zero(&span.span_id)
                    {
                        continue;
                    }
                    traces.entry(span.trace_id.clone()).or_default().push(Placed {
                        span: span.clone(),
                        resource: resource_spans.resource.clone().unwrap_or_default(),
                        scope: scope_spans.scope.clone().unwrap_or_default(),
                        parent: None,
                        children: 0,
                        left: 0,
                        right: 0,
                        parent_left: 0,
                    });
                }
            }
        }
        traces.into_iter().map(|(id, spans)| Self::new(id, spans)).collect()
    }

    fn new(id: Vec<u8>, spans: Vec<Placed>) -> Self {
        let mut spans = without_duplicates(spans);
        let parents: Vec<Option<usize>> = (0..spans.len()).map(|index| find_parent(&spans, index)).collect();
        for (span, parent) in spans.iter_mut().zip(&parents) {
            span.parent = *parent;
        }
        cut_cycles(&mut spans);
        for index in 0..spans.len() {
            spans[index].children = spans.iter().filter(|span| span.parent == Some(index)).count() as i64;
        }
        // Zero times are left out unless all are zero.
        let starts = spans.iter().map(|span| span.span.start_time_unix_nano).filter(|start| *start > 0);
        let start = starts.min().unwrap_or(0);
        let end = spans.iter().map(|span| span.span.end_time_unix_nano).max().unwrap_or(0).max(start);
        let mut roots: Vec<usize> = (0..spans.len()).filter(|index| is_root(&spans[*index].span)).collect();
        roots.sort_by_key(|index| order_key(&spans[*index].span));
        let mut counter = 0;
        for root in &roots {
            number(&mut spans, *root, -1, &mut counter);
        }
        Self { id, spans, start, end, root: roots.first().copied() }
    }
}

/// T1: what spans are to each other, whatever lies above them.
impl Trace {
    /// Whether the first is what the relation says to the second: its parent, its ancestor, …
    pub(crate) fn are_related(&self, relation: Relation, first: usize, second: usize) -> bool {
        match relation {
            Relation::Parent => self.spans[second].parent == Some(first),
            Relation::Child => self.spans[first].parent == Some(second),
            Relation::Ancestor => self.ancestors(second).contains(&first),
            Relation::Descendant => self.ancestors(first).contains(&second),
            Relation::Sibling => first != second && self.have_one_parent(first, second),
        }
    }

    /// T2: the chain ends, since cycles are cut.
    fn ancestors(&self, span: usize) -> Vec<usize> {
        std::iter::successors(self.spans[span].parent, |ancestor| self.spans[*ancestor].parent).collect()
    }

    /// Spans without a parent in the trace are siblings if they name the same one: roots none, orphans the one that is
    /// missing.
    fn have_one_parent(&self, first: usize, second: usize) -> bool {
        let (first, second) = (&self.spans[first], &self.spans[second]);
        first.parent == second.parent && (first.parent.is_some() || first.parent_id() == second.parent_id())
    }
}

fn is_root(span: &Span) -> bool {
    span.parent_span_id.iter().all(|byte| *byte == 0)
}

fn order_key(span: &Span) -> (u64, Vec<u8>, i32) {
    (span.start_time_unix_nano, span.span_id.clone(), span.kind)
}

/// D1: of spans with the same id and kind the one with the smallest canonical bytes.
fn without_duplicates(spans: Vec<Placed>) -> Vec<Placed> {
    let mut kept: BTreeMap<(Vec<u8>, i32), Placed> = BTreeMap::new();
    for span in spans {
        let key = (span.span.span_id.clone(), span.span.kind);
        match kept.get(&key) {
            Some(found) if canonical(found) <= canonical(&span) => {}
            _ => {
                kept.insert(key, span);
            }
        }
    }
    kept.into_values().collect()
}

fn canonical(placed: &Placed) -> [Vec<u8>; 3] {
    let sort = |list: &mut Vec<KeyValue>| list.sort_by(|a, b| a.key.cmp(&b.key));
    let (mut span, mut resource, mut scope) = (placed.span.clone(), placed.resource.clone(), placed.scope.clone());
    sort(&mut span.attributes);
    span.events.iter_mut().for_each(|event| sort(&mut event.attributes));
    span.links.iter_mut().for_each(|link| sort(&mut link.attributes));
    sort(&mut resource.attributes);
    sort(&mut scope.attributes);
    [span.encode_to_vec(), resource.encode_to_vec(), scope.encode_to_vec()]
}

/// T2: by id; where several have it, by kind.
fn find_parent(spans: &[Placed], child: usize) -> Option<usize> {
    let span = &spans[child].span;
    if is_root(span) {
        return None;
    }
    let all: Vec<usize> = (0..spans.len()).filter(|index| spans[*index].span.span_id == span.parent_span_id).collect();
    let wanted = if span.kind == 2 { 3 } else { 2 };
    let fits = |index: &usize| *index != child && (all.len() == 1 || spans[*index].span.kind == wanted);
    all.iter().copied().filter(fits).min_by_key(|index| spans[*index].span.start_time_unix_nano)
}

/// T2: every cycle is cut at its earliest start.
fn cut_cycles(spans: &mut [Placed]) {
    for start in 0..spans.len() {
        let mut path = vec![start];
        while let Some(parent) = spans[path[path.len() - 1]].parent {
            if let Some(at) = path.iter().position(|index| *index == parent) {
                let cut = path[at..].iter().copied().min_by_key(|index| order_key(&spans[*index].span)).unwrap();
                spans[cut].parent = None;
                break;
            }
            path.push(parent);
        }
    }
}

/// T3: one counter over all roots, children by start, then id.
fn number(spans: &mut [Placed], index: usize, parent_left: i64, counter: &mut i64) {
    *counter += 1;
    let left = *counter;
    (spans[index].left, spans[index].parent_left) = (left, parent_left);
    let mut children: Vec<usize> = (0..spans.len()).filter(|child| spans[*child].parent == Some(index)).collect();
    children.sort_by_key(|child| order_key(&spans[*child].span));
    for child in children {
        number(spans, child, left, counter);
    }
    *counter += 1;
    spans[index].right = *counter;
}
