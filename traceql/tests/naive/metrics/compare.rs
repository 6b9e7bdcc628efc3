//! `compare`: how the spans that a filter selects differ from the rest (M4, traceql.md §8.7).

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use opentelemetry_proto::tonic::common::v1::KeyValue;
use traceql::syntax::{
    TempoText,
    ast::{Attribute, Field, Intrinsic, Scope, SpansetFilter},
};

use super::{
    Intervals, Series,
    first_stage::Counted,
    label::{self, Label},
};
use crate::naive::{eval, value::Value};

/// M4: neither ids, times and durations nor nested-set numbers.
const INTRINSICS: [Intrinsic; 10] = [
    Intrinsic::Name,
    Intrinsic::Kind,
    Intrinsic::Status,
    Intrinsic::StatusMessage,
    Intrinsic::RootName,
    Intrinsic::RootServiceName,
    Intrinsic::ChildCount,
    Intrinsic::InstrumentationName,
    Intrinsic::InstrumentationVersion,
    Intrinsic::EventName,
];

/// What is counted of one attribute: spans in each interval.
#[derive(Debug)]
struct Counts {
    /// Spans that have it.
    total: Vec<f64>,
    /// By what tells values apart: the value, and the spans that have it.
    values: BTreeMap<String, (Value, Vec<f64>)>,
}

pub(super) fn run(
    spans: &[Counted<'_>],
    selection: &SpansetFilter,
    top: usize,
    range: Option<(i64, i64)>,
    intervals: &Intervals,
) -> Vec<Series> {
    let in_range = |start: u64| {
        range.is_none_or(|(after, until)| i128::from(after) < i128::from(start) && i128::from(start) <= until.into())
    };
    let (selected, rest): (Vec<_>, Vec<_>) = spans.iter().partition(|counted| {
        eval::keeps(selection.expr.as_ref(), counted.trace, counted.span)
            && in_range(counted.span.span.start_time_unix_nano)
    });
    let width = intervals.0.len();
    [("selection", selected), ("baseline", rest)]
        .into_iter()
        .flat_map(|(name, spans)| {
            count(&spans, width).into_iter().flat_map(move |(field, counts)| counts.series(name, &field, top))
        })
        .collect()
}

/// The attributes of some spans, by their labels' names.
fn count(spans: &[&Counted<'_>], intervals: usize) -> BTreeMap<String, Counts> {
    let zeros = vec![0.0; intervals];
    let mut attributes = BTreeMap::new();
    for span in spans {
        for field in fields(span) {
            let values = span.distinct(&field);
            if values.is_empty() {
                continue;
            }
            let empty = || Counts { total: zeros.clone(), values: BTreeMap::new() };
            let counts: &mut Counts = attributes.entry(TempoText(&field).to_string()).or_insert_with(empty);
            counts.total[span.interval] += 1.0;
            for (key, value) in values {
                counts.values.entry(key).or_insert_with(|| (value, zeros.clone())).1[span.interval] += 1.0;
            }
        }
    }
    attributes
}

/// Everything that a span, its resource, its scope, its events and its links may have a value for.
fn fields(counted: &Counted<'_>) -> BTreeSet<Field> {
    let span = counted.span;
    let mut fields: BTreeSet<Field> = INTRINSICS.into_iter().map(Field::Intrinsic).collect();
    let mut add =
        |scope: Scope, name: &str| fields.insert(Field::Attribute(Attribute { scope, name: name.to_owned() }));
    // V1: every resource has one.
    add(Scope::Resource, "service.name");
    let mut add_all = |scope, list: &[KeyValue]| {
        for attribute in list {
            add(scope, &attribute.key);
        }
    };
    add_all(Scope::Span, &span.span.attributes);
    add_all(Scope::Resource, &span.resource.attributes);
    add_all(Scope::Instrumentation, &span.scope.attributes);
    span.span.events.iter().for_each(|event| add_all(Scope::Event, &event.attributes));
    span.span.links.iter().for_each(|link| add_all(Scope::Link, &link.attributes));
    fields
}

impl Counts {
    /// The most frequent values, and the total.
    fn series(&self, side: &str, field: &str, top: usize) -> Vec<Series> {
        let mut ranked: Vec<&(Value, Vec<f64>)> = self.values.values().collect();
        ranked.sort_by(|(a, a_counts), (b, b_counts)| {
            let sum = |counts: &[f64]| counts.iter().sum::<f64>();
            sum(b_counts).total_cmp(&sum(a_counts)).then_with(|| order(a, b))
        });
        let series = |side: &str, value: Option<Value>, values: &[f64]| Series {
            labels: vec![Label::text("__meta_type", side), Label::new(field, value)],
            values: values.to_vec(),
        };
        let values = ranked.into_iter().take(top).map(|(value, counts)| series(side, Some(value.clone()), counts));
        values.chain([series(&format!("{side}_total"), None, &self.total)]).collect()
    }
}

/// M4: of equally frequent values the smaller one is first, NaN behind all numbers; of types that have no order, by what
/// tells them apart.
fn order(a: &Value, b: &Value) -> Ordering {
    let identity = |value| label::identity(Some(value));
    let is_nan = |value: &Value| matches!(value, Value::Float(number) if number.is_nan());
    match (a, b) {
        (Value::Other(a), Value::Other(b)) => a.cmp(b),
        (a, b) if a.is_number() && b.is_number() && is_nan(a) != is_nan(b) => is_nan(a).cmp(&is_nan(b)),
        (a, b) => a.order(b).unwrap_or(Ordering::Equal).then_with(|| identity(a).cmp(&identity(b))),
    }
}
