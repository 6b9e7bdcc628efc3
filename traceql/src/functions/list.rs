//! Lists of one element behave as the element (SEMANTICS.md V6): a list column is parted into the elements of those,
//! and the lists with more.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, ListArray, UInt32Array},
        buffer::NullBuffer,
        compute::take,
        datatypes::DataType,
    },
    common::{Result, internal_err},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};

/// The element of lists that have one, null for the others.
pub(crate) fn single() -> ScalarUDF {
    ScalarUDF::from(ListPart { single: true, signature: Signature::any(1, Volatility::Immutable) })
}

/// The lists with more than one element, null for the others.
pub(crate) fn many() -> ScalarUDF {
    ScalarUDF::from(ListPart { single: false, signature: Signature::any(1, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ListPart {
    single: bool,
    signature: Signature,
}

impl ScalarUDFImpl for ListPart {
    fn name(&self) -> &str {
        if self.single { "single_element" } else { "several_elements" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [DataType::List(field)] if self.single => Ok(field.data_type().clone()),
            [list @ DataType::List(_)] => Ok(list.clone()),
            other => internal_err!("a list is needed, not {other:?}"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let lists = match args.args.as_slice() {
            [lists] => lists.to_array(args.number_rows)?,
            other => return internal_err!("one list is needed, not {}", other.len()),
        };
        let Some(lists) = lists.as_list_opt::<i32>() else {
            return internal_err!("a list is needed, not {}", lists.data_type());
        };
        let len = |row: usize| if lists.is_null(row) { 0 } else { lists.value_length(row) };
        let parted: ArrayRef = if self.single {
            let first = |row: usize| (len(row) == 1).then(|| lists.value_offsets().get(row).map_or(0, |at| *at as u32));
            take(lists.values(), &(0..lists.len()).map(first).collect::<UInt32Array>(), None)?
        } else {
            let nulls = NullBuffer::from_iter((0..lists.len()).map(|row| len(row) > 1));
            let (field, offsets, values, _) = lists.clone().into_parts();
            Arc::new(ListArray::try_new(field, offsets, values, Some(nulls))?)
        };
        Ok(ColumnarValue::Array(parted))
    }
}
