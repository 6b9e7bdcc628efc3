//! Arithmetic on series: cell by cell, between series of equal labels.

use super::{Label, Series, label};
use crate::ir::ArithmeticOp;

/// Series, or a constant beside them.
#[derive(Debug)]
pub(crate) enum Operand {
    Series(Vec<Series>),
    Number(f64),
}

/// What an operator makes of its operands. Series are matched by the set of their labels (SEMANTICS.md M7), a series
/// without labels goes with every one of the other side, and what has no partner is left out.
pub(crate) fn arithmetic(op: ArithmeticOp, left: Operand, right: Operand) -> Operand {
    match (left, right) {
        (Operand::Series(left), Operand::Number(right)) => Operand::Series(each(left, |value| cell(op, value, right))),
        (Operand::Number(left), Operand::Series(right)) => Operand::Series(each(right, |value| cell(op, left, value))),
        (Operand::Number(left), Operand::Number(right)) => Operand::Number(cell(op, left, right)),
        (Operand::Series(left), Operand::Series(right)) => Operand::Series(join(op, &left, &right)),
    }
}

fn each(mut series: Vec<Series>, apply: impl Fn(f64) -> f64) -> Vec<Series> {
    for series in &mut series {
        series.values.iter_mut().for_each(|value| *value = apply(*value));
        series.exemplars.iter_mut().for_each(|exemplar| exemplar.value = apply(exemplar.value));
    }
    series
}

/// Division by zero has no result, also by a constant.
fn cell(op: ArithmeticOp, left: f64, right: f64) -> f64 {
    match op {
        ArithmeticOp::Divide if right == 0.0 => f64::NAN,
        op => crate::ir::arithmetic::floats(op, left, right),
    }
}

fn join(op: ArithmeticOp, left: &[Series], right: &[Series]) -> Vec<Series> {
    let alone = |series: &[Series]| series.iter().position(|series| label::others(&series.labels).next().is_none());
    let combine = |left: &Series, right: &Series| Series {
        labels: labels(op, &left.labels, &right.labels),
        values: left.values.iter().zip(&right.values).map(|(left, right)| cell(op, *left, *right)).collect(),
        exemplars: left.exemplars.iter().chain(&right.exemplars).cloned().collect(),
    };
    if let Some(right) = alone(right).and_then(|index| right.get(index)) {
        return left.iter().map(|left| combine(left, right)).collect();
    }
    if let Some(left) = alone(left).and_then(|index| left.get(index)) {
        return right.iter().map(|right| combine(left, right)).collect();
    }
    // Sorted sets of labels: each finds its partner without looking at all of them.
    let mut sets: Vec<(Vec<&Label>, &Series)> =
        right.iter().map(|series| (label::set(&series.labels), series)).collect();
    sets.sort_by(|a, b| label::set_order(&a.0, &b.0));
    let partner = |left: &Series| {
        let set = label::set(&left.labels);
        let found = sets.binary_search_by(|(other, _)| label::set_order(other, &set)).ok()?;
        sets.get(found).map(|(_, series)| *series)
    };
    left.iter().filter_map(|left| Some(combine(left, partner(left)?))).collect()
}

/// Those of the left, and what only the right has. The functions have a name in common if both sides have one.
fn labels(op: ArithmeticOp, left: &[Label], right: &[Label]) -> Vec<Label> {
    let function = label::function(left).zip(label::function(right));
    let function = function.map(|(left, right)| Label::function(&format!("({left} {} {right})", op.text())));
    let only_right = label::others(right).filter(|label| !left.iter().any(|other| other.name == label.name));
    function.into_iter().chain(label::others(left).chain(only_right).cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;

    fn series(labels: &[(&str, i64)], values: &[f64]) -> Series {
        let labels = labels.iter().map(|(name, value)| Label::new(*name, Value::Int(*value))).collect();
        Series { labels, values: values.to_vec(), exemplars: Vec::new() }
    }

    #[test]
    fn series_meet_by_the_set_of_their_labels() {
        let left = vec![series(&[("a", 1), ("b", 2)], &[1.0, 4.0]), series(&[("a", 9), ("b", 2)], &[1.0, 1.0])];
        let right = vec![series(&[("b", 2), ("a", 1)], &[2.0, 0.0]), series(&[("a", 1)], &[1.0, 1.0])];
        let joined = arithmetic(ArithmeticOp::Divide, Operand::Series(left), Operand::Series(right));
        let Operand::Series(joined) = joined else { panic!("a number") };
        assert_eq!(joined.len(), 1);
        assert_eq!(joined[0].labels, series(&[("a", 1), ("b", 2)], &[]).labels);
        assert_eq!(joined[0].values[0], 0.5);
        assert!(joined[0].values[1].is_nan(), "4 / 0");
    }
}
