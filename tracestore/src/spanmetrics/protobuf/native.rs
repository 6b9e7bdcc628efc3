//! Native buckets as Prometheus writes them, in what is scraped and in what is sent: runs of neighbours, and a count for
//! each bucket of a run.

use crate::spanmetrics::NativeHistogram;

/// Empty buckets that are written rather than beginning another run: a zero is shorter than a run.
const MAX_GAP: i32 = 2;

/// Neighbouring buckets.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct BucketSpan {
    /// How many empty buckets lie before it; of the first run, the index of its first bucket.
    #[prost(sint32, tag = "1")]
    pub(crate) offset: i32,
    /// How many there are.
    #[prost(uint32, tag = "2")]
    pub(crate) length: u32,
}

/// The counts of the buckets of all runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Counts {
    /// What each has more than the one before: of whole numbers.
    Deltas(Vec<i64>),
    /// Each as it is.
    Floats(Vec<f64>),
}

/// Native buckets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sparse {
    pub(crate) spans: Vec<BucketSpan>,
    pub(crate) counts: Counts,
}

impl Sparse {
    pub(crate) fn of(native: &NativeHistogram, is_whole: bool) -> Self {
        let (mut spans, mut counts) = (Vec::<BucketSpan>::new(), Vec::new());
        let mut next = 0;
        for (index, count) in native.buckets() {
            let gap = index - next;
            match spans.last_mut().filter(|_| gap <= MAX_GAP) {
                Some(span) => {
                    counts.extend((0..gap).map(|_| 0.0));
                    span.length += gap.unsigned_abs() + 1;
                }
                None => spans.push(BucketSpan { offset: gap, length: 1 }),
            }
            counts.push(count);
            next = index + 1;
        }
        if spans.is_empty() {
            // Without a run it would be taken for a classic histogram.
            spans.push(BucketSpan { offset: 0, length: 0 });
        }
        let counts = if is_whole { Counts::Deltas(deltas(&counts)) } else { Counts::Floats(counts) };
        Self { spans, counts }
    }
}

fn deltas(counts: &[f64]) -> Vec<i64> {
    let mut before = 0;
    let delta = |count: &f64| {
        let count = whole(*count) as i64; // at most 2^53
        count - std::mem::replace(&mut before, count)
    };
    counts.iter().map(delta).collect()
}

/// A count that is a whole number, as one.
pub(crate) fn whole(count: f64) -> u64 {
    count as u64 // not negative, and at most 2^53
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(offset: i32, length: u32) -> BucketSpan {
        BucketSpan { offset, length }
    }

    /// Observations in the buckets of the finest schema: 8 for each power of two.
    fn native(buckets: &[(i32, f64)]) -> NativeHistogram {
        let mut native = NativeHistogram::default();
        buckets.iter().for_each(|(index, weight)| native.observe((f64::from(*index) / 8.0).exp2(), *weight));
        native
    }

    #[test]
    fn runs_of_buckets() {
        let sparse = Sparse::of(&native(&[(-3, 2.0), (-2, 1.0), (1, 4.0), (9, 1.0)]), true);
        // Two empty buckets are written, seven are left out.
        assert_eq!(sparse.spans, [span(-3, 5), span(7, 1)]);
        assert_eq!(sparse.counts, Counts::Deltas(vec![2, -1, -1, 0, 4, -3]));
    }

    #[test]
    fn weights_are_floats() {
        let sparse = Sparse::of(&native(&[(0, 0.5), (2, 1.0)]), false);
        assert_eq!((sparse.spans, sparse.counts), (vec![span(0, 3)], Counts::Floats(vec![0.5, 0.0, 1.0])));
    }

    #[test]
    fn no_buckets_are_native_still() {
        let sparse = Sparse::of(&native(&[]), true);
        assert_eq!((sparse.spans, sparse.counts), (vec![span(0, 0)], Counts::Deltas(Vec::new())));
    }
}
