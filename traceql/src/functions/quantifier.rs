//! A condition on elements of lists, for some combination of elements or for every one.
//!
//! Rows are unfolded (see [`super::unfold`]), the condition is evaluated on all of them at once, and folded again.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions},
        datatypes::{DataType, SchemaRef},
    },
    common::{Result, internal_err},
    logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
    physical_expr::PhysicalExpr,
};

use super::unfold::{Dimension, Unfolded, unfold};

/// A condition on elements.
#[derive(Debug)]
pub(crate) struct Quantifier {
    /// What EXPLAIN calls it.
    pub(crate) name: String,
    /// The condition as text.
    pub(crate) text: String,
    /// Every combination, or some.
    pub(crate) all: bool,
    /// What each argument varies with.
    pub(crate) dimensions: Vec<Dimension>,
    /// For each list dimension the name of a column that says whether there is an element.
    pub(crate) flags: [Option<&'static str>; 2],
    /// The condition over one element of each argument, then the flags.
    pub(crate) condition: Arc<dyn PhysicalExpr>,
    pub(crate) schema: SchemaRef,
}

impl Quantifier {
    pub(crate) fn into_function(self) -> ScalarUDF {
        let signature = Signature::any(self.dimensions.len(), Volatility::Immutable);
        ScalarUDF::from(QuantifierFunction { quantifier: self, signature })
    }

    /// Evaluates the condition for each row.
    fn evaluate(&self, args: &[ArrayRef], rows: usize) -> Result<BooleanArray> {
        let binds = self.name != "some_element" && self.name != "every_element";
        let Unfolded { columns, ends, sources } = unfold(args, &self.dimensions, &self.flags, binds, rows)?;
        let unfolded = sources.len();
        let options = RecordBatchOptions::new().with_row_count(Some(unfolded));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        let met = self.condition.evaluate(&batch)?.into_array(unfolded)?;
        let Some(met) = met.as_boolean_opt() else {
            return internal_err!("a condition gives {}", met.data_type());
        };
        let mut start = 0;
        let fold = |end: usize| {
            let mut element = (start..end).map(|row| met.is_valid(row) && met.value(row));
            let result = if self.all { start < end && element.all(|met| met) } else { element.any(|met| met) };
            start = end;
            Some(result)
        };
        Ok(ends.into_iter().map(fold).collect())
    }
}

#[derive(Debug)]
struct QuantifierFunction {
    quantifier: Quantifier,
    signature: Signature,
}

impl PartialEq for QuantifierFunction {
    fn eq(&self, other: &Self) -> bool {
        self.quantifier.name == other.quantifier.name
            && self.quantifier.text == other.quantifier.text
            && self.quantifier.schema == other.quantifier.schema
    }
}

impl Eq for QuantifierFunction {}

impl Hash for QuantifierFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.quantifier.name.hash(state);
        self.quantifier.text.hash(state);
    }
}

impl ScalarUDFImpl for QuantifierFunction {
    fn name(&self) -> &str {
        &self.quantifier.name
    }

    fn display_name(&self, args: &[Expr]) -> Result<String> {
        self.schema_name(args)
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        Ok(format!("{}({}: {})", self.quantifier.name, args.join(", "), self.quantifier.text))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = args.args.iter().map(|arg| arg.to_array(args.number_rows)).collect::<Result<Vec<_>>>()?;
        let results = self.quantifier.evaluate(&arrays, args.number_rows)?;
        Ok(ColumnarValue::Array(Arc::new(results)))
    }
}
