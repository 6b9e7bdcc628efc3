//! The residual table of one row group: attribute values without a column, sorted by key.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, StringBuilder, UInt32Builder},
    datatypes::{DataType, Field, Schema, SchemaRef},
};

use super::keys::{KeyNumber, KeyStatistics, scalar_type};
use crate::{
    block::{AttributeScope, AttributeType},
    otlp::{ValueView, value_json},
};

/// One row: a value, or an element of an array.
#[derive(Debug)]
struct ResidualRow<'a> {
    scope: AttributeScope,
    key: KeyNumber,
    owner: u32,
    repeat: u32,
    array_len: u32,
    value: ValueView<'a>,
}

/// Rows in the making.
#[derive(Debug, Default)]
pub(super) struct ResidualBuilder<'a> {
    rows: Vec<ResidualRow<'a>>,
}

/// The rows of one key, in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyRun {
    pub(super) scope: AttributeScope,
    pub(super) key: KeyNumber,
    pub(super) first: u32,
    pub(super) rows: u32,
}

/// The schema of the table.
pub(super) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("scope", DataType::Int32, false),
        Field::new("key", DataType::Utf8, false),
        Field::new("row", DataType::UInt32, false),
        Field::new("repeat", DataType::UInt32, false),
        Field::new("array_len", DataType::UInt32, false),
        Field::new("type", DataType::Int32, false),
        Field::new("str", DataType::Utf8, true),
        Field::new("int", DataType::Int64, true),
        Field::new("float", DataType::Float64, true),
        Field::new("bool", DataType::Boolean, true),
        Field::new("json", DataType::Utf8, true),
    ]))
}

impl<'a> ResidualBuilder<'a> {
    /// Adds a value of an owner's attribute list and tells its type.
    pub(super) fn add(
        &mut self,
        scope: AttributeScope,
        key: KeyNumber,
        owner: u32,
        repeat: u32,
        value: ValueView<'a>,
    ) -> AttributeType {
        if let ValueView::Array(elements) = value {
            let elements: Vec<ValueView<'a>> = elements.values().flatten().collect();
            let first = elements.first().and_then(scalar_type);
            if let Some(element) = first
                && elements.iter().all(|value| scalar_type(value) == first)
            {
                let array_len = elements.len() as u32;
                self.rows.extend(elements.iter().map(|value| ResidualRow {
                    scope,
                    key,
                    owner,
                    repeat,
                    array_len,
                    value: *value,
                }));
                return element.array();
            }
        }
        self.rows.push(ResidualRow { scope, key, owner, repeat, array_len: 0, value });
        scalar_type(&value).unwrap_or(AttributeType::Other)
    }

    /// The table's columns, and the run of rows of each key; rows are numbered from `first`.
    pub(super) fn finish(mut self, keys: &KeyStatistics, first: u32) -> (Vec<ArrayRef>, Vec<KeyRun>) {
        let ranks: Vec<Vec<u32>> = AttributeScope::ALL.iter().map(|scope| keys.ranks(*scope)).collect();
        let rank = |row: &ResidualRow<'_>| {
            let rank = ranks.get(row.scope as usize).and_then(|ranks| ranks.get(row.key as usize));
            (row.scope, rank.copied().unwrap_or(0), row.owner, row.repeat)
        };
        // Stable: the elements of an array stay in order.
        self.rows.sort_by_key(rank);

        let mut runs: Vec<KeyRun> = Vec::new();
        let (mut scopes, mut names, mut owners) = (Int32Builder::new(), StringBuilder::new(), UInt32Builder::new());
        let (mut repeats, mut lens, mut types) = (UInt32Builder::new(), UInt32Builder::new(), Int32Builder::new());
        let (mut texts, mut ints, mut floats) = (StringBuilder::new(), Int64Builder::new(), Float64Builder::new());
        let (mut bools, mut jsons) = (BooleanBuilder::new(), StringBuilder::new());
        for (number, row) in (first..).zip(&self.rows) {
            match runs.last_mut() {
                Some(run) if run.scope == row.scope && run.key == row.key => run.rows += 1,
                _ => runs.push(KeyRun { scope: row.scope, key: row.key, first: number, rows: 1 }),
            }
            scopes.append_value(row.scope as i32);
            names.append_value(keys.name(row.scope, row.key));
            owners.append_value(row.owner);
            repeats.append_value(row.repeat);
            lens.append_value(row.array_len);
            let (text, int, float, bool, json, number) = match row.value {
                ValueView::String(text) => (Some(text), None, None, None, None, 1),
                ValueView::Bool(bool) => (None, None, None, Some(bool), None, 2),
                ValueView::Int(int) => (None, Some(int), None, None, None, 3),
                ValueView::Double(float) => (None, None, Some(float), None, None, 4),
                ValueView::Empty => (None, None, None, None, Some(&row.value), 0),
                ValueView::Bytes(_) => (None, None, None, None, Some(&row.value), 5),
                ValueView::Array(_) => (None, None, None, None, Some(&row.value), 6),
                ValueView::KvList(_) => (None, None, None, None, Some(&row.value), 7),
            };
            types.append_value(number);
            texts.append_option(text);
            ints.append_option(int);
            floats.append_option(float);
            bools.append_option(bool);
            jsons.append_option(json.map(value_json));
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(scopes.finish()),
            Arc::new(names.finish()),
            Arc::new(owners.finish()),
            Arc::new(repeats.finish()),
            Arc::new(lens.finish()),
            Arc::new(types.finish()),
            Arc::new(texts.finish()),
            Arc::new(ints.finish()),
            Arc::new(floats.finish()),
            Arc::new(bools.finish()),
            Arc::new(jsons.finish()),
        ];
        (columns, runs)
    }
}
