//! Requests told apart by numbers, and the numbers that are in a view.

#![allow(dead_code, reason = "every test file uses its own part")]

use std::{collections::BTreeMap, fmt, path::Path, sync::Arc};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message;
use tracestore::{
    Deletion, FoundSpans, Result as StoreResult, RetentionPolicy, Snapshot, SpanSelector,
    block::Block,
    model::{Trace, TraceId},
};

/// How many traces there are: the spans of one are spread over requests, and so over blocks and live data.
const TRACES: u64 = 5;

/// How many spans a request has.
pub(crate) fn spans_of(number: u64) -> u64 {
    1 + number % 3
}

/// A request of this number: each of its spans is named by it.
pub(crate) fn request(number: u64) -> bytes::Bytes {
    let span = |part: u64| Span {
        trace_id: [&[7; 8][..], &((number + part) % TRACES).to_be_bytes()].concat(),
        span_id: ((number << 8) + part + 1).to_be_bytes().to_vec(),
        name: number.to_string(),
        start_time_unix_nano: 1_000 + number,
        end_time_unix_nano: 2_000 + number,
        ..Span::default()
    };
    let service = AnyValue { value: Some(Value::StringValue(format!("service {}", number % 2))) };
    let attribute = KeyValue { key: "service.name".into(), value: Some(service), ..KeyValue::default() };
    let scope_spans = vec![ScopeSpans { spans: (0..spans_of(number)).map(span).collect(), ..ScopeSpans::default() }];
    let resource = Some(Resource { attributes: vec![attribute], ..Resource::default() });
    let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec().into()
}

/// The spans of a request.
#[derive(Debug)]
struct Numbered(u64);

impl fmt::Display for Numbered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request {}", self.0)
    }
}

impl SpanSelector for Numbered {
    fn select(&self, view: &Snapshot, found: &mut FoundSpans) -> StoreResult<()> {
        found.add_if(view, |trace, span| trace.spans[span].span.name == self.0.to_string())
    }
}

/// The deletion of a request's spans.
pub(crate) fn deletion(number: u64) -> Deletion {
    Deletion::Spans(Arc::new(Numbered(number)))
}

/// A policy by which just the oldest block of a view of a store goes, and the numbers of the requests in it; `None` where
/// no block is on the disk, or that one has a part of a request only (others of its traces lie elsewhere).
pub(crate) fn without_the_oldest(snapshot: &Snapshot) -> Option<(RetentionPolicy, Vec<u64>)> {
    let stored = || snapshot.blocks().iter().filter(|block| block.path().starts_with(Path::new("store")));
    let oldest = stored().min_by_key(|block| block.time_range().1)?;
    let bytes = stored().map(|block| block.size()).sum::<u64>();
    let policy = RetentionPolicy { rules: Vec::new(), max_bytes: Some(bytes.saturating_sub(1)) };
    Some((policy, whole_requests([count_block(oldest).ok()?.0]).ok()?))
}

/// The numbers of the requests that a view holds, ascending. Each must be there as a whole and once, in what is stored as
/// in what queries see.
pub(crate) fn numbers(snapshot: &Snapshot) -> Result<Vec<u64>, String> {
    let stored = snapshot.blocks().iter().map(|block| Ok(count_block(block)?.0)).collect::<Result<Vec<_>, String>>()?;
    let stored = whole_requests(stored)?;
    let whole = snapshot.whole().map_err(|error| error.to_string())?;
    let (counts, traces): (Vec<_>, Vec<_>) =
        whole.blocks().iter().map(|block| count_block(block)).collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    let mut traces = traces.concat();
    let total = traces.len();
    traces.sort();
    traces.dedup();
    let seen = whole_requests(counts)?;
    match stored == seen && traces.len() == total {
        true => Ok(seen),
        false => Err(format!("stored {stored:?}, seen {seen:?}, {total} parts of {} traces", traces.len())),
    }
}

/// How many spans of each request a block holds, and which traces.
pub(crate) fn count_block(block: &Block) -> Result<(BTreeMap<u64, u64>, Vec<TraceId>), String> {
    let (mut spans, mut traces) = (BTreeMap::new(), Vec::new());
    for group in 0..block.row_groups() {
        for trace in block.traces_of_row_group(group).map_err(|error| error.to_string())? {
            count_trace(&trace, &mut spans)?;
            traces.push(trace.trace_id);
        }
    }
    Ok((spans, traces))
}

/// Adds counts; tells the numbers of requests that are there as a whole and once, or what is not.
pub(crate) fn whole_requests(counts: impl IntoIterator<Item = BTreeMap<u64, u64>>) -> Result<Vec<u64>, String> {
    let mut sum = BTreeMap::<u64, u64>::new();
    for (number, spans) in counts.into_iter().flatten() {
        *sum.entry(number).or_default() += spans;
    }
    match sum.iter().find(|(number, spans)| **spans != spans_of(**number)) {
        Some((number, spans)) => Err(format!("request {number} is there with {spans} spans")),
        None => Ok(sum.into_keys().collect()),
    }
}

fn count_trace(trace: &Trace, spans: &mut BTreeMap<u64, u64>) -> Result<(), String> {
    for span in &trace.spans {
        if span.shadowed {
            return Err(format!("{} is there twice", span.span.name));
        }
        let number = span.span.name.parse().map_err(|_| format!("{} was never sent", span.span.name))?;
        *spans.entry(number).or_default() += 1;
    }
    Ok(())
}
