//! Comparisons, matches and arithmetic between values of unknown type: the disjunction over all pairs of types.

use datafusion::{
    arrow::datatypes::DataType,
    common::Result,
    logical_expr::{Expr, Operator, binary_expr, cast, lit},
};

use super::{
    context::Context,
    quantify::{Quantified, quantify_lists},
    typed::{Part, Typed, ValueType, any_of},
};
use crate::{
    functions::{arithmetic, compare_numbers, matches, negate},
    ir::{ArithmeticOp, CompareOp},
};

/// `left op right` (SEMANTICS.md V1, V3, V6); null counts as false.
pub(super) fn compare(context: &Context<'_>, op: CompareOp, left: &Typed, right: &Typed) -> Result<Expr> {
    let mut pairs = Vec::new();
    for left in &left.parts {
        for right in &right.parts {
            pairs.extend(compare_parts(context, op, left, right)?);
        }
    }
    Ok(any_of(pairs))
}

/// The comparison of two parts; `None` where their types cannot be compared.
fn compare_parts(context: &Context<'_>, op: CompareOp, left: &Part, right: &Part) -> Result<Option<Expr>> {
    if left.value_type.element().is_none() && right.value_type.element().is_none() {
        return Ok(compare_scalars(op, left, right));
    }
    // `!=`: every element; else some element.
    let all = op == CompareOp::NotEqual;
    quantify_lists(context, Quantified { all, parts: &[left, right] }, |parts| match parts {
        [left, right] => compare_scalars(op, left, right),
        _ => None,
    })
}

fn compare_scalars(op: CompareOp, left: &Part, right: &Part) -> Option<Expr> {
    use ValueType::{Bool, Duration, Float, Int, Kind, Status, String};
    let equality = matches!(op, CompareOp::Equal | CompareOp::NotEqual);
    let native = || Some(binary_expr(left.expr.clone(), operator(op), right.expr.clone()));
    match (left.value_type, right.value_type) {
        (Int | Duration, Int | Duration) | (String, String) => native(),
        (Bool, Bool) | (Status, Status) | (Kind, Kind) if equality => native(),
        // Arrow orders floats totally (NaN above all, -0 below 0), IEEE 754 does not.
        (Int | Duration | Float, Float) | (Float, Int | Duration) => {
            Some(compare_numbers(op).call(vec![left.expr.clone(), right.expr.clone()]))
        }
        _ => None,
    }
}

fn operator(op: CompareOp) -> Operator {
    match op {
        CompareOp::Equal => Operator::Eq,
        CompareOp::NotEqual => Operator::NotEq,
        CompareOp::Less => Operator::Lt,
        CompareOp::LessOrEqual => Operator::LtEq,
        CompareOp::Greater => Operator::Gt,
        CompareOp::GreaterOrEqual => Operator::GtEq,
    }
}

/// `operand =~ pattern`; null counts as false.
pub(super) fn match_pattern(context: &Context<'_>, operand: &Typed, pattern: &str, negated: bool) -> Result<Expr> {
    let function = matches(pattern, negated)?;
    let mut pairs = Vec::new();
    for part in &operand.parts {
        pairs.extend(match part.value_type {
            ValueType::String => Some(function.call(vec![part.expr.clone()])),
            ValueType::StringList => {
                let parts = Quantified { all: negated, parts: &[part] };
                quantify_lists(context, parts, |parts| match parts {
                    [text] => Some(function.call(vec![text.expr.clone()])),
                    _ => None,
                })?
            }
            _ => None,
        });
    }
    Ok(any_of(pairs))
}

/// `left op right` (SEMANTICS.md V5): integers stay integers, any other mix of numbers is a float of nanoseconds.
pub(super) fn compute(op: ArithmeticOp, left: &Typed, right: &Typed) -> Typed {
    let mut result = Typed { guards: [left.guards.clone(), right.guards.clone()].concat(), ..Typed::default() };
    let numeric = |part: &&Part| part.value_type.is_numeric();
    for left in left.parts.iter().filter(numeric) {
        for right in right.parts.iter().filter(numeric) {
            let function = arithmetic(op);
            match (left.value_type, right.value_type) {
                (ValueType::Int, ValueType::Int) => {
                    result.push(ValueType::Int, function.call(vec![left.expr.clone(), right.expr.clone()]));
                }
                _ => {
                    let float = |part: &Part| match part.value_type {
                        ValueType::Float => part.expr.clone(),
                        _ => cast(part.expr.clone(), DataType::Float64),
                    };
                    result.push(ValueType::Float, function.call(vec![float(left), float(right)]));
                }
            }
        }
    }
    result
}

/// `-operand`: keeps the type.
pub(super) fn negative(operand: &Typed) -> Typed {
    let mut result = Typed { guards: operand.guards.clone(), ..Typed::default() };
    for part in operand.parts.iter().filter(|part| part.value_type.is_numeric()) {
        result.push(part.value_type, negate().call(vec![part.expr.clone()]));
    }
    result
}

/// Some element of a list of truth values is true.
pub(super) fn some_true(context: &Context<'_>, list: &Part) -> Result<Option<Expr>> {
    quantify_lists(context, Quantified { all: false, parts: &[list] }, |parts| match parts {
        [value] => Some(binary_expr(value.expr.clone(), Operator::Eq, lit(true))),
        _ => None,
    })
}
