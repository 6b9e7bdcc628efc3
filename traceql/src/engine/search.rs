//! Search: a query's text to the newest traces that match.

use std::{ops::ControlFlow, sync::Arc, time::Instant};

use datafusion::{
    datasource::provider_as_source,
    execution::memory_pool::MemoryConsumer,
    logical_expr::{Expr as Logical, Extension, LogicalPlan, LogicalPlanBuilder, lit},
    physical_plan::{collect, display::DisplayableExecutionPlan},
};
use tracestore::{
    Snapshot,
    block::SpanColumn,
    table::{SpanTable, Watermark},
};

use super::{
    Cursor, Engine, MetricsOptions, Progress, SearchKey, SearchOptions, SearchOrder, SearchResponse, SearchStats,
    collect::collect_traces,
    watch::{Watch, add_scans, explain_limit, run_watched},
};
use crate::{
    Error, Result,
    ir::{Body, Expr, Pipeline, Query, Spansets, Stage},
    nodes::{pipeline::PipelineNode, top_traces::TopTraces},
    plan::{Context, PlannedPipeline, filter_conjuncts, plan_pipeline},
    syntax::{Diagnostic, Diagnostics, Span, ast::Field},
};

/// How many levels a query may have: the engine's own walks over it use the stack.
pub(super) const MAX_DEPTH: usize = 200;

/// A query for traces.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) pipeline: Pipeline,
    pub(super) fields: Vec<Field>,
    text: String,
}

/// A pipeline, and what is wanted of the spans that it finds.
pub(super) struct Piped<'a> {
    pub(super) pipeline: &'a Pipeline,
    /// The query, for EXPLAIN.
    pub(super) text: &'a str,
    pub(super) delivered: Vec<SpanColumn>,
    /// Left out are traces without a span that meets all of these.
    pub(super) some: Vec<Logical>,
}

impl Search {
    /// All that the search finds.
    pub(super) fn piped(&self, delivered: Vec<SpanColumn>) -> Piped<'_> {
        Piped { pipeline: &self.pipeline, text: &self.text, delivered, some: Vec::new() }
    }
}

impl Engine {
    /// The traces with spans that match a query, in the order that the options say, always the same for the same data,
    /// however it is cut into blocks. Dropping the future ends the search within one part of a block.
    ///
    /// # Errors
    /// [`Error::Query`] when the query is wrong; [`Error::Options`] for a range that ends before it starts;
    /// [`Error::Store`] when data cannot be read; [`Error::Limit`] when a limit of the options is met, unless they allow a
    /// partial answer.
    pub async fn search(&self, query: &str, options: &SearchOptions) -> Result<SearchResponse> {
        self.run_search(query, options, None).await
    }

    /// The same, under watch: `watch` is told every few milliseconds how far the search is, and may end it; the answer is
    /// partial then.
    ///
    /// # Errors
    /// As [`Engine::search`].
    pub async fn search_watched(
        &self,
        query: &str,
        options: &SearchOptions,
        mut watch: impl FnMut(&Progress) -> ControlFlow<()> + Send,
    ) -> Result<SearchResponse> {
        self.run_search(query, options, Some(&mut watch)).await
    }

    async fn run_search(
        &self,
        query: &str,
        options: &SearchOptions,
        watch: Option<Watch<'_>>,
    ) -> Result<SearchResponse> {
        let begun = Instant::now();
        let query = self.compile(query)?;
        let view = self.view().await?;
        let mut stats = SearchStats {
            blocks: self.snapshot.blocks().len() as u64,
            spans: self.snapshot.blocks().iter().map(|block| block.spans()).sum(),
            ..SearchStats::default()
        };
        let (mut traces, mut partial) = (Vec::new(), false);
        if options.limit > 0 {
            let watermark = Watermark::new(options.limit);
            let (logical, labels) = self.plan(&view, &query, options, &watermark)?;
            let physical = self.session.physical_plan(&logical).await?;
            let task = self.session.limited_task(options.max_memory)?;
            let held = MemoryConsumer::new("answer").register(task.memory_pool());
            let (found, complete) = run_watched(&physical, task, &watermark, options, watch).await?;
            partial = !complete;
            let read = Snapshot::bytes_read_by_thread();
            let collected = collect_traces(&view, &query.fields, &labels, &found, options, &held);
            traces = collected.map_err(|error| explain_limit(error, options))?;
            stats.bytes_read = Snapshot::bytes_read_by_thread() - read;
            add_scans(&mut stats, &physical);
        }
        stats.elapsed = begun.elapsed();
        let last = traces.last().filter(|_| traces.len() == options.limit);
        let next = last.map(|trace| Cursor {
            id: trace.trace_id,
            key: match options.order.key {
                SearchKey::Start => trace.start_time_unix_nano,
                SearchKey::Duration => trace.duration_nanos,
            },
        });
        Ok(SearchResponse { traces, stats, partial, next })
    }

