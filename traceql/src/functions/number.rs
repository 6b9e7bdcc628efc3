//! Numbers: arithmetic that has no value instead of failing (SEMANTICS.md V5), comparisons of floats as in IEEE 754 and
//! of integers with floats exactly (V3).

use std::{cmp::Ordering, sync::Arc};

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array},
        datatypes::{DataType, Float64Type, Int64Type},
    },
    common::{Result, internal_err},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};

use crate::ir::{
    ArithmeticOp, CompareOp,
    arithmetic::{compare_mixed, floats, integers},
};

/// `left op right` of two integers or two floats.
pub(crate) fn arithmetic(op: ArithmeticOp) -> ScalarUDF {
    ScalarUDF::from(Arithmetic { op, signature: Signature::any(2, Volatility::Immutable) })
}

/// `left op right` where at least one is a float.
pub(crate) fn compare_numbers(op: CompareOp) -> ScalarUDF {
    ScalarUDF::from(CompareNumbers { op, signature: Signature::any(2, Volatility::Immutable) })
}

/// `-operand`; no value where the negative does not fit.
pub(crate) fn negate() -> ScalarUDF {
    ScalarUDF::from(Negate { signature: Signature::any(1, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Arithmetic {
    op: ArithmeticOp,
    signature: Signature,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CompareNumbers {
    op: CompareOp,
    signature: Signature,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Negate {
    signature: Signature,
}

/// The two arguments as arrays.
fn two(args: &ScalarFunctionArgs) -> Result<(ArrayRef, ArrayRef)> {
    match args.args.as_slice() {
        [left, right] => Ok((left.to_array(args.number_rows)?, right.to_array(args.number_rows)?)),
        other => internal_err!("two numbers are needed, not {}", other.len()),
    }
}

impl ScalarUDFImpl for Arithmetic {
    fn name(&self) -> &str {
        match self.op {
            ArithmeticOp::Add => "add",
            ArithmeticOp::Subtract => "subtract",
            ArithmeticOp::Multiply => "multiply",
            ArithmeticOp::Divide => "divide",
            ArithmeticOp::Modulo => "modulo",
            ArithmeticOp::Power => "power",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [DataType::Int64, DataType::Int64] => Ok(DataType::Int64),
            _ => Ok(DataType::Float64),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (left, right) = two(&args)?;
        if let (Some(left), Some(right)) = (left.as_primitive_opt::<Int64Type>(), right.as_primitive_opt::<Int64Type>())
        {
            let pairs = left.iter().zip(right);
            let results: Int64Array = pairs.map(|(left, right)| integers(self.op, left?, right?)).collect();
            return Ok(ColumnarValue::Array(Arc::new(results)));
        }
        let (Some(left), Some(right)) =
            (left.as_primitive_opt::<Float64Type>(), right.as_primitive_opt::<Float64Type>())
        else {
            return internal_err!("{} of {} and {}", self.name(), left.data_type(), right.data_type());
        };
        let results: Float64Array =
            left.iter().zip(right).map(|(left, right)| Some(floats(self.op, left?, right?))).collect();
        Ok(ColumnarValue::Array(Arc::new(results)))
    }
}

impl ScalarUDFImpl for CompareNumbers {
    fn name(&self) -> &str {
        match self.op {
            CompareOp::Equal => "number_eq",
            CompareOp::NotEqual => "number_ne",
            CompareOp::Less => "number_lt",
            CompareOp::LessOrEqual => "number_le",
            CompareOp::Greater => "number_gt",
            CompareOp::GreaterOrEqual => "number_ge",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (left, right) = two(&args)?;
        let holds = |ordering: Option<Ordering>| match self.op {
            CompareOp::Equal => ordering == Some(Ordering::Equal),
            CompareOp::NotEqual => ordering != Some(Ordering::Equal),
            CompareOp::Less => ordering == Some(Ordering::Less),
            CompareOp::LessOrEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
            CompareOp::Greater => ordering == Some(Ordering::Greater),
            CompareOp::GreaterOrEqual => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
        };
        let ints = |array: &ArrayRef| array.as_primitive_opt::<Int64Type>().cloned();
        let floats = |array: &ArrayRef| array.as_primitive_opt::<Float64Type>().cloned();
        let results: BooleanArray = match (ints(&left), floats(&left), ints(&right), floats(&right)) {
            (_, Some(left), _, Some(right)) => {
                let pairs = left.iter().zip(&right);
                pairs.map(|(left, right)| Some(holds(left?.partial_cmp(&right?)))).collect()
            }
            (Some(left), _, _, Some(right)) => {
                left.iter().zip(&right).map(|(left, right)| Some(holds(compare_mixed(left?, right?)))).collect()
            }
            (_, Some(left), Some(right), _) => {
                let reversed = |(left, right): (Option<f64>, Option<i64>)| {
                    Some(holds(compare_mixed(right?, left?).map(Ordering::reverse)))
                };
                left.iter().zip(&right).map(reversed).collect()
            }
            _ => return internal_err!("a comparison of {} with {}", left.data_type(), right.data_type()),
        };
        Ok(ColumnarValue::Array(Arc::new(results)))
    }
}

impl ScalarUDFImpl for Negate {
    fn name(&self) -> &str {
        "negate"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types.first().cloned().unwrap_or(DataType::Null))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let operand = match args.args.as_slice() {
            [operand] => operand.to_array(args.number_rows)?,
            other => return internal_err!("one number is needed, not {}", other.len()),
        };
        let negated: ArrayRef = match operand.data_type() {
            DataType::Int64 => {
                let operand = operand.as_primitive::<Int64Type>();
                Arc::new(operand.iter().map(|value| value?.checked_neg()).collect::<Int64Array>())
            }
            DataType::Float64 => {
                Arc::new(operand.as_primitive::<Float64Type>().unary::<_, Float64Type>(|value| -value))
            }
            other => return internal_err!("the negative of {other}"),
        };
        Ok(ColumnarValue::Array(negated))
    }
}
