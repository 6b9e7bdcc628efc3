//! The functions that make series of spans (§8.3 to §8.6).

use std::collections::{BTreeMap, BTreeSet};

use traceql::syntax::{
    TempoText,
    ast::{
        Field, FieldExprKind, FieldRef, Literal, MetricsFunction, MetricsFunctionKind as Kind, Pipeline, Quantile,
        SpansetExpr, SpansetExprKind, StageKind,
    },
};

use super::{
    Intervals, NANOS, Series, compare, expr_of,
    label::{self, Label},
};
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
        eval::values(&expr_of(field), self.trace, self.span)
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
    let groups = |samples: &dyn Fn(&Counted<'_>) -> Vec<f64>| Groups::of(&spans, &function.by, samples);
    let by_function = || Label::text("__name__", function.kind.name());
    let series = |groups: Groups, of_interval: &dyn Fn(&[f64]) -> f64| groups.series(intervals, &by_function, of_interval);
    match &function.kind {
        Kind::CountOverTime | Kind::Rate => {
            let mut groups = groups(&|_| vec![1.0]);
            if function.by.is_empty() && !finds_nothing(pipeline) {
                groups.add_empty();
            }
            let divisor = if function.kind == Kind::Rate { intervals.step() } else { 1.0 };
            series(groups, &|samples| samples.len() as f64 / divisor)
        }
        Kind::MinOverTime(field) => series(groups(&|span| numbers(span, field)), &|samples| extreme(samples, f64::min)),
        Kind::MaxOverTime(field) => series(groups(&|span| numbers(span, field)), &|samples| extreme(samples, f64::max)),
        Kind::SumOverTime(field) => series(groups(&|span| numbers(span, field)), &sum),
        Kind::AvgOverTime(field) => {
            series(groups(&|span| numbers(span, field)), &|samples| sum(samples) / samples.len() as f64)
        }
        Kind::HistogramOverTime(field) => histogram(&groups(&|span| buckets(span, field)), intervals),
        Kind::QuantileOverTime { field, quantiles } => {
            self::quantiles(&groups(&|span| buckets(span, field)), quantiles)
        }
        Kind::Compare { selection, top, range } => {
            let top = top.map_or(10, |(top, _)| usize::try_from(top).unwrap());
            compare::run(&spans, selection, top, range.map(|(after, until, _)| (after, until)), intervals)
        }
    }
}

/// M7: whether a stage is nothing but filters that are constantly false.
fn finds_nothing(pipeline: &Pipeline) -> bool {
    pipeline.stages.iter().any(|stage| match &stage.kind {
        StageKind::Spansets(expr) => is_false(expr),
        _ => false,
    })
}

fn is_false(expr: &SpansetExpr) -> bool {
    match &expr.kind {
        SpansetExprKind::Filter(filter) => filter
            .expr
            .as_ref()
            .is_some_and(|expr| matches!(expr.kind, FieldExprKind::Literal(Literal::Bool(false)))),
        SpansetExprKind::Logical { operands, .. } => operands.iter().all(is_false),
        SpansetExprKind::Structural { left, right, .. } => is_false(left) && is_false(right),
        SpansetExprKind::Pipeline(pipeline) => finds_nothing(pipeline),
    }
}

/// The samples of one group: some for every interval.
#[derive(Debug)]
struct Group {
    labels: Vec<Label>,
    samples: Vec<Vec<f64>>,
}

/// Groups by what tells their labels apart. There is none without a sample.
#[derive(Debug, Default)]
struct Groups(BTreeMap<String, Group>);
