//! Metrics: a query's text to series over time. Spans are counted by [`crate::nodes::series`], partition by partition;
//! here the parts are joined, series are made of them, and second stages and arithmetic work on whole answers.

mod answer;
mod compare;
mod exemplars;
mod hints;
mod leaf;
mod limit;

mod options;

use std::{collections::HashMap, time::Instant};

use hints::Hints;
use leaf::Leaf;
use limit::limit;
pub use options::{MetricsOptions, MetricsResponse};
use tracestore::{Snapshot, block::SpanColumn};

use super::{Engine, SearchStats};
use crate::{
    Result,
    ir::{Body, Metrics},
    nodes::series::rows::{Sample, WEIGHT_UNIT},
    series::{Intervals, Operand, Series, arithmetic, bottom, finish, threshold, top},
    syntax::{Diagnostic, Diagnostics, Span},
};

impl Engine {
    /// The series of a metrics query over a range of time, a value for every step; always the same for the same data,
    /// however it is cut into blocks. A span counts by its start.
    ///
    /// # Errors
    /// [`crate::Error::Query`] when the query is wrong or a search; [`crate::Error::Options`] when range and step make no sense;
    /// [`crate::Error::Store`] when data cannot be read; [`crate::Error::Limit`] when a limit of the options is met.
    pub async fn query_range(&self, query: &str, options: &MetricsOptions) -> Result<MetricsResponse> {
        self.metrics(query, options, options.range_intervals()?).await
    }

    /// The same with one value for the whole range, at its end. There are no exemplars.
    ///
    /// # Errors
    /// As [`Engine::query_range`].
    pub async fn query_instant(&self, query: &str, options: &MetricsOptions) -> Result<MetricsResponse> {
        let options = options.clone().with_exemplars(0);
        self.metrics(query, &options, options.instant_interval()?).await
    }

    async fn metrics(&self, text: &str, options: &MetricsOptions, intervals: Intervals) -> Result<MetricsResponse> {
        let begun = Instant::now();
        let (metrics, hints) = compile(text)?;
        let leaves = leaves(&metrics);
        let mut run = self.run(options, intervals, hints).await?;
        // A query's hint goes before the options; the queries of an expression share what is wanted.
        let wanted = run.hints.exemplars.filter(|_| options.exemplars > 0 || intervals.len() > 1);
        let budget = wanted.unwrap_or(options.exemplars).div_ceil(leaves.len().max(1));
        for leaf in leaves {
            run.compute(leaf, budget, begun).await?;
        }
        let series = match run.evaluate(&metrics) {
            Operand::Series(series) => finish(series),
            // The checker has seen to it that there is a query in it.
            Operand::Number(_) => Vec::new(),
        };
        let (series, left_out) = limit(series, options.max_series);
        let mut notes = run.notes();
        if left_out > 0 {
            let all = series.len() + left_out;
            notes.push(format!("{left_out} of {all} series were left out: at most {} are wanted", options.max_series));
        }
        let mut response = MetricsResponse { intervals, series, stats: run.stats, notes, partial: left_out > 0 };
        response.stats.elapsed = begun.elapsed();
        Ok(response)
    }

    /// The plans of a metrics query as text, see [`Engine::explain`].
    pub(super) async fn explain_metrics(&self, text: &str, options: &MetricsOptions, analyze: bool) -> Result<String> {
        let (metrics, hints) = compile(text)?;
        let run = self.run(options, options.range_intervals()?, hints).await?;
        let mut plans = Vec::new();
        for leaf in leaves(&metrics) {
            plans.push(run.explain(leaf, analyze).await?);
        }
        Ok(plans.join("\n\n"))
    }

    async fn run<'a>(&'a self, options: &'a MetricsOptions, intervals: Intervals, hints: Hints) -> Result<Run<'a>> {
        let stats = SearchStats {
            blocks: self.snapshot.blocks().len() as u64,
            spans: self.snapshot.blocks().iter().map(|block| block.spans()).sum(),
            ..SearchStats::default()
        };
        let view = self.view().await?;
        Ok(Run { engine: self, view, options, intervals, hints, stats, counted: 0, known: HashMap::new() })
    }
}

