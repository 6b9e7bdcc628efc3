//! Arrays of texts, whatever form the file had: in the one form that queries see, or one text at a time.

use arrow::{
    array::{Array, ArrayRef, AsArray, StringViewArray},
    compute::cast,
    datatypes::{DataType, Int32Type},
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

/// The text of a row; `None` where it has none, or when the array holds something else. For a few rows of a long array,
/// of which making views would take a millisecond.
pub(super) fn text_at(array: &ArrayRef, row: usize) -> Option<&str> {
    if row >= array.len() || array.is_null(row) {
        return None;
    }
    match array.as_dictionary_opt::<Int32Type>() {
        Some(coded) => {
            let values = coded.values().as_string_opt::<i32>()?;
            let code = usize::try_from(coded.keys().value(row)).ok().filter(|code| *code < values.len())?;
            Some(values.value(code))
        }
        None => Some(array.as_string_view_opt()?.value(row)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{DictionaryArray, StringArray, UInt32Array};

    use super::*;

    #[test]
    fn texts_are_found_in_both_forms() {
        let coded: DictionaryArray<Int32Type> = [Some("b"), None, Some("a"), Some("b")].into_iter().collect();
        let views = StringViewArray::from(vec![Some("b"), None, Some("a"), Some("b")]);
        for array in [Arc::new(coded) as ArrayRef, Arc::new(views)] {
            let found: Vec<_> = (0..5).map(|row| text_at(&array, row)).collect();
            assert_eq!(found, [Some("b"), None, Some("a"), Some("b"), None]);
        }
        for other in [Arc::new(UInt32Array::from(vec![1])) as ArrayRef, Arc::new(StringArray::from(vec!["x"]))] {
            assert_eq!(text_at(&other, 0), None);
        }
    }
}
