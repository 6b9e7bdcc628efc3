//! Spans that a test writes down itself, and the block in memory that is made of them.

use std::{path::Path, sync::Arc};

use tracestore::{
    block::{Block, BlockBuilder},
    io::{MemoryVfs, Vfs},
    model::{BlockId, KeyValue, Resource, Scope, Span, SpanId, Status, Trace, TraceId, TraceSpan, Value},
    otlp::encode_request,
};

use crate::{
    Error, Result,
    rules::duration::parse_duration,
    syntax::{
        Diagnostic,
        ast::{Kind, Status as StatusWord},
    },
    yaml::{Map, Node, Reader},
};

const KEYS: [&str; 11] =
    ["service", "name", "kind", "status", "start", "duration", "attributes", "resource", "children", "every", "count"];
/// More than a test would write down.
const MAX_SPANS: usize = 1_000_000;

/// A span, its children, and how often they are repeated.
#[derive(Debug, Clone)]
pub(super) struct SpanSpec {
    resource: Vec<KeyValue>,
    name: String,
    kind: i32,
    status: i32,
    /// ns after the test's start, or after its parent's.
    start: i64,
    duration: u64,
    attributes: Vec<KeyValue>,
    children: Vec<SpanSpec>,
    every: u64,
    count: usize,
}

/// Reads a list of spans. `parent`: the resource of the span that they are children of.
pub(super) fn read_spans(reader: &mut Reader<'_>, node: &Node, parent: Option<&[KeyValue]>) -> Vec<SpanSpec> {
    let nodes = reader.list(node, "a list of spans");
    nodes.iter().filter_map(|node| read_span(reader, node, parent)).collect()
}

fn read_span(reader: &mut Reader<'_>, node: &Node, parent: Option<&[KeyValue]>) -> Option<SpanSpec> {
    let keys = if parent.is_some() { KEYS.get(..9).unwrap_or(&KEYS) } else { &KEYS[..] };
    let map = reader.map(node, if parent.is_some() { "a child span" } else { "a span" }, keys)?;
    let text = |reader: &mut Reader<'_>, key: &str, what: &str| {
        map.get(key).and_then(|node| reader.text(node, what)).map(str::to_owned)
    };
    let service = text(reader, "service", "a service's name");
    let own = map.get("resource").map(|node| read_attributes(reader, node));
    let is_named = service.is_some() || own.is_some();
    let mut resource = if is_named { own.unwrap_or_default() } else { parent.unwrap_or_default().to_vec() };
    if let Some(service) = service {
        resource.insert(0, KeyValue { key: "service.name".to_owned(), value: Value::String(service) });
    }
    let kinds = [Kind::Unspecified, Kind::Internal, Kind::Server, Kind::Client, Kind::Producer, Kind::Consumer];
    let statuses = [StatusWord::Unset, StatusWord::Ok, StatusWord::Error];
    let name = text(reader, "name", "a span's name").unwrap_or_else(|| "span".to_owned());
    let kind = word(reader, &map, "kind", &kinds.map(|kind| kind.to_string()));
    let status = word(reader, &map, "status", &statuses.map(|status| status.to_string()));
    let start = map.get("start").and_then(|node| read_start(reader, node));
    let duration = map.get("duration").and_then(|node| read_length(reader, node));
    let attributes = map.get("attributes").map(|node| read_attributes(reader, node));
    let children = map.get("children").map(|node| read_spans(reader, node, Some(&resource)));
    let every = map.get("every").and_then(|node| reader.positive_duration(node));
    let count = map.get("count").and_then(|node| reader.count(node));
    for (key, other) in [("count", "every"), ("every", "count")] {
        if let (Some(place), None, None) = (map.key(key), map.key(other), parent) {
            reader.report(Diagnostic::new("TQ0604", place, format!("what is repeated needs `{other}`")));
        }
    }
    Some(SpanSpec {
        resource,
        name,
        kind,
        status,
        start: start.unwrap_or(0),
        duration: duration.unwrap_or(0),
        attributes: attributes.unwrap_or_default(),
        children: children.unwrap_or_default(),
        every: every.unwrap_or(0),
        count: count.unwrap_or(1),
    })
}

/// The number of a word: its place among them.
fn word(reader: &mut Reader<'_>, map: &Map<'_>, key: &str, words: &[String]) -> i32 {
    let Some(node) = map.get(key) else { return 0 };
    let Some(text) = reader.text(node, "a word") else { return 0 };
    let place = words.iter().position(|word| word == text);
    if place.is_none() {
        let fault = Diagnostic::new("TQ0610", node.span, format!("there is no {key} `{text}`"));
        reader.report(fault.help(format!("it is one of {}", words.join(", "))));
    }
    place.and_then(|place| i32::try_from(place).ok()).unwrap_or(0)
}

