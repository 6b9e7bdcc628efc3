//! Ranges of time.

/// A range of time, both ends included, in ns since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// The first instant.
    pub start: u64,
    /// The last instant.
    pub end: u64,
}

impl TimeRange {
    /// Whether something that lasts from `start` to `end` has an instant in the range.
    #[must_use]
    pub const fn overlaps(&self, start: u64, end: u64) -> bool {
        start <= self.end && end >= self.start
    }
}
