//! How old a trace may be and still matter: set by whoever collects the newest traces and by the scan itself, read by
//! the scan.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// A trace start that only rises. Row groups whose traces all start earlier need not be read. Clones share it.
#[derive(Debug, Clone)]
pub struct Watermark {
    start: Arc<AtomicU64>,
    limit: usize,
}

impl Watermark {
    /// For a collector of the newest `limit` traces.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { start: Arc::default(), limit }
    }

    /// The same mark, for a scan of which all traces are wanted, until the mark is beyond them.
    #[must_use]
    pub fn for_all(&self) -> Self {
        Self { start: Arc::clone(&self.start), limit: usize::MAX }
    }

    /// How many traces are collected.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Traces that start before this time (ns since 1970) do not matter any more.
    pub fn raise(&self, start: u64) {
        self.start.fetch_max(start, Ordering::Relaxed);
    }

    /// The earliest start that still matters.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.start.load(Ordering::Relaxed)
    }
}

impl Default for Watermark {
    /// For a collector of all traces.
    fn default() -> Self {
        Self::new(usize::MAX)
    }
}
