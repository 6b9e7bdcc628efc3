//! What is counted, as the executor takes it. Made by [`crate::plan`].

use super::rows::Sample;
use crate::{nodes::values::Source, series::Intervals};

/// What is counted, and what series are told apart by.
#[derive(Debug)]
pub(crate) struct SeriesProgram {
    pub(crate) measure: Measure,
    /// What each span adds; `None` for one.
    pub(crate) operand: Option<Source>,
    /// What series are told apart by.
    pub(crate) by: Vec<Source>,
    pub(crate) intervals: Intervals,
    /// Whether a span may be in several rows.
    pub(crate) repeated: bool,
    /// Only these spans.
    pub(crate) sample: Option<Sample>,
    /// Whether spans count with their weights.
    pub(crate) weighted: bool,
    /// How many bytes the cells of a partition may take.
    pub(crate) max_memory: usize,
    /// The function as text, for EXPLAIN.
    pub(crate) text: String,
}

/// What is kept of the spans of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// How many there are.
    Count,
    /// The least value; durations in seconds.
    Least,
    /// The greatest value; durations in seconds.
    Greatest,
    /// The sum of the values and their number; durations in seconds.
    Sum,
    /// How many integers and durations there are below each power of two.
    Buckets,
    /// Every value; durations in seconds.
    Values,
}
