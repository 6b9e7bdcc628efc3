//! How often each value of each attribute is there, on spans that are selected and on the others.
//!
//! Input: rows of spans with their start, the columns of every attribute, and those of the condition that selects;
//! as for [`super::series`]. Output, for each partition one batch of cells ([`super::series::partial`]) whose labels are
//! the side, the attribute and the value; nil for the number of spans that have the attribute.

mod counter;
mod counts;

pub(crate) use counts::Counts;

use super::{series::rows::Sample, values::Source};
use crate::series::Intervals;

/// What the sides are called.
pub(crate) const SIDES: [&str; 2] = ["baseline", "selection"];

/// What is compared, as the executor takes it. Made by [`crate::plan`].
#[derive(Debug)]
pub(crate) struct CompareProgram {
    /// Whether a span is selected: where some value is true.
    pub(crate) selection: Source,
    /// Only spans that start after the first time, up to and with the second, are selected.
    pub(crate) range: Option<(u64, u64)>,
    /// The attributes, by the names of their labels.
    pub(crate) attributes: Vec<(String, Source)>,
    pub(crate) intervals: Intervals,
    /// Whether a span may be in several rows.
    pub(crate) repeated: bool,
    /// Only these spans.
    pub(crate) sample: Option<Sample>,
    /// Whether spans count with their weights.
    pub(crate) weighted: bool,
    /// How many bytes the counts of a partition may take.
    pub(crate) max_memory: usize,
    /// The function as text, for EXPLAIN.
    pub(crate) text: String,
}
