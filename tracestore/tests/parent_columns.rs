//! The columns about a span's parent, against parents that are worked out naively from the OTLP.

#![cfg(feature = "datafusion")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "support/scan.rs"]
mod scan;
mod support;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringViewArray, UInt32Array},
        compute::{filter_record_batch, take},
        datatypes::{Int32Type, UInt32Type, UInt64Type},
    },
    common::ScalarValue,
    logical_expr::{Expr, lit},
    prelude::ident,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value::Value as Any},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use proptest::prelude::*;
use prost::Message;
use scan::{block_of, scan};
use tracestore::{
    Error, Snapshot,
    block::{AttributeScope, AttributeType, SpanColumn},
};

/// Trace, span id, kind: the spans of a trace with the same id and kind are one span.
type Key = (Vec<u8>, Vec<u8>, i32);

/// What a span's parent is, by FORMAT.md, "Order".
struct Family {
    spans: BTreeMap<Key, Span>,
    parents: BTreeMap<Key, Key>,
}

impl Family {
    fn of(requests: &[ExportTraceServiceRequest]) -> Self {
        let mut spans: BTreeMap<Key, (Span, [Vec<u8>; 3])> = BTreeMap::new();
        for resource_spans in requests.iter().flat_map(|request| &request.resource_spans) {
            for scope_spans in &resource_spans.scope_spans {
                for span in &scope_spans.spans {
                    let (mut resource, mut scope) = (
                        resource_spans.resource.clone().unwrap_or_default(),
                        scope_spans.scope.clone().unwrap_or_default(),
                    );
                    sort(&mut resource.attributes);
                    sort(&mut scope.attributes);
                    let mut sorted = span.clone();
                    sort(&mut sorted.attributes);
                    sorted.events.iter_mut().for_each(|event| sort(&mut event.attributes));
                    sorted.links.iter_mut().for_each(|link| sort(&mut link.attributes));
                    let bytes = [sorted.encode_to_vec(), resource.encode_to_vec(), scope.encode_to_vec()];
                    let key = (span.trace_id.clone(), span.span_id.clone(), span.kind);
                    if spans.get(&key).is_none_or(|(_, found)| bytes < *found) {
                        spans.insert(key, (span.clone(), bytes));
                    }
                }
            }
        }
        let spans: BTreeMap<Key, Span> = spans.into_iter().map(|(key, (span, _))| (key, span)).collect();
        let parents = spans.iter().filter_map(|(key, span)| Some((key.clone(), parent_by_id(&spans, key, span)?)));
        let mut family = Self { parents: parents.collect(), spans };
        family.cut_cycles();
        family
    }

    fn cut_cycles(&mut self) {
        for key in self.spans.keys() {
            let mut path = vec![key.clone()];
            while let Some(parent) = self.parents.get(&path[path.len() - 1]).cloned() {
                if let Some(at) = path.iter().position(|key| *key == parent) {
                    let first = |key: &&Key| (self.spans[*key].start_time_unix_nano, (*key).clone());
                    let cut = path[at..].iter().min_by_key(first).unwrap();
                    self.parents.remove(cut);
                    break;
                }
                path.push(parent);
            }
        }
    }

    fn descendants(&self) -> BTreeMap<&Key, u32> {
        let mut counts: BTreeMap<&Key, u32> = BTreeMap::new();
        for key in self.spans.keys() {
            for ancestor in std::iter::successors(self.parents.get(key), |key| self.parents.get(*key)) {
                *counts.entry(ancestor).or_default() += 1;
            }
        }
        counts
    }
}

fn sort(attributes: &mut [KeyValue]) {
    attributes.sort_by(|a, b| a.key.cmp(&b.key));
}

fn is_root(span: &Span) -> bool {
    span.parent_span_id.iter().all(|byte| *byte == 0)
}

fn parent_by_id(spans: &BTreeMap<Key, Span>, key: &Key, span: &Span) -> Option<Key> {
    if is_root(span) {
        return None;
    }
    let with_kind = |kind| (key.0.clone(), span.parent_span_id.clone(), kind);
    let all: Vec<&Key> = spans.range(with_kind(i32::MIN)..=with_kind(i32::MAX)).map(|(other, _)| other).collect();
    let wanted = if span.kind == 2 { 3 } else { 2 };
    let fits = |other: &&Key| *other != key && (all.len() == 1 || other.2 == wanted);
    all.iter().copied().find(fits).cloned()
}

fn column<'a>(batch: &'a RecordBatch, column: &SpanColumn) -> &'a ArrayRef {
    batch.column_by_name(&column.name()).unwrap()
}