    /// The plan of a query as text. With `analyze` the query is run, and each operator tells what it did.
    ///
    /// # Errors
    /// As [`Engine::search`].
    pub async fn explain(&self, query: &str, options: &SearchOptions, analyze: bool) -> Result<String> {
        if let Body::Metrics(_) = crate::compile(query)?.body {
            let options = MetricsOptions::over(&self.snapshot, options.start, options.end, false);
            return self.explain_metrics(query, &options, analyze).await;
        }
        let query = self.compile(query)?;
        let view = self.view().await?;
        let (logical, labels) = self.plan(&view, &query, options, &Watermark::new(options.limit))?;
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
        let task = self.session.task();
        let held = MemoryConsumer::new("answer").register(task.memory_pool());
        let found = collect(Arc::clone(&physical), task).await?;
        let planned = begun.elapsed();
        let traces = collect_traces(&view, &query.fields, &labels, &found, options, &held)?;
        let shown = DisplayableExecutionPlan::with_metrics(physical.as_ref());
        let (total, count) = (begun.elapsed(), traces.len());
        Ok(format!(
            "Physical plan with metrics\n{}\n{count} traces; plan run in {planned:.2?}, results fetched in {:.2?}\n",
            shown.indent(true),
            total.saturating_sub(planned),
        ))
    }

    /// The query, if it is a search.
    pub(super) fn compile(&self, text: &str) -> Result<Search> {
        let Query { body, fields, .. } = crate::compile(text)?;
        let Body::Search(pipeline) = body else {
            let fault = Diagnostic::new("TQ0904", Span::new(0, text.len()), "this query has series, not traces");
            let fault = fault.help("ask for them over a range of time; without the function at its end it is a search");
            return Err(Diagnostics::new(text, vec![fault]).into());
        };
        if pipeline.depth() > MAX_DEPTH {
            return Err(Error::Limit(format!("a query may have {MAX_DEPTH} levels at most")));
        }
        Ok(Search { pipeline, fields, text: text.trim().to_owned() })
    }

    /// The logical plan of a search, and what answers call the attributes of its spansets.
    fn plan(
        &self,
        view: &Snapshot,
        search: &Search,
        options: &SearchOptions,
        watermark: &Watermark,
    ) -> Result<(LogicalPlan, Vec<String>)> {
        match search.pipeline.stages.as_slice() {
            [Stage::Spansets(Spansets::Filter(condition))] if self.options.pushdown => {
                Ok((self.plan_filter(view, condition, options, watermark)?, Vec::new()))
            }
            _ => self.plan_pipeline(view, search, options, watermark),
        }
    }

    /// One filter: the scan applies it, and knows by itself what it has found.
    fn plan_filter(
        &self,
        view: &Snapshot,
        filter: &Expr,
        options: &SearchOptions,
        watermark: &Watermark,
    ) -> Result<LogicalPlan> {
        let context = Context::new(view, self.session.context());
        let conditions = filter_conjuncts(&context, filter).map_err(Error::from)?;
        let time = options.time_range()?;
        let scan = self.filtered(view, &context, conditions, found(options), |table| {
            table.with_time_range(time).with_watermark(scan_watermark(options, watermark))
        })?;
        Ok(first_traces(view, scan, options, watermark))
    }

