//! Series of one processor: what is counted for each label set, in one place, so that a span costs one look-up. Bounded,
//! with an overflow series for the label sets that have no room; and over time, for backfill.

use std::io;

use hashbrown::HashMap;
use smallvec::{SmallVec, smallvec};

use super::{
    history::ByTime,
    labels::{Labels, OVERFLOW},
    state::{StateReader, StateWriter},
    window::Window,
};

/// What is counted for a label set.
pub(crate) trait Counted {
    /// Adds what was counted in another interval.
    fn merge(&mut self, other: &Self);
}

/// What calls with each sample of a table: its labels, its time if it has one, and what was counted.
pub(crate) type Each<'a, T> = dyn Fn(&mut Visit<'_, T>) -> io::Result<()> + 'a;
pub(crate) type Visit<'a, T> = dyn FnMut(Labels<'_>, Option<u64>, &T) -> io::Result<()> + 'a;

/// Label sets and what is counted for each.
#[derive(Debug)]
pub(crate) struct SeriesTable<T> {
    series: HashMap<Box<[u8]>, Series<T>, foldhash::fast::RandomState>,
    /// How many label sets may be there; 0 for any number.
    limit: usize,
    overflows: u64,
}

/// What is counted for one label set.
#[derive(Debug)]
pub(crate) struct Series<T> {
    /// When it was counted last, ns since 1970.
    updated: u64,
    /// By interval, ascending; without intervals there is one, 0.
    intervals: SmallVec<[(u32, T); 1]>,
}

impl<T: Counted> SeriesTable<T> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { series: HashMap::default(), limit, overflows: 0 }
    }

    /// The place of a label set in an interval; that of the overflow series when there is no room.
    pub(crate) fn at(&mut self, labels: &[u8], interval: u32, now: u64, new: impl Fn() -> T) -> &mut T {
        let full = self.limit > 0 && self.series.len() >= self.limit;
        let overflows = full && !self.series.contains_key(labels);
        self.overflows += u64::from(overflows);
        let key = if overflows { OVERFLOW } else { labels };
        let series = self.series.entry_ref(key).or_insert_with(|| Series { updated: now, intervals: SmallVec::new() });
        series.updated = series.updated.max(now);
        series.at(interval, new)
    }

    /// How many label sets may be there; 0 for any number.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// How many label sets there are.
    pub(crate) fn len(&self) -> usize {
        self.series.len()
    }

    /// How often there was no room.
    pub(crate) fn overflows(&self) -> u64 {
        self.overflows
    }

    /// Removes what was last counted before a time.
    pub(crate) fn remove_before(&mut self, time: u64) {
        self.series.retain(|_, series| series.updated >= time);
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.series.values_mut().flat_map(|series| &mut series.intervals).map(|(_, value)| value)
    }

    pub(crate) fn label_sets(&self) -> impl Iterator<Item = Labels<'_>> {
        self.series.keys().map(|labels| Labels(labels))
    }

    /// Writes what was counted, of a table without intervals.
    pub(crate) fn save(&self, state: &mut StateWriter, value: impl Fn(&T, &mut StateWriter)) {
        state.integer(self.overflows);
        state.integer(self.series.len() as u64);
        for (labels, series) in &self.series {
            state.bytes(labels);
            state.integer(series.updated);
            series.intervals.iter().for_each(|(_, counted)| value(counted, state));
        }
    }

    /// A table of what another one has written.
    pub(crate) fn restore(
        limit: usize,
        state: &mut StateReader<'_>,
        value: impl Fn(&mut StateReader<'_>) -> Option<T>,
    ) -> Option<Self> {
        let mut table = Self::new(limit);
        table.overflows = state.integer()?;
        for _ in 0..state.count()? {
            let labels = state.bytes()?.into();
            let updated = state.integer()?;
            table.series.insert(labels, Series { updated, intervals: smallvec![(0, value(state)?)] });
        }
        Some(table)
    }

    /// Calls with every series and time of a window; without times, with what was counted in all. `from_zero`: whether a
    /// series begins at the time before its first interval.
    ///
    /// # Errors
    /// What `visit` says.
    pub(crate) fn write<E>(
        &self,
        window: &Window,
        new: impl Fn() -> T,
        from_zero: bool,
        mut visit: impl FnMut(Labels<'_>, Option<u64>, &T) -> Result<(), E>,
    ) -> Result<(), E> {
        for (labels, series) in self.sorted() {
            if !window.has_steps() {
                series.intervals.iter().try_for_each(|(_, value)| visit(labels, None, value))?;
                continue;
            }
            let mut begun = from_zero;
            series.cumulated(window.intervals(), &new, |interval, sum| {
                if std::mem::replace(&mut begun, true) { visit(labels, window.time_of(interval), sum) } else { Ok(()) }
            })?;
        }
        Ok(())
    }

    /// The same, time by time.
    pub(crate) fn by_time(&self, window: Window, new: impl Fn() -> T, from_zero: bool) -> ByTime<'_, T> {
        ByTime::new(
            window,
            self.sorted().into_iter().map(|(labels, series)| (labels, &*series.intervals)),
            new,
            from_zero,
        )
    }

    /// In the order of their labels.
    pub(crate) fn sorted(&self) -> Vec<(Labels<'_>, &Series<T>)> {
        let mut sorted: Vec<_> = self.series.iter().map(|(labels, series)| (Labels(labels), series)).collect();
        sorted.sort_unstable_by_key(|(labels, _)| *labels);
        sorted
    }
}

