//! The table itself: which columns, which time range, and how filters become a scan.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    common::{DFSchema, Result, project_schema},
    logical_expr::{Expr, TableProviderFilterPushDown, TableType},
    physical_plan::ExecutionPlan,
};

use super::{conjunct::Conjunct, exec::SpanScanExec, watermark::Watermark};
use crate::{block::SpanColumn, model::TimeRange, store::Snapshot};

/// The spans of a snapshot, with the columns that a query needs and no others: attributes are columns, and there is no
/// end of attributes.
///
/// A filter is any DataFusion expression over the columns, and is applied exactly.
#[derive(Debug)]
pub struct SpanTable {
    snapshot: Snapshot,
    columns: Vec<SpanColumn>,
    schema: SchemaRef,
    time: Option<TimeRange>,
    watermark: Watermark,
}

impl SpanTable {
    /// A table of these columns, which are all different.
    #[must_use]
    pub fn new(snapshot: Snapshot, columns: Vec<SpanColumn>) -> Self {
        let schema = Arc::new(Schema::new(columns.iter().map(SpanColumn::field).collect::<Vec<_>>()));
        Self { snapshot, columns, schema, time: None, watermark: Watermark::default() }
    }

    /// Only spans of traces that overlap a time range. Default: all.
    #[must_use]
    pub fn with_time_range(self, time: Option<TimeRange>) -> Self {
        Self { time, ..self }
    }

    /// Leaves out row groups whose traces all start before the watermark when their turn comes. Default: none.
    #[must_use]
    pub fn with_watermark(self, watermark: Watermark) -> Self {
        Self { watermark, ..self }
    }
}

#[async_trait]
impl TableProvider for SpanTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Exact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let df_schema = DFSchema::try_from(Arc::clone(&self.schema))?;
        let filters = filters.iter().map(|filter| state.create_physical_expr(filter.clone(), &df_schema));
        let filters = filters.collect::<Result<Vec<_>>>()?;
        let conjuncts = Conjunct::split(&filters, &self.schema, &self.columns)?;
        let columns = match projection {
            None => self.columns.clone(),
            Some(indices) => indices.iter().filter_map(|index| self.columns.get(*index).cloned()).collect(),
        };
        Ok(Arc::new(SpanScanExec::new(
            self.snapshot.clone(),
            columns,
            project_schema(&self.schema, projection)?,
            conjuncts,
            self.time,
            self.watermark.clone(),
            state.config().target_partitions(),
        )?))
    }
}
