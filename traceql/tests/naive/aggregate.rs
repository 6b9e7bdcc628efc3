//! Aggregates of spans (V8).

use std::{cmp::Ordering, collections::BTreeSet};

use traceql::syntax::ast::{Aggregate, AggregateFunction};

use super::{eval::values, model::Trace, value::Value};

/// The aggregate of some spans; `None` where there is nothing to aggregate.
pub(super) fn aggregate(aggregate: &Aggregate, trace: &Trace, spans: &BTreeSet<usize>) -> Option<Value> {
    let Some(operand) = &aggregate.operand else { return Some(Value::Int(spans.len() as i64)) };
    let numbers: Vec<Value> =
        spans.iter().flat_map(|span| values(operand, trace, &trace.spans[*span])).filter(Value::is_number).collect();
    match aggregate.function {
        AggregateFunction::Count => Some(Value::Int(spans.len() as i64)),
        AggregateFunction::Min => extreme(numbers, Ordering::Less),
        AggregateFunction::Max => extreme(numbers, Ordering::Greater),
        AggregateFunction::Sum => Numbers::of(&numbers)?.sum(),
        AggregateFunction::Avg => Numbers::of(&numbers)?.average(),
    }
}

/// The least or greatest, exactly and with its type. NaN, which has no order, only if there is nothing else.
fn extreme(numbers: Vec<Value>, wanted: Ordering) -> Option<Value> {
    let is_nan = |value: &Value| matches!(value, Value::Float(value) if value.is_nan());
    numbers.into_iter().reduce(|best, next| {
        let better = next.order(&best) == Some(wanted) || is_nan(&best);
        if better { next } else { best }
    })
}

/// Numbers of one type, or floats.
enum Numbers {
    Ints(Vec<i128>),
    Durations(Vec<i128>),
    Floats(Vec<f64>),
}

impl Numbers {
    /// `None` if there are none.
    fn of(numbers: &[Value]) -> Option<Self> {
        let int = |value: &Value| match value {
            Value::Int(value) => Some(i128::from(*value)),
            _ => None,
        };
        let duration = |value: &Value| match value {
            Value::Duration(value) => Some(i128::from(*value)),
            _ => None,
        };
        let float = |value: &Value| match value {
            Value::Int(value) | Value::Duration(value) => *value as f64,
            Value::Float(value) => *value,
            _ => f64::NAN,
        };
        if numbers.is_empty() {
            return None;
        }
        let ints = numbers.iter().map(int).collect::<Option<_>>().map(Self::Ints);
        let durations = || numbers.iter().map(duration).collect::<Option<_>>().map(Self::Durations);
        Some(ints.or_else(durations).unwrap_or_else(|| Self::Floats(numbers.iter().map(float).collect())))
    }

    /// Of one type that type, else a float with durations in ns. V5: missing where integers overflow.
    fn sum(&self) -> Option<Value> {
        match self {
            Self::Ints(numbers) => i64::try_from(numbers.iter().sum::<i128>()).ok().map(Value::Int),
            Self::Durations(numbers) => i64::try_from(numbers.iter().sum::<i128>()).ok().map(Value::Duration),
            Self::Floats(numbers) => Some(Value::Float(numbers.iter().sum())),
        }
    }

    /// A float; of durations a duration, truncated. No overflow: the sum on the way to it is exact.
    fn average(&self) -> Option<Value> {
        match self {
            Self::Ints(numbers) => Some(Value::Float(numbers.iter().sum::<i128>() as f64 / numbers.len() as f64)),
            Self::Durations(numbers) => {
                i64::try_from(numbers.iter().sum::<i128>() / numbers.len() as i128).ok().map(Value::Duration)
            }
            Self::Floats(numbers) => Some(Value::Float(numbers.iter().sum::<f64>() / numbers.len() as f64)),
        }
    }
}