impl<T: Counted> Series<T> {
    fn at(&mut self, interval: u32, new: impl Fn() -> T) -> &mut T {
        let place = match self.intervals.last() {
            Some((last, _)) if *last == interval => self.intervals.len() - 1,
            _ => self.intervals.partition_point(|(at, _)| *at < interval),
        };
        if self.intervals.get(place).is_none_or(|(at, _)| *at != interval) {
            self.intervals.insert(place, (interval, new()));
        }
        #[allow(clippy::indexing_slicing, reason = "it was put there one line before")]
        &mut self.intervals[place].1
    }

    /// Calls with what was counted up to the end of each interval from the one before the first that has something, so
    /// that what is seen of a series begins with 0. `None` is that interval when there is none before.
    pub(crate) fn cumulated<E>(
        &self,
        intervals: u32,
        new: impl Fn() -> T,
        mut visit: impl FnMut(Option<u32>, &T) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some((first, _)) = self.intervals.first() else { return Ok(()) };
        let mut sum = new();
        visit(first.checked_sub(1), &sum)?;
        let mut rest = self.intervals.iter().peekable();
        for interval in *first..intervals.max(*first + 1) {
            if let Some((_, value)) = rest.next_if(|(at, _)| *at == interval) {
                sum.merge(value);
            }
            visit(Some(interval), &sum)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts of tests, here and elsewhere.
    impl Counted for u64 {
        fn merge(&mut self, other: &Self) {
            *self += other;
        }
    }

    #[test]
    fn label_sets_without_room_share_a_series() {
        let mut table = SeriesTable::new(2);
        for labels in [&b"a"[..], b"b", b"c", b"d", b"a"] {
            *table.at(labels, 0, 0, || 0_u64) += 1;
        }
        let sums: Vec<_> =
            table.sorted().iter().map(|(labels, series)| (labels.0.to_vec(), series.intervals[0].1)).collect();
        assert_eq!(sums, [(b"a".to_vec(), 2), (b"b".to_vec(), 1), (OVERFLOW.to_vec(), 2)]);
        assert_eq!(table.overflows(), 2);
    }

    #[test]
    fn series_that_nothing_was_counted_for_go() {
        let mut table = SeriesTable::new(0);
        *table.at(b"old", 0, 10, || 0_u64) += 1;
        *table.at(b"kept", 0, 10, || 0_u64) += 1;
        *table.at(b"kept", 0, 30, || 0_u64) += 1;
        table.remove_before(20);
        assert_eq!(table.sorted().iter().map(|(labels, _)| labels.0).collect::<Vec<_>>(), [b"kept"]);
    }

    #[test]
    fn counts_over_time_begin_with_zero() {
        let mut table = SeriesTable::new(0);
        for interval in [3, 1, 3] {
            *table.at(b"a", interval, 0, || 0_u64) += 1;
        }
        let mut seen = Vec::new();
        let visit = |interval, sum: &u64| {
            seen.push((interval, *sum));
            Ok::<_, ()>(())
        };
        table.sorted()[0].1.cumulated(5, || 0, visit).unwrap();
        assert_eq!(seen, [(Some(0), 0), (Some(1), 1), (Some(2), 1), (Some(3), 3), (Some(4), 3)]);
    }
}
