//! Attribute values without a column of their own: `attributes.parquet`, one run of rows per key and row group.

use std::{ops::Range, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, ListArray, PrimitiveArray, UInt32Array, UInt32Builder},
    buffer::{NullBuffer, OffsetBuffer},
    compute::take,
    datatypes::{DataType, Field, Int32Type, UInt32Type},
};

use super::{ParquetFile, keys::Run, plan::runs, text::texts};
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

/// Reads the values of a run that have one type, one for each of some owners, ascending; null for those without, `None` if
/// all are. Scalars may come as a dictionary.
///
/// # Errors
/// [`Error::Corrupt`].
pub(crate) fn read_values(
    file: &ParquetFile,
    run: Run,
    value_type: AttributeType,
    owners: &[u32],
) -> Result<Option<ArrayRef>> {
    let ranges = ranges_of(file, run, owners)?;
    if ranges.is_empty() {
        return Ok(None);
    }
    let found = read_rows(file, &ranges)?;
    let wanted = |row: usize| {
        found.repeats.value(row) == 0
            && (found.array_lens.value(row) > 0) == value_type.is_array()
            && matches_type(found.types.value(row), value_type.element())
    };
    // For each owner the first row of its value.
    let mut starts: Vec<Option<u32>> = vec![None; owners.len()];
    let mut places = Places::new(owners);
    for row in (0..found.rows.len()).filter(|row| wanted(*row)) {
        let place = places.of(found.rows.value(row));
        if let Some(start @ None) = place.and_then(|place| starts.get_mut(place)) {
            *start = u32::try_from(row).ok();
        }
    }
    if starts.iter().all(Option::is_none) {
        return Ok(None);
    }
    let values = read_column(file, &ranges, value_type)?;
    let corrupt = |error: arrow::error::ArrowError| Error::corrupt(file.path(), 0, error.to_string());
    if !value_type.is_array() {
        return take(&values, &UInt32Array::from(starts), None).map(Some).map_err(corrupt);
    }
    let (mut indices, mut lengths, mut total) = (UInt32Builder::new(), Vec::with_capacity(owners.len()), 0_usize);
    for start in &starts {
        let first = start.map_or(0, |start| start as usize);
        let len = start.map_or(0, |start| found.array_lens.value(start as usize) as usize);
        total = total.saturating_add(len);
        if first + len > values.len() || total > values.len() {
            return Err(Error::corrupt(file.path(), 0, "an array reaches beyond its run, or into another one"));
        }
        (first..first + len).for_each(|index| indices.append_value(u32::try_from(index).unwrap_or(u32::MAX)));
        lengths.push(len);
    }
    let elements = take(&values, &indices.finish(), None).map_err(corrupt)?;
    let elements = plain(elements).ok_or_else(|| wrong_type(file, value_type.name()))?;
    let field = Arc::new(Field::new_list_field(elements.data_type().clone(), true));
    let nulls = NullBuffer::from_iter(starts.iter().map(Option::is_some));
    let list = ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), elements, Some(nulls));
    list.map(|list| Some(Arc::new(list) as ArrayRef)).map_err(corrupt)
}

/// Where in a run there is something of some owners.
fn ranges_of(file: &ParquetFile, run: Run, owners: &[u32]) -> Result<Vec<Range<usize>>> {
    let rows = file.read_ranges("row", std::slice::from_ref(&rows_of(run)))?;
    let rows = rows.as_primitive_opt::<UInt32Type>().ok_or_else(|| wrong_type(file, "row"))?;
    let mut places = Places::new(owners);
    let of_owners = rows.values().iter().zip(run.first as usize..).filter(|(owner, _)| places.of(**owner).is_some());
    Ok(runs(of_owners.map(|(_, row)| row..row + 1)))
}

/// Finds owners among some, ascending, one after the other.
struct Places<'a> {
    owners: &'a [u32],
    at: usize,
}

impl<'a> Places<'a> {
    fn new(owners: &'a [u32]) -> Self {
        Self { owners, at: 0 }
    }

    /// The place of an owner, quickest where it is at or soon behind the last one.
    fn of(&mut self, owner: u32) -> Option<usize> {
        const NEAR: usize = 8;
        let is_before = |at: usize| self.owners.get(at).is_some_and(|other| *other < owner);
        let is_back = self.at.checked_sub(1).is_some_and(|before| !is_before(before));
        match (self.at..self.at + NEAR).find(|at| !is_before(*at)) {
            Some(near) if !is_back => self.at = near,
            _ => self.at = self.owners.partition_point(|other| *other < owner),
        }
        self.owners.get(self.at).is_some_and(|other| *other == owner).then_some(self.at)
    }
}

/// The value column that holds a type, for the rows of some ranges.
fn read_column(file: &ParquetFile, ranges: &[Range<usize>], value_type: AttributeType) -> Result<ArrayRef> {
    let name = match value_type.element() {
        AttributeType::String => "str",
        AttributeType::Int => "int",
        AttributeType::Float => "float",
        AttributeType::Bool => "bool",
        _ => "json",
    };
    file.read_ranges(name, ranges)
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
