//! Aggregates over numbers (SEMANTICS.md V8): exact for whole numbers, whatever their order; and comparisons between them.

use std::cmp::Ordering;

use crate::{
    ir::{ArithmeticOp, CompareOp, arithmetic},
    nodes::values::Number,
    syntax::ast::AggregateFunction,
};

/// The aggregate of some numbers; `None` where there are none, or no result that fits.
pub(super) fn aggregate(function: AggregateFunction, numbers: impl Iterator<Item = Number> + Clone) -> Option<Number> {
    match function {
        AggregateFunction::Count => i64::try_from(numbers.count()).ok().map(Number::Int),
        AggregateFunction::Min => extreme(numbers, Ordering::Less),
        AggregateFunction::Max => extreme(numbers, Ordering::Greater),
        AggregateFunction::Sum => Sum::of(numbers)?.total(),
        AggregateFunction::Avg => Sum::of(numbers)?.average(),
    }
}

/// The least or greatest, with its type; NaN only if there is nothing else.
fn extreme(numbers: impl Iterator<Item = Number>, wanted: Ordering) -> Option<Number> {
    let is_nan = |number: Number| matches!(number, Number::Float(value) if value.is_nan());
    let better = |best: Number, next: Number| next.order(best) == Some(wanted) || is_nan(best);
    numbers.reduce(|best, next| if better(best, next) { next } else { best })
}

/// A sum: exact while all numbers are integers, or all durations, else of floats in their order.
enum Sum {
    Ints { total: i128, count: usize },
    Durations { total: i128, count: usize },
    Floats { total: f64, count: usize },
}

impl Sum {
    fn of(numbers: impl Iterator<Item = Number> + Clone) -> Option<Self> {
        let (mut ints, mut durations, mut count, mut total) = (0_usize, 0_usize, 0_usize, 0_i128);
        for number in numbers.clone() {
            count += 1;
            match number {
                Number::Int(value) => (ints, total) = (ints + 1, total + i128::from(value)),
                Number::Duration(value) => (durations, total) = (durations + 1, total + i128::from(value)),
                Number::Float(_) => {}
            }
        }
        match count {
            0 => None,
            _ if ints == count => Some(Self::Ints { total, count }),
            _ if durations == count => Some(Self::Durations { total, count }),
            _ => Some(Self::Floats { total: numbers.map(Number::float).sum(), count }),
        }
    }

    /// V5: missing where it does not fit.
    fn total(self) -> Option<Number> {
        match self {
            Self::Ints { total, .. } => i64::try_from(total).ok().map(Number::Int),
            Self::Durations { total, .. } => i64::try_from(total).ok().map(Number::Duration),
            Self::Floats { total, .. } => Some(Number::Float(total)),
        }
    }

    fn average(self) -> Option<Number> {
        match self {
            Self::Ints { total, count } => Some(Number::Float(total as f64 / count as f64)),
            Self::Durations { total, count } => i64::try_from(total / count as i128).ok().map(Number::Duration),
            Self::Floats { total, count } => Some(Number::Float(total / count as f64)),
        }
    }
}

/// Arithmetic between values of spansets (V5).
pub(super) fn compute(op: ArithmeticOp, left: Number, right: Number) -> Option<Number> {
    match (left, right) {
        (Number::Int(left), Number::Int(right)) => arithmetic::integers(op, left, right).map(Number::Int),
        (left, right) => Some(Number::Float(arithmetic::floats(op, left.float(), right.float()))),
    }
}

/// Whether a comparison of two values of spansets holds.
pub(super) fn holds(op: CompareOp, left: Number, right: Number) -> bool {
    let order = left.order(right);
    match op {
        CompareOp::Equal => order == Some(Ordering::Equal),
        CompareOp::NotEqual => order != Some(Ordering::Equal),
        CompareOp::Less => order == Some(Ordering::Less),
        CompareOp::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        CompareOp::Greater => order == Some(Ordering::Greater),
        CompareOp::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}
