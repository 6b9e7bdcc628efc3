//! The rows of a batch: when they start, in which interval that is, and each span once.

use std::collections::HashSet;

use datafusion::{
    arrow::{
        array::{AsArray, RecordBatch},
        compute::filter_record_batch,
        datatypes::{UInt32Type, UInt64Type},
    },
    common::{Result, internal_err},
};
use tracestore::block::SpanColumn;

use crate::series::Intervals;

/// No interval.
pub(crate) const OUTSIDE: u32 = u32::MAX;

/// The interval of each row.
pub(crate) fn positions(starts: &[u64], intervals: &Intervals) -> Vec<u32> {
    // Neighbours are of one trace: the last interval is most often that of the next row.
    let (mut after, mut until, mut position) = (0, 0, OUTSIDE);
    let position = starts.iter().map(|start| {
        if after < *start && *start <= until {
            return position;
        }
        match intervals.position(*start) {
            Some(found) => {
                (after, until) = intervals.bounds(found);
                position = found;
                found
            }
            None => OUTSIDE,
        }
    });
    position.collect()
}

/// When the rows' spans start.
pub(crate) fn starts(batch: &RecordBatch) -> Result<&[u64]> {
    let name = SpanColumn::StartTime.name();
    match batch.column_by_name(&name).and_then(|array| array.as_primitive_opt::<UInt64Type>()) {
        Some(starts) => Ok(starts.values()),
        None => internal_err!("series need a column `{name}`"),
    }
}

/// The batch with every span once; `None` if it is so already. The rows of a batch are of one block.
pub(crate) fn once_each(batch: &RecordBatch) -> Result<Option<RecordBatch>> {
    let name = SpanColumn::Row.name();
    let Some(rows) = batch.column_by_name(&name).and_then(|array| array.as_primitive_opt::<UInt32Type>()) else {
        return internal_err!("series behind a pipeline need a column `{name}`");
    };
    if rows.values().is_sorted_by(|a, b| a < b) {
        return Ok(None);
    }
    let mut seen = HashSet::with_capacity(rows.values().len());
    let first = rows.values().iter().map(|row| Some(seen.insert(*row))).collect();
    Ok(Some(filter_record_batch(batch, &first)?))
}
