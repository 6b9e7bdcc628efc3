//! One condition of a filter, ready to be tested on the columns of a row group.

use std::{
    cmp::Reverse,
    sync::{Arc, OnceLock},
};

use arrow::{
    array::{Array, ArrayRef, AsArray, ListArray, RecordBatch, RecordBatchOptions, new_null_array},
    buffer::{BooleanBuffer, OffsetBuffer},
    datatypes::{DataType, FieldRef, Schema, SchemaRef},
};
use datafusion::{
    common::{Result, internal_err},
    physical_expr::{
        PhysicalExpr, split_conjunction,
        utils::{collect_columns, reassign_expr_columns},
    },
    physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder},
};

use crate::block::{AttributeScope, AttributeType, Level, SpanColumn, Values};

/// A condition over some columns of the span table, true where its expression is true (not false, not null).
#[derive(Debug)]
pub(super) struct Conjunct {
    expr: Arc<dyn PhysicalExpr>,
    columns: Vec<SpanColumn>,
    /// The columns' fields, all nullable: those that are never null may be tested for missing values all the same.
    schema: SchemaRef,
    pruning: Option<PruningPredicate>,
    /// [`Conjunct::is_true_for_missing`], once it was asked.
    is_true_for_missing: OnceLock<bool>,
}

impl Conjunct {
    /// The conditions that `filters` (over `table`, whose columns are `columns`) are a conjunction of, cheapest first.
    pub(super) fn split(
        filters: &[Arc<dyn PhysicalExpr>],
        table: &Schema,
        columns: &[SpanColumn],
    ) -> Result<Vec<Self>> {
        let parts = filters.iter().flat_map(|filter| split_conjunction(filter));
        let mut conjuncts = parts.map(|part| Self::new(part, table, columns)).collect::<Result<Vec<_>>>()?;
        conjuncts.sort_by_key(Conjunct::cost);
        Ok(conjuncts)
    }

    fn new(expr: &Arc<dyn PhysicalExpr>, table: &Schema, columns: &[SpanColumn]) -> Result<Self> {
        let mut used: Vec<usize> = collect_columns(expr).iter().map(|column| column.index()).collect();
        used.sort_unstable();
        let schema = Arc::new(table.project(&used)?);
        let columns: Vec<SpanColumn> = used.iter().filter_map(|index| columns.get(*index).cloned()).collect();
        if columns.len() != used.len() {
            return internal_err!("a filter uses a column that the span table does not have");
        }
        let expr = reassign_expr_columns(Arc::clone(expr), &schema)?;
        let pruning = match columns.as_slice() {
            [column] if has_statistics(column) => {
                let pruning = PruningPredicateBuilder::new()
                    .with_file_schema(Arc::clone(&schema))
                    .try_build(Arc::clone(&expr))?;
                (!pruning.always_true()).then_some(pruning)
            }
            _ => None,
        };
        let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Ok(Self { expr, columns, schema, pruning, is_true_for_missing: OnceLock::new() })
    }

    /// The columns that the condition is about.
    pub(super) fn columns(&self) -> &[SpanColumn] {
        &self.columns
    }

    /// The condition on minima and maxima, where the column has such statistics.
    pub(super) fn pruning(&self) -> Option<&PruningPredicate> {
        self.pruning.as_ref()
    }

    /// The condition.
    pub(super) fn expr(&self) -> &Arc<dyn PhysicalExpr> {
        &self.expr
    }

    /// Orders conditions: those that are cheap to test before the rest, few columns before many.
    fn cost(&self) -> (u8, Reverse<bool>, usize) {
        let cost = self.columns.iter().map(column_cost).max().unwrap_or(0);
        (cost, Reverse(self.pruning.is_some()), self.columns.len())
    }

