//! The time that metrics are made for, and how it is cut: spans are dated by their start, as metrics queries do it.

/// A range of time, whole or in intervals. An interval has its end in it, and not its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    start: Option<u64>,
    end: u64,
    step: Option<u64>,
}

impl Window {
    /// All there is, without times.
    #[must_use]
    pub const fn all() -> Self {
        Self { start: None, end: u64::MAX, step: None }
    }

    /// Spans that start after `start` (where there is one) and not after `end`, ns since 1970.
    #[must_use]
    pub const fn between(start: Option<u64>, end: u64) -> Self {
        Self { start, end, step: None }
    }

    /// The same in intervals of `step` ns (at least 1, and as long as it takes for 2^32 of them); the last one may be
    /// shorter. What is written then has a time.
    #[must_use]
    pub fn in_steps(start: u64, end: u64, step: u64) -> Self {
        let shortest = end.saturating_sub(start).div_ceil(u64::from(u32::MAX)).max(1);
        Self { start: Some(start), end, step: Some(step.max(shortest)) }
    }

    /// In which interval a time lies; `None` outside of the window.
    pub(crate) fn interval_of(&self, time: u64) -> Option<u32> {
        if time > self.end || self.start.is_some_and(|start| time <= start) {
            return None;
        }
        match (self.start, self.step) {
            (Some(start), Some(step)) => u32::try_from((time - start - 1) / step).ok(),
            _ => Some(0),
        }
    }

    /// Whether it has anything of a range of time.
    pub(crate) fn overlaps(&self, first: u64, last: u64) -> bool {
        first <= self.end && self.start.is_none_or(|start| last > start)
    }

    /// How long it is in ns; `None` where it has no beginning or no end.
    pub(crate) fn length(&self) -> Option<u64> {
        self.start.filter(|_| self.end < u64::MAX).map(|start| self.end.saturating_sub(start))
    }

    /// Whether it is cut into intervals.
    pub(crate) fn has_steps(&self) -> bool {
        self.step.is_some()
    }

    /// How many intervals there are.
    pub(crate) fn intervals(&self) -> u32 {
        match (self.start, self.step) {
            (Some(start), Some(step)) => {
                u32::try_from(self.end.saturating_sub(start).div_ceil(step)).unwrap_or(u32::MAX)
            }
            _ => 1,
        }
    }

    /// The time of what was counted until the end of an interval; `None` is the one before the first.
    pub(crate) fn time_of(&self, interval: Option<u32>) -> Option<u64> {
        let (start, step) = (self.start?, self.step?);
        let steps = interval.map_or(0, |interval| u64::from(interval) + 1);
        Some(start.saturating_add(steps.saturating_mul(step)).min(self.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_their_ends_in_them() {
        let window = Window::in_steps(100, 125, 10);
        let intervals = [100, 101, 110, 111, 125, 126].map(|time| window.interval_of(time));
        assert_eq!(intervals, [None, Some(0), Some(0), Some(1), Some(2), None]);
        assert_eq!([None, Some(0), Some(2)].map(|at| window.time_of(at)), [Some(100), Some(110), Some(125)]);
        assert_eq!(window.intervals(), 3);
        assert_eq!(Window::all().interval_of(0), Some(0));
        assert_eq!(Window::between(Some(5), 9).interval_of(5), None);
    }
}
