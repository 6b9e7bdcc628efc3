//! Metrics queries: series over intervals (traceql.md §8, but for the rules named here).
//!
//! Sampling, extrapolation and exact quantiles (M8) are not judged: a query that asks for one panics.

mod compare;
mod first_stage;
mod groups;
mod label;
mod math;
mod second_stage;

use serde_json::{Map, Value as Json};
use traceql::syntax::ast::{Body, Hint, Literal, MetricsExpr, MetricsExprKind, NumberExpr, Query};

pub(crate) use label::Label;
use math::Operand;

use super::model::Trace;

const NANOS: f64 = 1e9;

/// The times that series have values for: left-open, right-closed intervals of ns, named by their right ends (§8.2).
#[derive(Debug, Clone)]
pub(crate) struct Intervals(Vec<(u64, u64)>);

impl Intervals {
    /// Those of a range query: aligned to the step, from the one that ends at the start or next before it to the one
    /// that has the end in it.
    pub(crate) fn of_range(start: u64, end: u64, step: u64) -> Self {
        let (first, last) = (start / step, end.div_ceil(step));
        Self((first..=last).map(|index| (index.saturating_sub(1) * step, index * step)).collect())
    }

    /// The only one of an instant query.
    pub(crate) fn of_instant(start: u64, end: u64) -> Self {
        Self(vec![(start, end)])
    }

    /// Which one a span belongs to: its start alone decides.
    fn position(&self, time: u64) -> Option<usize> {
        self.0.iter().position(|(after, until)| *after < time && time <= *until)
    }

    /// How many seconds each is long.
    fn step(&self) -> f64 {
        // The first one may be cut off by 1970.
        let (after, until) = self.0[self.0.len() - 1];
        (until - after) as f64 / NANOS
    }
}

/// A series: a value for every interval, NaN where there is none.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) labels: Vec<Label>,
    pub(crate) values: Vec<f64>,
}

/// The series of a query that have a value anywhere, in no order that means anything.
pub(crate) fn series(query: &Query, traces: &[Trace], intervals: &Intervals) -> Vec<Series> {
    assert!(!query.hints.iter().any(changes_values), "not judged: {:?}", query.hints);
    let Body::Metrics(expr) = &query.body else { panic!("no metrics") };
    match evaluate(expr, traces, intervals) {
        Operand::Series(series) => series.into_iter().filter(Series::is_sent).collect(),
        Operand::Number(number) => panic!("only a number: {number}"),
    }
}

/// The answer in the form of the recordings: by the text of the labels the values by time in ms. Series whose labels
/// differ only where the text does not (2 and 2.0, nil and its name) cannot both be in it, and make it panic.
pub(crate) fn answer(query: &Query, traces: &[Trace], intervals: &Intervals) -> Json {
    let mut answer = Map::new();
    for series in series(query, traces, intervals) {
        let text = label::json(&series.labels).to_string();
        let values = series.values.iter().zip(&intervals.0).filter(|(value, _)| !value.is_nan());
        let values = values.map(|(value, (_, time))| ((time / 1_000_000).to_string(), Json::from(*value)));
        let before = answer.insert(text.clone(), Json::Object(values.collect()));
        assert!(before.is_none(), "two series of labels {text}");
    }
    Json::Object(answer)
}

impl Series {
    /// NaN is not sent, nor is a series of nothing else.
    fn is_sent(&self) -> bool {
        self.values.iter().any(|value| !value.is_nan())
    }
}

/// Whether a hint changes what is counted or how (M8).
fn changes_values(hint: &Hint) -> bool {
    let sampling = ["sample", "span_sample", "trace_sample", "extrapolate", "exact"];
    sampling.contains(&hint.name.as_str()) && hint.value != Literal::Bool(false)
}

fn evaluate(expr: &MetricsExpr, traces: &[Trace], intervals: &Intervals) -> Operand {
    match &expr.kind {
        MetricsExprKind::Query { pipeline, function } => {
            Operand::Series(first_stage::run(pipeline, function, traces, intervals))
        }
        MetricsExprKind::Number(number) => Operand::Number(constant(number)),
        MetricsExprKind::Arithmetic { op, left, right } => {
            math::arithmetic(*op, evaluate(left, traces, intervals), evaluate(right, traces, intervals))
        }
        MetricsExprKind::Stage { input, stage } => match evaluate(input, traces, intervals) {
            Operand::Series(series) => Operand::Series(second_stage::apply(&stage.kind, series)),
            Operand::Number(number) => panic!("a stage after the number {number}"),
        },
    }
}

/// A constant beside values: a duration in seconds.
fn constant(number: &NumberExpr) -> f64 {
    match number.value() {
        Ok(Literal::Int(value)) => value as f64,
        Ok(Literal::Float(value)) => value,
        Ok(Literal::Duration(nanos)) => nanos as f64 / NANOS,
        other => panic!("no number: {other:?}"),
    }
}
