//! Whether lists have elements.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array, AsArray, BooleanArray},
        datatypes::DataType,
    },
    common::{Result, internal_err},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};

/// Whether a list is there and not empty.
pub(in crate::engine::sql) fn has_elements() -> ScalarUDF {
    ScalarUDF::from(HasElements { signature: Signature::any(1, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct HasElements {
    signature: Signature,
}

impl ScalarUDFImpl for HasElements {
    fn name(&self) -> &str {
        "has_elements"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let lists = match args.args.as_slice() {
            [lists] => lists.to_array(args.number_rows)?,
            other => return internal_err!("has_elements takes one argument, not {}", other.len()),
        };
        let Some(lists) = lists.as_list_opt::<i32>() else {
            return internal_err!("has_elements takes a list, not {}", lists.data_type());
        };
        let there = (0..lists.len()).map(|row| Some(lists.is_valid(row) && lists.value_length(row) > 0));
        Ok(ColumnarValue::Array(Arc::new(there.collect::<BooleanArray>())))
    }
}
