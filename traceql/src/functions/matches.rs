//! Regular expressions over texts. The pattern is anchored already (see [`crate::ir::translate_regex`]).

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray, BooleanArray},
        datatypes::DataType,
    },
    common::{Result, exec_err, internal_err},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};
use regex::{Regex, RegexBuilder};

/// The largest compiled pattern, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// Whether a text matches (or, negated, does not match) a pattern.
///
/// # Errors
/// When the compiled pattern is larger than 1 MiB.
pub(crate) fn matches(pattern: &str, negated: bool) -> Result<ScalarUDF> {
    match RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).build() {
        Ok(regex) => {
            Ok(ScalarUDF::from(Matches { regex, negated, signature: Signature::any(1, Volatility::Immutable) }))
        }
        Err(error) => exec_err!("the regular expression is too large: {error}"),
    }
}

#[derive(Debug)]
struct Matches {
    regex: Regex,
    negated: bool,
    signature: Signature,
}

impl PartialEq for Matches {
    fn eq(&self, other: &Self) -> bool {
        self.regex.as_str() == other.regex.as_str() && self.negated == other.negated
    }
}

impl Eq for Matches {}

impl Hash for Matches {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.regex.as_str().hash(state);
        self.negated.hash(state);
    }
}

impl ScalarUDFImpl for Matches {
    fn name(&self) -> &str {
        if self.negated { "matches_not" } else { "matches" }
    }

    fn display_name(&self, args: &[datafusion::logical_expr::Expr]) -> Result<String> {
        self.schema_name(args)
    }

    fn schema_name(&self, args: &[datafusion::logical_expr::Expr]) -> Result<String> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        Ok(format!("{}({}, {:?})", self.name(), args.join(", "), self.regex.as_str()))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let texts = match args.args.as_slice() {
            [texts] => texts.to_array(args.number_rows)?,
            other => return internal_err!("one text is needed, not {}", other.len()),
        };
        let Some(texts) = texts.as_string_view_opt() else {
            return internal_err!("a pattern is matched with {}", texts.data_type());
        };
        let test = |text: Option<&str>| text.map(|text| self.regex.is_match(text) != self.negated);
        let results: BooleanArray = texts.iter().map(test).collect();
        Ok(ColumnarValue::Array(Arc::new(results) as ArrayRef))
    }
}
