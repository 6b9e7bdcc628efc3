//! Conditions: the boolean side of the language (SEMANTICS.md V1, V2).
//!
//! A condition is an expression for which null counts as false; where that would show (below `!`, as a value) it is
//! made two-valued first.

use datafusion::{
    common::Result,
    logical_expr::{Expr as Logical, lit, utils::split_conjunction_owned, when},
};

use super::{
    compare::{compare, compute, match_pattern, negative, some_true},
    context::Context,
    quantify::bind,
    resolve::resolve,
    typed::{Typed, ValueType, all_of, any_of},
};
use crate::ir::{Const, Expr};

/// The filter's condition as one expression over the columns that the context has noted.
pub(crate) fn lower_filter(context: &Context<'_>, filter: &Expr) -> Result<Logical> {
    let conjuncts = match filter {
        Expr::And(list) => list.iter().map(|part| condition(context, part)).collect::<Result<Vec<_>>>()?,
        other => vec![condition(context, other)?],
    };
    let columns = context.columns();
    bind(context, conjuncts, &columns)
}

/// The filter's condition as a list of conditions that all must hold.
pub(crate) fn filter_conjuncts(context: &Context<'_>, filter: &Expr) -> Result<Vec<Logical>> {
    Ok(split_conjunction_owned(lower_filter(context, filter)?))
}

/// True where the expression is true; false or null elsewhere.
fn condition(context: &Context<'_>, expr: &Expr) -> Result<Logical> {
    let list = |list: &[Expr]| list.iter().map(|part| condition(context, part)).collect::<Result<Vec<_>>>();
    match expr {
        Expr::And(parts) => Ok(all_of(list(parts)?)),
        Expr::Or(parts) => Ok(any_of(list(parts)?)),
        Expr::Compare { op, left, right } => compare(context, *op, &value(context, left)?, &value(context, right)?),
        Expr::Match { operand, pattern, negated } => {
            match_pattern(context, &value(context, operand)?, pattern, *negated)
        }
        Expr::Exists { operand, negated } => {
            let operand = value(context, operand)?;
            let exists = operand.exists();
            if !negated {
                return Ok(exists);
            }
            // Absence is asked of events and links that are there.
            let mut conditions = operand.guards;
            conditions.push(Logical::Not(Box::new(exists)));
            Ok(all_of(conditions))
        }
        Expr::Not(operand) if operand.is_condition() => Ok(condition(context, operand)?.is_not_true()),
        Expr::Const(Const::Bool(value)) => Ok(lit(*value)),
        _ => truth(context, expr),
    }
}

/// The expression as a truth value: null where it is missing or something else.
fn truth(context: &Context<'_>, expr: &Expr) -> Result<Logical> {
    if expr.is_condition() {
        return Ok(condition(context, expr)?.is_true());
    }
    if let Expr::Not(operand) = expr {
        return Ok(Logical::Not(Box::new(truth(context, operand)?)));
    }
    let value = value(context, expr)?;
    let list = value.parts.iter().find(|part| part.value_type == ValueType::BoolList);
    let Some(list) = list else { return Ok(value.truth()) };
    let some = some_true(context, list)?.unwrap_or_else(|| lit(false));
    let mut truth = Typed::one(ValueType::Bool, value.truth());
    // Where there is no list its truth is missing, not false.
    truth.push(ValueType::Bool, when(list.expr.clone().is_not_null(), some).end()?);
    Ok(truth.truth())
}

/// The value of an expression.
pub(super) fn value(context: &Context<'_>, expr: &Expr) -> Result<Typed> {
    match expr {
        Expr::Const(value) => Ok(constant(value)),
        Expr::Missing => Ok(Typed::default()),
        Expr::Field(field) => resolve(context, field),
        Expr::Negate(operand) => Ok(negative(&value(context, operand)?)),
        Expr::Arithmetic { op, left, right } => Ok(compute(*op, &value(context, left)?, &value(context, right)?)),
        _ => Ok(Typed::one(ValueType::Bool, truth(context, expr)?)),
    }
}

fn constant(value: &Const) -> Typed {
    use datafusion::scalar::ScalarValue;
    match value {
        Const::Bool(value) => Typed::one(ValueType::Bool, lit(*value)),
        Const::Int(value) => Typed::one(ValueType::Int, lit(*value)),
        Const::Float(value) => Typed::one(ValueType::Float, lit(*value)),
        Const::Duration(value) => Typed::one(ValueType::Duration, lit(*value)),
        Const::String(text) => Typed::one(ValueType::String, lit(ScalarValue::Utf8View(Some(text.clone())))),
        Const::Status(code) => Typed::one(ValueType::Status, lit(*code)),
        Const::Kind(code) => Typed::one(ValueType::Kind, lit(*code)),
    }
}
