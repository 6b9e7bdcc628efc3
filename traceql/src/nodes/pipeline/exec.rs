//! The execution: batch by batch, partition by partition.

use std::{fmt, ops::Range, sync::Arc};

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, BinaryBuilder, PrimitiveArray, RecordBatch, UInt32Array},
        compute::take,
        datatypes::{ArrowPrimitiveType, Schema, SchemaRef, UInt32Type, UInt64Type},
    },
    common::{Result, internal_err, tree_node::TreeNodeRecursion},
    execution::{SendableRecordBatchStream, TaskContext, memory_pool::MemoryConsumer},
    physical_expr::{EquivalenceProperties, PhysicalExpr},
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, ReplaceChildrenOptions,
        execution_plan::{Boundedness, EmissionType},
        metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet},
        stream::RecordBatchStreamAdapter,
    },
};
use futures::{StreamExt, TryStreamExt, future};
use tracestore::{block::SpanColumn, table::Marks};

use super::{
    Program,
    attributes::encode,
    logical::output_fields,
    spansets::{Rows, Spanset},
    structure::families,
};

/// Runs a pipeline on the batches of its input.
#[derive(Debug)]
pub(super) struct PipelineExec {
    input: Arc<dyn ExecutionPlan>,
    program: Arc<Program>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl PipelineExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, program: Arc<Program>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::new(Schema::new(output_fields(&program, &input.schema())))),
            input.output_partitioning().clone(),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { input, program, properties: Arc::new(properties), metrics: ExecutionPlanMetricsSet::new() }
    }
}

impl DisplayAs for PipelineExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PipelineExec: {}", self.program.text)
    }
}

impl ExecutionPlan for PipelineExec {
    fn name(&self) -> &str {
        "PipelineExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    /// A batch has whole traces, and stays as it is.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match <[Arc<dyn ExecutionPlan>; 1]>::try_from(children) {
            Ok([input]) => Ok(Arc::new(Self::new(input, Arc::clone(&self.program)))),
            Err(children) => internal_err!("PipelineExec has one input, not {}", children.len()),
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
        for (_, expr) in self.program.sources.iter().flat_map(|source| &source.parts) {
            if visit(expr)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, Arc::clone(&context))?;
        let baseline = BaselineMetrics::new(&self.metrics, partition);
        let (program, schema) = (Arc::clone(&self.program), self.schema());
        // Beside the batch, which is the input's: what is made of it, and then the last output until the next.
        let held = MemoryConsumer::new(format!("PipelineExec[{partition}]")).register(context.memory_pool());
        let batches = input.map(move |batch| {
            let batch = batch?;
            let _timer = baseline.elapsed_compute().timer();
            held.free();
            let rows = rows(&program, &batch)?;
            held.try_grow(rows.size())?;
            let spansets = rows.run(&program.steps);
            held.try_grow(spansets.iter().map(Spanset::size).sum())?;
            let out = output(&program, &rows, &spansets, &batch, &schema)?;
            drop((rows, spansets));
            held.try_resize(out.get_array_memory_size())?;
            baseline.record_output(out.num_rows());
            Ok(out)
        });
        let batches = batches.try_filter(|batch| future::ready(batch.num_rows() > 0));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// A batch as the steps see it.
fn rows(program: &Program, batch: &RecordBatch) -> Result<Rows> {
    let traces = traces(&column::<UInt32Type>(batch, &SpanColumn::Trace)?);
    let mut rows = Rows { traces, ..Rows::default() };
    for mark in 0..program.marks {
        let name = Marks::name(mark);
        let Some(marks) = batch.column_by_name(&name).and_then(|array| array.as_boolean_opt()) else {
            return internal_err!("a pipeline needs a column `{name}`");
        };
        rows.marks.push(marks.values().iter().collect());
    }
    if program.structural {
        rows.parent_offsets = column::<UInt32Type>(batch, &SpanColumn::ParentOffset)?.values().to_vec();
        rows.descendants = column::<UInt32Type>(batch, &SpanColumn::Descendants)?.values().to_vec();
    }
    if program.siblings {
        let name = SpanColumn::MissingParent.name();
        let Some(missing) = batch.column_by_name(&name).and_then(|array| array.as_primitive_opt::<UInt64Type>()) else {
            return internal_err!("a pipeline needs a column `{name}`");
        };
        let starts: Vec<u32> = rows.traces.iter().map(|rows| rows.start as u32).collect();
        let missing_parent = |row: usize| missing.is_valid(row).then(|| missing.value(row));
        rows.families = families(&rows.parent_offsets, &starts, missing_parent);
    }
    for source in &program.sources {
        let (groups, numbers) = source.evaluate(batch)?;
        rows.groups.push(groups);
        rows.numbers.push(numbers);
    }
    Ok(rows)
}

/// The rows of each trace.
fn traces(ordinals: &PrimitiveArray<UInt32Type>) -> Vec<Range<usize>> {
    let mut traces: Vec<Range<usize>> = Vec::new();
    for chunk in ordinals.values().chunk_by(|a, b| a == b) {
        let start = traces.last().map_or(0, |last| last.end);
        traces.push(start..start + chunk.len());
    }
    traces
}

fn column<T: ArrowPrimitiveType>(batch: &RecordBatch, column: &SpanColumn) -> Result<PrimitiveArray<T>> {
    let name = column.name();
    match batch.column_by_name(&name).and_then(|array| array.as_primitive_opt::<T>().cloned()) {
        Some(array) if array.null_count() == 0 => Ok(array),
        _ => internal_err!("a pipeline needs a column `{name}`"),
    }
}

/// The rows of the spansets, one after the other.
fn output(
    program: &Program,
    rows: &Rows,
    spansets: &[Spanset],
    batch: &RecordBatch,
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let count = spansets.iter().map(|spanset| spanset.rows.len()).sum();
    let (mut places, mut numbers) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut attributes = BinaryBuilder::new();
    let mut bytes = Vec::new();
    let (mut last, mut number) = (None, 0);
    for spanset in spansets {
        number = if last.replace(spanset.trace) == Some(spanset.trace) { number + 1 } else { 0 };
        bytes.clear();
        let values = spanset.attributes.iter().map(|(label, found)| (*label, rows.value(*found)));
        encode(&values.collect::<Vec<_>>(), &mut bytes);
        for row in &spanset.rows {
            places.push(*row);
            numbers.push(number);
            attributes.append_value(&bytes);
        }
    }
    let places = UInt32Array::from(places);
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for column in &program.place {
        let name = column.name();
        let Some(array) = batch.column_by_name(&name) else {
            return internal_err!("a pipeline needs a column `{name}`");
        };
        arrays.push(take(array, &places, None)?);
    }
    arrays.push(Arc::new(UInt32Array::from(numbers)));
    arrays.push(Arc::new(attributes.finish()));
    Ok(RecordBatch::try_new(Arc::clone(schema), arrays)?)
}
