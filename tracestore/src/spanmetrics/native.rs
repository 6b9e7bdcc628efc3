//! Native histograms: exponential buckets, as fine as they have to be.

use std::collections::BTreeMap;

use super::state::{StateReader, StateWriter};

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

    pub(super) fn merge(&mut self, other: &Self) {
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

    pub(super) fn save(&self, state: &mut StateWriter) {
        // Schemas and indexes may be negative.
        state.integer(u64::from((self.schema - MIN_SCHEMA).unsigned_abs()));
        state.number(self.zero_count);
        state.integer(self.buckets.len() as u64);
        for (index, count) in &self.buckets {
            state.flag(*index < 0);
            state.integer(u64::from(index.unsigned_abs()));
            state.number(*count);
        }
    }

    pub(super) fn restore(state: &mut StateReader<'_>) -> Option<Self> {
        let schema = i32::try_from(state.integer()?).ok()?.checked_add(MIN_SCHEMA)?;
        let zero_count = state.number()?;
        let mut buckets = BTreeMap::new();
        for _ in 0..state.count()? {
            let is_negative = state.flag()?;
            let index = i32::try_from(state.integer()?).ok()?;
            buckets.insert(if is_negative { -index } else { index }, state.number()?);
        }
        Some(Self { schema, zero_count, buckets })
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
