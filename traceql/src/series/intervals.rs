//! The times that series have values for: left-open, right-closed intervals of equal length, named by their right ends.

/// At most this many values a series.
const MAX_INTERVALS: u64 = 10_000;

const SECOND: u64 = 1_000_000_000;

/// Equal intervals, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intervals {
    /// The right end of the first.
    first: u64,
    step: u64,
    count: u32,
}

impl Intervals {
    /// Those of a range query, aligned to the step: from the one that ends at the start or next before it to the one
    /// that has the end in it. Times and step in ns.
    ///
    /// # Errors
    /// What is wrong with the range or the step.
    pub fn of_range(start: u64, end: u64, step: u64) -> Result<Self, String> {
        if end <= start {
            return Err("the range has to end after it starts".to_owned());
        }
        if step == 0 {
            return Err("a step is longer than 0".to_owned());
        }
        let (first, last) = (start / step, end.div_ceil(step));
        let count = last - first + 1;
        if count > MAX_INTERVALS || last.checked_mul(step).is_none() {
            let least = (end - start).div_ceil(MAX_INTERVALS - 2);
            return Err(format!(
                "a step of {} makes {count} values a series, more than {MAX_INTERVALS}: the least is {}",
                seconds(step),
                seconds(least),
            ));
        }
        Ok(Self { first: first * step, step, count: u32::try_from(count).unwrap_or(u32::MAX) })
    }

    /// The only one of an instant query: as long as the range.
    ///
    /// # Errors
    /// When the range does not end after it starts.
    pub fn of_instant(start: u64, end: u64) -> Result<Self, String> {
        match end.checked_sub(start) {
            None | Some(0) => Err("the range has to end after it starts".to_owned()),
            Some(step) => Ok(Self { first: end, step, count: 1 }),
        }
    }

    /// The step that Tempo takes for a range: about 240 values, in round steps.
    #[must_use]
    pub fn default_step(start: u64, end: u64) -> u64 {
        const MILLIS: u64 = 1_000_000;
        let range = end.saturating_sub(start);
        let wanted = range / 240;
        if range < 60 * SECOND {
            return (wanted / (50 * MILLIS) * 50 * MILLIS).max(50 * MILLIS);
        }
        let round = [3_600, 300, 60, 15, 5, 1].map(|seconds| seconds * SECOND);
        round.into_iter().find(|round| wanted > *round).map_or(SECOND, |round| wanted / round * round)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Never: there is always one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The length of each, ns.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.step
    }

    /// The length of each in seconds.
    #[must_use]
    pub fn step_seconds(&self) -> f64 {
        self.step as f64 / SECOND as f64
    }

    /// The right ends, ns since 1970: the times of a series' values.
    pub fn ends(&self) -> impl Iterator<Item = u64> {
        let Self { first, step, count } = *self;
        (0..u64::from(count)).map(move |index| first + index * step)
    }

    /// What all of them cover: after the first time, up to and with the second.
    #[must_use]
    pub fn range(&self) -> (u64, u64) {
        (self.first.saturating_sub(self.step), self.first + u64::from(self.count - 1) * self.step)
    }

    /// Which one a time belongs to.
    #[must_use]
    pub fn position(&self, time: u64) -> Option<u32> {
        let (after, until) = self.range();
        let inside = after < time && time <= until;
        inside.then(|| u32::try_from(time.saturating_sub(self.first).div_ceil(self.step)).unwrap_or(u32::MAX))
    }

    /// The bounds of the one at a position: after the first time, up to and with the second.
    pub(crate) fn bounds(&self, position: u32) -> (u64, u64) {
        let end = self.first + u64::from(position) * self.step;
        (end.saturating_sub(self.step), end)
    }
}

fn seconds(nanos: u64) -> String {
    crate::syntax::format_duration(i64::try_from(nanos).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_steps_are_those_of_tempo() {
        const HOUR: u64 = 3_600 * SECOND;
        let cases = [
            (SECOND, SECOND / 20),
            (48 * SECOND, SECOND / 5),
            (60 * SECOND, SECOND),
            (HOUR / 4, 3 * SECOND),
            (HOUR / 2, 5 * SECOND),
            (HOUR, 15 * SECOND),
            (3 * HOUR, 45 * SECOND),
            (6 * HOUR, 60 * SECOND),
            (12 * HOUR, 180 * SECOND),
            (24 * HOUR, 300 * SECOND),
            (48 * HOUR, 600 * SECOND),
            (7 * 24 * HOUR, 2_400 * SECOND),
            (14 * 24 * HOUR, HOUR),
        ];
        for (range, step) in cases {
            assert_eq!(Intervals::default_step(0, range), step, "{range}");
        }
    }

    #[test]
    fn intervals_are_left_open_and_right_closed() {
        let intervals = Intervals::of_range(12, 30, 10).unwrap();
        assert_eq!(intervals.ends().collect::<Vec<_>>(), [10, 20, 30]);
        assert_eq!(intervals.range(), (0, 30));
        let positions = [0, 1, 10, 11, 20, 21, 30, 31].map(|time| intervals.position(time));
        assert_eq!(positions, [None, Some(0), Some(0), Some(1), Some(1), Some(2), Some(2), None]);
        for position in 0..3 {
            let (after, until) = intervals.bounds(position);
            assert_eq!((intervals.position(after + 1), intervals.position(until)), (Some(position), Some(position)));
        }
        let instant = Intervals::of_instant(12, 30).unwrap();
        assert_eq!((instant.ends().collect::<Vec<_>>(), instant.step(), instant.range()), (vec![30], 18, (12, 30)));
        let first = Intervals::of_range(0, 10, 10).unwrap();
        assert_eq!((first.ends().collect::<Vec<_>>(), first.position(0)), (vec![0, 10], None));
    }

    #[test]
    fn ranges_that_make_no_sense_are_refused() {
        assert!(Intervals::of_range(10, 10, 1).is_err());
        assert!(Intervals::of_range(0, 10, 0).is_err());
        assert!(Intervals::of_range(0, u64::MAX, u64::MAX - 1).is_err());
        assert!(Intervals::of_instant(10, 10).is_err());
        let error = Intervals::of_range(0, 3_600 * SECOND, SECOND / 10).unwrap_err();
        assert_eq!(error, "a step of 100ms makes 36001 values a series, more than 10000: the least is 360.072015ms");
        assert!(Intervals::of_range(7, 3_600 * SECOND, 360_072_015).is_ok());
    }
}
