//! Histograms of seconds: classic buckets, native ones, or both, with an exemplar for each classic bucket.

use std::sync::Arc;

use super::{
    native::NativeHistogram,
    state::{StateReader, StateWriter},
};
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
#[derive(Debug, Clone, PartialEq)]
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
    /// By bucket, those that have one.
    exemplars: Vec<(usize, Exemplar)>,
    native: Option<Box<NativeHistogram>>,
}

impl Histogram {
    pub(crate) fn new(shape: &Shape) -> Self {
        let buckets = if shape.mode == HistogramMode::Native { 0 } else { shape.bounds.len() + 1 };
        Self {
            sum: 0.0,
            count: 0.0,
            bounds: Arc::clone(&shape.bounds),
            counts: vec![0.0; buckets].into(),
            exemplars: Vec::new(),
            native: (shape.mode != HistogramMode::Classic).then(Box::default),
        }
    }

    pub(crate) fn observe(&mut self, value: f64, weight: f64, exemplar: Option<Exemplar>) {
        self.sum += value * weight;
        self.count += weight;
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += weight;
            if let Some(exemplar) = exemplar {
                self.keep_later(bucket, exemplar);
            }
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
        other.exemplars.iter().for_each(|(bucket, exemplar)| self.keep_later(*bucket, *exemplar));
        if let (Some(native), Some(other)) = (&mut self.native, &other.native) {
            native.merge(other);
        }
    }

    /// Few buckets have any: a place for each would be most of a histogram's memory.
    fn keep_later(&mut self, bucket: usize, exemplar: Exemplar) {
        match self.exemplars.iter_mut().find(|(place, _)| *place == bucket) {
            Some((_, kept)) if kept.time <= exemplar.time => *kept = exemplar,
            Some(_) => {}
            None => {
                self.exemplars.reserve_exact(1);
                self.exemplars.push((bucket, exemplar));
            }
        }
    }

    /// Exemplars stand for one collection.
    pub(crate) fn clear_exemplars(&mut self) {
        self.exemplars.clear();
    }

    /// Writes all but the exemplars.
    pub(crate) fn save(&self, state: &mut StateWriter) {
        state.number(self.sum);
        state.number(self.count);
        self.counts.iter().for_each(|count| state.number(*count));
        if let Some(native) = &self.native {
            native.save(state);
        }
    }

    /// Reads one of this shape.
    pub(crate) fn restore(shape: &Shape, state: &mut StateReader<'_>) -> Option<Self> {
        let mut histogram = Self::new(shape);
        histogram.sum = state.number()?;
        histogram.count = state.number()?;
        for count in &mut histogram.counts {
            *count = state.number()?;
        }
        if let Some(native) = &mut histogram.native {
            **native = NativeHistogram::restore(state)?;
        }
        Some(histogram)
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
        let native = self.native.iter();
        let native = native.flat_map(|native| native.buckets().map(|(_, count)| count).chain([native.zero_count()]));
        // Beyond 2^53 a float is none that was counted.
        let is_whole = |count: f64| count.fract() == 0.0 && count <= 9_007_199_254_740_992.0;
        self.counts.iter().copied().chain([self.count]).chain(native).all(is_whole)
    }

    /// Upper bounds, how many observations are not above them, and an exemplar of those that are above the bound
    /// before. The last bound is infinite. Empty where there are no classic buckets.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, f64, Option<&Exemplar>)> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        let counts = self.counts.iter().scan(0.0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        bounds.zip(counts).enumerate().map(|(bucket, (bound, count))| {
            let exemplar = self.exemplars.iter().find(|(place, _)| *place == bucket);
            (bound, count, exemplar.map(|(_, exemplar)| exemplar))
        })
    }

    /// The native buckets.
    #[must_use]
    pub fn native(&self) -> Option<&NativeHistogram> {
        self.native.as_deref()
    }
}

impl Shape {
    pub(crate) fn save(&self, state: &mut StateWriter) {
        state.integer(match self.mode {
            HistogramMode::Classic => 0,
            HistogramMode::Native => 1,
            HistogramMode::Both => 2,
        });
        state.integer(self.bounds.len() as u64);
        self.bounds.iter().for_each(|bound| state.number(*bound));
    }

    pub(crate) fn restore(state: &mut StateReader<'_>) -> Option<Self> {
        let mode = match state.integer()? {
            0 => HistogramMode::Classic,
            1 => HistogramMode::Native,
            2 => HistogramMode::Both,
            _ => return None,
        };
        let bounds = (0..state.count()?).map(|_| state.number()).collect::<Option<_>>()?;
        Some(Self { bounds, mode })
    }
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
    fn what_is_kept_is_the_same_but_for_exemplars() {
        for mode in [HistogramMode::Classic, HistogramMode::Native, HistogramMode::Both] {
            let mut histogram = Histogram::new(&shape(mode));
            (0..300).for_each(|step| histogram.observe((f64::from(step) / 8.0 - 20.0).exp2(), 0.5, None));
            let mut state = StateWriter::default();
            shape(mode).save(&mut state);
            histogram.save(&mut state);
            let bytes = state.into_bytes();
            let mut state = StateReader::new(&bytes);
            assert_eq!(Shape::restore(&mut state), Some(shape(mode)));
            let restored = Histogram::restore(&shape(mode), &mut state).unwrap();
            assert!(state.is_empty());
            assert_eq!(format!("{restored:?}"), format!("{histogram:?}"));
        }
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
}
