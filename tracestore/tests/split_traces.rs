//! Queries see every trace whole, however its spans were cut into blocks: random cuts against one block of everything, and
//! the cases that a cut could spoil by name.

#![cfg(feature = "datafusion")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

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

/// A span of a trace; `parent` 0 is none.
fn span(trace: u8, id: u8, parent: u8, start: u64) -> Span {
    Span {
        trace_id: vec![trace; 16],
        span_id: vec![id; 8],
        parent_span_id: if parent == 0 { Vec::new() } else { vec![parent; 8] },
        name: format!("span {id}"),
        kind: 1,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 10,
        ..Span::default()
    }
}

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// Spans of a service.
fn request(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let resource = Resource {
        attributes: vec![attribute("service.name", Any::StringValue(service.to_owned()))],
        ..Resource::default()
    };
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }
}

fn trace_id(trace: u8) -> TraceId {
    TraceId::from_bytes([trace; 16])
}

fn names(snapshot: &Snapshot, filter: Option<&Expr>) -> Vec<String> {
    rows(snapshot, &[SpanColumn::Name, SpanColumn::Service], filter, None)
}

#[test]
fn the_copy_with_smaller_bytes_wins_in_whatever_block_it_is() {
    let copy = |name: &str| Span { name: name.to_owned(), ..span(1, 1, 0, 5) };
    let (small, large) = (vec![request("s", vec![copy("a")])], vec![request("s", vec![copy("b")])]);
    for blocks in [[small.clone(), large.clone()], [large, small]] {
        assert_eq!(names(&assert_whole(&blocks), None), ["a | s | "]);
    }
}

