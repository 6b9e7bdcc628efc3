//! Series over time, time by time: as a receiver wants them that is told of the past.

use std::{fmt, io, iter::Peekable, slice};

use super::{
    exposition::Exposition,
    labels::Labels,
    table::{Counted, Visit},
    window::Window,
};

/// The series of a window with intervals: at each time, what was counted up to then. The same samples as `write` gives
/// series by series.
pub struct History<'a> {
    write_next: WriteNext<'a>,
}

type WriteNext<'a> = Box<dyn FnMut(&mut dyn Exposition) -> io::Result<bool> + 'a>;

impl<'a> History<'a> {
    pub(crate) fn new(write_next: impl FnMut(&mut dyn Exposition) -> io::Result<bool> + 'a) -> Self {
        Self { write_next: Box::new(write_next) }
    }

    /// Writes the samples of the next time; whether there was one. Does not end the document.
    ///
    /// # Errors
    /// What the output says.
    pub fn write_next(&mut self, out: &mut dyn Exposition) -> io::Result<bool> {
        (self.write_next)(out)
    }
}

impl fmt::Debug for History<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History").finish_non_exhaustive()
    }
}

/// The same of one table.
#[derive(Debug)]
pub(crate) struct ByTime<'a, T> {
    window: Window,
    /// The interval; −1 is the time before the first.
    at: i64,
    series: Vec<SoFar<'a, T>>,
}

#[derive(Debug)]
struct SoFar<'a, T> {
    labels: Labels<'a>,
    /// The interval that has its first sample.
    begins: i64,
    rest: Peekable<slice::Iter<'a, (u32, T)>>,
    sum: T,
}

impl<'a, T: Counted> ByTime<'a, T> {
    /// `from_zero`: whether a series begins at the time before its first interval.
    pub(crate) fn new(
        window: Window,
        series: impl Iterator<Item = (Labels<'a>, &'a [(u32, T)])>,
        new: impl Fn() -> T,
        from_zero: bool,
    ) -> Self {
        let series = series.filter_map(|(labels, intervals)| {
            let (first, _) = intervals.first()?;
            let begins = i64::from(*first) - i64::from(from_zero);
            Some(SoFar { labels, begins, rest: intervals.iter().peekable(), sum: new() })
        });
        // Before the time before the first interval.
        Self { window, at: -2, series: series.collect() }
    }

    /// Goes on to the next time; whether there is one.
    pub(crate) fn advance(&mut self) -> bool {
        if self.at + 1 >= i64::from(self.window.intervals()) {
            return false;
        }
        self.at += 1;
        let interval = u32::try_from(self.at).ok();
        for series in &mut self.series {
            if let Some((_, value)) = series.rest.next_if(|(at, _)| Some(*at) == interval) {
                series.sum.merge(value);
            }
        }
        true
    }

    /// Calls with every series that has a sample at this time.
    pub(crate) fn each(&self, visit: &mut Visit<'_, T>) -> io::Result<()> {
        let time = self.window.time_of(u32::try_from(self.at).ok());
        let mut begun = self.series.iter().filter(|series| series.begins <= self.at);
        begun.try_for_each(|series| visit(series.labels, time, &series.sum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spanmetrics::SeriesTable;

    #[test]
    fn time_by_time_and_series_by_series_are_the_same() {
        let mut table = SeriesTable::new(0);
        for (labels, interval) in [(&b"a"[..], 3), (b"a", 1), (b"b", 0), (b"a", 3), (b"c", 4)] {
            *table.at(labels, interval, 0, || 0_u64) += 1;
        }
        let window = Window::in_steps(100, 150, 10);
        for from_zero in [false, true] {
            let (mut by_series, mut by_time) = (Vec::new(), Vec::new());
            let series = table.write(
                &window,
                || 0,
                from_zero,
                |labels, time, sum| {
                    by_series.push((time.unwrap(), labels.0.to_vec(), *sum));
                    Ok::<_, io::Error>(())
                },
            );
            let mut walk = table.by_time(window, || 0, from_zero);
            while walk.advance() {
                let mut visit = |labels: Labels<'_>, time: Option<u64>, sum: &u64| {
                    by_time.push((time.unwrap(), labels.0.to_vec(), *sum));
                    Ok(())
                };
                walk.each(&mut visit).unwrap();
            }
            series.unwrap();
            assert!(by_time.is_sorted_by_key(|(time, ..)| *time) && by_time.len() == if from_zero { 13 } else { 10 });
            by_series.sort();
            by_time.sort();
            assert_eq!(by_series, by_time);
        }
    }
}
