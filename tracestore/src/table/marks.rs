//! Several conditions in one scan: each marks the rows that meet it, instead of leaving the others out. For queries
//! that relate spans of one kind to spans of another, which one filter cannot say.
//!
//! Each condition is pruned and tested by itself, as if it were the filter of a scan; then whole traces go that lack a
//! mark they must have, and only what is left is read.

use std::{fmt, ops::Range};

use arrow::{
    array::{ArrayRef, BooleanArray, BooleanBufferBuilder},
    buffer::BooleanBuffer,
    compute::filter,
    datatypes::{DataType, Field},
};
use datafusion::{common::Result, datasource::physical_plan::parquet::RowGroupAccess, logical_expr::Expr};

use super::{
    access::{access, mask},
    conjunct::Conjunct,
    metrics::ScanMetrics,
    unit::Unit,
};
use crate::{Error, block::SpanReader};

/// What a scan marks, and which rows it delivers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Marks {
    /// The conditions, each a conjunction of expressions over the table's columns. Every one becomes a column
    /// ([`Marks::name`]) of type Boolean, never null.
    pub conditions: Vec<Vec<Expr>>,
    /// Only rows with one of these marks; `None` for all rows.
    pub select: Option<Vec<usize>>,
    /// Only traces that have rows with each of these marks.
    pub together: Vec<usize>,
    /// Every row of the traces that are left, whatever its marks.
    pub whole_traces: bool,
}

impl Marks {
    /// What the column of a condition is called.
    #[must_use]
    pub fn name(condition: usize) -> String {
        format!("mark.{condition}")
    }

    /// The columns of all conditions.
    pub(super) fn fields(&self) -> impl Iterator<Item = Field> {
        (0..self.conditions.len()).map(|condition| Field::new(Self::name(condition), DataType::Boolean, false))
    }
}

/// Marks whose conditions are ready to be tested.
#[derive(Debug)]
pub(super) struct PreparedMarks {
    pub(super) conditions: Vec<Vec<Conjunct>>,
    pub(super) select: Option<Vec<usize>>,
    pub(super) together: Vec<usize>,
    pub(super) whole_traces: bool,
    /// Whether what rules a condition out is looked at before rows are.
    pub(super) pruning: bool,
}

impl fmt::Display for PreparedMarks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let condition = |conjuncts: &Vec<Conjunct>| {
            let texts: Vec<String> = conjuncts.iter().map(|conjunct| conjunct.expr().to_string()).collect();
            texts.join("; ")
        };
        write!(f, "marks=[{}]", self.conditions.iter().map(condition).collect::<Vec<_>>().join(" | "))?;
        if let Some(select) = &self.select {
            write!(f, ", select={select:?}")?;
        }
        if !self.together.is_empty() {
            write!(f, ", together={:?}", self.together)?;
        }
        if self.whole_traces {
            write!(f, ", whole traces")?;
        }
        Ok(())
    }
}

impl PreparedMarks {
    /// Keeps the reader's rows that are to be delivered; gives the marks of those. `None` when there are none.
    pub(super) fn apply(
        &self,
        unit: &Unit,
        reader: &mut SpanReader<'_>,
        metrics: &ScanMetrics,
    ) -> Result<Option<Vec<ArrayRef>>> {
        let mut found: Vec<Option<BooleanBuffer>> = vec![None; self.conditions.len()];
        let visible = reader.selection();
        for (condition, (conjuncts, found)) in self.conditions.iter().zip(&mut found).enumerate() {
            let wanted = self.select.as_ref().is_some_and(|select| select.contains(&condition));
            if wanted || self.together.contains(&condition) {
                *found = Some(meets(unit, reader, conjuncts, self.pruning, metrics)?);
            }
        }
        let marked = |condition: &usize| found.get(*condition).and_then(Option::as_ref);
        let mut rows = match &self.select {
            None => visible.clone(),
            Some(select) => {
                let none = BooleanBuffer::new_unset(visible.len());
                select.iter().filter_map(marked).fold(none, |all, marks| &all | marks)
            }
        };
        // Rows that all meet a condition are in traces that have some.
        let implied = |condition: &usize| self.select.as_deref() == Some(std::slice::from_ref(condition));
        let together: Vec<&usize> = self.together.iter().filter(|condition| !implied(condition)).collect();
        if !together.is_empty() || self.whole_traces {
            let together: Vec<&BooleanBuffer> = together.into_iter().filter_map(marked).collect();
            let traces = traces_with_some(&traces(unit, visible.len())?, &rows, &together);
            rows = &traces & if self.whole_traces { &visible } else { &rows };
        }
        reader.intersect(&rows);
        if reader.rows() == 0 {
            return Ok(None);
        }
        let kept = BooleanArray::new(reader.selection(), None);
        let marks = self.conditions.iter().zip(found).map(|(conjuncts, found)| {
            let marks = match found {
                Some(marks) => marks,
                None => meets(unit, reader, conjuncts, self.pruning, metrics)?,
            };
            Ok(filter(&BooleanArray::new(marks, None), &kept)?)
        });
        marks.collect::<Result<Vec<_>>>().map(Some)
    }
}

