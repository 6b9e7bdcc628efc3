//! One condition of a filter, ready to be tested on the columns of a row group.

use std::{
    cmp::Reverse,
    sync::{Arc, OnceLock},
};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, ListArray, RecordBatch, RecordBatchOptions,
        new_null_array,
    },
    buffer::{BooleanBuffer, NullBuffer, OffsetBuffer},
    compute::filter,
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
            let met = rows_with_codes(codes.values(), &table);
            return Ok(match codes.nulls().map(NullBuffer::inner) {
                Some(valid) if self.is_true_for_missing()? => &(&met & valid) | &!valid,
                Some(valid) => &met & valid,
                None => met,
            });
        }
        // One column that few rows have a value of: test those.
        if let [Values::Plain(array)] = values
            && let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > rows / 2)
        {
            let valid = nulls.inner();
            let given = filter(array, &BooleanArray::new(valid.clone(), None))?;
            let count = given.len();
            let met = spread(&self.evaluate_arrays(vec![given], count)?, valid);
            return Ok(if self.is_true_for_missing()? { &met | &!valid } else { met });
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

/// The rows whose codes are set in a table; in places that have no value it does not matter.
fn rows_with_codes(codes: &[i32], table: &BooleanBuffer) -> BooleanBuffer {
    let code = |row: usize| codes.get(row).copied().unwrap_or(0);
    let mut set = table.set_indices();
    match (set.next(), set.next()) {
        (None, _) => BooleanBuffer::new_unset(codes.len()),
        (Some(only), None) => BooleanBuffer::collect_bool(codes.len(), |row| code(row) == only as i32),
        _ if table.len() <= 64 => {
            let bits = table.iter().zip(0..).fold(0_u64, |bits, (is_set, place)| bits | u64::from(is_set) << place);
            BooleanBuffer::collect_bool(codes.len(), |row| bits >> (code(row) & 63) & 1 == 1)
        }
        _ => {
            let table: Vec<bool> = table.iter().collect();
            let is_set = |code: i32| usize::try_from(code).is_ok_and(|code| table.get(code) == Some(&true));
            BooleanBuffer::collect_bool(codes.len(), |row| is_set(code(row)))
        }
    }
}

/// Bits for the set places of `places`, one after the other, at those places.
fn spread(bits: &BooleanBuffer, places: &BooleanBuffer) -> BooleanBuffer {
    if bits.count_set_bits() == 0 {
        return BooleanBuffer::new_unset(places.len());
    }
    let mut spread = BooleanBufferBuilder::new(places.len());
    spread.append_n(places.len(), false);
    let set = places.set_indices().zip(bits).filter(|(_, is_set)| *is_set);
    set.for_each(|(place, _)| spread.set_bit(place, true));
    spread.finish()
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_are_found_by_their_codes(
            table in prop_oneof![
                prop::collection::vec(any::<bool>(), 1..80),
                (1..200_usize, any::<prop::sample::Index>()).prop_map(|(len, only)| {
                    (0..len).map(|place| place == only.index(len)).collect()
                }),
            ],
            places in prop::collection::vec(any::<prop::sample::Index>(), 0..300),
        ) {
            let codes: Vec<i32> = places.iter().map(|place| place.index(table.len()) as i32).collect();
            let expected: BooleanBuffer = codes.iter().map(|code| table[*code as usize]).collect();
            prop_assert_eq!(rows_with_codes(&codes, &BooleanBuffer::from(table)), expected);
        }

        #[test]
        fn bits_are_spread_over_the_places(pairs in prop::collection::vec(any::<(bool, bool)>(), 0..200)) {
            let places: BooleanBuffer = pairs.iter().map(|(is_place, _)| *is_place).collect();
            let bits: BooleanBuffer = pairs.iter().filter(|(is_place, _)| *is_place).map(|(_, bit)| *bit).collect();
            let expected: BooleanBuffer = pairs.iter().map(|(is_place, bit)| *is_place && *bit).collect();
            prop_assert_eq!(spread(&bits, &places), expected);
        }
    }
}
