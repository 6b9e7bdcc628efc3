//! The rows of a batch: when they start, in which interval that is, and each span once.

use std::{borrow::Cow, collections::HashSet};

use datafusion::{
    arrow::{
        array::{AsArray, RecordBatch},
        compute::filter_record_batch,
        datatypes::{Float64Type, UInt32Type, UInt64Type},
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

/// Some of the spans, chosen by a hash of their ids: the same ones whatever the cut.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    /// What is hashed: [`SpanColumn::TraceHash`] or [`SpanColumn::SpanHash`].
    pub(crate) column: SpanColumn,
    /// Which part of them, between 0 and 1.
    pub(crate) fraction: f64,
}

impl Sample {
    /// The rows that are in the sample.
    fn of(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let name = self.column.name();
        let Some(hashes) = batch.column_by_name(&name).and_then(|array| array.as_primitive_opt::<UInt64Type>()) else {
            return internal_err!("a sample needs a column `{name}`");
        };
        let below = self.fraction * 2_f64.powi(64);
        let chosen = hashes.values().iter().map(|hash| Some((*hash as f64) < below)).collect();
        Ok(filter_record_batch(batch, &chosen)?)
    }
}

/// The rows that count: each span once, and those of the sample.
pub(crate) fn counted<'b>(
    batch: &'b RecordBatch,
    repeated: bool,
    sample: Option<&Sample>,
) -> Result<Cow<'b, RecordBatch>> {
    let mut counted = Cow::Borrowed(batch);
    if repeated && let Some(once) = once_each(&counted)? {
        counted = Cow::Owned(once);
    }
    if let Some(sample) = sample {
        counted = Cow::Owned(sample.of(&counted)?);
    }
    Ok(counted)
}

/// One span, in the units that weights are counted in.
pub(crate) const WEIGHT_UNIT: u64 = 1 << 20;

/// For how many spans each stands, in units of [`WEIGHT_UNIT`]: whole numbers, so that sums have no order.
pub(crate) fn weights(batch: &RecordBatch) -> Result<Vec<u64>> {
    let name = SpanColumn::Weight.name();
    match batch.column_by_name(&name).and_then(|array| array.as_primitive_opt::<Float64Type>()) {
        Some(weights) => {
            Ok(weights.values().iter().map(|weight| (weight * WEIGHT_UNIT as f64).round() as u64).collect())
        }
        None => internal_err!("weighted series need a column `{name}`"),
    }
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
fn once_each(batch: &RecordBatch) -> Result<Option<RecordBatch>> {
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