/// All rows of the traces that have some of `rows` and some of each of `together`.
fn traces_with_some(traces: &[Range<usize>], rows: &BooleanBuffer, together: &[&BooleanBuffer]) -> BooleanBuffer {
    let mut kept = BooleanBufferBuilder::new(rows.len());
    for range in traces {
        if any(rows, range) && together.iter().all(|marks| any(marks, range)) {
            kept.append_n(range.start.saturating_sub(kept.len()), false);
            kept.append_n(range.len(), true);
        }
    }
    kept.append_n(rows.len().saturating_sub(kept.len()), false);
    kept.finish()
}

/// Whether any bit of a range is set. Ranges are short, and there are very many.
fn any(bits: &BooleanBuffer, range: &Range<usize>) -> bool {
    let (mut at, end) = (bits.offset() + range.start, bits.offset() + range.end.min(bits.len()));
    while at < end {
        // From the byte that has the first bit, up to eight bytes.
        let mut word = [0; 8];
        let bytes = bits.values().get(at / 8..).unwrap_or(&[]);
        let bytes = bytes.get(..8).unwrap_or(bytes);
        word.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        let len = (64 - at % 8).min(end - at);
        if (u64::from_le_bytes(word) >> (at % 8)) << (64 - len) != 0 {
            return true;
        }
        at += len;
    }
    false
}

/// Which rows of the row group, among those the reader has left, meet a conjunction.
fn meets(
    unit: &Unit,
    reader: &SpanReader<'_>,
    conjuncts: &[Conjunct],
    pruning: bool,
    metrics: &ScanMetrics,
) -> Result<BooleanBuffer> {
    let prunable = if pruning { conjuncts } else { &[] };
    let len = reader.meta().rows as usize;
    let mut reader = reader.clone();
    match access(&unit.block, unit.row_group, &reader, prunable, None, metrics)? {
        RowGroupAccess::Skip => return Ok(BooleanBuffer::new_unset(len)),
        RowGroupAccess::Scan => {}
        RowGroupAccess::Selection(selection) => reader.intersect(&mask(&selection, len)),
    }
    if Unit::ruled_out_by_dictionary(&reader, prunable)?.is_some() {
        metrics.pruned_by_dictionary.add(1);
        return Ok(BooleanBuffer::new_unset(len));
    }
    metrics.rows_scanned.add(reader.rows());
    for conjunct in conjuncts {
        let rows = reader.rows();
        let values = conjunct.columns().iter().map(|column| reader.read(column)).collect::<crate::Result<Vec<_>>>()?;
        let met = conjunct.evaluate(&values, rows)?;
        if met.count_set_bits() == 0 {
            return Ok(BooleanBuffer::new_unset(len));
        }
        reader.narrow(&met);
    }
    Ok(reader.selection())
}

/// The rows of each trace of a unit's row group, counted from its first.
fn traces(unit: &Unit, rows: usize) -> Result<Vec<Range<usize>>> {
    let Some(meta) = unit.block.meta().row_groups.get(unit.row_group) else { return Ok(Vec::new()) };
    let first_rows = unit.block.trace_table()?.first_rows()?;
    let (first, traces) = (meta.first_trace as usize, meta.traces as usize);
    let Some(starts) = first_rows.values().get(first..first + traces) else {
        let reason = "the trace table is shorter than the row groups say";
        return Err(Error::corrupt(unit.block.path(), 0, reason).into());
    };
    let place = |row: &u32| (u64::from(*row).saturating_sub(meta.first_row) as usize).min(rows);
    let ends = starts.iter().skip(1).map(place).chain([rows]);
    Ok(starts.iter().map(place).zip(ends).map(|(start, end)| start..end.max(start)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_finds_what_a_slice_has() {
        for seed in 0..40_usize {
            let bits: BooleanBuffer = (0..400).map(|row| (row * 7919 + seed * 31) % 61 == 0).collect();
            let bits = bits.slice(seed, 400 - seed - seed / 2);
            for start in 0..bits.len() {
                for len in [0, 1, 7, 8, 57, 63, 64, 65, 130] {
                    let range = start..(start + len).min(bits.len());
                    let expected = bits.slice(range.start, range.len()).count_set_bits() > 0;
                    assert_eq!(any(&bits, &range), expected, "{seed} {range:?}");
                }
            }
        }
    }

    #[test]
    fn traces_are_kept_whole_or_not_at_all() {
        let bits = |text: &str| text.chars().map(|bit| bit == '1').collect::<BooleanBuffer>();
        // The last rows are hidden.
        let traces = [0..2, 2..3, 3..6, 6..7];
        let kept = |rows, together: &[&BooleanBuffer]| traces_with_some(&traces, &bits(rows), together);
        assert_eq!(kept("01000100", &[]), bits("11011100"));
        assert_eq!(kept("01000110", &[&bits("10100011")]), bits("11000010"));
        assert_eq!(kept("00000000", &[]), bits("00000000"));
    }
}
