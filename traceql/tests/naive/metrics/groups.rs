//! Samples of spans, grouped by labels and intervals, and the series that they make.

use std::collections::BTreeMap;

use traceql::syntax::{
    TempoText,
    ast::{FieldRef, MetricsFunction, MetricsFunctionKind, Quantile},
};

use super::{
    Intervals, Series,
    first_stage::Counted,
    label::{self, Label},
};
use crate::naive::value::Value;

/// Groups by what tells their labels apart. One appears with its first sample (§8.3).
#[derive(Debug)]
pub(super) struct Groups {
    intervals: usize,
    groups: BTreeMap<Vec<String>, Group>,
}

/// The samples of one group in each interval.
#[derive(Debug)]
struct Group {
    labels: Vec<Label>,
    samples: Vec<Vec<f64>>,
}

impl Groups {
    /// The samples of spans, each in all groups that its span is in.
    pub(super) fn of(
        spans: &[Counted<'_>],
        function: &MetricsFunction,
        intervals: &Intervals,
        samples: impl Fn(&Counted<'_>) -> Vec<f64>,
    ) -> Self {
        let mut groups = Self { intervals: intervals.0.len(), groups: BTreeMap::new() };
        for span in spans {
            for labels in labels(span, function) {
                samples(span).into_iter().for_each(|sample| groups.add(&labels, span.interval, sample));
            }
        }
        groups
    }

    /// The only group of a query without grouping, if nothing is in it yet.
    pub(super) fn add_ungrouped(&mut self, function: &MetricsFunction) {
        self.group(&ungrouped(function));
    }

    fn add(&mut self, labels: &[Label], interval: usize, sample: f64) {
        self.group(labels).samples[interval].push(sample);
    }

    fn group(&mut self, labels: &[Label]) -> &mut Group {
        let key = labels.iter().map(|label| label::identity(label.value.as_ref())).collect();
        let empty = || Group { labels: labels.to_vec(), samples: vec![Vec::new(); self.intervals] };
        self.groups.entry(key).or_insert_with(empty)
    }

    /// A series for each group.
    pub(super) fn series(&self, of_interval: impl Fn(&[f64]) -> f64) -> Vec<Series> {
        self.groups.values().map(|group| group.series(None, &of_interval)).collect()
    }

    /// §8.4: a series for each group and bucket that is in it; samples are buckets. Not cumulative.
    pub(super) fn histogram(&self) -> Vec<Series> {
        let count = |samples: &[f64], bucket: f64| samples.iter().filter(|sample| **sample == bucket).count() as f64;
        let of_group = |group: &Group| -> Vec<Series> {
            let mut buckets: Vec<f64> = group.samples.iter().flatten().copied().collect();
            buckets.sort_by(f64::total_cmp);
            buckets.dedup();
            let series = |bucket| group.series(Some(("__bucket", bucket)), |samples| count(samples, bucket));
            buckets.into_iter().map(series).collect()
        };
        self.groups.values().flat_map(of_group).collect()
    }

    /// §8.5: a series for each group and quantile, equal quantiles once; samples are buckets.
    pub(super) fn quantiles(&self, quantiles: &[Quantile]) -> Vec<Series> {
        let mut wanted: Vec<f64> = quantiles.iter().map(|quantile| quantile.value).collect();
        wanted.sort_by(f64::total_cmp);
        wanted.dedup();
        let of_group = |group: &Group| -> Vec<Series> {
            wanted.iter().map(|q| group.series(Some(("p", *q)), |samples| quantile(*q, samples))).collect()
        };
        self.groups.values().flat_map(of_group).collect()
    }
}

impl Group {
    /// A series of it, with a number as its last label.
    fn series(&self, last: Option<(&str, f64)>, of_interval: impl Fn(&[f64]) -> f64) -> Series {
        let last = last.map(|(name, number)| Label::new(name, Some(Value::Float(number))));
        let labels: Vec<Label> = self.labels.iter().cloned().chain(last).collect();
        let values = self.samples.iter().map(|samples| of_interval(samples)).collect();
        Series { labels: label::shown(&labels), values }
    }
}

/// The labels of the groups that a span is in: M5, S1: every combination of the distinct values that it has; M6: of any
/// number of fields.
fn labels(span: &Counted<'_>, function: &MetricsFunction) -> Vec<Vec<Label>> {
    if function.by.is_empty() {
        return vec![ungrouped(function)];
    }
    let mut groups = vec![Vec::new()];
    for field in distinct(&function.by) {
        let mut values: Vec<Option<Value>> = span.distinct(&field.field).into_values().map(Some).collect();
        if values.is_empty() {
            values.push(None);
        }
        // §8.6: the canonical text of the field.
        let name = TempoText(&field.field).to_string();
        let with = |labels: &Vec<Label>, value: &Option<Value>| -> Vec<Label> {
            labels.iter().cloned().chain([Label::new(name.as_str(), value.clone())]).collect()
        };
        groups = groups.iter().flat_map(|labels| values.iter().map(|value| with(labels, value))).collect();
    }
    groups
}

/// A field that is named twice makes one label.
fn distinct(fields: &[FieldRef]) -> Vec<&FieldRef> {
    let is_first = |index: usize| !fields[..index].iter().any(|other| other.field == fields[index].field);
    (0..fields.len()).filter(|index| is_first(*index)).map(|index| &fields[index]).collect()
}

/// §8.6: without grouping the name of the function, but where `p` or `__bucket` follow.
fn ungrouped(function: &MetricsFunction) -> Vec<Label> {
    match &function.kind {
        MetricsFunctionKind::QuantileOverTime { .. } | MetricsFunctionKind::HistogramOverTime(_) => Vec::new(),
        kind => vec![Label::text("__name__", kind.name())],
    }
}

/// §8.5: the quantile of a list of buckets: the bucket that holds it is divided as if its logarithms were spread evenly
/// over it.
fn quantile(q: f64, samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    if sorted.is_empty() {
        return 0.0;
    }
    let wanted = (q * sorted.len() as f64).ceil().max(1.0);
    let (mut below, mut previous) = (0.0, None);
    for bucket in sorted.chunk_by(|a, b| a == b) {
        let (max, count) = (bucket[0], bucket.len() as f64);
        if below + count > wanted {
            let high = max.log2();
            let low = previous.map_or(high - 1.0, f64::log2);
            return (low + (high - low) * (wanted - below) / count).exp2();
        }
        below += count;
        if below == wanted {
            return max;
        }
        previous = Some(max);
    }
    panic!("{q} of {samples:?} is beyond the last bucket")
}
