//! The values of one column for the selected rows of a row group, still in the form that costs least.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, Int32Array, UInt32Array, new_empty_array,
        new_null_array,
    },
    buffer::BooleanBuffer,
    compute::{TakeOptions, cast, filter, take},
    datatypes::{DataType, Int32Type},
    error::ArrowError,
};

/// A column of the selected rows.
#[derive(Debug, Clone)]
pub(crate) enum Values {
    /// No row has a value.
    Missing,
    /// A value per row.
    Plain(ArrayRef),
    /// A code per row into a list of values: a dictionary of the file, a table of resources, ...
    Coded {
        /// The codes; null where a row has no value.
        codes: Int32Array,
        /// The values, of the column's type.
        values: ArrayRef,
    },
}

impl Values {
    /// An array as it was read, its texts brought to `data_type`.
    ///
    /// # Errors
    /// When the array cannot be cast.
    pub(crate) fn from_array(array: ArrayRef, data_type: &DataType) -> Result<Self, ArrowError> {
        match array.as_dictionary_opt::<Int32Type>() {
            Some(coded) => {
                let values = cast(coded.values(), data_type)?;
                Ok(Self::Coded { codes: coded.keys().clone(), values })
            }
            None if array.data_type() == data_type => Ok(Self::Plain(array)),
            None => Ok(Self::Plain(cast(&array, data_type)?)),
        }
    }

    /// The values of the rows that `mask` keeps.
    ///
    /// # Errors
    /// When the mask is not as long as the column.
    pub(crate) fn filter(&self, mask: &BooleanBuffer) -> Result<Self, ArrowError> {
        let mask = BooleanArray::new(mask.clone(), None);
        Ok(match self {
            Self::Missing => Self::Missing,
            Self::Plain(array) => Self::Plain(filter(array, &mask)?),
            Self::Coded { codes, values } => {
                let codes = filter(codes, &mask)?.as_primitive::<Int32Type>().clone();
                Self::Coded { codes, values: Arc::clone(values) }
            }
        })
    }

    /// The values at some places, null where the place is. Codes stay codes.
    ///
    /// # Errors
    /// When there is no such place.
    pub(crate) fn take(&self, places: &UInt32Array) -> Result<Self, ArrowError> {
        Ok(match self {
            Self::Missing => Self::Missing,
            Self::Plain(array) => Self::Plain(take(array, places, Some(TakeOptions { check_bounds: true }))?),
            Self::Coded { codes, values } => {
                let codes = take(codes, places, Some(TakeOptions { check_bounds: true }))?;
                Self::Coded { codes: codes.as_primitive::<Int32Type>().clone(), values: Arc::clone(values) }
            }
        })
    }

    /// One value per row, as an array of `data_type`.
    ///
    /// # Errors
    /// When a code has no value.
    pub(crate) fn to_array(&self, data_type: &DataType, rows: usize) -> Result<ArrayRef, ArrowError> {
        match self {
            Self::Missing => Ok(new_null_array(data_type, rows)),
            Self::Plain(array) => Ok(Arc::clone(array)),
            Self::Coded { codes, values } => take(values, codes, None),
        }
    }

    /// One value per row, as a dictionary array of values of `data_type`: what is no code yet is one of its own.
    ///
    /// # Errors
    /// When a code has no value.
    pub(crate) fn to_dictionary(&self, data_type: &DataType, rows: usize) -> Result<ArrayRef, ArrowError> {
        let (codes, values) = match self {
            Self::Missing => (Int32Array::new_null(rows), new_empty_array(data_type)),
            Self::Coded { codes, values } => (codes.clone(), Arc::clone(values)),
            Self::Plain(array) => {
                let codes = (0..i32::try_from(array.len()).unwrap_or(i32::MAX)).collect::<Vec<_>>();
                (Int32Array::new(codes.into(), array.logical_nulls()), Arc::clone(array))
            }
        };
        Ok(Arc::new(DictionaryArray::try_new(codes, values)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_codes_stay_codes() {
        let values: ArrayRef = Arc::new(UInt32Array::from(vec![10, 11]));
        let coded = Values::Coded { codes: Int32Array::from(vec![Some(1), None, Some(0)]), values };
        let taken = coded.take(&UInt32Array::from(vec![Some(2), None, Some(1), Some(0), Some(0)])).unwrap();
        let Values::Coded { codes, values } = &taken else { panic!("no codes: {taken:?}") };
        assert_eq!((codes, values.len()), (&Int32Array::from(vec![Some(0), None, None, Some(1), Some(1)]), 2));
        assert!(coded.take(&UInt32Array::from(vec![3])).is_err());
    }
}
