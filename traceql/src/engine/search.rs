//! Search: a query's text to the newest traces that match.

use std::{sync::Arc, time::Instant};

use datafusion::{
    datasource::provider_as_source,
    logical_expr::{Extension, LogicalPlan, LogicalPlanBuilder},
    physical_plan::{ExecutionPlan, collect, display::DisplayableExecutionPlan, metrics::MetricsSet},
};
use tracestore::{
    block::SpanColumn,
    model::TimeRange,
    table::{SpanTable, Watermark},
};

use super::{Engine, SearchResponse, SearchStats, collect::collect_traces};
use crate::{
    Error, Result,
    ir::{Body, Expr, Query, Spansets, Stage},
    nodes::top_traces::TopTraces,
    plan::{Context, lower_filter},
    syntax::{Diagnostic, Diagnostics, Span, ast::Field},
};

/// What the scan delivers for every matching span.
const FOUND: [SpanColumn; 4] = [SpanColumn::Block, SpanColumn::Trace, SpanColumn::Row, SpanColumn::TraceStart];

/// How many levels a condition may have: the engine's own walks over it use the stack.
const MAX_DEPTH: usize = 200;

/// A query of one filter.
struct SingleFilter {
    condition: Expr,
    fields: Vec<Field>,
}

/// How a search is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SearchOptions {
    /// Only traces that end at this time or later, ns since 1970. Default: all.
    pub start: Option<u64>,
    /// Only traces that start at this time or earlier, ns since 1970. Default: all.
    pub end: Option<u64>,
    /// How many traces at most. Default: 20.
    pub limit: usize,
    /// How many spans of each at most, 0 for all. Default: 3.
    pub spss: usize,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self { start: None, end: None, limit: 20, spss: 3 }
    }
}

impl SearchOptions {
    /// Only traces that overlap a range of time.
    #[must_use]
    pub fn with_time(self, start: Option<u64>, end: Option<u64>) -> Self {
        Self { start, end, ..self }
    }

    /// How many traces at most.
    #[must_use]
    pub fn with_limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// How many spans of each at most, 0 for all.
    #[must_use]
    pub fn with_spss(self, spss: usize) -> Self {
        Self { spss, ..self }
    }

    fn time_range(&self) -> Option<TimeRange> {
        let unbounded = self.start.is_none() && self.end.is_none();
        (!unbounded).then(|| TimeRange { start: self.start.unwrap_or(0), end: self.end.unwrap_or(u64::MAX) })
    }
}

impl Engine {
    /// The newest traces with spans that match a query, always the same for the same data.
    ///
    /// # Errors
    /// [`Error::Query`] when the query is wrong; [`Error::Store`] when data cannot be read.
    pub async fn search(&self, query: &str, options: &SearchOptions) -> Result<SearchResponse> {
        let begun = Instant::now();
        let query = self.compile(query)?;
        let mut stats = SearchStats {
            blocks: self.snapshot.blocks().len() as u64,
            spans: self.snapshot.blocks().iter().map(|block| block.spans()).sum(),
            ..SearchStats::default()
        };
        let mut traces = Vec::new();
        if options.limit > 0 {
            let logical = self.plan(&query.condition, options)?;
            let physical = self.session.physical_plan(&logical).await?;
            let found = collect(Arc::clone(&physical), self.session.task()).await?;
            let read = tracestore::Snapshot::bytes_read_by_thread();
            traces = collect_traces(&self.snapshot, &query.fields, &found, options)?;
            stats.bytes_read = tracestore::Snapshot::bytes_read_by_thread() - read;
            stats.bytes_read += sum(&physical, "bytes_scanned");
            stats.rows_read = sum(&physical, "rows_scanned");
        }
        stats.elapsed = begun.elapsed();
        Ok(SearchResponse { traces, stats })
    }

    /// The plan of a query as text. With `analyze` the query is run, and each operator tells what it did.
    ///
    /// # Errors
    /// As [`Engine::search`].
    pub async fn explain(&self, query: &str, options: &SearchOptions, analyze: bool) -> Result<String> {
        let query = self.compile(query)?;
        let logical = self.plan(&query.condition, options)?;
        let physical = self.session.physical_plan(&logical).await?;
        if !analyze {
            let physical = DisplayableExecutionPlan::new(physical.as_ref());
            return Ok(format!(
                "Logical plan\n{}\n\nPhysical plan\n{}",
                logical.display_indent(),
                physical.indent(true)
            ));
        }
        let begun = Instant::now();
        let found = collect(Arc::clone(&physical), self.session.task()).await?;
        let planned = begun.elapsed();
        let traces = collect_traces(&self.snapshot, &query.fields, &found, options)?;
        let shown = DisplayableExecutionPlan::with_metrics(physical.as_ref());
        let (total, count) = (begun.elapsed(), traces.len());
        Ok(format!(
            "Physical plan with metrics\n{}\n{count} traces; plan run in {planned:.2?}, results fetched in {:.2?}\n",
            shown.indent(true),
            total.saturating_sub(planned),
        ))
    }

    /// The query, if it is one that this version answers.
    fn compile(&self, text: &str) -> Result<SingleFilter> {
        let Query { body, fields, .. } = crate::compile(text)?;
        let refused = |code, message: &str| {
            let fault = Diagnostic::new(code, Span::new(0, text.len()), message);
            Err(Diagnostics::new(text, vec![fault]).into())
        };
        let mut stages = match body {
            Body::Search(pipeline) => pipeline.stages,
            Body::Metrics(_) => return refused("TQ0904", "metrics are not answered yet"),
        };
        match (stages.pop(), stages.is_empty()) {
            (Some(Stage::Spansets(Spansets::Filter(condition))), true) => {
                if condition.depth() > MAX_DEPTH {
                    return Err(Error::Limit(format!("a condition may have {MAX_DEPTH} levels at most")));
                }
                Ok(SingleFilter { condition, fields })
            }
            _ => refused("TQ0904", "this version answers queries of one filter: `{ … }`"),
        }
    }

    /// The logical plan of a search.
    fn plan(&self, filter: &Expr, options: &SearchOptions) -> Result<LogicalPlan> {
        let context = Context::new(&self.snapshot, self.session.context());
        let condition = lower_filter(&context, filter).map_err(Error::from)?;
        let mut columns = FOUND.to_vec();
        columns.extend(context.columns().into_iter().filter(|column| !FOUND.contains(column)));
        let watermark = Watermark::new(options.limit);
        let table = SpanTable::new(self.snapshot.clone(), columns)
            .with_time_range(options.time_range())
            .with_watermark(watermark.clone());
        let projection = (0..FOUND.len()).collect();
        let filters = match condition == datafusion::logical_expr::lit(true) {
            true => Vec::new(),
            false => datafusion::logical_expr::utils::split_conjunction_owned(condition),
        };
        let source = provider_as_source(Arc::new(table));
        let scan = LogicalPlanBuilder::scan_with_filters("spans", source, Some(projection), filters)?.build()?;
        let node = Arc::new(TopTraces::new(scan, options.limit, watermark));
        Ok(LogicalPlan::Extension(Extension { node }))
    }
}

/// The sum of a metric over all operators of a plan.
fn sum(plan: &Arc<dyn ExecutionPlan>, name: &str) -> u64 {
    let own = plan.metrics().as_ref().and_then(|metrics: &MetricsSet| metrics.sum_by_name(name));
    let below: u64 = plan.children().into_iter().map(|child| sum(child, name)).sum();
    own.map_or(0, |value| value.as_usize() as u64) + below
}
