//! Queries see every trace whole, however its spans were cut into blocks: random cuts against one block of everything, and
//! the cases that a cut could spoil by name.

#![cfg(feature = "datafusion")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "split_traces/cases.rs"]
mod cases;
mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, LazyLock},
};

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray, RecordBatch},
        datatypes::UInt32Type,
        util::display::{ArrayFormatter, FormatOptions},
    },
    catalog::TableProvider,
    logical_expr::{Expr, lit},
    physical_plan::collect,
    prelude::{SessionContext, ident},
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, KeyValueList, any_value::Value as Any},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, span::Event, span::Link},
};
use proptest::prelude::*;
use prost::Message;
use tracestore::{
    Snapshot,
    block::{AttributeNames, AttributeScope, Block, BlockBuilder, SpanColumn, TraceSummary},
    io::{MemoryVfs, Vfs},
    model::{BlockId, TimeRange, Trace, TraceId},
    otlp::encode_request,
    table::{Marks, SpanTable},
};

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| tokio::runtime::Runtime::new().unwrap());
static SESSION: LazyLock<SessionContext> = LazyLock::new(SessionContext::new);

fn block(requests: &[ExportTraceServiceRequest]) -> Arc<Block> {
    let mut builder = BlockBuilder::new();
    requests.iter().for_each(|request| {
        builder.push(&request.encode_to_vec().into()).unwrap();
    });
    let (vfs, id): (Arc<dyn Vfs>, _) = (Arc::new(MemoryVfs::default()), BlockId::generate());
    builder.finish(vfs.as_ref(), Path::new("block"), id).unwrap();
    Block::open(vfs, Path::new("block")).unwrap()
}

/// A snapshot of blocks of these requests.
fn cut(blocks: &[Vec<ExportTraceServiceRequest>]) -> Snapshot {
    Snapshot::new(blocks.iter().map(|requests| block(requests)).collect())
}

fn one(blocks: &[Vec<ExportTraceServiceRequest>]) -> Snapshot {
    Snapshot::new(vec![block(&blocks.concat())])
}

fn scan(
    snapshot: &Snapshot,
    columns: &[SpanColumn],
    filter: Option<&Expr>,
    time: Option<TimeRange>,
) -> Vec<RecordBatch> {
    let mut all = columns.to_vec();
    let names: Vec<String> = all.iter().map(SpanColumn::name).collect();
    let used = filter.iter().flat_map(|filter| filter.column_refs()).map(|column| column.name.clone());
    let used: BTreeSet<String> = used.filter(|name| !names.contains(name)).collect();
    all.extend(filterable().into_iter().filter(|column| used.contains(&column.name())));
    let table = SpanTable::new(snapshot.clone(), all).with_time_range(time);
    let (state, projection) = (SESSION.state(), (0..columns.len()).collect());
    let filters: Vec<Expr> = filter.into_iter().cloned().collect();
    RUNTIME.block_on(async {
        let plan = table.scan(&state, Some(&projection), &filters, None).await.unwrap();
        collect(plan, SESSION.task_ctx()).await.unwrap()
    })
}

/// The rows of some arrays as texts.
fn texts(arrays: &[ArrayRef]) -> Vec<String> {
    let options = FormatOptions::new().with_null("null");
    let columns: Vec<_> = arrays.iter().map(|array| ArrayFormatter::try_new(array, &options).unwrap()).collect();
    let rows = 0..arrays.first().map_or(0, |array| array.len());
    rows.map(|row| columns.iter().map(|column| format!("{} | ", column.value(row))).collect()).collect()
}

fn rows(snapshot: &Snapshot, columns: &[SpanColumn], filter: Option<&Expr>, time: Option<TimeRange>) -> Vec<String> {
    let batches = scan(snapshot, columns, filter, time);
    let mut rows: Vec<String> = batches.iter().flat_map(|batch| texts(batch.columns())).collect();
    rows.sort();
    rows
}

