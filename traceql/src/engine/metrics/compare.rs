//! The series of a comparison: for each side and attribute the most frequent values, and how many spans have it at all
//! (SEMANTICS.md M4).

use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeMap,
};

use crate::{
    Value,
    nodes::{compare::Counts, series::partial::Merged, values::Number},
    series::{Intervals, Label, Series},
};

/// The series of what was counted, with at most `top` values for each attribute and side.
pub(super) fn series(merged: &Merged<Vec<Counts>>, top: usize, intervals: &Intervals) -> Vec<Series> {
    let mut attributes: BTreeMap<(&str, &str), Vec<(&Value, &Counts)>> = BTreeMap::new();
    for (labels, counts) in merged.labels.iter().zip(&merged.state) {
        if let [Value::String(side), Value::String(attribute), value] = labels.as_slice() {
            attributes.entry((side, attribute)).or_default().push((value, counts));
        }
    }
    let mut series = Vec::new();
    for ((side, attribute), values) in attributes {
        let (totals, mut values): (Vec<_>, Vec<_>) = values.into_iter().partition(|(value, _)| **value == Value::Nil);
        values.sort_by_cached_key(|(value, counts)| (Reverse(counts.total()), Ranked(value)));
        let total = format!("{side}_total");
        let values = values.into_iter().take(top).map(|(value, counts)| (side, value, counts));
        for (side, value, counts) in values.chain(totals.into_iter().map(|(nil, counts)| (total.as_str(), nil, counts)))
        {
            let labels = vec![Label::text("__meta_type", side), Label::new(attribute, value.clone())];
            let mut values = vec![0.0; intervals.len()];
            for (interval, count) in counts.iter() {
                values.iter_mut().skip(interval as usize).take(1).for_each(|value| *value = count as f64);
            }
            series.push(Series { labels, values, exemplars: Vec::new() });
        }
    }
    series
}

/// The order of equally frequent values: truth values, then numbers (NaN last, of equal ones floats first), then kinds,
/// values that cannot be queried, status, texts.
#[derive(PartialEq)]
struct Ranked<'v>(&'v Value);

impl Ranked<'_> {
    fn class(&self) -> u8 {
        match self.0 {
            Value::Bool(_) => 0,
            Value::Duration(_) | Value::Float(_) | Value::Int(_) => 1,
            Value::Kind(_) => 2,
            Value::Json(_) | Value::Array(_) | Value::Nil => 3,
            Value::Status(_) => 4,
            Value::String(_) => 5,
        }
    }
}

impl Eq for Ranked<'_> {}

impl PartialOrd for Ranked<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let is_nan = |value: &Value| matches!(value, Value::Float(value) if value.is_nan());
        let numbers = match (Number::of(self.0), Number::of(other.0)) {
            (Some(left), Some(right)) => {
                let nan = is_nan(self.0).cmp(&is_nan(other.0));
                let is_int = |number: Number| matches!(number, Number::Int(_));
                nan.then(left.order(right).unwrap_or(Ordering::Equal)).then(is_int(left).cmp(&is_int(right)))
            }
            _ => Ordering::Equal,
        };
        self.class().cmp(&other.class()).then(numbers).then_with(|| self.0.order(other.0))
    }
}
