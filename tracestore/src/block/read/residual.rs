//! Attribute values without a column of their own: `attributes.parquet`, one run of rows per key and row group.

use std::{ops::Range, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, ListArray, PrimitiveArray, UInt32Array, UInt32Builder},
    buffer::{NullBuffer, OffsetBuffer},
    compute::take,
    datatypes::{DataType, Field, Int32Type, UInt32Type},
};

use super::{ParquetFile, keys::Run, text::texts};
use crate::{Error, Result, block::column::AttributeType};

/// The rows of a run, without their values.
#[derive(Debug)]
pub(crate) struct RunRows {
    /// The owners.
    pub(crate) rows: UInt32Array,
    /// Which occurrence of the key in the owner's list.
    pub(crate) repeats: UInt32Array,
    /// The length of the array that the row is an element of, 0 for none.
    pub(crate) array_lens: UInt32Array,
    /// The type numbers of `AnyValue`.
    pub(crate) types: PrimitiveArray<Int32Type>,
}

/// The rows of the residual table that a run covers.
pub(crate) fn rows_of(run: Run) -> Range<usize> {
    run.first as usize..run.first as usize + run.rows as usize
}

/// Reads what the rows of some ranges belong to.
///
/// # Errors
/// [`Error::Corrupt`].
pub(crate) fn read_rows(file: &ParquetFile, ranges: &[Range<usize>]) -> Result<RunRows> {
    let unsigned = |name: &str| -> Result<UInt32Array> {
        let array = file.read_ranges(name, ranges)?;
        array.as_primitive_opt::<UInt32Type>().cloned().ok_or_else(|| wrong_type(file, name))
    };
    let types = file.read_ranges("type", ranges)?;
    let types = types.as_primitive_opt::<Int32Type>().cloned().ok_or_else(|| wrong_type(file, "type"))?;
    let (rows, repeats, array_lens) = (unsigned("row")?, unsigned("repeat")?, unsigned("array_len")?);
    let len = rows.len();
    if [repeats.len(), array_lens.len(), types.len()].iter().any(|other| *other != len) {
        return Err(Error::corrupt(file.path(), 0, "the columns differ in length"));
    }
    Ok(RunRows { rows, repeats, array_lens, types })
}

/// Reads the values of a run that have one type, one per owner of `first_owner..first_owner + owners`; null for owners
/// without. Scalars may come as a dictionary.
///
/// # Errors
/// [`Error::Corrupt`].
pub(crate) fn read_values(
    file: &ParquetFile,
    run: Run,
    value_type: AttributeType,
    first_owner: usize,
    owners: usize,
) -> Result<ArrayRef> {
    let range = rows_of(run);
    let found = read_rows(file, std::slice::from_ref(&range))?;
    let values = read_column(file, &range, value_type)?;
    let wanted = |row: usize| {
        found.repeats.value(row) == 0
            && (found.array_lens.value(row) > 0) == value_type.is_array()
            && matches_type(found.types.value(row), value_type.element())
    };
    // For each owner the first row of its value.
    let mut starts: Vec<Option<u32>> = vec![None; owners];
    for row in (0..found.rows.len()).filter(|row| wanted(*row)) {
        let owner = (found.rows.value(row) as usize).checked_sub(first_owner);
        if let Some(start @ None) = owner.and_then(|owner| starts.get_mut(owner)) {
            *start = u32::try_from(row).ok();
        }
    }
    let corrupt = |error: arrow::error::ArrowError| Error::corrupt(file.path(), 0, error.to_string());
    if !value_type.is_array() {
        return take(&values, &UInt32Array::from(starts), None).map_err(corrupt);
    }
    let mut indices = UInt32Builder::new();
    let mut lengths = Vec::with_capacity(owners);
    for start in &starts {
        let first = start.map_or(0, |start| start as usize);
        let len = start.map_or(0, |start| found.array_lens.value(start as usize) as usize);
        if first + len > values.len() {
            return Err(Error::corrupt(file.path(), 0, "an array reaches beyond its run"));
        }
        (first..first + len).for_each(|index| indices.append_value(u32::try_from(index).unwrap_or(u32::MAX)));
        lengths.push(len);
    }
    let elements = take(&values, &indices.finish(), None).map_err(corrupt)?;
    let elements = plain(elements).ok_or_else(|| wrong_type(file, value_type.name()))?;
    let field = Arc::new(Field::new_list_field(elements.data_type().clone(), true));
    let nulls = NullBuffer::from_iter(starts.iter().map(Option::is_some));
    let list = ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), elements, Some(nulls));
    list.map(|list| Arc::new(list) as ArrayRef).map_err(corrupt)
}

/// The value column that holds a type, for the rows of a range.
fn read_column(file: &ParquetFile, range: &Range<usize>, value_type: AttributeType) -> Result<ArrayRef> {
    let name = match value_type.element() {
        AttributeType::String => "str",
        AttributeType::Int => "int",
        AttributeType::Float => "float",
        AttributeType::Bool => "bool",
        _ => "json",
    };
    file.read_ranges(name, std::slice::from_ref(range))
}

/// Whether a type number of the residual table is of this (scalar) type.
pub(super) fn matches_type(number: i32, value_type: AttributeType) -> bool {
    match value_type {
        AttributeType::String => number == 1,
        AttributeType::Bool => number == 2,
        AttributeType::Int => number == 3,
        AttributeType::Float => number == 4,
        _ => !(1..=4).contains(&number),
    }
}

fn plain(array: ArrayRef) -> Option<ArrayRef> {
    match array.data_type() {
        DataType::Dictionary(_, _) => texts(&array).map(|texts| Arc::new(texts) as ArrayRef),
        _ => Some(array),
    }
}

fn wrong_type(file: &ParquetFile, column: &str) -> Error {
    Error::corrupt(file.path(), 0, format!("column `{column}` has another type than the format says"))
}
