//! The first traces, in some order, that have matching spans.
//!
//! Input: `block`, `trace`, `row`, and `trace_start` or `trace_duration` of matching spans, in any order of row groups; within one batch the
//! rows of a trace are contiguous, and no trace is in two batches (a row group ends with a trace). Output: the same
//! rows for the `limit` traces that come first in the order asked for (ties: smaller trace id), those traces in that order, the rows
//! of a trace in their own order.
//!
//! Memory: the batches that the rows of at most `limit` traces are in, and one batch; reserved from the task's pool. As
//! soon as `limit` traces are known, the watermark tells the scan which row groups cannot matter any more.

mod exec;
mod logical;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    catalog::Session,
    common::Result,
    logical_expr::{LogicalPlan, UserDefinedLogicalNode, physical_planning_context::PhysicalPlanningContext},
    physical_plan::{ExecutionPlan, coalesce_partitions::CoalescePartitionsExec},
    physical_planner::{ExtensionPlanner, PhysicalPlanner},
};
use exec::TopTracesExec;
pub(crate) use logical::TopTraces;

/// Logical to physical.
#[derive(Debug)]
pub(crate) struct TopTracesPlanner;

#[async_trait]
impl ExtensionPlanner for TopTracesPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let (Some(node), [input]) = (node.as_any().downcast_ref::<TopTraces>(), physical_inputs) else {
            return Ok(None);
        };
        let input = match input.properties().partitioning.partition_count() {
            0 | 1 => Arc::clone(input),
            _ => Arc::new(CoalescePartitionsExec::new(Arc::clone(input))) as Arc<dyn ExecutionPlan>,
        };
        Ok(Some(Arc::new(TopTracesExec::new(input, node.clone()))))
    }
}
