//! Histograms of seconds: classic buckets, native ones, or both, with an exemplar for each classic bucket.

use std::{collections::BTreeMap, sync::Arc};

use crate::model::TraceId;

/// Which buckets a histogram has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HistogramMode {
    /// Buckets with bounds that are given.
    #[default]
    Classic,
    /// Exponential buckets, as fine as they have to be.
    Native,
    /// Both.
    Both,
}

/// An observation that stands for its bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exemplar {
    /// The trace of the span.
    pub trace_id: TraceId,
    /// What was observed.
    pub value: f64,
    /// When, in ns since 1970: the span's end.
    pub time: u64,
}

/// What histograms of one metric have in common.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) bounds: Arc<[f64]>,
    pub(crate) mode: HistogramMode,
}

/// Observations by size. Counts are fractional where spans have weights.
#[derive(Debug, Clone)]
pub struct Histogram {
    sum: f64,
    count: f64,
    bounds: Arc<[f64]>,
    /// One more than there are bounds; none at all where there are no classic buckets.
    counts: Box<[f64]>,
    exemplars: Box<[Option<Exemplar>]>,
    native: Option<NativeHistogram>,
}

impl Histogram {
    pub(crate) fn new(shape: &Shape) -> Self {
        let buckets = if shape.mode == HistogramMode::Native { 0 } else { shape.bounds.len() + 1 };
        Self {
            sum: 0.0,
            count: 0.0,
            bounds: Arc::clone(&shape.bounds),
            counts: vec![0.0; buckets].into(),
            exemplars: vec![None; buckets].into(),
            native: (shape.mode != HistogramMode::Classic).then(NativeHistogram::default),
        }
    }

    pub(crate) fn observe(&mut self, value: f64, weight: f64, exemplar: Option<Exemplar>) {
        self.sum += value * weight;
        self.count += weight;
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += weight;
        }
        if let (Some(place), Some(exemplar)) = (self.exemplars.get_mut(bucket), exemplar) {
            keep_later(place, exemplar);
        }
        if let Some(native) = &mut self.native {
            native.observe(value, weight);
        }
    }

    /// Adds what another one of the same metric has.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.sum += other.sum;
        self.count += other.count;
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        for (place, exemplar) in self.exemplars.iter_mut().zip(&other.exemplars) {
            if let Some(exemplar) = exemplar {
                keep_later(place, *exemplar);
            }
        }
        if let (Some(native), Some(other)) = (&mut self.native, &other.native) {
            native.merge(other);
        }
    }

    /// Exemplars stand for one collection.
    pub(crate) fn clear_exemplars(&mut self) {
        self.exemplars.fill(None);
    }

    /// The sum of the observations.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> f64 {
        self.count
    }

    /// Whether all counts are whole numbers, as they are where no span has a weight.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let native = self.native.iter().flat_map(|native| native.buckets.values().chain([&native.zero_count]));
        // Beyond 2^53 a float is none that was counted.
        let is_whole = |count: &f64| count.fract() == 0.0 && *count <= 9_007_199_254_740_992.0;
        self.counts.iter().chain([&self.count]).chain(native).all(is_whole)
    }

    /// Upper bounds, how many observations are not above them, and an exemplar of those that are above the bound
    /// before. The last bound is infinite. Empty where there are no classic buckets.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, f64, Option<&Exemplar>)> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        let counts = self.counts.iter().scan(0.0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        bounds.zip(counts).zip(&self.exemplars).map(|((bound, count), exemplar)| (bound, count, exemplar.as_ref()))
    }

    /// The native buckets.
    #[must_use]
    pub fn native(&self) -> Option<&NativeHistogram> {
        self.native.as_ref()
    }
}

fn keep_later(place: &mut Option<Exemplar>, exemplar: Exemplar) {
    if place.is_none_or(|kept| kept.time <= exemplar.time) {
        *place = Some(exemplar);
    }
}

/// The finest schema that is begun with: bounds grow by 2^(1/8) = 1.09, the largest such step that is below 1.1.
const SCHEMA: i32 = 3;
/// Coarser than this it does not get: bounds grow by 65,536.
const MIN_SCHEMA: i32 = -4;
const MAX_BUCKETS: usize = 100;
/// Observations below it are counted as zero.
const ZERO_THRESHOLD: f64 = 2.938_735_877_055_719e-39; // 2^-128, as in Prometheus

/// Exponential buckets: the one with index `i` holds what lies above `base^(i-1)` and not above `base^i`, where `base` is
/// `2^(2^-schema)`. Where there would be more than 100 of them, each two become one.
#[derive(Debug, Clone, PartialEq)]
pub struct NativeHistogram {
    schema: i32,
    zero_count: f64,
    buckets: BTreeMap<i32, f64>,
}

impl Default for NativeHistogram {
    fn default() -> Self {
        Self { schema: SCHEMA, zero_count: 0.0, buckets: BTreeMap::new() }
    }
}

