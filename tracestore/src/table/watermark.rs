//! How old a trace may be and still matter: set by whoever collects the newest traces, read by the scan.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// A trace start that only rises. Row groups whose traces all start earlier need not be read. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Watermark(Arc<AtomicU64>);

impl Watermark {
    /// Traces that start before this time (ns since 1970) do not matter any more.
    pub fn raise(&self, start: u64) {
        self.0.fetch_max(start, Ordering::Relaxed);
    }

    /// The earliest start that still matters.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
