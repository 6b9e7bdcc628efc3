//! Metrics: a query's text to series over time. Spans are counted by [`crate::nodes::series`], partition by partition;
//! here the parts are joined, series are made of them, and second stages and arithmetic work on whole answers.

mod answer;
mod compare;
mod leaf;

mod options;

use std::{collections::HashMap, time::Instant};

use leaf::Leaf;
pub use options::{MetricsOptions, MetricsResponse};
use tracestore::Snapshot;

use super::{Engine, SearchStats};
use crate::{
    Result,
    ir::{Body, Metrics},
    series::{Intervals, Operand, Series, arithmetic, bottom, finish, threshold, top},
    syntax::{
        Diagnostic, Diagnostics, Span,
        ast::{Hint, Literal},
    },
};

impl Engine {
    /// The series of a metrics query over a range of time, a value for every step; always the same for the same data,
    /// however it is cut into blocks. A span counts by its start.
    ///
    /// # Errors
    /// [`Error::Query`] when the query is wrong or a search; [`Error::Options`] when range and step make no sense;
    /// [`Error::Store`] when data cannot be read; [`Error::Limit`] when a limit of the options is met.
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
        let query = crate::compile(text)?;
        let Body::Metrics(metrics) = query.body else {
            let fault = Diagnostic::new("TQ0905", Span::new(0, text.len()), "this is a search: it has no series");
            let fault = fault.help("end it with a function, as in `{ … } | rate()`");
            return Err(Diagnostics::new(text, vec![fault]).into());
        };
        let stats = SearchStats {
            blocks: self.snapshot.blocks().len() as u64,
            spans: self.snapshot.blocks().iter().map(|block| block.spans()).sum(),
            ..SearchStats::default()
        };
        let view = self.view().await?;
        let mut run = Run {
            engine: self,
            view,
            options,
            intervals,
            exact: is_set(&query.hints, "exact"),
            stats,
            known: HashMap::new(),
        };
        let mut leaves = Vec::new();
        collect_leaves(&metrics, &mut leaves);
        for leaf in leaves {
            run.compute(leaf).await?;
        }
        let series = match run.evaluate(&metrics) {
            Operand::Series(series) => finish(series),
            // The checker has seen to it that there is a query in it.
            Operand::Number(_) => Vec::new(),
        };
        let mut response = MetricsResponse { intervals, series, stats: run.stats, notes: Vec::new(), partial: false };
        response.stats.elapsed = begun.elapsed();
        Ok(response)
    }
}

/// One query's evaluation.
struct Run<'a> {
    engine: &'a Engine,
    view: Snapshot,
    options: &'a MetricsOptions,
    intervals: Intervals,
    /// Whether quantiles are of values, not of buckets.
    exact: bool,
    stats: SearchStats,
    /// The series of queries by their texts: equal ones are computed once.
    known: HashMap<&'a str, Vec<Series>>,
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
    fn evaluate(&self, metrics: &Metrics) -> Operand {
        let stage = |input: &Metrics, apply: &dyn Fn(Vec<Series>) -> Vec<Series>| match self.evaluate(input) {
            Operand::Series(series) => Operand::Series(apply(series)),
            number => number,
        };
        match metrics {
            Metrics::Number(number) => Operand::Number(*number),
            Metrics::Query { text, .. } => Operand::Series(self.known.get(text.as_str()).cloned().unwrap_or_default()),
            Metrics::Arithmetic { op, left, right } => arithmetic(*op, self.evaluate(left), self.evaluate(right)),
            Metrics::TopK { input, limit } => stage(input, &|series| top(series, *limit)),
            Metrics::BottomK { input, limit } => stage(input, &|series| bottom(series, *limit)),
            Metrics::Threshold { input, op, threshold: constant } => {
                stage(input, &|series| threshold(series, *op, *constant))
            }
        }
    }
}

/// Whether a hint says yes.
fn is_set(hints: &[Hint], name: &str) -> bool {
    hints.iter().any(|hint| hint.name == name && hint.value == Literal::Bool(true))
}
