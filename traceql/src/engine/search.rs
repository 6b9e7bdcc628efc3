//! Search: a query's text to the newest traces that match.

use std::{sync::Arc, time::Instant};

use datafusion::{
    datasource::provider_as_source,
    logical_expr::{Extension, LogicalPlan, LogicalPlanBuilder, lit},
    physical_plan::{ExecutionPlan, collect, display::DisplayableExecutionPlan, metrics::MetricsSet},
};
use tracestore::{
    Snapshot,
    block::SpanColumn,
    model::TimeRange,
    table::{SpanTable, Watermark},
};

use super::{Engine, SearchResponse, SearchStats, collect::collect_traces};
use crate::{
    Error, Result,
    ir::{Body, Expr, Pipeline, Query, Spansets, Stage},
    nodes::{pipeline::PipelineNode, top_traces::TopTraces},
    plan::{Context, PlannedPipeline, filter_conjuncts, plan_pipeline},
    syntax::{Diagnostic, Diagnostics, Span, ast::Field},
};

/// What the scan delivers for every matching span.
const FOUND: [SpanColumn; 4] = [SpanColumn::Block, SpanColumn::Trace, SpanColumn::Row, SpanColumn::TraceStart];

/// How many levels a query may have: the engine's own walks over it use the stack.
pub(super) const MAX_DEPTH: usize = 200;

/// A query for traces.
struct Search {
    pipeline: Pipeline,
    fields: Vec<Field>,
    text: String,
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
        let view = self.snapshot.whole()?;
        let mut stats = SearchStats {
            blocks: self.snapshot.blocks().len() as u64,
            spans: self.snapshot.blocks().iter().map(|block| block.spans()).sum(),
            ..SearchStats::default()
        };
        let mut traces = Vec::new();
        if options.limit > 0 {
            let (logical, labels) = self.plan(&view, &query, options)?;
            let physical = self.session.physical_plan(&logical).await?;
            let found = collect(Arc::clone(&physical), self.session.task()).await?;
            let read = Snapshot::bytes_read_by_thread();
            traces = collect_traces(&view, &query.fields, &labels, &found, options)?;
            stats.bytes_read = Snapshot::bytes_read_by_thread() - read;
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
        let view = self.snapshot.whole()?;
        let (logical, labels) = self.plan(&view, &query, options)?;
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
        let traces = collect_traces(&view, &query.fields, &labels, &found, options)?;
        let shown = DisplayableExecutionPlan::with_metrics(physical.as_ref());
        let (total, count) = (begun.elapsed(), traces.len());
        Ok(format!(
            "Physical plan with metrics\n{}\n{count} traces; plan run in {planned:.2?}, results fetched in {:.2?}\n",
            shown.indent(true),
            total.saturating_sub(planned),
        ))
    }

    /// The query, if it is a search.
    fn compile(&self, text: &str) -> Result<Search> {
        let Query { body, fields, .. } = crate::compile(text)?;
        let Body::Search(pipeline) = body else {
            let fault = Diagnostic::new("TQ0904", Span::new(0, text.len()), "metrics are not answered yet");
            return Err(Diagnostics::new(text, vec![fault]).into());
        };
        if pipeline.depth() > MAX_DEPTH {
            return Err(Error::Limit(format!("a query may have {MAX_DEPTH} levels at most")));
        }
        Ok(Search { pipeline, fields, text: text.trim().to_owned() })
    }

    /// The logical plan of a search, and what answers call the attributes of its spansets.
    fn plan(&self, view: &Snapshot, search: &Search, options: &SearchOptions) -> Result<(LogicalPlan, Vec<String>)> {
        match search.pipeline.stages.as_slice() {
            [Stage::Spansets(Spansets::Filter(condition))] => {
                Ok((self.plan_filter(view, condition, options)?, Vec::new()))
            }
            _ => self.plan_pipeline(view, search, options),
        }
    }

    /// One filter: the scan applies it, and knows by itself what it has found.
    fn plan_filter(&self, view: &Snapshot, filter: &Expr, options: &SearchOptions) -> Result<LogicalPlan> {
        let context = Context::new(view, self.session.context());
        let conditions = filter_conjuncts(&context, filter).map_err(Error::from)?;
        let mut columns = FOUND.to_vec();
        columns.extend(context.columns().into_iter().filter(|column| !FOUND.contains(column)));
        let watermark = Watermark::new(options.limit);
        let table = SpanTable::new(view.clone(), columns)
            .with_time_range(options.time_range())
            .with_watermark(watermark.clone());
        let projection = (0..FOUND.len()).collect();
        let filters = conditions.into_iter().filter(|condition| *condition != lit(true)).collect();
        let source = provider_as_source(Arc::new(table));
        let scan = LogicalPlanBuilder::scan_with_filters("spans", source, Some(projection), filters)?.build()?;
        Ok(newest(view, scan, options, watermark))
    }

    /// Anything else: the scan marks what conditions are about, and the pipeline runs over the marks.
    fn plan_pipeline(
        &self,
        view: &Snapshot,
        search: &Search,
        options: &SearchOptions,
    ) -> Result<(LogicalPlan, Vec<String>)> {
        let context = Context::new(view, self.session.context());
        let planned = plan_pipeline(&context, &search.pipeline, search.text.clone()).map_err(Error::from)?;
        let PlannedPipeline { program, marks, columns: delivered } = planned;
        let labels = program.labels.clone();
        let mut columns = delivered.clone();
        columns.extend(context.columns().into_iter().filter(|column| !delivered.contains(column)));
        let marked = columns.len()..columns.len() + marks.conditions.len();
        let projection = (0..delivered.len()).chain(marked).collect();
        let watermark = Watermark::new(options.limit);
        let table = SpanTable::new(view.clone(), columns)
            .with_marks(marks)
            .with_time_range(options.time_range())
            .with_watermark(watermark.clone());
        let source = provider_as_source(Arc::new(table));
        let scan = LogicalPlanBuilder::scan("spans", source, Some(projection))?.build()?;
        let node = Arc::new(PipelineNode::new(scan, program)?);
        let pipeline = LogicalPlan::Extension(Extension { node });
        Ok((newest(view, pipeline, options, watermark), labels))
    }
}

/// The newest traces of what a plan over the view finds.
fn newest(view: &Snapshot, input: LogicalPlan, options: &SearchOptions, watermark: Watermark) -> LogicalPlan {
    let node = Arc::new(TopTraces::new(input, options.limit, watermark, view.clone()));
    LogicalPlan::Extension(Extension { node })
}

/// The sum of a metric over all operators of a plan.
fn sum(plan: &Arc<dyn ExecutionPlan>, name: &str) -> u64 {
    let own = plan.metrics().as_ref().and_then(|metrics: &MetricsSet| metrics.sum_by_name(name));
    let below: u64 = plan.children().into_iter().map(|child| sum(child, name)).sum();
    own.map_or(0, |value| value.as_usize() as u64) + below
}
