//! The functions that make series of spans (§8.3 to §8.6).

use std::collections::{BTreeMap, BTreeSet};

use traceql::{
    ir,
    syntax::{
        Span,
        ast::{
            Body, Field, FieldExpr, FieldExprKind, FieldRef, Literal, MetricsFunction, MetricsFunctionKind as Kind,
            Pipeline, Query, SpansetExpr, SpansetExprKind, StageKind,
        },
    },
};

use super::{Intervals, NANOS, Series, compare, groups::Groups, label};
use crate::naive::{
    eval,
    model::{Placed, Trace},
    pipeline,
    value::Value,
};

/// A span that a query counts, and the interval that it belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted<'a> {
    pub(super) trace: &'a Trace,
    pub(super) span: &'a Placed,
    pub(super) interval: usize,
}

impl Counted<'_> {
    pub(super) fn values(&self, field: &Field) -> Vec<Value> {
        let expr = FieldExpr { kind: FieldExprKind::Field(field.clone()), span: Span::default() };
        eval::values(&expr, self.trace, self.span)
    }

    /// Each value once, by what tells it apart.
    pub(super) fn distinct(&self, field: &Field) -> BTreeMap<String, Value> {
        self.values(field).into_iter().map(|value| (label::identity(Some(&value)), value)).collect()
    }
}

/// Pipelines see whole traces; what they find counts by its start. M2: a span counts once, in however many spansets.
fn counted<'a>(pipeline: &Pipeline, traces: &'a [Trace], intervals: &Intervals) -> Vec<Counted<'a>> {
    let mut counted = Vec::new();
    for trace in traces {
        let spansets = pipeline::run(pipeline, trace);
        let spans: BTreeSet<usize> = spansets.into_iter().flat_map(|spanset| spanset.spans).collect();
        for span in spans.into_iter().map(|span| &trace.spans[span]) {
            if let Some(interval) = intervals.position(span.span.start_time_unix_nano) {
                counted.push(Counted { trace, span, interval });
            }
        }
    }
    counted
}

pub(super) fn run(
    pipeline: &Pipeline,
    function: &MetricsFunction,
    traces: &[Trace],
    intervals: &Intervals,
) -> Vec<Series> {
    let spans = counted(pipeline, traces, intervals);
    let groups = |samples: &dyn Fn(&Counted<'_>) -> Vec<f64>| Groups::of(&spans, function, intervals, samples);
    match &function.kind {
        Kind::CountOverTime | Kind::Rate => {
            let mut groups = groups(&|_| vec![1.0]);
            if function.by.is_empty() && !finds_nothing(pipeline) {
                groups.add_ungrouped(function);
            }
            let divisor = if function.kind == Kind::Rate { intervals.step() } else { 1.0 };
            groups.series(|samples| samples.len() as f64 / divisor)
        }
        Kind::MinOverTime(field) => groups(&|span| numbers(span, field)).series(|samples| extreme(samples, f64::min)),
        Kind::MaxOverTime(field) => groups(&|span| numbers(span, field)).series(|samples| extreme(samples, f64::max)),
        Kind::SumOverTime(field) => groups(&|span| numbers(span, field)).series(sum),
        Kind::AvgOverTime(field) => {
            groups(&|span| numbers(span, field)).series(|samples| sum(samples) / samples.len() as f64)
        }
        Kind::HistogramOverTime(field) => groups(&|span| buckets(span, field)).histogram(),
        Kind::QuantileOverTime { field, quantiles } => groups(&|span| buckets(span, field)).quantiles(quantiles),
        Kind::Compare { selection, top, range } => {
            let top = top.map_or(10, |(top, _)| usize::try_from(top).unwrap());
            compare::run(&spans, selection, top, range.map(|(after, until, _)| (after, until)), intervals)
        }
    }
}

/// The numbers that a span has for a field, of arrays and of events all (V6, S1). M3: durations in seconds.
fn numbers(span: &Counted<'_>, field: &FieldRef) -> Vec<f64> {
    let number = |value: Value| match value {
        Value::Int(value) => Some(value as f64),
        Value::Float(value) => Some(value),
        Value::Duration(nanos) => Some(nanos as f64 / NANOS),
        _ => None,
    };
    span.values(&field.field).into_iter().filter_map(number).collect()
}

/// §8.4: the bucket of each number: the power of two that is not below it; integers and durations from 2 on have one.
fn buckets(span: &Counted<'_>, field: &FieldRef) -> Vec<f64> {
    let power = |value: i64| (value >= 2).then(|| value.unsigned_abs().next_power_of_two() as f64);
    let bucket = |value: Value| match value {
        Value::Int(value) => power(value),
        Value::Duration(nanos) => power(nanos).map(|power| power / NANOS),
        _ => None,
    };
    span.values(&field.field).into_iter().filter_map(bucket).collect()
}

/// NaN only if there is nothing else (V8), and so if there is nothing.
fn extreme(samples: &[f64], better: fn(f64, f64) -> f64) -> f64 {
    samples.iter().copied().fold(f64::NAN, better)
}

/// In an order that does not depend on that of the spans. NaN if there is nothing (M1).
fn sum(samples: &[f64]) -> f64 {
    let mut samples = samples.to_vec();
    samples.sort_by(f64::total_cmp);
    samples.into_iter().reduce(|sum, sample| sum + sample).unwrap_or(f64::NAN)
}

/// M7: whether a stage is nothing but filters that are constantly false.
fn finds_nothing(pipeline: &Pipeline) -> bool {
    let query = Query { body: Body::Search(pipeline.clone()), hints: Vec::new(), extensions: Vec::new() };
    let Body::Search(folded) = ir::fold(&query).body else { panic!("folding made series of it") };
    has_no_spans(&folded)
}

fn has_no_spans(pipeline: &Pipeline) -> bool {
    pipeline.stages.iter().any(|stage| match &stage.kind {
        StageKind::Spansets(expr) => is_false(expr),
        _ => false,
    })
}

fn is_false(expr: &SpansetExpr) -> bool {
    match &expr.kind {
        SpansetExprKind::Filter(filter) => {
            filter.expr.as_ref().is_some_and(|expr| matches!(expr.kind, FieldExprKind::Literal(Literal::Bool(false))))
        }
        SpansetExprKind::Logical { operands, .. } => operands.iter().all(is_false),
        SpansetExprKind::Structural { left, right, .. } => is_false(left) && is_false(right),
        SpansetExprKind::Pipeline(pipeline) => has_no_spans(pipeline),
    }
}
