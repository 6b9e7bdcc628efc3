//! What a search found as rows of columns.
//!
//! Input: what [`super::pipeline`] gives: rows of spansets by block and row, the number of the spanset in its trace, and
//! its attributes. Output: a row for each, with columns as they are asked for: the spanset's number, its attributes, and
//! columns of the span, read for the rows that were found and for no others. Batches stay as they are.

mod exec;

pub(crate) use exec::FoundSpansExec;
use tracestore::block::SpanColumn;

/// A column of what was found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FoundColumn {
    /// The spanset's number in its trace, from 1: Int64.
    Spanset,
    /// An attribute of the spanset, by its label.
    Attribute(usize, Shape),
    /// Of the span.
    Span(SpanColumn),
}

/// As what an attribute of a spanset is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A count: Int64.
    Count,
    /// A number, durations in ns: Float64.
    Number,
    /// What spans were grouped by: text.
    Text,
}