fn of_parent(column: &SpanColumn) -> SpanColumn {
    column.clone().of_parent().unwrap()
}

fn attribute(scope: AttributeScope, key: &str, value_type: AttributeType) -> SpanColumn {
    SpanColumn::Attribute { scope, key: key.to_owned(), value_type }
}

/// Every column with one value per span that blocks of these requests have, a grandparent's name, and some attributes
/// that may be absent.
fn span_columns(snapshot: &Snapshot, requests: &[ExportTraceServiceRequest]) -> Vec<SpanColumn> {
    let mut columns = BTreeSet::from([
        SpanColumn::Block,
        SpanColumn::Row,
        SpanColumn::Trace,
        SpanColumn::StartTime,
        SpanColumn::Duration,
        SpanColumn::Name,
        SpanColumn::Kind,
        SpanColumn::Status,
        SpanColumn::StatusMessage,
        SpanColumn::SpanId,
        SpanColumn::SpanIdText,
        SpanColumn::ParentIdText,
        SpanColumn::ChildCount,
        SpanColumn::ParentOffset,
        SpanColumn::Descendants,
        SpanColumn::HasParent,
        SpanColumn::MissingParent,
        SpanColumn::NestedSetLeft,
        SpanColumn::NestedSetRight,
        SpanColumn::NestedSetParent,
        SpanColumn::TraceIdText,
        SpanColumn::TraceStart,
        SpanColumn::TraceDuration,
        SpanColumn::RootName,
        SpanColumn::RootService,
        SpanColumn::Service,
        SpanColumn::ScopeName,
        SpanColumn::ScopeVersion,
        of_parent(&SpanColumn::Name),
    ]);
    let mut keys = BTreeSet::from(["a"]);
    for resource_spans in requests.iter().flat_map(|request| &request.resource_spans) {
        keys.extend(resource_spans.resource.iter().flat_map(|owner| &owner.attributes).map(|pair| pair.key.as_str()));
        for scope_spans in &resource_spans.scope_spans {
            keys.extend(scope_spans.scope.iter().flat_map(|owner| &owner.attributes).map(|pair| pair.key.as_str()));
            keys.extend(scope_spans.spans.iter().flat_map(|span| &span.attributes).map(|pair| pair.key.as_str()));
        }
    }
    for scope in [AttributeScope::Resource, AttributeScope::Instrumentation, AttributeScope::Span] {
        for key in &keys {
            let types = snapshot.attribute_types(scope, key).unwrap();
            columns.extend(types.into_iter().chain([AttributeType::Int]).map(|found| attribute(scope, key, found)));
        }
    }
    columns.into_iter().collect()
}

/// All rows with `columns`, the same of the parents, and each row's parent row and its keys, after a check of both
/// against the OTLP.
struct Checked {
    columns: Vec<SpanColumn>,
    batch: RecordBatch,
    parents: UInt32Array,
    family: Family,
    keys: Vec<Key>,
}

impl Checked {
    fn new(snapshot: &Snapshot, requests: &[ExportTraceServiceRequest], columns: &[SpanColumn]) -> Self {
        let family = Family::of(requests);
        let wanted: BTreeSet<SpanColumn> = columns.iter().cloned().chain(columns.iter().map(of_parent)).collect();
        let wanted: Vec<SpanColumn> = wanted.into_iter().collect();
        let batch = scan(snapshot, &wanted, &[]);
        assert_eq!(batch.num_rows(), family.spans.len());

        let trace_ids = column(&batch, &SpanColumn::TraceIdText).as_string_view();
        let span_ids = column(&batch, &SpanColumn::SpanId).as_fixed_size_binary();
        let kinds = column(&batch, &SpanColumn::Kind).as_primitive::<Int32Type>();
        let key = |row: usize| {
            let trace_id = u128::from_str_radix(trace_ids.value(row), 16).unwrap();
            (trace_id.to_be_bytes().to_vec(), span_ids.value(row).to_vec(), kinds.value(row))
        };
        let keys: Vec<Key> = (0..batch.num_rows()).map(key).collect();
        let indices: HashMap<&Key, u32> = keys.iter().zip(0..).collect();
        let parents = keys.iter().map(|key| family.parents.get(key).map(|parent| indices[parent])).collect();
        let checked = Self { columns: wanted, batch, parents, family, keys };
        checked.check_structure();
        for inner in columns {
            let expected = take(checked.array(inner), &checked.parents, None).unwrap();
            let found = checked.array(&of_parent(inner));
            assert_eq!(found, &expected, "{}", of_parent(inner).name());
        }
        checked
    }

