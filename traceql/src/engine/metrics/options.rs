//! What a metrics query is asked for, and what comes of it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracestore::Snapshot;

use crate::{
    Error, Result, SearchStats,
    series::{Intervals, Series},
};

/// What is asked about where there are no spans to tell.
const HOUR: u64 = 3_600_000_000_000;

/// The time that a metrics query is about, and limits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetricsOptions {
    /// Spans count that start after this time, ns since 1970. A range query begins with the interval that this lies in.
    pub start: u64,
    /// Up to and with this time, ns since 1970.
    pub end: u64,
    /// The length of the intervals of a range query in ns; default: the one that Tempo takes for the range.
    pub step: Option<u64>,
    /// At most this many exemplars; default 0, since finding them costs. The query's hint `exemplars` goes before it.
    pub exemplars: usize,
    /// At most this many series, 0 for any number (the default). Which ones stay is decided by a hash of their labels,
    /// so that it is always the same ones; the answer says that there were more.
    pub max_series: usize,
    /// How long the query may take.
    pub timeout: Option<Duration>,
    /// How many bytes of columns it may decode.
    pub max_bytes: Option<u64>,
    /// How many bytes the values of series may take while they are counted; default 1 GiB.
    pub max_memory: u64,
}

impl MetricsOptions {
    /// What is asked of the time from `start` (excluded) to `end` (included), ns since 1970.
    #[must_use]
    pub fn new(start: u64, end: u64) -> Self {
        Self {
            start,
            end,
            step: None,
            exemplars: 0,
            max_series: 0,
            timeout: None,
            max_bytes: None,
            max_memory: 1 << 30,
        }
    }

    /// What is asked of the time from `start` to `end` where they are given, and else of all that a snapshot has; of the
    /// last hour where it has no spans.
    #[must_use]
    pub fn over(snapshot: &Snapshot, start: Option<u64>, end: Option<u64>, instant: bool) -> Self {
        let ranges = snapshot.blocks().iter().map(|block| block.time_range());
        let (first, last) = match ranges.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1))) {
            // The start of the only interval is not in it; the first of many has the start in it.
            Some((start, end)) => (if instant { start.saturating_sub(1) } else { start }, end.max(start + 1)),
            None => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
                (now.saturating_sub(HOUR), now)
            }
        };
        Self::new(start.unwrap_or(first), end.unwrap_or(last))
    }

    /// The length of the intervals of a range query in ns.
    #[must_use]
    pub fn with_step(self, step: u64) -> Self {
        Self { step: Some(step), ..self }
    }

    /// At most this many exemplars.
    #[must_use]
    pub fn with_exemplars(self, exemplars: usize) -> Self {
        Self { exemplars, ..self }
    }

    /// At most this many series, 0 for any number.
    #[must_use]
    pub fn with_max_series(self, max_series: usize) -> Self {
        Self { max_series, ..self }
    }

    /// How long the query may take, and how many bytes of columns it may decode.
    #[must_use]
    pub fn with_limits(self, timeout: Option<Duration>, max_bytes: Option<u64>) -> Self {
        Self { timeout, max_bytes, ..self }
    }

    /// How many bytes the values of series may take while they are counted.
    #[must_use]
    pub fn with_max_memory(self, max_memory: u64) -> Self {
        Self { max_memory, ..self }
    }

    /// The intervals of a range query.
    pub(super) fn range_intervals(&self) -> Result<Intervals> {
        let step = self.step.unwrap_or_else(|| Intervals::default_step(self.start, self.end));
        Intervals::of_range(self.start, self.end, step).map_err(Error::Options)
    }

    /// The one of an instant query.
    pub(super) fn instant_interval(&self) -> Result<Intervals> {
        Intervals::of_instant(self.start, self.end).map_err(Error::Options)
    }
}

/// The answer of a metrics query.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricsResponse {
    /// The times that series have values for; one for an instant query.
    pub intervals: Intervals,
    /// The series that have a value in some interval: fewer labels first, then by the labels' names and values.
    pub series: Vec<Series>,
    /// What it took.
    pub stats: SearchStats,
    /// Why the answer is not exact or not all, where it is so: series that were left out, spans that were not sampled.
    pub notes: Vec<String>,
    /// Whether series were left out.
    pub partial: bool,
}