    /// The spans that meet all conditions: the scan applies them.
    pub(super) fn filtered(
        &self,
        view: &Snapshot,
        context: &Context<'_>,
        conditions: Vec<Logical>,
        delivered: Vec<SpanColumn>,
        narrow: impl FnOnce(SpanTable) -> SpanTable,
    ) -> Result<LogicalPlan> {
        let mut columns = delivered.clone();
        columns.extend(context.columns().into_iter().filter(|column| !delivered.contains(column)));
        let table = SpanTable::new(view.clone(), columns).with_pruning(self.options.pruning);
        let projection = (0..delivered.len()).collect();
        let filters = conditions.into_iter().filter(|condition| *condition != lit(true)).collect();
        let source = provider_as_source(Arc::new(narrow(table)));
        Ok(LogicalPlanBuilder::scan_with_filters("spans", source, Some(projection), filters)?.build()?)
    }

    /// Anything else: the scan marks what conditions are about, and the pipeline runs over the marks.
    pub(super) fn plan_pipeline(
        &self,
        view: &Snapshot,
        search: &Search,
        options: &SearchOptions,
        watermark: &Watermark,
    ) -> Result<(LogicalPlan, Vec<String>)> {
        let context = Context::new(view, self.session.context());
        let (asked, time) = (search.piped(found(options)), options.time_range()?);
        let (pipeline, labels) = self.everything(view, &context, asked, |table| {
            table.with_time_range(time).with_watermark(scan_watermark(options, watermark))
        })?;
        Ok((first_traces(view, pipeline, options, watermark), labels))
    }

    /// What a pipeline finds in the spans that are left of the table, and what answers call the attributes of its
    /// spansets.
    pub(super) fn everything(
        &self,
        view: &Snapshot,
        context: &Context<'_>,
        asked: Piped<'_>,
        narrow: impl FnOnce(SpanTable) -> SpanTable,
    ) -> Result<(LogicalPlan, Vec<String>)> {
        let Piped { pipeline, text, delivered, some } = asked;
        let planned = plan_pipeline(context, pipeline, text.to_owned(), delivered).map_err(Error::from)?;
        let PlannedPipeline { program, mut marks, columns: delivered } = planned;
        if !self.options.pushdown {
            (marks.select, marks.together) = (None, Vec::new());
        }
        if !some.is_empty() {
            marks.together.push(marks.conditions.len());
            marks.conditions.push(some);
        }
        let labels = program.labels.clone();
        let mut columns = delivered.clone();
        columns.extend(context.columns().into_iter().filter(|column| !delivered.contains(column)));
        let marked = columns.len()..columns.len() + marks.conditions.len();
        let projection = (0..delivered.len()).chain(marked).collect();
        let table =
            SpanTable::new(view.clone(), columns).with_codes().with_marks(marks).with_pruning(self.options.pruning);
        let source = provider_as_source(Arc::new(narrow(table)));
        let scan = LogicalPlanBuilder::scan("spans", source, Some(projection))?.build()?;
        let node = Arc::new(PipelineNode::new(scan, program)?);
        Ok((LogicalPlan::Extension(Extension { node }), labels))
    }
}

/// What the scan delivers for every matching span.
fn found(options: &SearchOptions) -> Vec<SpanColumn> {
    let key = match options.order.key {
        SearchKey::Start => SpanColumn::TraceStart,
        SearchKey::Duration => SpanColumn::TraceDuration,
    };
    vec![SpanColumn::Block, SpanColumn::Trace, SpanColumn::Row, key]
}

/// The watermark as the scan may use it: whoever wants another order than newest first, or another page, wants old
/// traces as well. It is shared all the same, so that a search can be stopped by it.
fn scan_watermark(options: &SearchOptions, watermark: &Watermark) -> Watermark {
    let newest_first = options.order == SearchOrder::default() && options.after.is_none();
    if newest_first { watermark.clone() } else { watermark.for_all() }
}

/// The first traces, in the order asked for, of what a plan over the view finds.
fn first_traces(view: &Snapshot, input: LogicalPlan, options: &SearchOptions, watermark: &Watermark) -> LogicalPlan {
    let node = TopTraces::new(input, options.limit, watermark.clone(), view.clone());
    let node = Arc::new(node.with_order(options.order, options.after));
    LogicalPlan::Extension(Extension { node })
}
