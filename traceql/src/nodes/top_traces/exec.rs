//! The execution: a heap of the first traces, the last of them on top.

use std::{cmp::Reverse, collections::BinaryHeap, fmt, sync::Arc};

use datafusion::{
    arrow::{
        array::{Array, AsArray, PrimitiveArray, RecordBatch},
        compute::concat_batches,
        datatypes::{ArrowPrimitiveType, Int64Type, SchemaRef, UInt32Type, UInt64Type},
    },
    common::{Result, internal_err, tree_node::TreeNodeRecursion},
    execution::{
        SendableRecordBatchStream, TaskContext,
        memory_pool::{MemoryConsumer, MemoryReservation},
    },
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
use tracestore::model::TraceId;

use super::TopTraces;
use crate::{SearchKey, SearchOrder};

/// Keeps the spans of the first traces of its input.
#[derive(Debug)]
pub(super) struct TopTracesExec {
    input: Arc<dyn ExecutionPlan>,
    node: TopTraces,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl TopTracesExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, node: TopTraces) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { input, node, properties: Arc::new(properties), metrics: ExecutionPlanMetricsSet::new() }
    }
}

impl DisplayAs for TopTracesExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TopTracesExec: limit={}", self.node.limit)
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
            Ok([input]) => Ok(Arc::new(Self::new(input, self.node.clone()))),
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
        let held = MemoryConsumer::new("TopTracesExec").register(context.memory_pool());
        let mut input = self.input.execute(0, context)?;
        let baseline = BaselineMetrics::new(&self.metrics, partition);
        let traces_seen = MetricBuilder::new(&self.metrics).counter("traces_matched", partition);
        let (node, schema) = (self.node.clone(), self.schema());
        let result = async move {
            let mut first = First { node, heap: BinaryHeap::new(), held };
            while let Some(batch) = input.next().await {
                let _timer = baseline.elapsed_compute().timer();
                traces_seen.add(first.add(&batch?)?);
            }
            let batch = first.finish(&schema)?;
            baseline.record_output(batch.num_rows());
            Ok(batch)
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream::once(result))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// A trace that is among the first so far. Ordered so that the greatest is the first of the answer: by its key, turned
/// round where the smallest comes first, then against its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    rank: u64,
    id: Reverse<TraceId>,
}

/// A candidate with its rows; the rows do not order.
#[derive(Debug)]
struct Kept {
    candidate: Candidate,
    rows: RecordBatch,
    /// The rows are part of a batch, which they keep in memory: reserved as long as rows of it are kept.
    _held: Arc<MemoryReservation>,
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

struct First {
    node: TopTraces,
    /// The last of those kept is on top.
    heap: BinaryHeap<Reverse<Kept>>,
    /// Empty: what reservations are made from.
    held: MemoryReservation,
}

impl First {
    fn rank(&self, key: u64) -> u64 {
        if self.node.order.ascending { u64::MAX - key } else { key }
    }

    /// The key of every row's trace.
    fn keys(&self, batch: &RecordBatch) -> Result<Vec<u64>> {
        Ok(match self.node.order.key {
            SearchKey::Start => column::<UInt64Type>(batch, "trace_start")?.values().to_vec(),
            SearchKey::Duration => {
                let durations = column::<Int64Type>(batch, "trace_duration")?;
                durations.values().iter().map(|duration| duration.unsigned_abs()).collect()
            }
        })
    }

    /// Takes a batch; returns how many traces it has.
    fn add(&mut self, batch: &RecordBatch) -> Result<usize> {
        let (blocks, traces) = (column::<UInt32Type>(batch, "block")?, column::<UInt32Type>(batch, "trace")?);
        let keys = self.keys(batch)?;
        let after = self.node.after.map(|after| Candidate { rank: self.rank(after.key), id: Reverse(after.id) });
        let (mut count, mut first) = (0, 0);
        let mut held: Option<Arc<MemoryReservation>> = None;
        while let Some(trace) = traces.values().get(first) {
            let rest = traces.values().get(first..).unwrap_or(&[]);
            let len = rest.iter().take_while(|other| *other == trace).count();
            let rank = self.rank(keys.get(first).copied().unwrap_or(0));
            let last = self.heap.peek().filter(|_| self.heap.len() >= self.node.limit);
            let fits = last.is_none_or(|Reverse(last)| last.candidate.rank <= rank);
            if fits && after.is_none_or(|after| rank <= after.rank) {
                let block = blocks.values().get(first).copied().unwrap_or(0);
                let candidate = Candidate { rank, id: Reverse(self.node.snapshot.trace_id(block, *trace)?) };
                if after.is_none_or(|after| candidate < after) {
                    let held = match &held {
                        Some(held) => Arc::clone(held),
                        None => Arc::clone(held.insert(self.reserve(batch)?)),
                    };
                    self.heap.push(Reverse(Kept { candidate, rows: batch.slice(first, len), _held: held }));
                }
                if self.heap.len() > self.node.limit {
                    self.heap.pop();
                }
            }
            count += 1;
            first += len;
        }
        let newest_first = self.node.order == SearchOrder::default();
        if newest_first
            && self.heap.len() == self.node.limit
            && let Some(Reverse(last)) = self.heap.peek()
        {
            self.node.watermark.raise(last.candidate.rank);
        }
        Ok(count)
    }

    fn reserve(&self, batch: &RecordBatch) -> Result<Arc<MemoryReservation>> {
        let held = self.held.new_empty();
        held.try_grow(batch.get_array_memory_size())?;
        Ok(Arc::new(held))
    }

    /// The rows of the traces kept, in their order.
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
