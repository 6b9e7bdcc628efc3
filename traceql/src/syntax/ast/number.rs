//! Constants outside of filters: thresholds and the operands of arithmetic on aggregates and series.

use super::{ArithmeticOp, Literal};
use crate::syntax::Span;

/// A number, a duration, or arithmetic on numbers. The parser takes only what has a value.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberExpr {
    /// What it is.
    pub kind: NumberExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of constants.
#[derive(Debug, Clone, PartialEq)]
pub enum NumberExprKind {
    /// An integer, a float or a duration, not negative.
    Literal(Literal),
    /// `-x`
    Negate(Box<NumberExpr>),
    /// `x op y`, the operator one of `+ - * /`.
    Arithmetic {
        /// The operator.
        op: ArithmeticOp,
        /// The left operand.
        left: Box<NumberExpr>,
        /// The right operand.
        right: Box<NumberExpr>,
    },
}

impl NumberExpr {
    /// Its value: an integer if all in it are (division truncates), a duration if it is nothing but one, else a float.
    ///
    /// # Errors
    /// As a sentence: arithmetic on durations, division of integers by zero, more than 64 bits.
    pub fn value(&self) -> Result<Literal, &'static str> {
        let (op, left, right) = match &self.kind {
            NumberExprKind::Literal(literal) => return Ok(literal.clone()),
            NumberExprKind::Negate(operand) => {
                let range = "this does not fit a 64-bit integer";
                return Ok(match operand.value()? {
                    Literal::Int(value) => Literal::Int(value.checked_neg().ok_or(range)?),
                    Literal::Duration(nanos) => Literal::Duration(nanos.checked_neg().ok_or(range)?),
                    Literal::Float(value) => Literal::Float(-value),
                    other => other,
                });
            }
            NumberExprKind::Arithmetic { op, left, right } => (*op, left.value()?, right.value()?),
        };
        match (left, right) {
            (Literal::Int(left), Literal::Int(right)) => integers(op, left, right).map(Literal::Int),
            (Literal::Duration(_), _) | (_, Literal::Duration(_)) => Err("there is no arithmetic on durations here"),
            (left, right) => Ok(Literal::Float(floats(op, float(&left), float(&right)))),
        }
    }
}

fn float(literal: &Literal) -> f64 {
    match literal {
        Literal::Int(value) => *value as f64,
        Literal::Float(value) => *value,
        _ => f64::NAN,
    }
}

fn integers(op: ArithmeticOp, left: i64, right: i64) -> Result<i64, &'static str> {
    let value = match op {
        ArithmeticOp::Add => left.checked_add(right),
        ArithmeticOp::Subtract => left.checked_sub(right),
        ArithmeticOp::Multiply => left.checked_mul(right),
        _ if right == 0 => return Err("this divides by zero"),
        _ => left.checked_div(right),
    };
    value.ok_or("this does not fit a 64-bit integer")
}

fn floats(op: ArithmeticOp, left: f64, right: f64) -> f64 {
    match op {
        ArithmeticOp::Add => left + right,
        ArithmeticOp::Subtract => left - right,
        ArithmeticOp::Multiply => left * right,
        _ => left / right,
    }
}
