//! What the trace table of a block tells of its traces, as text, in the order of the rows.

use arrow::{
    array::Array,
    util::display::{ArrayFormatter, FormatOptions},
};
use tracestore::block::{Block, TraceColumn};

/// A list of texts for each trace that is seen.
pub(crate) fn known(block: &Block) -> Vec<Vec<String>> {
    let columns = [
        TraceColumn::Id,
        TraceColumn::Start,
        TraceColumn::Duration,
        TraceColumn::RootName,
        TraceColumn::RootService,
        TraceColumn::Spans,
        TraceColumn::Errors,
    ];
    let columns = columns.map(|column| block.trace_column(column).unwrap());
    let rows = columns[0].len();
    let columns = columns.each_ref().map(|array| ArrayFormatter::try_new(array, &FormatOptions::new()).unwrap());
    (0..rows).map(|row| columns.iter().map(|column| column.value(row).to_string()).collect()).collect()
}
