//! From what was counted to series: values, labels, buckets and quantiles as Tempo has them.

use crate::{
    Value,
    ir::{MetricsFunction, MetricsFunctionKind as Kind},
    nodes::series::{
        partial::Merged,
        state::{Buckets, State, SumCell},
    },
    series::{Intervals, Label, Series, shown},
    syntax::{
        TempoText,
        ast::{Field, Intrinsic},
    },
};

const NANOS: f64 = 1e9;

/// What the series of a function are like.
pub(super) struct Answer<'a> {
    pub(super) function: &'a MetricsFunction,
    pub(super) by: &'a [Field],
    pub(super) intervals: Intervals,
    /// For how many spans each stands that was counted.
    pub(super) scale: f64,
}

impl Answer<'_> {
    /// The series of what was counted. Without groups, counts have one even if `some` spans might be found and none was.
    pub(super) fn series(&self, merged: &Merged<State>, some: bool) -> Vec<Series> {
        let groups = (0_u32..).zip(&merged.labels).map(|(group, values)| (group, self.labels(values)));
        let mut series = Vec::new();
        for (group, labels) in groups {
            self.of_group(&merged.state, group, labels, &mut series);
        }
        if series.is_empty()
            && some
            && self.by.is_empty()
            && matches!(self.function.kind, Kind::Rate | Kind::CountOverTime)
        {
            series.push(self.one(self.labels(&[]), None, vec![0.0; self.intervals.len()]));
        }
        series
    }

    /// The labels of a group, nil ones included.
    pub(super) fn labels(&self, values: &[Value]) -> Vec<Label> {
        let name = match self.function.kind {
            // These have `p` and `__bucket`.
            Kind::QuantileOverTime(..) | Kind::HistogramOverTime(_) => None,
            _ => Some(Label::function(self.function.kind.name())),
        };
        let name = name.filter(|_| self.by.is_empty());
        let named =
            self.by.iter().zip(values).map(|(field, value)| Label::new(TempoText(field).to_string(), value.clone()));
        name.into_iter().chain(named).collect()
    }

    /// Whether values say how many spans there are.
    pub(super) fn is_counted(&self) -> bool {
        matches!(self.function.kind, Kind::Rate | Kind::CountOverTime | Kind::HistogramOverTime(_))
    }

    fn one(&self, mut labels: Vec<Label>, last: Option<(&str, f64)>, values: Vec<f64>) -> Series {
        labels.extend(last.map(|(name, number)| Label::new(name, Value::Float(number))));
        Series { labels: shown(labels), values, exemplars: Vec::new() }
    }

    fn of_group(&self, state: &State, group: u32, labels: Vec<Label>, series: &mut Vec<Series>) {
        match state {
            State::Count(table) => {
                let divisor = if self.function.kind == Kind::Rate { self.intervals.step_seconds() } else { 1.0 };
                let values = table.row(group).iter().map(|count| *count as f64 * self.scale / divisor).collect();
                series.push(self.one(labels, None, values));
            }
            State::Least(table) | State::Greatest(table) => {
                series.push(self.one(labels, None, table.row(group).to_vec()));
            }
            State::Sum(table) => {
                let average = matches!(self.function.kind, Kind::AvgOverTime(_));
                let value = |cell: &SumCell| match average {
                    true => cell.sum() / cell.count as f64,
                    false => cell.sum() * self.scale,
                };
                let values = table.row(group).iter().map(value).collect();
                series.push(self.one(labels, None, values));
            }
            State::Buckets(buckets) => match &self.function.kind {
                Kind::QuantileOverTime(_, quantiles) => {
                    for quantile in distinct(quantiles) {
                        let value = |interval| self.bucketed_quantile(buckets, group, interval, quantile);
                        let values = (0..self.intervals.len()).map(value).collect();
                        series.push(self.one(labels.clone(), Some(("p", quantile)), values));
                    }
                }
                _ => {
                    for (power, counts) in buckets.rows(group) {
                        let values = counts.iter().map(|count| *count as f64 * self.scale).collect();
                        series.push(self.one(labels.clone(), Some(("__bucket", self.bound(power))), values));
                    }
                }
            },
            State::Values(table) => {
                let Kind::QuantileOverTime(_, quantiles) = &self.function.kind else { return };
                let mut cells = table.row(group).to_vec();
                cells.iter_mut().for_each(|values| values.sort_unstable_by(f64::total_cmp));
                for quantile in distinct(quantiles) {
                    let values = cells.iter().map(|values| exact_quantile(values, quantile)).collect();
                    series.push(self.one(labels.clone(), Some(("p", quantile)), values));
                }
            }
        }
    }

    /// The upper bound of a bucket; of durations in seconds.
    fn bound(&self, power: u8) -> f64 {
        let bound = 2_f64.powi(i32::from(power));
        match &self.function.kind {
            Kind::HistogramOverTime(field) | Kind::QuantileOverTime(field, _) if is_duration(field) => bound / NANOS,
            _ => bound,
        }
    }

    /// The bucket that has the wanted value in it is divided as if the logarithms of its values were spread evenly over it,
    /// from the bucket before that is not empty, as Tempo does. 0 where there is nothing.
    fn bucketed_quantile(&self, buckets: &Buckets, group: u32, interval: usize, quantile: f64) -> f64 {
        let counts = || {
            let rows = buckets.rows(group).map(|(power, counts)| (power, counts.get(interval).copied().unwrap_or(0)));
            rows.filter(|(_, count)| *count > 0)
        };
        let total: u64 = counts().map(|(_, count)| count).sum();
        let wanted = (quantile * total as f64).ceil().max(1.0);
        let (mut below, mut previous) = (0.0, None);
        for (power, count) in counts() {
            let (bound, count) = (self.bound(power), count as f64);
            if below + count > wanted {
                let high = bound.log2();
                let low = previous.map_or(high - 1.0, f64::log2);
                return (low + (high - low) * (wanted - below) / count).exp2();
            }
            below += count;
            if below >= wanted {
                return bound;
            }
            previous = Some(bound);
        }
        0.0
    }
}

/// The value that at least as large a part of all values as `quantile` is not above, the nearest rank. 0 where there is
/// nothing, as with buckets. The values ascend.
fn exact_quantile(values: &[f64], quantile: f64) -> f64 {
    let rank = (quantile * values.len() as f64).ceil().max(1.0) as usize;
    values.get(rank - 1).or(values.last()).copied().unwrap_or(0.0)
}

/// Each once, ascending.
fn distinct(quantiles: &[f64]) -> Vec<f64> {
    let mut distinct = quantiles.to_vec();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    distinct
}

/// Whether a field's values are durations.
fn is_duration(field: &Field) -> bool {
    let durations = [Intrinsic::Duration, Intrinsic::TraceDuration, Intrinsic::EventTimeSinceStart];
    matches!(field, Field::Intrinsic(intrinsic) if durations.contains(intrinsic))
}
