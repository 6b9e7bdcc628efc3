//! Which rows of a row group are decoded for those that are wanted: skipping costs too, so short gaps are decoded and
//! left out afterwards.

use std::ops::Range;

use arrow::{
    array::{ArrayRef, BooleanArray, BooleanBufferBuilder},
    buffer::BooleanBuffer,
    compute::filter,
    error::ArrowError,
};
use parquet::arrow::arrow_reader::RowSelection;

/// Gaps of fewer rows than these are decoded: starting and ending a run costs about as much as so many values.
const SHORT_GAP: usize = 64;

/// How some rows of a row group are read.
#[derive(Debug)]
pub(super) struct ReadPlan {
    /// What is decoded.
    selection: RowSelection,
    /// Which rows of that are wanted; `None` for all.
    wanted: Option<BooleanBuffer>,
}

impl ReadPlan {
    pub(super) fn new(rows: &BooleanBuffer) -> Self {
        let runs = runs(rows.set_slices().map(|(start, end)| start..end));
        let decoded = runs.iter().map(Range::len).sum();
        let wanted = (decoded > rows.count_set_bits()).then(|| {
            let mut wanted = BooleanBufferBuilder::new(decoded);
            runs.iter().for_each(|run| wanted.append_buffer(&rows.slice(run.start, run.len())));
            wanted.finish()
        });
        Self { selection: RowSelection::from_consecutive_ranges(runs.into_iter(), rows.len()), wanted }
    }

    pub(super) fn selection(&self) -> RowSelection {
        self.selection.clone()
    }

    /// The wanted rows of what was decoded.
    ///
    /// # Errors
    /// When that is not as long as the selection.
    pub(super) fn keep(&self, decoded: ArrayRef) -> Result<ArrayRef, ArrowError> {
        match &self.wanted {
            Some(wanted) => filter(&decoded, &BooleanArray::new(wanted.clone(), None)),
            None => Ok(decoded),
        }
    }
}

/// What is read for ranges of rows, ascending: short gaps with them.
pub(super) fn runs(wanted: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for range in wanted {
        match runs.last_mut() {
            Some(last) if range.start.saturating_sub(last.end) < SHORT_GAP => last.end = range.end,
            _ => runs.push(range),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::{array::UInt32Array, compute::concat};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_wanted_rows_are_kept(runs in prop::collection::vec((0..150_usize, 1..90_usize), 1..12)) {
            let mut rows = BooleanBufferBuilder::new(0);
            for (gap, run) in runs {
                rows.append_n(gap, false);
                rows.append_n(run, true);
            }
            let rows = rows.finish();
            let plan = ReadPlan::new(&rows);
            let all: ArrayRef = Arc::new((0..rows.len() as u32).collect::<UInt32Array>());
            let (mut place, mut decoded) = (0, Vec::new());
            for run in plan.selection().iter() {
                if !run.skip {
                    decoded.push(all.slice(place, run.row_count));
                }
                place += run.row_count;
            }
            let decoded = concat(&decoded.iter().map(AsRef::as_ref).collect::<Vec<_>>()).unwrap();
            let kept = plan.keep(decoded).unwrap();
            let wanted = filter(&all, &BooleanArray::new(rows, None)).unwrap();
            prop_assert_eq!(&kept, &wanted);
        }
    }
}