/// The query, if it has series.
fn compile(text: &str) -> Result<(Metrics, Hints)> {
    let query = crate::compile(text)?;
    match query.body {
        Body::Metrics(metrics) => Ok((metrics, Hints::of(text, &query.hints)?)),
        Body::Search(_) => {
            let fault = Diagnostic::new("TQ0905", Span::new(0, text.len()), "this is a search: it has no series");
            let fault = fault.help("end it with a function, as in `{ … } | rate()`");
            Err(Diagnostics::new(text, vec![fault]).into())
        }
    }
}

/// One query's evaluation.
struct Run<'a> {
    engine: &'a Engine,
    view: Snapshot,
    options: &'a MetricsOptions,
    intervals: Intervals,
    hints: Hints,
    stats: SearchStats,
    /// How many spans and values were counted.
    counted: u64,
    /// The series of queries by their texts: equal ones are computed once.
    known: HashMap<String, Vec<Series>>,
}

fn leaves(metrics: &Metrics) -> Vec<Leaf<'_>> {
    let mut leaves = Vec::new();
    collect_leaves(metrics, &mut leaves);
    leaves
}

/// The queries in an expression, each text once.
fn collect_leaves<'m>(metrics: &'m Metrics, leaves: &mut Vec<Leaf<'m>>) {
    match metrics {
        Metrics::Number(_) => {}
        Metrics::Query { pipeline, function, text, nothing } => {
            if !leaves.iter().any(|leaf| leaf.text == text) {
                leaves.push(Leaf { pipeline, function, text, nothing: *nothing });
            }
        }
        Metrics::Arithmetic { left, right, .. } => {
            collect_leaves(left, leaves);
            collect_leaves(right, leaves);
        }
        Metrics::TopK { input, .. } | Metrics::BottomK { input, .. } | Metrics::Threshold { input, .. } => {
            collect_leaves(input, leaves);
        }
    }
}

impl Run<'_> {
    /// How far the answer is from exact.
    fn notes(&self) -> Vec<String> {
        let Some(Sample { column, fraction }) = &self.hints.sample else { return Vec::new() };
        let what = if *column == SpanColumn::TraceHash { "traces" } else { "spans" };
        // Of n spans that are each in the sample with probability p, p·n ± √(p·(1 − p)·n) are.
        let unit = if self.hints.extrapolate { WEIGHT_UNIT } else { 1 };
        let counted = self.counted / unit;
        let error = 100.0 * ((1.0 - fraction) / counted.max(1) as f64).sqrt();
        vec![format!(
            "a sample of {} % of the {what}, {counted} spans: counts and sums are estimates, with a standard error of \
             {error:.2} % over all of them, more where spans of a trace are alike",
            fraction * 100.0
        )]
    }

    fn evaluate(&self, metrics: &Metrics) -> Operand {
        let stage = |input: &Metrics, apply: &dyn Fn(Vec<Series>) -> Vec<Series>| match self.evaluate(input) {
            Operand::Series(series) => Operand::Series(apply(series)),
            number => number,
        };
        match metrics {
            Metrics::Number(number) => Operand::Number(*number),
            Metrics::Query { text, .. } => Operand::Series(self.known.get(text).cloned().unwrap_or_default()),
            Metrics::Arithmetic { op, left, right } => arithmetic(*op, self.evaluate(left), self.evaluate(right)),
            Metrics::TopK { input, limit } => stage(input, &|series| top(series, *limit)),
            Metrics::BottomK { input, limit } => stage(input, &|series| bottom(series, *limit)),
            Metrics::Threshold { input, op, threshold: constant } => {
                stage(input, &|series| threshold(series, *op, *constant))
            }
        }
    }
}
