//! The values of one column for the selected rows of a row group, still in the form that costs least.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, new_null_array},
    buffer::BooleanBuffer,
    compute::{cast, filter, take},
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
}
