//! Arrays of texts in the one form that queries see, whatever form the file had.

use arrow::{
    array::{Array, ArrayRef, AsArray, StringViewArray},
    compute::cast,
    datatypes::DataType,
};

/// Texts as views; `None` when the array holds something else.
pub(crate) fn texts(array: &ArrayRef) -> Option<StringViewArray> {
    let views = match array.data_type() {
        DataType::Utf8View => return array.as_string_view_opt().cloned(),
        DataType::Utf8 | DataType::Dictionary(_, _) => cast(array, &DataType::Utf8View).ok()?,
        _ => return None,
    };
    views.as_string_view_opt().cloned()
}