#[test]
fn a_copy_that_one_block_shadows_is_a_copy_for_the_others_too() {
    // The last of three in the order of bytes is alone in its block; the first is shadowed by nobody anywhere.
    let copy = |name: &str| request("s", vec![Span { name: name.to_owned(), ..span(1, 1, 0, 5) }]);
    let whole = assert_whole(&[vec![copy("b"), copy("c")], vec![copy("c"), copy("a")], vec![copy("c")]]);
    assert_eq!(names(&whole, None), ["a | s | "]);
    let spans = whole.find_trace(&trace_id(1)).unwrap().unwrap().spans;
    assert_eq!(spans.iter().map(|span| span.span.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c", "c", "c"]);
    assert_eq!(spans.iter().filter(|span| span.shadowed).count(), 4);
}

#[test]
fn copies_that_differ_in_their_resource_alone() {
    let copy = |service: &str| vec![request(service, vec![span(1, 1, 0, 5)])];
    for blocks in [[copy("x"), copy("y")], [copy("y"), copy("x")]] {
        assert_eq!(names(&assert_whole(&blocks), None), ["span 1 | x | "]);
    }
}

#[test]
fn copies_that_differ_in_what_queries_do_not_see() {
    let copy = |url: &str, present: bool| {
        let mut copy = request("", vec![span(1, 1, 0, 5)]);
        copy.resource_spans[0].schema_url = url.to_owned();
        copy.resource_spans[0].resource = present.then(Resource::default);
        vec![copy]
    };
    let copies = [copy("b", true), copy("a", true), copy("a", false)];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let whole = assert_whole(&order.map(|index: usize| copies[index].clone()));
        let first = &whole.find_trace(&trace_id(1)).unwrap().unwrap().spans[0];
        assert_eq!((first.resource.schema_url.as_str(), first.resource.present), ("a", false));
    }
}

#[test]
fn doubles_keep_their_sign_and_nan_is_nan() {
    let nested = |double: f64| {
        let values = vec![attribute("k", Any::DoubleValue(double))];
        attribute("a", Any::KvlistValue(KeyValueList { values }))
    };
    let copy = |double: f64, name: &str| {
        vec![request("s", vec![Span { attributes: vec![nested(double)], name: name.to_owned(), ..span(1, 1, 0, 5) }])]
    };
    // A NaN with a payload, for which a block's JSON has no room: with it the bytes would come behind those of the number.
    let (odd, number) = (f64::from_bits(f64::NAN.to_bits() | 0xff), f64::from_bits(1_f64.to_bits() | 0x80));
    let pairs = [(odd, number), (number, odd), (f64::NAN, odd), (0.0, -0.0), (-0.0, 0.0)];
    for (first, second) in pairs {
        let blocks = [copy(first, "x"), copy(second, "x")];
        let (whole, one) = (cut(&blocks).whole().unwrap(), one(&blocks));
        let columns = attributes(&one);
        assert_eq!(rows(&whole, &columns, None, None), rows(&one, &columns, None, None), "{first:?} {second:?}");
    }
}

#[test]
fn resources_that_are_equal_as_numbers_are() {
    let of = |zero: f64, id: u8| {
        let mut request = request("s", vec![span(1, id, 0, 5)]);
        let resource = request.resource_spans[0].resource.as_mut().unwrap();
        resource.attributes.push(attribute("a", Any::DoubleValue(zero)));
        request
    };
    let whole = assert_whole(&[vec![of(0.0, 1), of(-0.0, 2)], vec![of(0.0, 3)]]);
    let value_type = tracestore::block::AttributeType::Float;
    let zero = SpanColumn::Attribute { scope: AttributeScope::Resource, key: "a".to_owned(), value_type };
    assert_eq!(
        rows(&whole, &[SpanColumn::Name, zero], None, None),
        ["span 1 | 0.0 | ", "span 2 | -0.0 | ", "span 3 | 0.0 | "]
    );
}

#[test]
fn split_traces_with_others_between_them() {
    let full = |trace: u8, id: u8| {
        let start = 100 * u64::from(trace) + u64::from(id);
        let odd = || vec![attribute("a", Any::IntValue(i64::from(trace))), attribute("a", Any::BoolValue(true))];
        let event = |time| Event {
            time_unix_nano: time,
            name: format!("event {trace}"),
            attributes: odd(),
            ..Event::default()
        };
        let link = Link { trace_id: vec![trace + 1; 16], span_id: vec![1; 8], attributes: odd(), ..Link::default() };
        Span {
            attributes: odd(),
            events: vec![event(start + 1), event(start + 2)],
            links: vec![link],
            ..span(trace, id, 0, start)
        }
    };
    let first = (1..8).flat_map(|trace| [full(trace, 1), full(trace, 2)]).collect();
    let second = [1, 2, 4, 7].map(|trace| full(trace, 3)).to_vec();
    let whole = assert_whole(&[vec![request("s", first)], vec![request("t", second)]]);
    assert_eq!(whole.blocks().iter().map(|block| block.traces()).collect::<Vec<_>>(), [3, 0, 4]);
}

#[test]
fn values_as_deep_as_are_taken() {
    let mut value = Any::IntValue(1);
    for _ in 0..31 {
        value = Any::KvlistValue(KeyValueList { values: vec![attribute("k", value)] });
    }
    let deep = Span { attributes: vec![attribute("a", value)], ..span(1, 1, 0, 5) };
    assert_whole(&[vec![request("s", vec![deep])], vec![request("s", vec![span(1, 2, 1, 6)])]]);
}

#[test]
fn a_parent_in_another_block() {
    let whole = assert_whole(&[
        vec![request("s", vec![span(1, 2, 1, 6), span(1, 4, 2, 9)])],
        vec![request("s", vec![span(1, 1, 0, 5), span(1, 3, 2, 7)])],
    ]);
    let columns = [
        SpanColumn::Name,
        SpanColumn::ChildCount,
        SpanColumn::HasParent,
        SpanColumn::NestedSetLeft,
        SpanColumn::NestedSetRight,
        SpanColumn::NestedSetParent,
    ];
    let expected = [
        "span 1 | 1 | false | 1 | 8 | -1 | ",
        "span 2 | 2 | true | 2 | 7 | 1 | ",
        "span 3 | 0 | true | 3 | 4 | 2 | ",
        "span 4 | 0 | true | 5 | 6 | 2 | ",
    ];
    assert_eq!(rows(&whole, &columns, None, None), expected);
}

#[test]
fn a_root_in_another_block() {
    let whole = assert_whole(&[
        vec![request("back", vec![span(1, 2, 1, 6)]), request("other", vec![span(2, 9, 0, 1)])],
        vec![request("front", vec![span(1, 1, 0, 5)])],
    ]);
    let columns = [SpanColumn::Name, SpanColumn::RootName, SpanColumn::RootService, SpanColumn::TraceStart];
    let expected =
        ["span 1 | span 1 | front | 5 | ", "span 2 | span 1 | front | 5 | ", "span 9 | span 9 | other | 1 | "];
    assert_eq!(rows(&whole, &columns, None, None), expected);
    let summary = &summaries(&whole)[&trace_id(1)];
    assert_eq!(summary.root, Some(("span 1".to_owned(), "front".to_owned())));
    assert_eq!((summary.start, summary.duration, summary.services.len()), (5, 11, 2));
}

#[test]
fn two_roots_in_two_blocks() {
    let whole =
        assert_whole(&[vec![request("late", vec![span(1, 1, 0, 6)])], vec![request("early", vec![span(1, 2, 0, 5)])]]);
    assert_eq!(rows(&whole, &[SpanColumn::RootService], None, None), ["early | ", "early | "]);
}

#[test]
fn a_split_trace_is_found_once_with_a_filter_pushed_down() {
    let marked = |id: u8, value: &str| Span {
        attributes: vec![attribute("http.method", Any::StringValue(value.to_owned()))],
        ..span(1, id, 0, 5)
    };
    let whole = assert_whole(&[
        vec![request("s", vec![marked(1, "GET"), marked(2, "PUT"), span(2, 3, 0, 5)])],
        vec![request("s", vec![marked(1, "GET"), span(1, 4, 0, 7)])],
    ]);
    let method = || ident(text_attribute(AttributeScope::Span, "http.method").name());
    assert_eq!(names(&whole, Some(&method().eq(lit("GET")))), ["span 1 | s | "]);
    assert_eq!(names(&whole, Some(&method().is_null())), ["span 3 | s | ", "span 4 | s | "]);
    assert_eq!(names(&whole, Some(&ident("name").eq(lit("span 2")))), ["span 2 | s | "]);
    assert_eq!(names(&whole, Some(&ident("name").eq(lit("none")))), Vec::<String>::new());
}

#[test]
fn parts_that_lie_far_apart_in_time() {
    let (early, late) = (span(1, 1, 0, 5), span(1, 2, 1, u64::MAX - 100));
    let whole = assert_whole(&[vec![request("s", vec![early])], vec![request("s", vec![late])]]);
    // The trace lasts all the time between.
    let time = Some(TimeRange { start: 1 << 40, end: 1 << 41 });
    assert_eq!(rows(&whole, &[SpanColumn::Name], None, time), ["span 1 | ", "span 2 | "]);
}

#[test]
fn a_link_to_a_split_trace() {
    let mut linked = span(2, 1, 0, 5);
    linked.links.push(Link { trace_id: vec![1; 16], span_id: vec![2; 8], ..Link::default() });
    assert_whole(&[vec![request("s", vec![span(1, 1, 0, 5), linked])], vec![request("s", vec![span(1, 2, 1, 6)])]]);
}

#[test]
fn where_nothing_is_split_the_blocks_stay() {
    let blocks: Vec<_> = (1..6).map(|trace| vec![request("s", vec![span(trace, 1, 0, 5)])]).collect();
    let cut = cut(&blocks);
    let whole = cut.whole().unwrap();
    assert_eq!(cut.blocks().len(), whole.blocks().len());
    assert!(cut.blocks().iter().zip(whole.blocks()).all(|(a, b)| Arc::ptr_eq(a, b)));
    let empty = Snapshot::new(Vec::new());
    assert!(empty.whole().unwrap().blocks().is_empty());
    assert!(empty.find_trace(&trace_id(1)).unwrap().is_none());
}

#[test]
fn blocks_keep_their_numbers_and_what_is_not_split() {
    let cut = cut(&[
        vec![request("s", vec![span(1, 1, 0, 5), span(2, 1, 0, 6), span(3, 1, 0, 7)])],
        vec![request("s", vec![span(2, 2, 1, 6)])],
        vec![request("s", vec![span(4, 1, 0, 8)])],
    ]);
    let whole = cut.whole().unwrap();
    let ids = |snapshot: &Snapshot| snapshot.blocks().iter().map(|block| block.id()).collect::<Vec<_>>();
    assert_eq!(ids(&whole)[..3], ids(&cut));
    let counts: Vec<_> = whole.blocks().iter().map(|block| (block.traces(), block.spans())).collect();
    assert_eq!(counts, [(2, 2), (0, 0), (1, 1), (1, 2)]);
    let places: Vec<_> = places(&whole).into_keys().collect();
    assert_eq!(places, [(0, 0), (0, 2), (2, 0), (3, 0)]);
    // The cut itself stays as it was.
    assert_eq!(cut.blocks().iter().map(|block| block.spans()).collect::<Vec<_>>(), [3, 1, 1]);
}

#[test]
fn what_is_hidden_cannot_be_asked_for() {
    let cut = cut(&[
        vec![request("s", vec![span(1, 1, 0, 5), span(2, 1, 0, 6)])],
        vec![request("s", vec![span(2, 2, 1, 6)])],
    ]);
    let whole = cut.whole().unwrap();
    assert!(whole.fetch(0, &[0], &[SpanColumn::Name]).is_ok());
    assert!(whole.fetch(0, &[1], &[SpanColumn::Name]).is_err());
    assert!(whole.blocks()[0].summaries(&[0]).is_ok());
    assert!(whole.blocks()[0].summaries(&[0, 1]).is_err());
    assert_eq!(whole.blocks()[0].trace(&trace_id(2)).unwrap(), None);
    assert_eq!(whole.blocks()[1].traces_of_row_group(0).unwrap(), []);
    assert!(cut.blocks()[0].trace(&trace_id(2)).unwrap().is_some());
}

#[test]
fn the_view_is_made_once() {
    let cut = cut(&[vec![request("s", vec![span(1, 1, 0, 5)])], vec![request("s", vec![span(1, 2, 1, 6)])]]);
    let clone = cut.clone();
    let ask = || {
        std::thread::spawn({
            let cut = cut.clone();
            move || cut.whole().unwrap()
        })
    };
    let views: Vec<_> = [ask(), ask(), ask(), ask()].into_iter().map(|thread| thread.join().unwrap()).collect();
    let whole = clone.whole().unwrap();
    let same = |a: &Snapshot, b: &Snapshot| a.blocks().iter().zip(b.blocks()).all(|(a, b)| Arc::ptr_eq(a, b));
    assert!(views.iter().all(|view| same(view, &whole)));
    assert!(same(&whole, &whole.whole().unwrap()));
    assert_eq!(whole.blocks().len(), 3);
}

#[test]
fn a_block_that_is_given_twice_is_there_once() {
    let block = block(&[request("s", vec![span(1, 1, 0, 5)])]);
    let twice = Snapshot::new(vec![Arc::clone(&block), block]);
    assert_eq!(twice.blocks().len(), 1);
    assert_eq!(twice.whole().unwrap().blocks().len(), 1);
}

#[test]
fn damage_to_a_part_is_an_error() {
    let (vfs, mut builder) = (MemoryVfs::default(), BlockBuilder::new());
    builder.push(&request("s", vec![span(1, 1, 0, 5)]).encode_to_vec().into()).unwrap();
    builder.finish(&vfs, Path::new("block"), BlockId::generate()).unwrap();
    let path = Path::new("block/spans.parquet");
    let mut bytes = vfs.read(path).unwrap().to_vec();
    bytes[4] ^= 1;
    vfs.put(path, bytes.into());
    let damaged = Block::open(Arc::new(vfs), Path::new("block")).unwrap();
    let cut = Snapshot::new(vec![damaged, block(&[request("s", vec![span(1, 2, 1, 6)])])]);
    assert!(cut.whole().unwrap_err().is_corruption());
    assert!(cut.find_trace(&trace_id(1)).unwrap_err().is_corruption());
}

/// Two row groups; of one all traces are hidden, of the other a few.
#[test]
fn row_groups_of_hidden_traces() {
    let traces = 66_000_u32;
    let id = |trace: u32| [[0xff; 12].as_slice(), &trace.to_be_bytes()].concat();
    let of = |trace: u32, id_byte: u8, parent: u8| Span {
        trace_id: id(trace),
        ..span(1, id_byte, parent, 1_000 + u64::from(trace))
    };
    let large = block(&[request("s", (0..traces).flat_map(|trace| [of(trace, 1, 0), of(trace, 2, 1)]).collect())]);
    assert_eq!(large.row_groups(), 2);
    let split: Vec<u32> = (0..traces).filter(|trace| *trace > 65_000 || trace % 7_000 == 3).collect();
    let small = block(&[request("t", split.iter().map(|trace| of(*trace, 3, 2)).collect())]);
    let whole = Snapshot::new(vec![large, small]).whole().unwrap();
    assert_eq!(whole.blocks()[0].traces(), u64::from(traces) - split.len() as u64);
    let columns = [SpanColumn::TraceIdText, SpanColumn::SpanIdText, SpanColumn::ChildCount];
    let expected: BTreeSet<String> = (0..traces)
        .flat_map(|trace| {
            let trace_id = TraceId::from_slice(&id(trace)).unwrap();
            let split = split.binary_search(&trace).is_ok();
            let row =
                move |id: u8, children: u8| format!("{trace_id} | {} | {children} | ", format!("{id:02x}").repeat(8));
            [Some(row(1, 1)), Some(row(2, split.into())), split.then(|| row(3, 0))].into_iter().flatten()
        })
        .collect();
    let found = rows(&whole, &columns, None, None);
    assert_eq!(found.len(), expected.len());
    assert!(found.iter().all(|row| expected.contains(row)));
    let plan = RUNTIME.block_on(async {
        let table = SpanTable::new(whole.clone(), vec![SpanColumn::Name]);
        table.scan(&SESSION.state(), None, &[], None).await.unwrap()
    });
    let shown = datafusion::physical_plan::displayable(plan.as_ref()).one_line().to_string();
    // Nothing of the second block is left, and of the first one half.
    assert!(shown.contains("blocks=3, units=2,"), "{shown}");
    // A span lasts as long as ten more take to start.
    let late = Some(TimeRange { start: 1_000 + 66_000, end: u64::MAX });
    assert_eq!(rows(&whole, &[SpanColumn::Name], None, late).len(), 10 * 3);
}
