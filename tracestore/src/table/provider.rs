//! The table itself: which columns, which time range, and how filters become a scan.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    common::{DFSchema, Result, internal_err, project_schema},
    logical_expr::{Expr, TableProviderFilterPushDown, TableType},
    physical_plan::ExecutionPlan,
};

use super::{
    conjunct::Conjunct,
    exec::SpanScanExec,
    marks::{Marks, PreparedMarks},
    unit::{Request, RuledOut},
    watermark::Watermark,
};
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
    marks: Option<Marks>,
    time: Option<TimeRange>,
    watermark: Watermark,
    pruning: bool,
    codes: bool,
}

impl SpanTable {
    /// A table of these columns, which are all different. Traces are as the snapshot has them: give it a
    /// [whole view](Snapshot::whole).
    #[must_use]
    pub fn new(snapshot: Snapshot, columns: Vec<SpanColumn>) -> Self {
        let schema = Arc::new(Schema::new(columns.iter().map(SpanColumn::field).collect::<Vec<_>>()));
        let watermark = Watermark::default();
        Self { snapshot, columns, schema, marks: None, time: None, watermark, pruning: true, codes: false }
    }

    /// Marks rows instead of filtering them: a column for each condition follows the others, and a scan wants all of
    /// them. Filters beside are not taken. Default: no marks.
    #[must_use]
    pub fn with_marks(self, marks: Marks) -> Self {
        let fields = self.schema.fields().iter().map(|field| field.as_ref().clone()).chain(marks.fields());
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Self { schema, marks: Some(marks), ..self }
    }

    /// Delivers columns of texts, which blocks keep as codes where that pays, as dictionary arrays, so that who counts
    /// values looks at each text once. Before marks. Default: no.
    #[must_use]
    pub fn with_codes(self) -> Self {
        let fields: Vec<Field> = self.columns.iter().map(SpanColumn::coded_field).collect();
        Self { schema: Arc::new(Schema::new(fields)), codes: true, ..self }
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

impl SpanTable {
    fn prepare(
        &self,
        marks: &Marks,
        state: &dyn Session,
        plain: &SchemaRef,
        schema: &DFSchema,
    ) -> Result<PreparedMarks> {
        let prepare = |condition: &Vec<Expr>| {
            let filters = condition.iter().map(|expr| state.create_physical_expr(expr.clone(), schema));
            Conjunct::split(&filters.collect::<Result<Vec<_>>>()?, plain, &self.columns)
        };
        Ok(PreparedMarks {
            conditions: marks.conditions.iter().map(prepare).collect::<Result<_>>()?,
            select: marks.select.clone(),
            together: marks.together.clone(),
            whole_traces: marks.whole_traces,
            pruning: self.pruning,
        })
    }
}

impl SpanTable {
    /// Whether row groups, pages and dictionaries that rule a condition out are left unread. Without it every row is
    /// tested: the answer is the same. Default: yes.
    #[must_use]
    pub fn with_pruning(self, pruning: bool) -> Self {
        Self { pruning, ..self }
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
        // Conditions see values, however they are delivered.
        let plain = self.columns.iter().map(SpanColumn::field);
        let marked = self.schema.fields().iter().skip(self.columns.len()).map(|field| field.as_ref().clone());
        let plain = Arc::new(Schema::new(plain.chain(marked).collect::<Vec<_>>()));
        let df_schema = DFSchema::try_from(Arc::clone(&plain))?;
        let filters = filters.iter().map(|filter| state.create_physical_expr(filter.clone(), &df_schema));
        let filters = filters.collect::<Result<Vec<_>>>()?;
        let conjuncts = Conjunct::split(&filters, &plain, &self.columns)?;
        let marks = self.marks.as_ref().map(|marks| self.prepare(marks, state, &plain, &df_schema)).transpose()?;
        let marked = marks.as_ref().map_or(0, |marks| marks.conditions.len());
        let wanted = projection.map_or(self.schema.fields().len(), Vec::len);
        let wants_marks = projection.is_none_or(|indices| {
            let all = self.columns.len()..self.columns.len() + marked;
            indices.iter().copied().skip(wanted.saturating_sub(marked)).eq(all)
        });
        if marked > 0 && (!wants_marks || !conjuncts.is_empty()) {
            return internal_err!("a scan with marks delivers all of them, behind its columns, and has no filters");
        }
        let columns = match projection {
            None => self.columns.clone(),
            Some(indices) => indices.iter().filter_map(|index| self.columns.get(*index).cloned()).collect(),
        };
        let schema = project_schema(&self.schema, projection)?;
        let (time, pruning, codes) = (self.time, self.pruning, self.codes);
        let ruled_out = RuledOut::default();
        let request = Request { conjuncts, marks, time, columns, schema, pruning, codes, ruled_out };
        let partitions = state.config().target_partitions();
        Ok(Arc::new(SpanScanExec::new(self.snapshot.clone(), request, self.watermark.clone(), partitions)?))
    }
}
