//! The execution: each partition counts by itself, and gives its cells when its input is done.

use std::{fmt, sync::Arc};

use datafusion::{
    arrow::array::RecordBatch,
    common::{DataFusionError, Result, internal_err, tree_node::TreeNodeRecursion},
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::{EquivalenceProperties, PhysicalExpr},
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, ReplaceChildrenOptions,
        execution_plan::{Boundedness, EmissionType},
        metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet},
        stream::RecordBatchStreamAdapter,
    },
};
use futures::{StreamExt, stream};

use super::{
    SeriesProgram,
    groups::{Groups, RowGroups},
    labels::Labeler,
    partial,
    rows::{OUTSIDE, counted, positions, starts, weights},
    samples::Samples,
    state::State,
};
use crate::nodes::values::Number;

/// Counts the spans of its input into series.
#[derive(Debug)]
pub(super) struct SeriesExec {
    input: Arc<dyn ExecutionPlan>,
    program: Arc<SeriesProgram>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl SeriesExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, program: Arc<SeriesProgram>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(partial::schema()),
            input.output_partitioning().clone(),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { input, program, properties: Arc::new(properties), metrics: ExecutionPlanMetricsSet::new() }
    }
}

impl DisplayAs for SeriesExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SeriesExec: {}, intervals={}", self.program.text, self.program.intervals.len())
    }
}

impl ExecutionPlan for SeriesExec {
    fn name(&self) -> &str {
        "SeriesExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match <[Arc<dyn ExecutionPlan>; 1]>::try_from(children) {
            Ok([input]) => Ok(Arc::new(Self::new(input, Arc::clone(&self.program)))),
            Err(children) => internal_err!("SeriesExec has one input, not {}", children.len()),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        use datafusion::physical_plan::ChildrenPropertiesMode;
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let sources = self.program.by.iter().chain(&self.program.operand);
        for (_, expr) in sources.flat_map(|source| &source.parts) {
            if visit(expr)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let mut input = self.input.execute(partition, context)?;
        let baseline = BaselineMetrics::new(&self.metrics, partition);
        let program = Arc::clone(&self.program);
        let cells = stream::once(async move {
            let mut counter = Counter::new(&program);
            while let Some(batch) = input.next().await {
                let _timer = baseline.elapsed_compute().timer();
                counter.add(&batch?)?;
            }
            let _timer = baseline.elapsed_compute().timer();
            let batch = counter.finish()?;
            baseline.record_output(batch.num_rows());
            Ok(batch)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(partial::schema(), cells)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// A partition's counting.
struct Counter<'a> {
    program: &'a SeriesProgram,
    labelers: Vec<Labeler<'a>>,
    groups: Groups,
    state: State,
}

impl<'a> Counter<'a> {
    fn new(program: &'a SeriesProgram) -> Self {
        Self {
            program,
            labelers: program.by.iter().map(Labeler::new).collect(),
            groups: Groups::new(program.by.len()),
            state: State::new(program.measure, program.intervals.len(), program.max_memory),
        }
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = &*counted(batch, self.program.repeated, self.program.sample.as_ref())?;
        let intervals = positions(starts(batch)?, &self.program.intervals);
        let codes = self.labelers.iter_mut().map(|labeler| labeler.codes(batch)).collect::<Result<Vec<_>>>()?;
        let groups = self.groups.of_rows(codes, batch.num_rows());
        let samples = Samples::of(self.program.operand.as_ref(), batch)?;
        let weights = self.program.weighted.then(|| weights(batch)).transpose()?;
        count(&mut self.state, &intervals, &groups, &samples, weights.as_deref());
        self.check_memory()
    }

    fn check_memory(&self) -> Result<()> {
        let labels: usize = self.labelers.iter().map(Labeler::size).sum();
        let size = self.state.size().map(|size| size + labels + self.groups.size());
        if size.is_some_and(|size| size <= self.program.max_memory) {
            return Ok(());
        }
        let limit = self.program.max_memory;
        let reason = format!("the series of `{}` need more than {limit} bytes", self.program.text);
        Err(DataFusionError::ResourcesExhausted(reason))
    }

    fn finish(self) -> Result<RecordBatch> {
        let labels = |group: u32| {
            let codes = self.groups.codes(group, self.labelers.len());
            codes.into_iter().zip(&self.labelers).map(|(code, labeler)| labeler.value(code).cloned()).collect()
        };
        partial::to_batch(self.state.cells(), labels)
    }
}

/// Adds what rows have to the series that they are in.
fn count(state: &mut State, intervals: &[u32], groups: &RowGroups, samples: &Samples, weights: Option<&[u64]>) {
    let weight = |row: usize| weights.map_or(1, |weights| weights.get(row).copied().unwrap_or(1));
    let rows = intervals.iter().enumerate().filter(|(_, interval)| **interval != OUTSIDE);
    match (groups, samples) {
        (RowGroups::Same, _) => {
            rows.for_each(|(row, interval)| samples.each(row, |number| state.add(0, *interval, number, weight(row))));
        }
        (RowGroups::One(groups), Samples::Rows) if weights.is_none() => {
            let rows = intervals.iter().zip(groups).filter(|(interval, _)| **interval != OUTSIDE);
            rows.for_each(|(interval, group)| state.add(*group, *interval, Number::Int(1), 1));
        }
        (RowGroups::One(groups), _) => {
            for ((row, interval), group) in
                intervals.iter().enumerate().zip(groups).filter(|((_, interval), _)| **interval != OUTSIDE)
            {
                samples.each(row, |number| state.add(*group, *interval, number, weight(row)));
            }
        }
        (RowGroups::Many { .. }, _) => {
            for (row, interval) in rows {
                groups.each(row, |group| samples.each(row, |number| state.add(group, *interval, number, weight(row))));
            }
        }
    }
}
