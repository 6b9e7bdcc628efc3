//! Spans that stand behind the values of series.
//!
//! Input: as for [`super::series`], with `block`, `row` and the hashes of ids. The range is divided into equal parts; of
//! each series and part (and bucket) the two spans of different traces with the smallest hashes are chosen, the trace's first: always
//! the same ones, however the data is cut. Output, for each partition one batch of those it has met ([`choice`]); they
//! are joined by choosing again.

pub(crate) mod choice;
mod chooser;

use super::{series::rows::Sample, values::Source};
use crate::series::Intervals;

/// What is chosen, as the executor takes it. Made by [`crate::engine`].
#[derive(Debug)]
pub(crate) struct ExemplarsProgram {
    /// What each span adds; `None` for one.
    pub(crate) operand: Option<Source>,
    /// What series are told apart by.
    pub(crate) by: Vec<Source>,
    pub(crate) intervals: Intervals,
    /// Whether each bucket of a series is one of its own.
    pub(crate) buckets: bool,
    /// How many parts the range has.
    pub(crate) parts: u32,
    /// Whether a span may be in several rows.
    pub(crate) repeated: bool,
    /// Only these spans.
    pub(crate) sample: Option<Sample>,
    /// The function as text, for EXPLAIN.
    pub(crate) text: String,
}
