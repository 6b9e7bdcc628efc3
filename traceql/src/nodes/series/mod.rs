//! Series, counted: what every span adds to which value of which series.
//!
//! Input: rows of spans with their start, the columns that series are told apart by, and the one that is aggregated; from
//! the scan, or behind a pipeline (then a span may be there several times, and counts once). Output, for each partition
//! one batch: the cells of its series, see [`partial`]: what several partitions, and several processes, found is joined
//! by adding it up. Nothing depends on the order of rows: floats are summed exactly ([`exact`]).
//!
//! A batch is worked on column by column: the interval of each row, the code of each row's value for each label
//! ([`labels`]), the number of each combination of codes ([`groups`]), then the cells ([`state`]).

mod exact;
mod exec;
pub(crate) mod groups;
pub(crate) mod labels;
mod logical;
pub(crate) mod partial;
mod program;
pub(crate) mod rows;
pub(crate) mod samples;
pub(crate) mod state;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    catalog::Session,
    common::Result,
    logical_expr::{LogicalPlan, UserDefinedLogicalNode, physical_planning_context::PhysicalPlanningContext},
    physical_plan::ExecutionPlan,
    physical_planner::{ExtensionPlanner, PhysicalPlanner},
};
use exec::SeriesExec;
pub(crate) use logical::SeriesNode;
pub(crate) use program::{Measure, SeriesProgram};

/// Logical to physical.
#[derive(Debug)]
pub(crate) struct SeriesPlanner;

#[async_trait]
impl ExtensionPlanner for SeriesPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let (Some(node), [input]) = (node.as_any().downcast_ref::<SeriesNode>(), physical_inputs) else {
            return Ok(None);
        };
        Ok(Some(Arc::new(SeriesExec::new(Arc::clone(input), Arc::clone(&node.program)))))
    }
}
