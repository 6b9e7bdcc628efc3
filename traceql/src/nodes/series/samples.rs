//! The numbers that rows add to their series.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array, AsArray, Float64Array, Int64Array, RecordBatch},
        compute::take,
        datatypes::{Float64Type, Int32Type, Int64Type},
    },
    common::{Result, internal_err},
};

use super::labels::plain;
use crate::nodes::values::{Number, Numbers, PartKind, Source};

/// The numbers of the rows of a batch.
#[derive(Debug)]
pub(crate) enum Samples {
    /// Each row is one.
    Rows,
    /// At most one each, of one type.
    Ints(Int64Array),
    Durations(Int64Array),
    Floats(Float64Array),
    /// Any number each, of any type.
    Any(Numbers),
}

impl Samples {
    pub(crate) fn of(source: Option<&Source>, batch: &RecordBatch) -> Result<Self> {
        let Some(source) = source else { return Ok(Self::Rows) };
        if let Some([(kind, name)]) = plain(source).as_deref() {
            let Some(array) = batch.column_by_name(name) else {
                return internal_err!("series need a column `{name}`");
            };
            let array = match array.as_dictionary_opt::<Int32Type>() {
                Some(coded) => take(coded.values(), coded.keys(), None)?,
                None => Arc::clone(array),
            };
            match kind {
                PartKind::Int => return Ok(Self::Ints(array.as_primitive::<Int64Type>().clone())),
                PartKind::Duration => return Ok(Self::Durations(array.as_primitive::<Int64Type>().clone())),
                PartKind::Float => return Ok(Self::Floats(array.as_primitive::<Float64Type>().clone())),
                _ => {}
            }
        }
        Ok(Self::Any(source.evaluate(batch)?.1))
    }

    /// Hands over the numbers of a row.
    #[inline]
    pub(crate) fn each(&self, row: usize, mut take: impl FnMut(Number)) {
        match self {
            Self::Rows => take(Number::Int(1)),
            Self::Ints(array) if array.is_valid(row) => take(Number::Int(array.value(row))),
            Self::Durations(array) if array.is_valid(row) => take(Number::Duration(array.value(row))),
            Self::Floats(array) if array.is_valid(row) => take(Number::Float(array.value(row))),
            Self::Any(numbers) => numbers.of(row as u32).iter().for_each(|number| take(*number)),
            _ => {}
        }
    }
}
