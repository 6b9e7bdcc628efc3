//! Pipelines: spansets, stage by stage.
//!
//! Input: rows of whole traces as far as a query is about them: `block`, `trace`, `row`, `trace_start`, a mark for every
//! condition ([`tracestore::table::Marks`]), the structure if the query relates spans by it (then every row of a trace is
//! there), and the columns that groups and aggregates are computed from. Within a batch the rows of a trace are
//! contiguous, and no trace is in two batches. Output: the rows of the spansets that are left, spanset by spanset, with
//! `spanset` (its number in its trace) and `attributes` (what stages found out about it, see [`attributes`]).
//!
//! A batch is worked on alone, so partitions run side by side and memory is that of a row group. Conditions, structure
//! and values are arrays: [`spansets`] moves row numbers about, [`structure`] has the kernels.

pub(crate) mod attributes;
mod exec;
mod logical;
mod number;
mod program;
mod spansets;
mod structure;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    catalog::Session,
    common::Result,
    logical_expr::{LogicalPlan, UserDefinedLogicalNode, physical_planning_context::PhysicalPlanningContext},
    physical_plan::ExecutionPlan,
    physical_planner::{ExtensionPlanner, PhysicalPlanner},
};
use exec::PipelineExec;
pub(crate) use logical::PipelineNode;
pub(crate) use program::{Aggregate, Program, Scalar, Step, Tree};

/// Logical to physical.
#[derive(Debug)]
pub(crate) struct PipelinePlanner;

#[async_trait]
impl ExtensionPlanner for PipelinePlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let (Some(node), [input]) = (node.as_any().downcast_ref::<PipelineNode>(), physical_inputs) else {
            return Ok(None);
        };
        Ok(Some(Arc::new(PipelineExec::new(Arc::clone(input), Arc::clone(&node.program)))))
    }
}
