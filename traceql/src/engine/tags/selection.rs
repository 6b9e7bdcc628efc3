//! Which spans are meant, and the scan that delivers columns of them.

use std::sync::Arc;

use datafusion::{
    datasource::provider_as_source,
    logical_expr::{LogicalPlanBuilder, lit},
    physical_plan::ExecutionPlan,
};
use tracestore::{Snapshot, block::SpanColumn, model::TimeRange, table::SpanTable};

use super::TagOptions;
use crate::{
    Error, Result,
    engine::{Engine, options::time_range, search::MAX_DEPTH},
    ir::{self, Expr},
    plan::{Context, filter_conjuncts},
};

/// The spans that are meant.
#[derive(Debug)]
pub(super) struct Selection {
    condition: Option<Expr>,
    time: Option<TimeRange>,
}

impl Selection {
    /// What the options ask for.
    pub(super) fn new(options: &TagOptions, view: &Snapshot) -> Result<Self> {
        let condition = options.query.as_deref().and_then(ir::partial_condition);
        if condition.as_ref().is_some_and(|condition| condition.depth() > MAX_DEPTH) {
            return Err(Error::Limit(format!("a query may have {MAX_DEPTH} levels at most")));
        }
        let time = time_range(options.start, options.end)?.filter(|time| {
            // Whether it leaves anything out. A block's range covers its traces, which need not fill it.
            let ranges = view.blocks().iter().map(|block| block.time_range());
            !ranges.into_iter().all(|(first, last)| time.start <= first && last <= time.end)
        });
        Ok(Self { condition, time })
    }

    /// Whether these are all spans of the view.
    pub(super) fn is_everything(&self) -> bool {
        self.condition.is_none() && self.time.is_none()
    }
}

impl Engine {
    /// A scan of some columns, all different, of the spans that are meant.
    pub(super) async fn scan(
        &self,
        view: &Snapshot,
        selection: &Selection,
        columns: &[SpanColumn],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let context = Context::new(view, self.session.context());
        let conditions = match &selection.condition {
            Some(condition) => filter_conjuncts(&context, condition)?,
            None => Vec::new(),
        };
        let mut all = columns.to_vec();
        all.extend(context.columns().into_iter().filter(|column| !columns.contains(column)));
        let table =
            SpanTable::new(view.clone(), all).with_pruning(self.options.pruning).with_time_range(selection.time);
        let projection = (0..columns.len()).collect();
        let filters = conditions.into_iter().filter(|condition| *condition != lit(true)).collect();
        let source = provider_as_source(Arc::new(table));
        let scan = LogicalPlanBuilder::scan_with_filters("spans", source, Some(projection), filters)?.build()?;
        Ok(self.session.physical_plan(&scan).await?)
    }
}
