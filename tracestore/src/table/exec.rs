//! The physical scan: row groups of all blocks, newest first, dealt to the partitions in turn.

use std::{fmt, sync::Arc};

use arrow::{
    array::{AsArray, RecordBatch},
    datatypes::{UInt32Type, UInt64Type},
};
use datafusion::{
    common::{Result, internal_err, tree_node::TreeNodeRecursion},
    execution::{SendableRecordBatchStream, TaskContext, memory_pool::MemoryConsumer},
    physical_expr::{EquivalenceProperties, PhysicalExpr},
    physical_plan::{
        DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, ReplaceChildrenOptions,
        execution_plan::{Boundedness, EmissionType},
        metrics::{ExecutionPlanMetricsSet, MetricsSet},
        stream::RecordBatchStreamAdapter,
    },
};
use futures::stream;

use super::{
    metrics::ScanMetrics,
    unit::{Request, Unit},
    watermark::Watermark,
};
use crate::{block::SpanColumn, store::Snapshot};

/// A search for more traces than this is not expected to end in the newest part of a row group.
const MAX_EARLY_STOP: usize = 1_000;

/// Scans the spans of a snapshot: pruning, conditions and columns in one pass over each row group.
#[derive(Debug)]
pub struct SpanScanExec {
    snapshot: Snapshot,
    request: Arc<Request>,
    /// All row groups, those with the newest traces first.
    units: Vec<Unit>,
    watermark: Watermark,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl SpanScanExec {
    /// A scan that delivers what is requested, in at most `partitions` streams.
    pub(super) fn new(snapshot: Snapshot, request: Request, watermark: Watermark, partitions: usize) -> Result<Self> {
        let mut units: Vec<Unit> = Vec::new();
        let blocks = if request.asks_for_nothing()? { &[] } else { snapshot.blocks() };
        for (number, block) in (0..).zip(blocks) {
            let row_groups = block.meta().row_groups.iter().enumerate();
            let row_groups = row_groups.filter(|(_, meta)| !block.hides_all_of(meta));
            units.extend(row_groups.map(|(row_group, meta)| Unit {
                block: Arc::clone(block),
                number,
                row_group,
                rows: None,
                last_start: meta.last_start,
            }));
        }
        let newest_first = |units: &mut Vec<Unit>| {
            units.sort_by(|a, b| b.last_start.cmp(&a.last_start).then(a.number.cmp(&b.number)));
        };
        newest_first(&mut units);
        if watermark.limit() <= MAX_EARLY_STOP && !units.is_empty() {
            let newest = units.remove(0);
            units.extend(newest.split()?);
            newest_first(&mut units);
        }
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&request.schema)),
            Partitioning::UnknownPartitioning(partitions.min(units.len()).max(1)),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let request = Arc::new(request);
        let metrics = ExecutionPlanMetricsSet::new();
        Ok(Self { snapshot, request, units, watermark, properties: Arc::new(properties), metrics })
    }
}

impl DisplayAs for SpanScanExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (blocks, row_groups) = (self.snapshot.blocks().len(), self.units.len());
        let columns: Vec<String> = self.request.columns.iter().map(SpanColumn::name).collect();
        write!(f, "SpanScanExec: blocks={blocks}, units={row_groups}, columns=[{}]", columns.join(", "))?;
        if let Some(time) = self.request.time {
            write!(f, ", time={}..={}", time.start, time.end)?;
        }
        if !self.request.conjuncts.is_empty() {
            let conditions: Vec<String> =
                self.request.conjuncts.iter().map(|conjunct| conjunct.expr().to_string()).collect();
            write!(f, ", conditions=[{}]", conditions.join("; "))?;
        }
        if let Some(marks) = &self.request.marks {
            write!(f, ", {marks}")?;
        }
        Ok(())
    }
}

impl ExecutionPlan for SpanScanExec {
    fn name(&self) -> &str {
        "SpanScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() { Ok(self) } else { internal_err!("SpanScanExec has no inputs") }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() { Ok(self) } else { internal_err!("SpanScanExec has no inputs") }
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let marked = self.request.marks.iter().flat_map(|marks| marks.conditions.iter().flatten());
        for conjunct in self.request.conjuncts.iter().chain(marked) {
            if visit(conjunct.expr())? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let partitions = self.properties.partitioning.partition_count();
        let units: Vec<Unit> = self.units.iter().skip(partition).step_by(partitions).cloned().collect();
        let metrics = ScanMetrics::new(&self.metrics, partition);
        let (request, watermark) = (Arc::clone(&self.request), self.watermark.clone());
        // The last batch is reserved until the next: whoever took it may still work on it.
        let held = MemoryConsumer::new(format!("SpanScanExec[{partition}]")).register(context.memory_pool());
        let state = (units.into_iter(), request, watermark, metrics, held);
        let batches = stream::try_unfold(state, |(mut units, request, watermark, metrics, held)| async move {
            for unit in units.by_ref() {
                if request.ruled_out.contains(unit.number) {
                    metrics.row_groups.add(1);
                    metrics.pruned_by_dictionary.add(1);
                    continue;
                }
                // A row group is read in one go; between two of them others may run, and a dropped stream ends.
                tokio::task::yield_now().await;
                if unit.last_start < watermark.get() {
                    metrics.row_groups.add(1);
                    metrics.pruned_by_limit.add(1);
                    continue;
                }
                held.free();
                if let Some(batch) = unit.scan(&request, &metrics)? {
                    held.try_resize(batch.get_array_memory_size())?;
                    // Of what is marked it is not known yet whether it is found.
                    if request.marks.is_none() {
                        raise(&watermark, &batch);
                    }
                    return Ok(Some((batch, (units, request, watermark, metrics, held))));
                }
            }
            Ok(None)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// Raises the watermark by what one batch has: if there are as many traces in it as are collected, none that starts
/// before the oldest of them matters. The collector would say so too, but later.
fn raise(watermark: &Watermark, batch: &RecordBatch) {
    let column = |column: &SpanColumn| batch.column_by_name(&column.name());
    let traces = column(&SpanColumn::Trace).and_then(|array| array.as_primitive_opt::<UInt32Type>());
    let starts = column(&SpanColumn::TraceStart).and_then(|array| array.as_primitive_opt::<UInt64Type>());
    let (Some(traces), Some(starts)) = (traces, starts) else { return };
    // Traces ascend by start: the newest are at the end.
    let (mut count, mut previous) = (0, None);
    for (trace, start) in traces.values().iter().zip(starts.values()).rev() {
        if previous.replace(*trace) != Some(*trace) {
            count += 1;
            if count >= watermark.limit() {
                return watermark.raise(*start);
            }
        }
    }
}
