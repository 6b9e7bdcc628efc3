//! A condition on elements of lists, for some combination of elements or for every one.
//!
//! Rows are unfolded: a row with lists of n and m elements becomes n × m rows of elements, the condition is evaluated
//! on all of them at once, and folded again. Where [`Quantifier::flags`] are given (events, links), an empty list
//! counts as one missing element, and the flag says which.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, RecordBatch, RecordBatchOptions, UInt32Array},
        compute::take,
        datatypes::{DataType, SchemaRef},
    },
    common::{Result, internal_err},
    logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
    physical_expr::PhysicalExpr,
};

/// What an argument varies with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Dimension {
    /// With the row: no list.
    Row,
    /// A list; those of the same dimension have the same lengths and vary together.
    First,
    /// A list that varies independently of the first.
    Second,
}

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
        let first = self.list(args, Dimension::First)?;
        let second = self.list(args, Dimension::Second)?;
        let binds = self.name != "some_element" && self.name != "every_element";
        // For each unfolded row: the row it came from, and the elements.
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
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        for (array, dimension) in args.iter().zip(&self.dimensions) {
            let column = match (dimension, array.as_list_opt::<i32>()) {
                (Dimension::Row, _) => take(array, &sources, None)?,
                (Dimension::First, Some(list)) => take(list.values(), &firsts, None)?,
                (Dimension::Second, Some(list)) => take(list.values(), &seconds, None)?,
                (_, None) => return internal_err!("{} needs a list, not {}", self.name, array.data_type()),
            };
            columns.push(column);
        }
        for (flag, indices) in self.flags.iter().zip([&firsts, &seconds]) {
            if flag.is_some() {
                columns.push(Arc::new(BooleanArray::from_iter((0..unfolded).map(|row| Some(indices.is_valid(row))))));
            }
        }
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

    /// The list that tells how many elements a dimension has.
    fn list<'a>(&self, args: &'a [ArrayRef], wanted: Dimension) -> Result<Option<&'a ListArray>> {
        let found = args.iter().zip(&self.dimensions).find(|(_, dimension)| **dimension == wanted);
        match found {
            None => Ok(None),
            Some((array, _)) => match array.as_list_opt::<i32>() {
                Some(list) => Ok(Some(list)),
                None => internal_err!("{} needs a list, not {}", self.name, array.data_type()),
            },
        }
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