    fn array(&self, of: &SpanColumn) -> &ArrayRef {
        column(&self.batch, of)
    }

    fn check_structure(&self) {
        let rows = self.array(&SpanColumn::Row).as_primitive::<UInt32Type>();
        let offsets = self.array(&SpanColumn::ParentOffset).as_primitive::<UInt32Type>();
        let descendants = self.array(&SpanColumn::Descendants).as_primitive::<UInt32Type>();
        let has_parent = self.array(&SpanColumn::HasParent).as_boolean();
        let missing = self.array(&SpanColumn::MissingParent).as_primitive::<UInt64Type>();
        let names = self.array(&of_parent(&SpanColumn::Name)).as_string_view();
        let counts = self.family.descendants();
        for (row, key) in self.keys.iter().enumerate() {
            let (span, parent) = (&self.family.spans[key], self.family.parents.get(key));
            let parent_row = parent.map(|_| rows.value(self.parents.value(row) as usize));
            assert_eq!(offsets.value(row), parent_row.map_or(0, |parent| rows.value(row) - parent));
            assert_eq!(descendants.value(row), counts.get(key).copied().unwrap_or(0));
            assert_eq!(has_parent.value(row), parent.is_some());
            let orphan = parent.is_none() && !is_root(span);
            let id = orphan.then(|| u64::from_be_bytes(span.parent_span_id.as_slice().try_into().unwrap()));
            assert_eq!(missing.is_valid(row).then(|| missing.value(row)), id);
            let name = parent.map(|parent| self.family.spans[parent].name.as_str());
            assert_eq!(names.is_valid(row).then(|| names.value(row)), name);
        }
    }

    /// A scan with filters gives the rows that `meets` says, which is asked for each row and its parent.
    fn check_filter(&self, snapshot: &Snapshot, filters: &[Expr], meets: impl Fn(usize, Option<usize>) -> bool) {
        let parent = |row| self.parents.is_valid(row).then(|| self.parents.value(row) as usize);
        let mask: BooleanArray = (0..self.keys.len()).map(|row| Some(meets(row, parent(row)))).collect();
        let expected = filter_record_batch(&self.batch, &mask).unwrap();
        assert_eq!(scan(snapshot, &self.columns, filters), expected, "{filters:?}");
    }

    /// The same for rows that are asked for by number.
    fn check_fetch(&self, snapshot: &Snapshot, kept: impl Fn(usize) -> bool) {
        let rows = self.array(&SpanColumn::Row).as_primitive::<UInt32Type>();
        let indices: UInt32Array = (0..rows.len()).filter(|row| kept(*row)).map(|row| row as u32).collect();
        let numbers: Vec<u32> = indices.values().iter().map(|index| rows.value(*index as usize)).collect();
        let found = snapshot.fetch(0, &numbers, &self.columns).unwrap();
        for ((of, found), all) in self.columns.iter().zip(found).zip(self.batch.columns()) {
            assert_eq!(&found, &take(all, &indices, None).unwrap(), "{}", of.name());
        }
    }
}

fn text(text: &str) -> Expr {
    lit(ScalarValue::Utf8View(Some(text.to_owned())))
}

