//! What series are written to: a format of one's own choice takes families, and below each its series.

use std::io;

use super::{histogram::Histogram, labels::Labels};

/// A metric: its name with all suffixes that are part of it, what it is, and what kind of numbers it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// The name, of a counter with `_total`.
    pub name: &'static str,
    /// What it is, in one line.
    pub help: &'static str,
    /// Its kind.
    pub kind: FamilyKind,
}

/// The kinds of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as everywhere")]
pub enum FamilyKind {
    Counter,
    Gauge,
    Histogram,
}

/// Takes series in the order: a family, its series by labels, of each series its samples by time.
pub trait Exposition {
    /// Begins a family. One without series is not written.
    ///
    /// # Errors
    /// What the output says.
    fn family(&mut self, family: &Family) -> io::Result<()>;

    /// A sample of a counter or gauge; `time` in ns since 1970, where there is one.
    ///
    /// # Errors
    /// What the output says.
    fn number(&mut self, labels: Labels<'_>, time: Option<u64>, value: f64) -> io::Result<()>;

    /// A sample of a histogram.
    ///
    /// # Errors
    /// What the output says.
    fn histogram(&mut self, labels: Labels<'_>, time: Option<u64>, histogram: &Histogram) -> io::Result<()>;

    /// Ends the document.
    ///
    /// # Errors
    /// What the output says.
    fn finish(&mut self) -> io::Result<()>;
}
