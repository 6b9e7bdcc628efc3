//! What works on a whole answer: the largest or smallest series at every time, values that compare so. Series without a
//! value left are dropped.

use std::cmp::Ordering;

use super::{Series, label};
use crate::ir::CompareOp;

/// Keeps the `limit` largest values of every interval.
pub(crate) fn top(series: Vec<Series>, limit: u64) -> Vec<Series> {
    keep_first(series, limit, |largest_first| largest_first)
}

/// Keeps the `limit` smallest values of every interval.
pub(crate) fn bottom(series: Vec<Series>, limit: u64) -> Vec<Series> {
    keep_first(series, limit, Ordering::reverse)
}

/// Keeps the values that compare so with a constant; of exemplars those whose own value does.
pub(crate) fn threshold(mut series: Vec<Series>, op: CompareOp, threshold: f64) -> Vec<Series> {
    for series in &mut series {
        for value in series.values.iter_mut().filter(|value| !holds(op, **value, threshold)) {
            *value = f64::NAN;
        }
        series.exemplars.retain(|exemplar| holds(op, exemplar.value, threshold));
    }
    series.retain(Series::has_values);
    series
}

fn holds(op: CompareOp, left: f64, right: f64) -> bool {
    match op {
        CompareOp::Equal => left == right,
        CompareOp::NotEqual => left != right,
        CompareOp::Less => left < right,
        CompareOp::LessOrEqual => left <= right,
        CompareOp::Greater => left > right,
        CompareOp::GreaterOrEqual => left >= right,
    }
}

fn keep_first(mut series: Vec<Series>, limit: u64, direction: impl Fn(Ordering) -> Ordering) -> Vec<Series> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let intervals = series.iter().map(|series| series.values.len()).max().unwrap_or(0);
    // Ties are decided by labels, which are compared once.
    let mut by_labels: Vec<usize> = (0..series.len()).collect();
    by_labels.sort_by(|a, b| match (series.get(*a), series.get(*b)) {
        (Some(a), Some(b)) => label::tie_order(&a.labels, &b.labels),
        _ => Ordering::Equal,
    });
    let mut ranks = vec![0_usize; series.len()];
    for (rank, index) in by_labels.into_iter().enumerate() {
        ranks.iter_mut().skip(index).take(1).for_each(|place| *place = rank);
    }
    for interval in 0..intervals {
        let values = series.iter().zip(&ranks).enumerate();
        let values = values.map(|(index, (series, rank))| (series.values.get(interval).copied(), *rank, index));
        let mut ranked: Vec<(f64, usize, usize)> = values
            .filter_map(|(value, rank, index)| Some((value.filter(|value| !value.is_nan())?, rank, index)))
            .collect();
        if ranked.len() <= limit {
            continue;
        }
        ranked.sort_by(|a, b| {
            let largest_first = b.0.partial_cmp(&a.0).unwrap_or(Ordering::Equal);
            direction(largest_first.then(a.1.cmp(&b.1)))
        });
        for (_, _, index) in ranked.into_iter().skip(limit) {
            if let Some(value) = series.get_mut(index).and_then(|series| series.values.get_mut(interval)) {
                *value = f64::NAN;
            }
        }
    }
    series.retain(Series::has_values);
    series
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Value, series::Label};

    fn series(name: &str, values: &[f64]) -> Series {
        Series { labels: vec![Label::text("x", name)], values: values.to_vec(), exemplars: Vec::new() }
    }

    #[test]
    fn the_first_of_every_interval_are_kept() {
        let all =
            || vec![series("b", &[1.0, 5.0, f64::NAN]), series("a", &[1.0, 2.0, f64::NAN]), series("c", &[0.0; 3])];
        let kept = |series: Vec<Series>| -> Vec<String> {
            let text = |series: &Series| format!("{} {:?}", series.labels[0].value_text(), series.values);
            series.iter().map(text).collect()
        };
        assert_eq!(kept(top(all(), 1)), ["b [NaN, 5.0, NaN]", "a [1.0, NaN, NaN]", "c [NaN, NaN, 0.0]"]);
        assert_eq!(kept(bottom(all(), 2)), ["b [1.0, NaN, NaN]", "a [NaN, 2.0, NaN]", "c [0.0, 0.0, 0.0]"]);
        assert_eq!(kept(threshold(all(), CompareOp::GreaterOrEqual, 2.0)), ["b [NaN, 5.0, NaN]", "a [NaN, 2.0, NaN]"]);
    }

    #[test]
    fn ties_go_by_type_and_bits_where_there_is_no_text() {
        let of =
            |value: Value| Series { labels: vec![Label::new("x", value)], values: vec![1.0], exemplars: Vec::new() };
        let found = top(vec![of(Value::Int(1)), of(Value::Float(1.0)), of(Value::Int(2)), of(Value::Nil)], 2);
        assert_eq!(found, [of(Value::Float(1.0)), of(Value::Int(2))]);
    }
}