fn named(column: &SpanColumn) -> Expr {
    ident(column.name())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn columns_of_parents_are_the_parents_columns(
        requests in prop::collection::vec(support::request(), 1..4),
        (modulus, pick) in (2..5_u32, any::<u64>()),
    ) {
        let snapshot = block_of(&requests);
        let columns = span_columns(&snapshot, &requests);
        let checked = Checked::new(&snapshot, &requests, &columns);
        let kinds = checked.array(&SpanColumn::Kind).as_primitive::<Int32Type>();
        let names = checked.array(&SpanColumn::Name).as_string_view();
        let services = checked.array(&SpanColumn::Service).as_string_view();
        let rows = checked.array(&SpanColumn::Row).as_primitive::<UInt32Type>();

        let odd = || (named(&SpanColumn::Row) % lit(modulus)).eq(lit(1_u32));
        let is_odd = |row: usize| rows.value(row) % modulus == 1;
        checked.check_filter(&snapshot, &[odd()], |row, _| is_odd(row));
        checked.check_filter(&snapshot, &[named(&SpanColumn::Kind).gt(lit(2))], |row, _| kinds.value(row) > 2);
        let (name, service) = (of_parent(&SpanColumn::Name), of_parent(&SpanColumn::Service));
        let is_a = |parent: Option<usize>| parent.is_some_and(|parent| names.value(parent) == "a");
        checked.check_filter(&snapshot, &[named(&name).eq(text("a"))], |_, parent| is_a(parent));
        checked.check_filter(&snapshot, &[named(&name).eq(text("a")), odd()], |row, parent| is_a(parent) && is_odd(row));
        checked.check_filter(&snapshot, &[named(&service).is_null()], |_, parent| parent.is_none());
        let has_service = |parent: Option<usize>| parent.is_some_and(|parent| !services.value(parent).is_empty());
        checked.check_filter(&snapshot, &[named(&service).not_eq(text(""))], |_, parent| has_service(parent));
        checked.check_filter(&snapshot, &[named(&SpanColumn::HasParent)], |_, parent| parent.is_some());
        checked.check_filter(&snapshot, &[named(&SpanColumn::MissingParent).is_not_null()], |row, parent| {
            parent.is_none() && !is_root(&checked.family.spans[&checked.keys[row]])
        });
        for column in columns.iter().filter(|column| matches!(column, SpanColumn::Attribute { .. })).take(4) {
            let of = checked.array(column);
            let has = |parent: Option<usize>| parent.is_some_and(|parent| of.is_valid(parent));
            checked.check_filter(&snapshot, &[named(&of_parent(column)).is_not_null()], |_, parent| has(parent));
            checked.check_filter(&snapshot, &[named(&of_parent(column)).is_null()], |_, parent| !has(parent));
        }
        checked.check_fetch(&snapshot, |row| pick >> (row % 64) & 1 == 1);
    }
}

fn span(trace: u8, id: u64, parent: Option<u64>, start: u64) -> Span {
    Span {
        trace_id: vec![trace; 16],
        span_id: id.to_be_bytes().to_vec(),
        parent_span_id: parent.map_or(Vec::new(), |parent| parent.to_be_bytes().to_vec()),
        name: format!("{trace}/{id}"),
        kind: 1,
        start_time_unix_nano: start,
        end_time_unix_nano: start + id % 10,
        ..Span::default()
    }
}

fn pair(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn request(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let attributes = vec![pair("service.name", Any::StringValue(service.to_owned()))];
    let resource_spans = ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    };
    ExportTraceServiceRequest { resource_spans: vec![resource_spans] }
}

#[test]
fn odd_families() {
    let of_kind = |kind, span: Span| Span { kind, ..span };
    let with = |key: &str, value, span: Span| Span { attributes: vec![pair(key, value)], ..span };
    let spans = vec![
        // A root whose parent id is eight zeros, its child and grandchild.
        with("x", Any::IntValue(1), span(1, 1, Some(0), 10)),
        with("x", Any::StringValue("one".to_owned()), span(1, 2, Some(1), 11)),
        span(1, 3, Some(2), 12),
        // Two with the same missing parent, one of them with a child; one that is its own parent.
        span(1, 4, Some(99), 13),
        span(1, 5, Some(99), 14),
        span(1, 6, Some(5), 15),
        span(1, 7, Some(7), 16),
        // A cycle with a child outside of it.
        span(2, 1, Some(3), 25),
        span(2, 2, Some(1), 24),
        span(2, 3, Some(2), 26),
        span(2, 4, Some(1), 21),
        // Halves with one id; a child for each, and one that fits neither: its own id is the server's.
        of_kind(3, span(3, 1, None, 30)),
        of_kind(2, span(3, 1, Some(1), 31)),
        span(3, 2, Some(1), 32),
        of_kind(2, span(3, 3, Some(1), 33)),
        // Copies of a span that has a child: the one that stands for them is the other request's.
        Span { name: "b".to_owned(), ..span(4, 1, None, 40) },
        span(4, 2, Some(1), 41),
        // Alone, and without anything that could be a parent's.
        span(5, 1, None, 50),
    ];
    let copies = vec![Span { name: "a".to_owned(), ..span(4, 1, None, 40) }, span(4, 2, Some(1), 41)];
    let requests = [request("front", spans), request("back", copies)];
    let snapshot = block_of(&requests);
    let columns = span_columns(&snapshot, &requests);
    let checked = Checked::new(&snapshot, &requests, &columns);

    let parents = checked.array(&of_parent(&SpanColumn::Name)).as_string_view();
    let missing = checked.array(&SpanColumn::MissingParent).as_primitive::<UInt64Type>();
    let found = (0..checked.keys.len()).map(|row| {
        let (trace, id, kind) = &checked.keys[row];
        let parent = parents.is_valid(row).then(|| parents.value(row));
        (trace[0], id[7], *kind, parent, missing.is_valid(row).then(|| missing.value(row)))
    });
    let expected = [
        (1, 1, 1, None, None),
        (1, 2, 1, Some("1/1"), None),
        (1, 3, 1, Some("1/2"), None),
        (1, 4, 1, None, Some(99)),
        (1, 5, 1, None, Some(99)),
        (1, 6, 1, Some("1/5"), None),
        (1, 7, 1, None, Some(7)),
        (2, 2, 1, None, Some(1)),
        (2, 3, 1, Some("2/2"), None),
        (2, 1, 1, Some("2/3"), None),
        (2, 4, 1, Some("2/1"), None),
        (3, 1, 3, None, None),
        (3, 1, 2, Some("3/1"), None),
        (3, 2, 1, Some("3/1"), None),
        (3, 3, 2, Some("3/1"), None),
        (4, 1, 1, None, None),
        (4, 2, 1, Some("a"), None),
        (5, 1, 1, None, None),
    ];
    assert_eq!(found.collect::<Vec<_>>(), expected);
    let services = checked.array(&of_parent(&SpanColumn::Service)).as_string_view();
    let expected = [None, Some("front"), Some("front"), None, None, Some("front"), None];
    assert_eq!(services.slice(0, 7), StringViewArray::from(expected.to_vec()));
    (0..checked.keys.len()).for_each(|only| checked.check_fetch(&snapshot, |row| row == only));
}

