//! Arithmetic on series (§8.9).

use traceql::syntax::ast::ArithmeticOp;

use super::{
    Series,
    label::{self, Label},
};

/// Series, or a constant beside them.
#[derive(Debug)]
pub(super) enum Operand {
    Series(Vec<Series>),
    Number(f64),
}

pub(super) fn arithmetic(op: ArithmeticOp, left: Operand, right: Operand) -> Operand {
    use Operand::{Number, Series};
    let each = |series: Vec<super::Series>, cell: &dyn Fn(f64) -> f64| {
        let apply = |series: super::Series| super::Series {
            values: series.values.into_iter().map(cell).collect(),
            labels: series.labels,
        };
        Series(series.into_iter().map(apply).collect())
    };
    match (left, right) {
        (Series(left), Number(right)) => each(left, &|value| cell(op, value, right)),
        (Number(left), Series(right)) => each(right, &|value| cell(op, left, value)),
        (Number(left), Number(right)) => Number(cell(op, left, right)),
        (Series(left), Series(right)) => Series(join(op, &left, &right)),
    }
}

/// Division by zero has no result.
fn cell(op: ArithmeticOp, left: f64, right: f64) -> f64 {
    match op {
        ArithmeticOp::Add => left + right,
        ArithmeticOp::Subtract => left - right,
        ArithmeticOp::Multiply => left * right,
        ArithmeticOp::Divide if right == 0.0 => f64::NAN,
        ArithmeticOp::Divide => left / right,
        other => panic!("{other:?} between series"),
    }
}

/// Series with the same set of labels (M7), or with one of the other side that has none; what has no partner is dropped.
fn join(op: ArithmeticOp, left: &[Series], right: &[Series]) -> Vec<Series> {
    let combine = |left: &Series, right: &Series| Series {
        labels: labels(op, &left.labels, &right.labels),
        values: left.values.iter().zip(&right.values).map(|(left, right)| cell(op, *left, *right)).collect(),
    };
    if let Some(right) = without_labels(right) {
        return left.iter().map(|left| combine(left, right)).collect();
    }
    if let Some(left) = without_labels(left) {
        return right.iter().map(|right| combine(left, right)).collect();
    }
    let partner = |left: &Series| right.iter().find(|right| label::set(&left.labels) == label::set(&right.labels));
    left.iter().filter_map(|left| Some(combine(left, partner(left)?))).collect()
}

fn without_labels(series: &[Series]) -> Option<&Series> {
    series.iter().find(|series| label::set(&series.labels).is_empty())
}

/// Those of the left, and what only the right has. The functions have one name if both sides have.
fn labels(op: ArithmeticOp, left: &[Label], right: &[Label]) -> Vec<Label> {
    let function = label::function(left).zip(label::function(right)).map(|(left, right)| {
        let op = match op {
            ArithmeticOp::Add => "+",
            ArithmeticOp::Subtract => "-",
            ArithmeticOp::Multiply => "*",
            _ => "/",
        };
        Label::text("__name__", &format!("({left} {op} {right})"))
    });
    let only_right = right.iter().filter(|label| !left.iter().any(|other| other.name == label.name));
    let others = left.iter().chain(only_right).filter(|label| !label.is_function()).cloned();
    function.into_iter().chain(others).collect()
}
