//! One query of a metrics expression: plan, count, and series of what was counted.

use std::{sync::Arc, time::Instant};

use datafusion::{
    arrow::array::RecordBatch,
    logical_expr::{Expr as Logical, Extension, LogicalPlan, lit},
    physical_plan::{collect, display::DisplayableExecutionPlan},
};
use tracestore::{
    block::SpanColumn,
    table::{SpanTable, Watermark},
};

use super::{Run, answer::Answer, compare};
use crate::{
    Error, Result,
    engine::{
        SearchOptions,
        search::{MAX_DEPTH, Piped},
        watch::{add_scans, run_watched},
    },
    ir::{Const, Expr, MetricsFunction, MetricsFunctionKind, Pipeline, Spansets, Stage},
    nodes::{
        compare::CompareProgram,
        gather::GatherNode,
        series::{
            Measure, SeriesProgram,
            partial::{Cells, Merged},
            state::State,
        },
    },
    plan::{Context, PlannedComparison, PlannedSeries, filter_conjuncts, plan_comparison, plan_series},
    syntax::ast::Field,
};

/// A query: what picks spans, and what is made of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf<'m> {
    pub(super) pipeline: &'m Pipeline,
    pub(super) function: &'m MetricsFunction,
    pub(super) text: &'m String,
    /// Whether nothing can be found, whatever the data.
    pub(super) nothing: bool,
}

impl Leaf<'_> {
    fn check_depth(&self) -> Result<()> {
        match self.pipeline.depth() > MAX_DEPTH {
            true => Err(Error::Limit(format!("a query may have {MAX_DEPTH} levels at most"))),
            false => Ok(()),
        }
    }

    /// What series are told apart by; a field that is named twice is one label (SEMANTICS.md M6).
    fn by(&self) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::with_capacity(self.function.by.len());
        for field in &self.function.by {
            if !fields.contains(field) {
                fields.push(field.clone());
            }
        }
        fields
    }

    /// The condition that spans must meet, if they are picked by nothing else, one by one.
    fn condition(&self) -> Option<Expr> {
        let mut conditions = Vec::new();
        for stage in &self.pipeline.stages {
            match stage {
                Stage::Spansets(Spansets::Filter(Expr::Const(Const::Bool(true)))) | Stage::Select(_) => {}
                Stage::Spansets(Spansets::Filter(condition)) => conditions.push(condition.clone()),
                _ => return None,
            }
        }
        Some(match conditions.len() {
            0 => Expr::Const(Const::Bool(true)),
            1 => conditions.swap_remove(0),
            _ => Expr::And(conditions),
        })
    }
}