/// Two row groups: a trace as large as one, so that parents are pages away, and small ones behind it.
#[test]
fn parents_on_other_pages_and_in_later_row_groups() {
    let large = (1..=131_072_u64).map(|id| {
        let hash = id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let parent = if id % 1_000 == 7 { Some(1 << 40) } else { (id > 1).then(|| hash % (id - 1) + 1) };
        Span { attributes: vec![pair("id", Any::IntValue(id as i64 / 3))], ..span(1, id, parent, id) }
    });
    let small = (2..40_u8).flat_map(|trace| {
        let start = 1_000_000 + u64::from(trace);
        [span(trace, 1, None, start), span(trace, 2, Some(1), start), span(trace, 3, Some(2), start)]
    });
    let requests = [request("large", large.collect()), request("small", small.collect())];
    let snapshot = block_of(&requests);
    let columns = [
        SpanColumn::Row,
        SpanColumn::Name,
        SpanColumn::Kind,
        SpanColumn::SpanId,
        SpanColumn::TraceIdText,
        SpanColumn::Service,
        SpanColumn::ParentOffset,
        SpanColumn::Descendants,
        SpanColumn::HasParent,
        SpanColumn::MissingParent,
        attribute(AttributeScope::Span, "id", AttributeType::Int),
    ];
    let checked = Checked::new(&snapshot, &requests, &columns);
    let names = checked.array(&SpanColumn::Name).as_string_view();
    let name_is = |name: &'static str| {
        move |_: usize, parent: Option<usize>| parent.is_some_and(|parent| names.value(parent) == name)
    };
    checked.check_filter(&snapshot, &[named(&of_parent(&SpanColumn::Name)).eq(text("1/17"))], name_is("1/17"));
    checked.check_filter(&snapshot, &[named(&of_parent(&SpanColumn::Name)).eq(text("9/2"))], name_is("9/2"));
    checked.check_fetch(&snapshot, |row| row % 20_011 == 19 || row == 131_080);
    let services = checked.array(&SpanColumn::Service).as_string_view();
    let filter = named(&of_parent(&SpanColumn::Service)).eq(text("small"));
    checked
        .check_filter(&snapshot, &[filter], |_, parent| parent.is_some_and(|parent| services.value(parent) == "small"));

    // One row: its page of offsets and its parent's of ids, not the whole column.
    let before = Snapshot::bytes_read_by_thread();
    snapshot.fetch(0, &[100_000], &[of_parent(&SpanColumn::SpanId)]).unwrap();
    let read = Snapshot::bytes_read_by_thread() - before;
    assert!(read < 131_072, "{read} bytes");
}

#[test]
fn events_and_links_are_nobodys_parents() {
    let names =
        [SpanColumn::EventName, SpanColumn::LinkSpanId, attribute(AttributeScope::Event, "a", AttributeType::Int)];
    let snapshot = block_of(&[request("one", vec![span(1, 1, None, 1), span(1, 2, Some(1), 2)])]);
    for column in names {
        assert_eq!(column.clone().of_parent(), None);
        let found = snapshot.fetch(0, &[0, 1], &[SpanColumn::OfParent(Box::new(column))]);
        assert!(matches!(found, Err(Error::Internal(_))), "{found:?}");
    }
}
