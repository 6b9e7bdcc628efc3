//! An operator that makes one batch of all of its input, each partition by itself: what [`super::series`],
//! [`super::compare`] and [`super::exemplars`] have in common. What a row adds is said by a [`Gather`].

mod exec;
mod logical;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use datafusion::{
    arrow::{array::RecordBatch, datatypes::SchemaRef},
    catalog::Session,
    common::Result,
    logical_expr::{LogicalPlan, UserDefinedLogicalNode, physical_planning_context::PhysicalPlanningContext},
    physical_plan::ExecutionPlan,
    physical_planner::{ExtensionPlanner, PhysicalPlanner},
};
use exec::GatherExec;
pub(crate) use logical::GatherNode;

use super::values::Source;

/// What is gathered.
pub(crate) trait Gather: fmt::Debug + Send + Sync {
    /// What EXPLAIN calls the logical and the physical operator.
    fn names(&self) -> [&'static str; 2];

    /// What is gathered, as text.
    fn text(&self) -> &str;

    /// The columns of the batches that come of it.
    fn schema(&self) -> SchemaRef;

    /// The expressions that are evaluated on rows.
    fn sources(&self) -> Vec<&Source>;

    /// Begins with a partition.
    fn begin(&self) -> Box<dyn Gathering + '_>;
}

/// What a partition has so far.
pub(crate) trait Gathering: Send {
    /// Adds rows.
    fn add(&mut self, batch: &RecordBatch) -> Result<()>;

    /// What came of all rows.
    fn finish(self: Box<Self>) -> Result<RecordBatch>;
}

/// Logical to physical.
#[derive(Debug)]
pub(crate) struct GatherPlanner;

#[async_trait]
impl ExtensionPlanner for GatherPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let (Some(node), [input]) = (node.as_any().downcast_ref::<GatherNode>(), physical_inputs) else {
            return Ok(None);
        };
        Ok(Some(Arc::new(GatherExec::new(Arc::clone(input), Arc::clone(&node.program)))))
    }
}