impl NativeHistogram {
    /// How fine the buckets are: −4 to 8.
    #[must_use]
    pub fn schema(&self) -> i32 {
        self.schema
    }

    /// What counts as zero.
    #[must_use]
    pub fn zero_threshold(&self) -> f64 {
        ZERO_THRESHOLD
    }

    /// How many observations are zero.
    #[must_use]
    pub fn zero_count(&self) -> f64 {
        self.zero_count
    }

    /// Indexes, and how many observations lie in each; ascending, empty ones left out.
    pub fn buckets(&self) -> impl Iterator<Item = (i32, f64)> {
        self.buckets.iter().map(|(index, count)| (*index, *count))
    }

    pub(super) fn observe(&mut self, value: f64, weight: f64) {
        if value <= ZERO_THRESHOLD {
            self.zero_count += weight;
            return;
        }
        *self.buckets.entry(index(value, self.schema)).or_default() += weight;
        self.coarsen();
    }

    fn merge(&mut self, other: &Self) {
        let mut other = other.clone();
        while self.schema > other.schema {
            self.halve();
        }
        while other.schema > self.schema {
            other.halve();
        }
        self.zero_count += other.zero_count;
        for (index, count) in other.buckets {
            *self.buckets.entry(index).or_default() += count;
        }
        self.coarsen();
    }

    fn coarsen(&mut self) {
        while self.buckets.len() > MAX_BUCKETS && self.schema > MIN_SCHEMA {
            self.halve();
        }
    }

    /// Two buckets become one.
    fn halve(&mut self) {
        let mut buckets = BTreeMap::new();
        for (index, count) in &self.buckets {
            *buckets.entry((index + 1).div_euclid(2)).or_default() += count;
        }
        self.buckets = buckets;
        self.schema -= 1;
    }
}

/// The bucket of a positive value.
fn index(value: f64, schema: i32) -> i32 {
    let scale = f64::from(schema).exp2();
    let index = (value.log2() * scale).ceil();
    // Logarithms are not exact: bounds themselves belong to the bucket below them.
    let bound = |index: f64| (index / scale).exp2();
    let index = if value <= bound(index - 1.0) { index - 1.0 } else { index };
    let index = if value > bound(index) { index + 1.0 } else { index };
    index as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(mode: HistogramMode) -> Shape {
        Shape { bounds: [0.1, 0.2, 0.4].into(), mode }
    }

    #[test]
    fn classic_buckets_have_their_upper_bounds_in_them() {
        let mut histogram = Histogram::new(&shape(HistogramMode::Classic));
        let exemplar = |byte, time| Exemplar { trace_id: TraceId::from_bytes([byte; 16]), value: 0.2, time };
        for (value, weight) in [(0.0, 1.0), (0.1, 1.0), (0.15, 2.0), (9.0, 1.0)] {
            histogram.observe(value, weight, None);
        }
        histogram.observe(0.2, 1.0, Some(exemplar(2, 20)));
        histogram.observe(0.2, 1.0, Some(exemplar(1, 10)));
        let buckets: Vec<_> = histogram.buckets().map(|(bound, count, _)| (bound, count)).collect();
        assert_eq!(buckets, [(0.1, 2.0), (0.2, 6.0), (0.4, 6.0), (f64::INFINITY, 7.0)]);
        assert_eq!(histogram.count(), 7.0);
        assert!((histogram.sum() - 9.8).abs() < 1e-9 && histogram.native().is_none());
        let exemplars: Vec<_> = histogram.buckets().map(|(_, _, exemplar)| exemplar.map(|kept| kept.time)).collect();
        assert_eq!(exemplars, [None, Some(20), None, None]);
    }

    #[test]
    fn native_buckets_are_exponential() {
        let mut histogram = Histogram::new(&shape(HistogramMode::Native));
        // Powers of two are bounds in every schema: 2^0 has index 0, 2^1 index 8.
        for value in [0.0, 1.0, 1.000_1, 2.0, 0.5, 2.1] {
            histogram.observe(value, 1.0, None);
        }
        let native = histogram.native().unwrap();
        assert_eq!((native.schema(), native.zero_count()), (3, 1.0));
        assert_eq!(native.buckets().collect::<Vec<_>>(), [(-8, 1.0), (0, 1.0), (1, 1.0), (8, 1.0), (9, 1.0)]);
        assert_eq!(histogram.buckets().count(), 0);
    }

    #[test]
    fn too_many_native_buckets_become_coarser() {
        let mut native = NativeHistogram::default();
        (0..101).for_each(|index| native.observe((f64::from(index) / 8.0).exp2(), 1.0));
        assert_eq!(native.schema(), 2);
        let buckets: Vec<_> = native.buckets().collect();
        assert_eq!((buckets.len(), buckets[0], buckets[1]), (51, (0, 1.0), (1, 2.0)));
        let mut other = NativeHistogram::default();
        other.observe(1.0, 1.0);
        other.merge(&native);
        assert_eq!((other.schema(), other.buckets().next()), (2, Some((0, 2.0))));
    }
}