    /// Which of `rows` rows meet the condition, given its columns in the order of [`Conjunct::columns`].
    pub(super) fn evaluate(&self, values: &[Values], rows: usize) -> Result<BooleanBuffer> {
        if values.iter().all(|values| matches!(values, Values::Missing)) {
            let kept = self.is_true_for_missing()?;
            return Ok(if kept { BooleanBuffer::new_set(rows) } else { BooleanBuffer::new_unset(rows) });
        }
        // One column of codes: test each distinct value once.
        if let [Values::Coded { codes, values }] = values
            && values.len() <= rows
        {
            let table = self.evaluate_arrays(vec![Arc::clone(values)], values.len())?;
            let missing = codes.null_count() > 0 && self.is_true_for_missing()?;
            let kept = |row| {
                if codes.is_null(row) { missing } else { table.value(codes.value(row) as usize) }
            };
            return Ok(BooleanBuffer::collect_bool(rows, kept));
        }
        let fields = self.schema.fields().iter().zip(values);
        let arrays = fields.map(|(field, values)| values.to_array(field.data_type(), rows));
        self.evaluate_arrays(arrays.collect::<Result<_, _>>()?, rows)
    }

    /// Whether any of some values of the only column meets the condition, or a missing one does.
    pub(super) fn matches_any(&self, values: ArrayRef) -> Result<bool> {
        let rows = values.len();
        Ok(self.is_true_for_missing()? || self.evaluate_arrays(vec![values], rows)?.count_set_bits() > 0)
    }

    /// Whether a row without any of the columns may meet the condition. It may have events and links all the same: those
    /// have no value then, which is not the same as no event.
    pub(super) fn is_true_for_missing(&self) -> Result<bool> {
        if let Some(known) = self.is_true_for_missing.get() {
            return Ok(*known);
        }
        let columns = self.schema.fields().iter().zip(&self.columns);
        let arrays = columns.map(|(field, column)| match (column.level(), field.data_type()) {
            (Level::Event, DataType::List(element)) => nulls_in_lists(element, [0, 1, 0, 1]),
            (Level::Link, DataType::List(element)) => nulls_in_lists(element, [0, 0, 1, 1]),
            (_, data_type) => new_null_array(data_type, 4),
        });
        let is_true = self.evaluate_arrays(arrays.collect(), 4)?.count_set_bits() > 0;
        Ok(*self.is_true_for_missing.get_or_init(|| is_true))
    }

    fn evaluate_arrays(&self, arrays: Vec<ArrayRef>, rows: usize) -> Result<BooleanBuffer> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?;
        let result = self.expr.evaluate(&batch)?.into_array(rows)?;
        let Some(result) = result.as_boolean_opt() else {
            return internal_err!("a filter gives {} instead of a truth value", result.data_type());
        };
        Ok(match result.nulls() {
            Some(nulls) => result.values() & nulls.inner(),
            None => result.values().clone(),
        })
    }
}

/// Lists of nulls.
fn nulls_in_lists(element: &FieldRef, lengths: [usize; 4]) -> ArrayRef {
    let nulls = new_null_array(element.data_type(), lengths.iter().sum());
    Arc::new(ListArray::new(Arc::clone(element), OffsetBuffer::from_lengths(lengths), nulls, None))
}

/// Whether pages and row groups have minima and maxima of a column, in the order of its values.
fn has_statistics(column: &SpanColumn) -> bool {
    match column {
        SpanColumn::StartTime | SpanColumn::Duration | SpanColumn::Kind | SpanColumn::Status => true,
        SpanColumn::Attribute { scope: AttributeScope::Span, value_type, .. } => {
            matches!(value_type, AttributeType::Int | AttributeType::Float | AttributeType::Bool)
        }
        _ => false,
    }
}

/// How costly it is to read and test a column, in steps.
fn column_cost(column: &SpanColumn) -> u8 {
    match column {
        SpanColumn::Attribute { scope: AttributeScope::Resource | AttributeScope::Instrumentation, .. }
        | SpanColumn::Service
        | SpanColumn::ScopeName
        | SpanColumn::ScopeVersion
        | SpanColumn::Kind
        | SpanColumn::Status => 0,
        column if column.data_type() != DataType::Utf8View && has_statistics(column) => 1,
        SpanColumn::Name | SpanColumn::StatusMessage => 1,
        SpanColumn::Attribute { scope: AttributeScope::Span, .. } => 2,
        SpanColumn::TraceDuration | SpanColumn::TraceStart | SpanColumn::RootName | SpanColumn::RootService => 2,
        SpanColumn::SpanIdText
        | SpanColumn::ParentIdText
        | SpanColumn::ChildCount
        | SpanColumn::NestedSetLeft
        | SpanColumn::NestedSetRight
        | SpanColumn::NestedSetParent => 4,
        _ => 3,
    }
}