impl Run<'_> {
    /// Counts a query, and notes its series, with at most `budget` exemplars each.
    pub(super) async fn compute(&mut self, leaf: Leaf<'_>, budget: usize, begun: Instant) -> Result<()> {
        leaf.check_depth()?;
        let series = match &leaf.function.kind {
            MetricsFunctionKind::Compare { selection, top, range } => {
                let plan = self.plan_comparison(&leaf, selection, *range)?;
                let merged = self.run(&plan, Vec::new(), begun).await?;
                compare::series(&merged, *top, &self.intervals, self.hints.scale())
            }
            _ => {
                let by = leaf.by();
                let plan = self.plan_series(&leaf, &by)?;
                let state = State::new(self.measure(leaf.function), self.intervals.len(), self.max_memory());
                let merged = self.run(&plan, state, begun).await?;
                let answer =
                    Answer { function: leaf.function, by: &by, intervals: self.intervals, scale: self.hints.scale() };
                let mut series = answer.series(&merged, !leaf.nothing);
                if budget > 0 && !series.is_empty() {
                    self.add_exemplars(&leaf, &by, budget, &mut series, begun).await?;
                }
                series
            }
        };
        self.known.insert(leaf.text.clone(), series);
        Ok(())
    }

    /// Runs a plan that gives cells, and adds them up.
    async fn run<C: Cells>(&mut self, plan: &LogicalPlan, cells: C, begun: Instant) -> Result<Merged<C>> {
        let mut merged = Merged::new(cells);
        for batch in &self.collect(plan, begun).await? {
            merged.add(batch)?;
        }
        self.counted += merged.counted;
        Ok(merged)
    }

    /// Runs a plan; all plans of a query together have the time that the options give.
    pub(super) async fn collect(&mut self, plan: &LogicalPlan, begun: Instant) -> Result<Vec<RecordBatch>> {
        let physical = self.engine.session.physical_plan(plan).await?;
        let task = self.engine.session.limited_task(Some(self.options.max_memory))?;
        let timeout = self.options.timeout.map(|timeout| timeout.saturating_sub(begun.elapsed()));
        let limits = SearchOptions::default()
            .with_limits(timeout, self.options.max_bytes, false)
            .with_max_memory(Some(self.options.max_memory));
        let (batches, _) = run_watched(&physical, task, &Watermark::default(), &limits, None).await?;
        add_scans(&mut self.stats, &physical);
        Ok(batches)
    }

    /// The plan of a query as text.
    pub(super) async fn explain(&self, leaf: Leaf<'_>, analyze: bool) -> Result<String> {
        leaf.check_depth()?;
        let logical = match &leaf.function.kind {
            MetricsFunctionKind::Compare { selection, range, .. } => self.plan_comparison(&leaf, selection, *range)?,
            _ => self.plan_series(&leaf, &leaf.by())?,
        };
        let physical = self.engine.session.physical_plan(&logical).await?;
        if !analyze {
            let physical = DisplayableExecutionPlan::new(physical.as_ref());
            let (logical, physical) = (logical.display_indent(), physical.indent(true));
            return Ok(format!("Logical plan\n{logical}\n\nPhysical plan\n{physical}"));
        }
        let begun = Instant::now();
        let cells = collect(Arc::clone(&physical), self.engine.session.task()).await?;
        let elapsed = begun.elapsed();
        let cells: usize = cells.iter().map(RecordBatch::num_rows).sum();
        let shown = DisplayableExecutionPlan::with_metrics(physical.as_ref());
        Ok(format!("Physical plan with metrics\n{}\n{cells} cells in {elapsed:.2?}\n", shown.indent(true)))
    }

    fn max_memory(&self) -> usize {
        usize::try_from(self.options.max_memory).unwrap_or(usize::MAX)
    }

    /// What is kept of spans for a function.
    fn measure(&self, function: &MetricsFunction) -> Measure {
        match function.kind {
            MetricsFunctionKind::Rate | MetricsFunctionKind::CountOverTime | MetricsFunctionKind::Compare { .. } => {
                Measure::Count
            }
            MetricsFunctionKind::MinOverTime(_) => Measure::Least,
            MetricsFunctionKind::MaxOverTime(_) => Measure::Greatest,
            MetricsFunctionKind::AvgOverTime(_) | MetricsFunctionKind::SumOverTime(_) => Measure::Sum,
            MetricsFunctionKind::QuantileOverTime(..) if self.hints.exact => Measure::Values,
            MetricsFunctionKind::HistogramOverTime(_) | MetricsFunctionKind::QuantileOverTime(..) => Measure::Buckets,
        }
    }

    fn plan_series(&self, leaf: &Leaf<'_>, by: &[Field]) -> Result<LogicalPlan> {
        let context = Context::new(&self.view, self.engine.session.context());
        let PlannedSeries { operand, by, columns } = plan_series(&context, leaf.function, by).map_err(Error::from)?;
        let (input, repeated) = self.input(&context, leaf, columns)?;
        let program = SeriesProgram {
            measure: self.measure(leaf.function),
            operand,
            by,
            intervals: self.intervals,
            repeated,
            sample: self.hints.sample.clone(),
            weighted: self.hints.extrapolate,
            max_memory: self.max_memory(),
            text: leaf.text.clone(),
        };
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(GatherNode::new(input, program)?) }))
    }

    fn plan_comparison(&self, leaf: &Leaf<'_>, selection: &Expr, range: Option<(u64, u64)>) -> Result<LogicalPlan> {
        let context = Context::new(&self.view, self.engine.session.context());
        let PlannedComparison { selection, attributes, columns } =
            plan_comparison(&context, &self.view, selection).map_err(Error::from)?;
        let (input, repeated) = self.input(&context, leaf, columns)?;
        let program = CompareProgram {
            selection,
            range,
            attributes,
            intervals: self.intervals,
            repeated,
            sample: self.hints.sample.clone(),
            weighted: self.hints.extrapolate,
            max_memory: self.max_memory(),
            text: leaf.text.clone(),
        };
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(GatherNode::new(input, program)?) }))
    }

    /// The spans that a query picks with some columns, and whether one may be there several times.
    pub(super) fn input(
        &self,
        context: &Context<'_>,
        leaf: &Leaf<'_>,
        columns: Vec<SpanColumn>,
    ) -> Result<(LogicalPlan, bool)> {
        let mut columns = columns;
        let sampled = self.hints.sample.iter().map(|sample| sample.column.clone());
        let sampled = sampled.chain(self.hints.extrapolate.then_some(SpanColumn::Weight));
        columns.extend(sampled.filter(|column| !columns.contains(column)).collect::<Vec<_>>());
        Ok(match leaf.condition().filter(|_| self.engine.options.pushdown) {
            Some(condition) => (self.filtered(context, &condition, columns)?, false),
            None => (self.piped(context, leaf, columns)?, true),
        })
    }

    /// Spans that meet one condition: the scan applies it.
    fn filtered(&self, context: &Context<'_>, condition: &Expr, delivered: Vec<SpanColumn>) -> Result<LogicalPlan> {
        let mut conditions = filter_conjuncts(context, condition).map_err(Error::from)?;
        conditions.extend(self.in_range(context));
        self.engine.filtered(&self.view, context, conditions, delivered, SpanTable::with_codes)
    }

    /// What a pipeline finds: the scan marks what conditions are about. A trace without a span in the range adds nothing.
    fn piped(&self, context: &Context<'_>, leaf: &Leaf<'_>, columns: Vec<SpanColumn>) -> Result<LogicalPlan> {
        let mut place = vec![SpanColumn::Trace, SpanColumn::Row];
        place.extend(columns.into_iter().filter(|column| ![SpanColumn::Trace, SpanColumn::Row].contains(column)));
        let (pipeline, text, some) = (leaf.pipeline, leaf.text.as_str(), self.in_range(context));
        let asked = Piped { pipeline, text, delivered: place, some };
        Ok(self.engine.everything(&self.view, context, asked, |table| table)?.0)
    }

    /// The conditions that a span starts in the range; none where all blocks lie in it.
    fn in_range(&self, context: &Context<'_>) -> Vec<Logical> {
        let (after, until) = self.intervals.range();
        let inside = |(start, end): (u64, u64)| after < start && end <= until;
        if self.view.blocks().iter().all(|block| inside(block.time_range())) {
            return Vec::new();
        }
        let start = context.column(SpanColumn::StartTime);
        vec![start.clone().gt(lit(after)), start.lt_eq(lit(until))]
    }
}