/// A duration, or `-` and a duration.
fn read_start(reader: &mut Reader<'_>, node: &Node) -> Option<i64> {
    let text = reader.text(node, "a duration")?;
    let (sign, length) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    match parse_duration(length) {
        Ok(nanos) => i64::try_from(nanos).ok().map(|nanos| sign * nanos),
        Err(reason) => {
            reader.report(Diagnostic::new("TQ0606", node.span, reason).help("write a time like 30s or -1m30s"));
            None
        }
    }
}

/// How long a span takes: in spans there are parts of milliseconds too.
fn read_length(reader: &mut Reader<'_>, node: &Node) -> Option<u64> {
    let text = reader.text(node, "a duration")?;
    for (unit, nanos) in [("us", 1_000), ("µs", 1_000), ("ns", 1)] {
        if let Some(Ok(amount)) = text.strip_suffix(unit).map(str::parse::<u64>) {
            return amount.checked_mul(nanos);
        }
    }
    reader.duration(node)
}

fn read_attributes(reader: &mut Reader<'_>, node: &Node) -> Vec<KeyValue> {
    let Some(map) = reader.open_map(node, "attributes") else { return Vec::new() };
    let mut attributes = Vec::new();
    for (key, _, value) in map.entries() {
        if let Some(value) = read_value(reader, value) {
            attributes.push(KeyValue { key: key.to_owned(), value });
        }
    }
    attributes
}

/// Text in quotes is text; else it may be a number or truth value.
fn read_value(reader: &mut Reader<'_>, node: &Node) -> Option<Value> {
    if let Some(items) = node.items() {
        return items.iter().map(|item| read_value(reader, item)).collect::<Option<Vec<_>>>().map(Value::Array);
    }
    let text = reader.text(node, "a value")?;
    if Reader::plain(node).is_none() {
        return Some(Value::String(text.to_owned()));
    }
    let number = || text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    Some(match (text, text.parse::<i64>(), text.parse::<f64>()) {
        ("true", ..) => Value::Bool(true),
        ("false", ..) => Value::Bool(false),
        (_, Ok(int), _) => Value::Int(int),
        (_, _, Ok(float)) if number() => Value::Double(float),
        _ => Value::String(text.to_owned()),
    })
}

/// A block of all the spans of a test that starts at `start`, ns since 1970. `None` where there are none.
pub(super) fn block_of(specs: &[SpanSpec], start: u64) -> Result<Option<Arc<Block>>> {
    let mut traces = Traces { list: Vec::new(), spans: 0 };
    for spec in specs {
        for copy in 0..spec.count {
            let shift = spec.every.saturating_mul(copy as u64);
            let id = traces.list.len() as u128 + 1;
            let mut trace = Trace { trace_id: TraceId::from_bytes(id.to_be_bytes()), spans: Vec::new() };
            traces.add(&mut trace, spec, start.saturating_add(shift), None)?;
            traces.list.push(trace);
        }
    }
    if traces.spans == 0 {
        return Ok(None);
    }
    let mut builder = BlockBuilder::new();
    let pushed = builder.push(&encode_request(&traces.list).into());
    pushed.map_err(|error| Error::Execution(format!("the spans of a test cannot be taken: {error}")))?;
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
    let folder = Path::new("test");
    builder.finish(vfs.as_ref(), folder, BlockId::generate())?;
    Ok(Some(Block::open(vfs, folder)?))
}

struct Traces {
    list: Vec<Trace>,
    spans: u64,
}

impl Traces {
    fn add(&mut self, trace: &mut Trace, spec: &SpanSpec, origin: u64, parent: Option<SpanId>) -> Result<()> {
        self.spans += 1;
        if self.spans > MAX_SPANS as u64 {
            return Err(Error::Limit(format!("a test has more than {MAX_SPANS} spans of its own")));
        }
        let start = origin.saturating_add_signed(spec.start);
        let span_id = SpanId::from_bytes(self.spans.to_be_bytes());
        let span = Span {
            trace_id: trace.trace_id,
            span_id,
            trace_state: String::new(),
            parent_span_id: parent,
            flags: 0,
            name: spec.name.clone(),
            kind: spec.kind,
            start_time_unix_nano: start,
            end_time_unix_nano: start.saturating_add(spec.duration),
            attributes: spec.attributes.clone(),
            dropped_attributes_count: 0,
            events: Vec::new(),
            dropped_events_count: 0,
            links: Vec::new(),
            dropped_links_count: 0,
            status: Some(Status { message: String::new(), code: spec.status }),
        };
        let resource = Resource { present: true, attributes: spec.resource.clone(), ..Resource::default() };
        let (resource, scope) = (Arc::new(resource), Arc::new(Scope::default()));
        trace.spans.push(TraceSpan { span, resource, scope, parent: None, shadowed: false });
        spec.children.iter().try_for_each(|child| self.add(trace, child, start, Some(span_id)))
    }
}