/// Every column that does not say where a span is stored.
fn columns() -> Vec<SpanColumn> {
    vec![
        SpanColumn::TraceIdText,
        SpanColumn::SpanIdText,
        SpanColumn::SpanId,
        SpanColumn::ParentIdText,
        SpanColumn::Kind,
        SpanColumn::Name,
        SpanColumn::Service,
        SpanColumn::StartTime,
        SpanColumn::Duration,
        SpanColumn::Status,
        SpanColumn::StatusMessage,
        SpanColumn::ChildCount,
        SpanColumn::ParentOffset,
        SpanColumn::Descendants,
        SpanColumn::HasParent,
        SpanColumn::MissingParent,
        SpanColumn::NestedSetLeft,
        SpanColumn::NestedSetRight,
        SpanColumn::NestedSetParent,
        SpanColumn::TraceStart,
        SpanColumn::TraceDuration,
        SpanColumn::RootName,
        SpanColumn::RootService,
        SpanColumn::ScopeName,
        SpanColumn::ScopeVersion,
        SpanColumn::EventName,
        SpanColumn::EventTimeSinceStart,
        SpanColumn::LinkTraceId,
        SpanColumn::LinkSpanId,
        SpanColumn::Name.of_parent().unwrap(),
        SpanColumn::Service.of_parent().unwrap(),
    ]
}

const SCOPES: [AttributeScope; 5] = [
    AttributeScope::Resource,
    AttributeScope::Instrumentation,
    AttributeScope::Span,
    AttributeScope::Event,
    AttributeScope::Link,
];
const KEYS: [&str; 4] = ["", "a", "b", "http.method"];

/// The attributes of a snapshot under keys that are in use.
fn attributes(snapshot: &Snapshot) -> Vec<SpanColumn> {
    let keys = SCOPES.into_iter().flat_map(|scope| KEYS.map(|key| (scope, key)));
    let columns = keys.flat_map(|(scope, key)| {
        let types = snapshot.attribute_types(scope, key).unwrap().into_iter();
        types.map(move |value_type| SpanColumn::Attribute { scope, key: key.to_owned(), value_type })
    });
    columns.collect()
}

fn text_attribute(scope: AttributeScope, key: &str) -> SpanColumn {
    SpanColumn::Attribute { scope, key: key.to_owned(), value_type: tracestore::block::AttributeType::String }
}

fn filterable() -> Vec<SpanColumn> {
    let attributes = SCOPES.into_iter().filter(|scope| scope.level() == tracestore::block::Level::Span);
    let attributes = attributes.flat_map(|scope| KEYS.map(|key| text_attribute(scope, key)));
    columns().into_iter().chain(attributes).collect()
}

/// Conditions that each kind of pruning and testing is used for.
fn filters() -> Vec<Expr> {
    let column = |column: SpanColumn| ident(column.name());
    vec![
        column(SpanColumn::Name).eq(lit("a")),
        column(SpanColumn::Kind).eq(lit(2_i32)),
        column(SpanColumn::StartTime).gt(lit(1_500_u64)),
        column(SpanColumn::Duration).gt(lit(100_i64)).and(column(SpanColumn::Status).not_eq(lit(0_i32))),
        column(SpanColumn::Service).eq(lit("")),
        column(SpanColumn::ChildCount).gt(lit(0_i64)),
        column(SpanColumn::RootName).not_eq(lit("")),
        column(text_attribute(AttributeScope::Span, "a")).is_not_null(),
        column(text_attribute(AttributeScope::Span, "http.method")).is_null(),
        column(text_attribute(AttributeScope::Resource, "b")).eq(lit("a")),
        column(SpanColumn::Name.of_parent().unwrap()).not_eq(lit("a")),
    ]
}

/// The traces that a scan of all rows meets, by block and ordinal.
fn places(snapshot: &Snapshot) -> BTreeMap<(u32, usize), Vec<u32>> {
    let mut places: BTreeMap<_, Vec<u32>> = BTreeMap::new();
    for batch in scan(snapshot, &[SpanColumn::Block, SpanColumn::Trace, SpanColumn::Row], None, None) {
        let column = |index: usize| batch.column(index).as_primitive::<UInt32Type>().values().to_vec();
        for ((block, trace), row) in column(0).into_iter().zip(column(1)).zip(column(2)) {
            places.entry((block, trace as usize)).or_default().push(row);
        }
    }
    places
}

