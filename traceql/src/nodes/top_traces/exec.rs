//! The execution: a heap of the newest traces, the oldest of them on top.

use std::{cmp::Reverse, collections::BinaryHeap, fmt, sync::Arc};

use datafusion::{
    arrow::{
        array::{Array, AsArray, PrimitiveArray, RecordBatch},
        compute::concat_batches,
        datatypes::{ArrowPrimitiveType, SchemaRef, UInt32Type, UInt64Type},
    },
    common::{Result, internal_err, tree_node::TreeNodeRecursion},
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::{EquivalenceProperties, PhysicalExpr},
    physical_plan::{
        DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, Partitioning, PlanProperties,
        ReplaceChildrenOptions,
        execution_plan::{Boundedness, EmissionType},
        metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet},
        stream::RecordBatchStreamAdapter,
    },
};
use futures::{StreamExt, stream};
use tracestore::{Snapshot, model::TraceId, table::Watermark};

/// Keeps the spans of the newest traces of its input.
#[derive(Debug)]
pub(super) struct TopTracesExec {
    input: Arc<dyn ExecutionPlan>,
    limit: usize,
    watermark: Watermark,
    snapshot: Snapshot,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl TopTracesExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, limit: usize, watermark: Watermark, snapshot: Snapshot) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        let (properties, metrics) = (Arc::new(properties), ExecutionPlanMetricsSet::new());
        Self { input, limit, watermark, snapshot, properties, metrics }
    }
}

impl DisplayAs for TopTracesExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TopTracesExec: limit={}", self.limit)
    }
}

impl ExecutionPlan for TopTracesExec {
    fn name(&self) -> &str {
        "TopTracesExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![Distribution::SinglePartition]
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match <[Arc<dyn ExecutionPlan>; 1]>::try_from(children) {
            Ok([input]) => Ok(Arc::new(Self::new(input, self.limit, self.watermark.clone(), self.snapshot.clone()))),
            Err(children) => internal_err!("TopTracesExec has one input, not {}", children.len()),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        use datafusion::physical_plan::ChildrenPropertiesMode;
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let mut input = self.input.execute(0, context)?;
        let baseline = BaselineMetrics::new(&self.metrics, partition);
        let traces_seen = MetricBuilder::new(&self.metrics).counter("traces_matched", partition);
        let (limit, watermark, schema) = (self.limit, self.watermark.clone(), self.schema());
        let snapshot = self.snapshot.clone();
        let result = async move {
            let mut newest = Newest { limit, watermark, snapshot, heap: BinaryHeap::new() };
            while let Some(batch) = input.next().await {
                let batch = batch?;
                let _timer = baseline.elapsed_compute().timer();
                traces_seen.add(newest.add(&batch)?);
            }
            let batch = newest.finish(&schema)?;
            baseline.record_output(batch.num_rows());
            Ok(batch)
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream::once(result))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// A trace that is among the newest so far. Ordered by start, then against its id, so that the greatest is the first of
/// the answer.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    start: u64,
    id: Reverse<TraceId>,
}

/// A candidate with its rows; the rows do not order.
#[derive(Debug)]
struct Kept {
    candidate: Candidate,
    rows: RecordBatch,
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.candidate == other.candidate
    }
}

impl Eq for Kept {}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.candidate.cmp(&other.candidate)
    }
}

struct Newest {
    limit: usize,
    watermark: Watermark,
    snapshot: Snapshot,
    /// The oldest of those kept is on top.
    heap: BinaryHeap<Reverse<Kept>>,
}

impl Newest {
    /// Takes a batch; returns how many traces it has.
    fn add(&mut self, batch: &RecordBatch) -> Result<usize> {
        let (blocks, traces) = (column::<UInt32Type>(batch, "block")?, column::<UInt32Type>(batch, "trace")?);
        let starts = column::<UInt64Type>(batch, "trace_start")?;
        let (mut count, mut first) = (0, 0);
        while let Some(trace) = traces.values().get(first) {
            let rest = traces.values().get(first..).unwrap_or(&[]);
            let len = rest.iter().take_while(|other| *other == trace).count();
            let start = starts.values().get(first).copied().unwrap_or(0);
            let oldest = self.heap.peek().filter(|_| self.heap.len() >= self.limit);
            if oldest.is_none_or(|Reverse(oldest)| oldest.candidate.start <= start) {
                let block = blocks.values().get(first).copied().unwrap_or(0);
                let candidate = Candidate { start, id: Reverse(self.snapshot.trace_id(block, *trace)?) };
                self.heap.push(Reverse(Kept { candidate, rows: batch.slice(first, len) }));
                if self.heap.len() > self.limit {
                    self.heap.pop();
                }
            }
            count += 1;
            first += len;
        }
        if self.heap.len() == self.limit
            && let Some(Reverse(oldest)) = self.heap.peek()
        {
            self.watermark.raise(oldest.candidate.start);
        }
        Ok(count)
    }

    /// The rows of the traces kept, newest trace first.
    fn finish(self, schema: &SchemaRef) -> Result<RecordBatch> {
        let kept = self.heap.into_sorted_vec();
        let batches: Vec<&RecordBatch> = kept.iter().map(|Reverse(kept)| &kept.rows).collect();
        Ok(concat_batches(schema, batches)?)
    }
}

fn column<T: ArrowPrimitiveType>(batch: &RecordBatch, name: &str) -> Result<PrimitiveArray<T>> {
    match batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<T>().cloned()) {
        Some(column) if column.null_count() == 0 => Ok(column),
        _ => internal_err!("TopTraces needs a column `{name}`"),
    }
}
