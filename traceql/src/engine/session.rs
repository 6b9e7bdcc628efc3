//! DataFusion as this engine uses it: plans are made as they are to be run, so few of its rules are needed.

use std::{num::NonZero, sync::Arc};

use datafusion::{
    common::Result,
    execution::{
        SessionState, SessionStateBuilder, TaskContext, memory_pool::GreedyMemoryPool, runtime_env::RuntimeEnvBuilder,
    },
    logical_expr::LogicalPlan,
    physical_plan::ExecutionPlan,
    physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner},
    prelude::{SessionConfig, SessionContext},
};

use crate::nodes::{gather::GatherPlanner, pipeline::PipelinePlanner, top_traces::TopTracesPlanner};

/// A DataFusion session. Clones share it.
#[derive(Clone)]
pub(super) struct Session {
    context: SessionContext,
    state: Arc<SessionState>,
}

impl Session {
    pub(super) fn new(partitions: Option<NonZero<usize>>) -> Self {
        let threads = partitions.or(std::thread::available_parallelism().ok()).map_or(1, NonZero::get);
        // Filters are handed to the scan, and operators are placed, by the planner itself: no rule has anything to do,
        // and each would cost its part of a millisecond.
        let state = SessionStateBuilder::new()
            .with_config(SessionConfig::new().with_target_partitions(threads))
            .with_analyzer_rules(Vec::new())
            .with_optimizer_rules(Vec::new())
            .with_physical_optimizer_rules(Vec::new())
            .build();
        Self { context: SessionContext::new_with_state(state.clone()), state: Arc::new(state) }
    }

    pub(super) fn context(&self) -> &SessionContext {
        &self.context
    }

    pub(super) fn task(&self) -> Arc<TaskContext> {
        self.context.task_ctx()
    }

    /// A task with a pool of memory of its own, from which its operators reserve what they hold.
    pub(super) fn limited_task(&self, max_memory: Option<u64>) -> Result<Arc<TaskContext>> {
        let Some(limit) = max_memory else { return Ok(self.task()) };
        let pool = GreedyMemoryPool::new(usize::try_from(limit).unwrap_or(usize::MAX));
        let runtime = RuntimeEnvBuilder::from_runtime_env(&self.context.runtime_env()).with_memory_pool(Arc::new(pool));
        Ok(Arc::new(TaskContext::from(self.state.as_ref()).with_runtime(runtime.build_arc()?)))
    }

    /// Logical to physical.
    pub(super) async fn physical_plan(&self, plan: &LogicalPlan) -> Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![
            Arc::new(TopTracesPlanner),
            Arc::new(PipelinePlanner),
            Arc::new(GatherPlanner),
        ]);
        planner.create_physical_plan(plan, self.state.as_ref()).await
    }
}
