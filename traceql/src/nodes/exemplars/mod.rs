//! Spans that stand behind the values of series.
//!
//! Input: as for [`super::series`], with `block`, `row` and the hashes of ids. The range is divided into equal parts; of
//! each series and part (and bucket) the two spans of different traces with the smallest hashes are chosen, the trace's first: always
//! the same ones, however the data is cut. Output, for each partition one batch of those it has met ([`choice`]); they
//! are joined by choosing again.

pub(crate) mod choice;
mod exec;
mod logical;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    catalog::Session,
    common::Result,
    logical_expr::{LogicalPlan, UserDefinedLogicalNode, physical_planning_context::PhysicalPlanningContext},
    physical_plan::ExecutionPlan,
    physical_planner::{ExtensionPlanner, PhysicalPlanner},
};
use exec::ExemplarsExec;
pub(crate) use logical::ExemplarsNode;

use super::{series::rows::Sample, values::Source};
use crate::series::Intervals;

/// What is chosen, as the executor takes it. Made by [`crate::engine`].
#[derive(Debug)]
pub(crate) struct ExemplarsProgram {
    /// What each span adds; `None` for one.
    pub(crate) operand: Option<Source>,
    /// What series are told apart by.
    pub(crate) by: Vec<Source>,
    pub(crate) intervals: Intervals,
    /// Whether each bucket of a series is one of its own.
    pub(crate) buckets: bool,
    /// How many parts the range has.
    pub(crate) parts: u32,
    /// Whether a span may be in several rows.
    pub(crate) repeated: bool,
    /// Only these spans.
    pub(crate) sample: Option<Sample>,
    /// The function as text, for EXPLAIN.
    pub(crate) text: String,
}

/// Logical to physical.
#[derive(Debug)]
pub(crate) struct ExemplarsPlanner;

#[async_trait]
impl ExtensionPlanner for ExemplarsPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let (Some(node), [input]) = (node.as_any().downcast_ref::<ExemplarsNode>(), physical_inputs) else {
            return Ok(None);
        };
        Ok(Some(Arc::new(ExemplarsExec::new(Arc::clone(input), Arc::clone(&node.program)))))
    }
}
