//! Rows with lists to rows of their elements: a row with lists of n and m elements becomes n × m rows. Where elements are
//! bound (events, links) an empty list counts as one missing element, and a flag says which are there.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, UInt32Array},
        compute::take,
    },
    common::{Result, internal_err},
};

/// What a column varies with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Dimension {
    /// With the row: no list.
    Row,
    /// A list; those of the same dimension have the same lengths and vary together.
    First,
    /// A list that varies independently of the first.
    Second,
}

/// Rows of elements.
pub(crate) struct Unfolded {
    /// The columns, then the flags that were asked for.
    pub(crate) columns: Vec<ArrayRef>,
    /// For each row of elements the row it came from, ascending.
    pub(crate) sources: UInt32Array,
    /// For each row where its rows of elements end.
    pub(crate) ends: Vec<usize>,
}

/// Unfolds `rows` rows. `flags` ask for a column that says whether there is an element, for each dimension of lists.
pub(crate) fn unfold(
    columns: &[ArrayRef],
    dimensions: &[Dimension],
    flags: &[Option<&'static str>; 2],
    binds: bool,
    rows: usize,
) -> Result<Unfolded> {
    let first = list(columns, dimensions, Dimension::First)?;
    let second = list(columns, dimensions, Dimension::Second)?;
    let (mut sources, mut firsts, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
    let mut ends = Vec::with_capacity(rows);
    for row in 0..rows {
        let (first, second) = (elements(first, row, binds), elements(second, row, binds));
        for index in 0..first.combinations() {
            for other in 0..second.combinations() {
                sources.push(row as u32);
                firsts.push(first.element(index));
                seconds.push(second.element(other));
            }
        }
        ends.push(sources.len());
    }
    let unfolded = sources.len();
    let (sources, firsts, seconds) =
        (UInt32Array::from(sources), UInt32Array::from(firsts), UInt32Array::from(seconds));
    let mut taken = Vec::with_capacity(columns.len());
    for (array, dimension) in columns.iter().zip(dimensions) {
        taken.push(match (dimension, array.as_list_opt::<i32>()) {
            (Dimension::Row, _) => take(array, &sources, None)?,
            (Dimension::First, Some(list)) => take(list.values(), &firsts, None)?,
            (Dimension::Second, Some(list)) => take(list.values(), &seconds, None)?,
            (_, None) => return internal_err!("elements need a list, not {}", array.data_type()),
        });
    }
    for (flag, indices) in flags.iter().zip([&firsts, &seconds]) {
        if flag.is_some() {
            taken.push(Arc::new(BooleanArray::from_iter((0..unfolded).map(|row| Some(indices.is_valid(row))))));
        }
    }
    Ok(Unfolded { columns: taken, sources, ends })
}

/// The list that tells how many elements a dimension has.
fn list<'a>(columns: &'a [ArrayRef], dimensions: &[Dimension], wanted: Dimension) -> Result<Option<&'a ListArray>> {
    let found = columns.iter().zip(dimensions).find(|(_, dimension)| **dimension == wanted);
    match found {
        None => Ok(None),
        Some((array, _)) => match array.as_list_opt::<i32>() {
            Some(list) => Ok(Some(list)),
            None => internal_err!("elements need a list, not {}", array.data_type()),
        },
    }
}

/// The elements of a dimension on one row.
#[derive(Clone, Copy)]
enum Elements {
    /// There is no such dimension.
    None,
    /// One missing element stands for an empty list.
    Missing,
    /// Elements from the first, and how many.
    Some(u32, u32),
}

fn elements(list: Option<&ListArray>, row: usize, binds: bool) -> Elements {
    let Some(list) = list else { return Elements::None };
    let len = if list.is_null(row) { 0 } else { list.value_length(row).unsigned_abs() };
    match len {
        0 if binds => Elements::Missing,
        len => Elements::Some(list.value_offsets().get(row).map_or(0, |at| at.unsigned_abs()), len),
    }
}

impl Elements {
    fn combinations(self) -> u32 {
        match self {
            Self::None | Self::Missing => 1,
            Self::Some(_, len) => len,
        }
    }

    fn element(self, index: u32) -> Option<u32> {
        match self {
            Self::None | Self::Missing => None,
            Self::Some(first, _) => Some(first + index),
        }
    }
}
