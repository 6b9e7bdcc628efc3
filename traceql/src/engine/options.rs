//! How a search is asked: which traces, how many, in which order, and how much it may take.

use std::{fmt, str::FromStr, time::Duration};

use tracestore::model::{TimeRange, TraceId};

use crate::{Error, Result};

/// How a search is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SearchOptions {
    /// Only traces that end at this time or later, ns since 1970. Default: all.
    pub start: Option<u64>,
    /// Only traces that start at this time or earlier, ns since 1970. Default: all.
    pub end: Option<u64>,
    /// How many traces at most. Default: 20.
    pub limit: usize,
    /// How many spans of each spanset at most, 0 for all. Default: 3.
    pub spss: usize,
    /// Which traces come first. Default: those that start last.
    pub order: SearchOrder,
    /// Only traces behind this place in the order: the next page. Default: from the beginning.
    pub after: Option<Cursor>,
    /// How long the search may take. Default: as long as it does.
    pub timeout: Option<Duration>,
    /// How many bytes of columns it may decode while it looks for traces; looked at every few milliseconds, and at the end.
    /// Default: any number.
    pub max_bytes: Option<u64>,
    /// How many bytes of memory it may hold, about: counted are the parts of blocks that it looks at, one for each thread,
    /// what it makes of them, the matching rows that it keeps, and the spans of its answer; not counted are pages while
    /// they are decoded, and what the store keeps for the searches to come. More is always an error: what was found by
    /// then is what there is no memory for. Default: any number.
    pub max_memory: Option<u64>,
    /// Whether a search that meets a limit on time or bytes gives what it has found by then ([`crate::SearchResponse::partial`]), instead
    /// of an error. Default: no.
    pub allow_partial: bool,
}

/// An order of traces; equal ones are ordered by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SearchOrder {
    /// What is compared.
    pub key: SearchKey,
    /// Whether the smallest comes first.
    pub ascending: bool,
}

/// What traces are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SearchKey {
    /// The earliest start of their spans.
    Start,
    /// Their duration.
    Duration,
}

/// A place in an order of traces: behind one of them. Its text is for whoever asks for the next page, and means nothing
/// to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The trace's start or duration, in ns.
    pub(crate) key: u64,
    pub(crate) id: TraceId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}", self.key, self.id)
    }
}

impl FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text
            .split_once('-')
            .and_then(|(key, id)| Some(Self { key: u64::from_str_radix(key, 16).ok()?, id: id.parse().ok()? }));
        parts.ok_or_else(|| format!("`{text}` is no cursor"))
    }
}

impl Default for SearchOrder {
    /// Newest first.
    fn default() -> Self {
        Self { key: SearchKey::Start, ascending: false }
    }
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self {
            start: None,
            end: None,
            limit: 20,
            spss: 3,
            order: SearchOrder::default(),
            after: None,
            timeout: None,
            max_bytes: None,
            max_memory: None,
            allow_partial: false,
        }
    }
}

impl SearchOptions {
    /// Only traces that overlap a range of time.
    #[must_use]
    pub fn with_time(self, start: Option<u64>, end: Option<u64>) -> Self {
        Self { start, end, ..self }
    }

    /// How many traces at most.
    #[must_use]
    pub fn with_limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// How many spans of each spanset at most, 0 for all.
    #[must_use]
    pub fn with_spss(self, spss: usize) -> Self {
        Self { spss, ..self }
    }

    /// Which traces come first.
    #[must_use]
    pub fn with_order(self, order: SearchOrder) -> Self {
        Self { order, ..self }
    }

    /// Only traces behind a place in the order.
    #[must_use]
    pub fn with_after(self, after: Option<Cursor>) -> Self {
        Self { after, ..self }
    }

    /// How long the search may take, how many bytes of columns it may decode, and whether what is found by then will do.
    #[must_use]
    pub fn with_limits(self, timeout: Option<Duration>, max_bytes: Option<u64>, allow_partial: bool) -> Self {
        Self { timeout, max_bytes, allow_partial, ..self }
    }

    /// How many bytes of memory it may hold.
    #[must_use]
    pub fn with_max_memory(self, max_memory: Option<u64>) -> Self {
        Self { max_memory, ..self }
    }

    pub(super) fn time_range(&self) -> Result<Option<TimeRange>> {
        time_range(self.start, self.end)
    }
}

/// The time that traces are to overlap, if that is not all time.
///
/// # Errors
/// [`Error::Options`] for one that ends before it starts.
pub(super) fn time_range(start: Option<u64>, end: Option<u64>) -> Result<Option<TimeRange>> {
    let range = TimeRange { start: start.unwrap_or(0), end: end.unwrap_or(u64::MAX) };
    if range.end < range.start {
        return Err(Error::Options("the range may not end before it starts".to_owned()));
    }
    Ok((start.is_some() || end.is_some()).then_some(range))
}