fn summaries(snapshot: &Snapshot) -> BTreeMap<TraceId, TraceSummary> {
    let mut summaries = BTreeMap::new();
    for (block, ordinal) in places(snapshot).into_keys() {
        for summary in snapshot.blocks()[block as usize].summaries(&[ordinal]).unwrap() {
            assert!(summaries.insert(summary.trace_id, summary).is_none(), "a trace in two blocks");
        }
    }
    summaries
}

/// The traces of all row groups of all blocks.
fn walked(snapshot: &Snapshot) -> BTreeMap<TraceId, Trace> {
    let mut traces = BTreeMap::new();
    for block in snapshot.blocks() {
        for trace in (0..block.row_groups()).flat_map(|group| block.traces_of_row_group(group).unwrap()) {
            assert!(traces.insert(trace.trace_id, trace).is_none(), "a trace in two blocks");
        }
    }
    traces
}

/// All rows again, fetched by their numbers.
fn fetched(snapshot: &Snapshot, columns: &[SpanColumn]) -> Vec<String> {
    let mut by_block: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for ((block, _), rows) in places(snapshot) {
        by_block.entry(block).or_default().extend(rows);
    }
    let mut rows = Vec::new();
    for (block, mut numbers) in by_block {
        numbers.sort_unstable();
        rows.extend(texts(&snapshot.fetch(block, &numbers, columns).unwrap()));
    }
    rows.sort();
    rows
}

/// The rows of a scan that marks: of traces with two kinds of spans, all spans or those of the kinds.
fn marked(snapshot: &Snapshot) -> [Vec<String>; 3] {
    let [first, second] = [SpanColumn::Kind, SpanColumn::ChildCount].map(|column| ident(column.name()));
    let conditions = vec![vec![first.gt(lit(2_i32))], vec![second.eq(lit(0_i64))]];
    let scan = |select: Option<Vec<usize>>, together: Vec<usize>, whole_traces| {
        let marks = Marks { conditions: conditions.clone(), select, together, whole_traces };
        let columns = vec![SpanColumn::TraceIdText, SpanColumn::SpanId, SpanColumn::Kind, SpanColumn::ChildCount];
        let table = SpanTable::new(snapshot.clone(), columns).with_marks(marks);
        let state = SESSION.state();
        let batches = RUNTIME.block_on(async {
            let plan = table.scan(&state, None, &[], None).await.unwrap();
            collect(plan, SESSION.task_ctx()).await.unwrap()
        });
        let mut rows: Vec<String> = batches.iter().flat_map(|batch| texts(batch.columns())).collect();
        rows.sort();
        rows
    };
    [scan(None, Vec::new(), false), scan(Some(vec![0]), vec![1], false), scan(Some(vec![1]), vec![0, 1], true)]
}

/// The names of all attributes of spans that are seen.
fn named(snapshot: &Snapshot) -> AttributeNames {
    let mut names = AttributeNames::new(&SCOPES);
    snapshot.add_attributes(&mut names).unwrap();
    names
}

/// How many spans have which value, as far as that is known without a look at every one.
fn counted(snapshot: &Snapshot, column: &SpanColumn) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    match snapshot.count_values(column).unwrap() {
        Some(parts) => {
            for part in parts {
                for (value, spans) in texts(&[part.values]).into_iter().zip(part.spans) {
                    *counts.entry(value).or_default() += spans;
                }
            }
        }
        None => {
            let rows = rows(snapshot, std::slice::from_ref(column), None, None);
            rows.into_iter().for_each(|value| *counts.entry(value).or_default() += 1);
        }
    }
    counts.retain(|_, spans| *spans > 0);
    counts
}

/// That a snapshot shows just what another one of one block shows.
fn assert_same(whole: &Snapshot, one: &Snapshot) {
    let mut columns = columns();
    assert_eq!(attributes(whole), attributes(one));
    columns.extend(attributes(one));
    let expected = rows(one, &columns, None, None);
    assert_eq!(rows(whole, &columns, None, None), expected);
    assert_eq!(fetched(whole, &columns), expected);
    let count = |snapshot| scan(snapshot, &[], None, None).iter().map(RecordBatch::num_rows).sum::<usize>();
    assert_eq!(count(whole), expected.len());
    let short = &columns[..12];
    for filter in filters() {
        assert_eq!(rows(whole, short, Some(&filter), None), rows(one, short, Some(&filter), None), "{filter}");
    }
    for time in [TimeRange { start: 0, end: 999 }, TimeRange { start: 1_200, end: 1_500 }] {
        assert_eq!(rows(whole, short, None, Some(time)), rows(one, short, None, Some(time)), "{time:?}");
    }

    assert_eq!(marked(whole), marked(one));
    assert_eq!(named(whole), named(one));
    for column in [SpanColumn::Service, SpanColumn::Name, SpanColumn::RootName, SpanColumn::TraceDuration] {
        assert_eq!(counted(whole, &column), counted(one, &column), "{column:?}");
    }

    assert_eq!(summaries(whole), summaries(one));
    assert_eq!(whole.find_by_prefix("0", usize::MAX).unwrap(), one.find_by_prefix("0", usize::MAX).unwrap());
    let traces = walked(one);
    assert_eq!(walked(whole), traces);
    for (id, trace) in &traces {
        assert_eq!(whole.find_trace(id).unwrap().as_ref(), Some(trace));
        // 0.0 equals -0.0, but their bytes differ.
        assert_eq!(
            encode_request(&[whole.find_trace(id).unwrap().unwrap()]),
            encode_request(std::slice::from_ref(trace))
        );
    }
    let sum =
        |snapshot: &Snapshot, count: fn(&Block) -> u64| snapshot.blocks().iter().map(|block| count(block)).sum::<u64>();
    assert_eq!(sum(whole, Block::spans), sum(one, Block::spans));
    assert_eq!(sum(whole, Block::traces), sum(one, Block::traces));
}

/// That the whole view of blocks, and lookups in them, show what one block shows.
fn assert_whole(blocks: &[Vec<ExportTraceServiceRequest>]) -> Snapshot {
    let (cut, one) = (cut(blocks), one(blocks));
    for id in walked(&one).keys() {
        assert_eq!(cut.find_trace(id).unwrap(), one.find_trace(id).unwrap());
    }
    let whole = cut.whole().unwrap();
    assert_same(&whole, &one);
    whole
}

/// A request for each span.
fn single_spans(requests: &[ExportTraceServiceRequest]) -> Vec<ExportTraceServiceRequest> {
    let mut singles = Vec::new();
    for resource_spans in requests.iter().flat_map(|request| &request.resource_spans) {
        for scope_spans in &resource_spans.scope_spans {
            for span in &scope_spans.spans {
                let scope_spans = vec![ScopeSpans { spans: vec![span.clone()], ..scope_spans.clone() }];
                let resource_spans = vec![ResourceSpans { scope_spans, ..resource_spans.clone() }];
                singles.push(ExportTraceServiceRequest { resource_spans });
            }
        }
    }
    singles
}

/// Which of eight blocks a span is in, as bits, and where in the order of arrival.
fn choice() -> impl Strategy<Value = (u8, u16)> {
    let blocks = prop_oneof![3 => (0..8_u32).prop_map(|block| 1 << block), 1 => any::<u8>()];
    (blocks, any::<u16>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_cut_cannot_be_seen(
        requests in prop::collection::vec(support::request(), 1..4),
        count in 1..=8_usize,
        choices in prop::collection::vec(choice(), 40),
    ) {
        let mut blocks: Vec<Vec<(u16, ExportTraceServiceRequest)>> = vec![Vec::new(); count];
        for (request, (bits, order)) in single_spans(&requests).into_iter().zip(choices.into_iter().cycle()) {
            let chosen: BTreeSet<usize> = (0..8).filter(|bit| bits >> bit & 1 == 1).map(|bit| bit % count).collect();
            let chosen = if chosen.is_empty() { BTreeSet::from([0]) } else { chosen };
            for block in chosen {
                blocks[block].push((order, request.clone()));
            }
        }
        let in_order = |mut block: Vec<(u16, ExportTraceServiceRequest)>| {
            block.sort_by_key(|(order, _)| *order);
            block.into_iter().map(|(_, request)| request).collect::<Vec<_>>()
        };
        let blocks: Vec<_> = blocks.into_iter().filter(|block| !block.is_empty()).map(in_order).collect();
        if !blocks.is_empty() {
            assert_whole(&blocks);
            // The blocks in another order, which is the order of arrival.
            let mut reversed = blocks;
            reversed.reverse();
            assert_whole(&reversed);
        }
    }
}
