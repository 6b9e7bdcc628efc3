//! The scan of one row group: prune, then condition by condition read, test and narrow, then read what is asked for.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{
    array::{ArrayRef, RecordBatch, RecordBatchOptions},
    datatypes::SchemaRef,
};
use datafusion::{common::Result, datasource::physical_plan::parquet::RowGroupAccess};

use super::{
    access::{access, mask},
    conjunct::Conjunct,
    marks::PreparedMarks,
    metrics::ScanMetrics,
};
use crate::{
    Error,
    block::{Block, PAGE_ROWS, SpanColumn, SpanReader, Values, bytes_read},
    model::TimeRange,
};

/// How many rows the newest part of a row group has, and the largest that is cut off.
const FIRST_PART: usize = PAGE_ROWS;
const LARGEST_PART: usize = 4 * PAGE_ROWS;

/// A row group of a block or a part of one, whole traces, and the newest trace start in it.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) block: Arc<Block>,
    /// The block's number in the snapshot.
    pub(super) number: u32,
    pub(super) row_group: usize,
    /// Rows of the row group; `None` for all.
    pub(super) rows: Option<Range<usize>>,
    pub(super) last_start: u64,
}

/// What is asked of every unit.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) conjuncts: Vec<Conjunct>,
    /// Conditions that mark rows; then there are no others.
    pub(super) marks: Option<PreparedMarks>,
    pub(super) time: Option<TimeRange>,
    /// Whether what rules a condition out is looked at before rows are.
    pub(super) pruning: bool,
    /// Whether columns of texts are delivered as dictionary arrays.
    pub(super) codes: bool,
    /// The columns to deliver, and their schema, marks included.
    pub(super) columns: Vec<SpanColumn>,
    pub(super) schema: SchemaRef,
    pub(super) ruled_out: RuledOut,
}

/// Of which blocks it is known that none of their rows is asked for, by number.
#[derive(Debug, Default)]
pub(super) struct RuledOut(Mutex<BTreeMap<u32, bool>>);

impl RuledOut {
    /// Whether a block is ruled out, if somebody has looked.
    fn of(&self, block: u32) -> Option<bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&block).copied()
    }

    pub(super) fn contains(&self, block: u32) -> bool {
        self.of(block) == Some(true)
    }

    fn insert(&self, block: u32, is_ruled_out: bool) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(block).or_default() |= is_ruled_out;
    }
}

impl Request {
    /// Whether a condition is false whatever a row has, as one on an attribute that no block knows.
    pub(super) fn asks_for_nothing(&self) -> Result<bool> {
        for conjunct in self.conjuncts.iter().filter(|conjunct| self.pruning && conjunct.columns().is_empty()) {
            if !conjunct.is_true_for_missing()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A column's values as they are delivered.
    fn deliver(&self, values: &Values, column: &SpanColumn, rows: usize) -> Result<ArrayRef> {
        Ok(match self.codes && column.is_text() {
            true => values.to_dictionary(&column.data_type(), rows)?,
            false => values.to_array(&column.data_type(), rows)?,
        })
    }
}

impl Unit {
    /// Cuts parts off the end of a row group, where its newest traces are, the first small, each next one twice as
    /// large: a search that is soon satisfied then reads little, and one that is not has few parts more.
    pub(super) fn split(self) -> crate::Result<Vec<Self>> {
        let Some(meta) = self.block.meta().row_groups.get(self.row_group) else { return Ok(vec![self]) };
        let table = self.block.trace_table()?;
        let (starts, first_rows) = (table.starts()?, table.first_rows()?);
        let (first, traces) = (meta.first_trace as usize, meta.traces as usize);
        let (Some(starts), Some(first_rows)) =
            (starts.values().get(first..first + traces), first_rows.values().get(first..first + traces))
        else {
            return Err(Error::corrupt(self.block.path(), 0, "the trace table is shorter than the row groups say"));
        };
        let place = |row: u32| (u64::from(row)).saturating_sub(meta.first_row) as usize;
        let (mut parts, mut size) = (Vec::new(), FIRST_PART);
        let (mut end_trace, mut end_row) = (traces, meta.rows as usize);
        while end_trace > 0 {
            let wanted = if size > LARGEST_PART { 0 } else { end_row.saturating_sub(size) };
            let before = first_rows.get(..end_trace).unwrap_or(&[]);
            let begin = before.partition_point(|row| place(*row) < wanted).min(end_trace - 1);
            let begin_row = before.get(begin).map_or(0, |row| place(*row));
            let last_start = starts.get(end_trace - 1).copied().unwrap_or(self.last_start);
            parts.push(Self { rows: Some(begin_row..end_row), last_start, ..self.clone() });
            (end_trace, end_row, size) = (begin, begin_row, size * 2);
        }
        Ok(parts)
    }

    /// The rows of the unit that meet all conditions, `None` when there are none.
    pub(super) fn scan(&self, request: &Request, metrics: &ScanMetrics) -> Result<Option<RecordBatch>> {
        let before = bytes_read();
        let batch = self.scan_rows(request, metrics);
        metrics.bytes_scanned.add((bytes_read() - before) as usize);
        batch
    }

    fn scan_rows(&self, request: &Request, metrics: &ScanMetrics) -> Result<Option<RecordBatch>> {
        metrics.row_groups.add(1);
        let prune_timer = metrics.prune_time.timer();
        // Whether anything is to be read is known of most row groups before their rows are.
        let mut reader = SpanReader::of_all(&self.block, self.number, self.row_group)?;
        if let Some(rows) = &self.rows {
            reader.keep_range(rows);
        }
        let prunable = if request.pruning { request.conjuncts.as_slice() } else { &[] };
        if request.marks.is_none() && self.is_ruled_out(request, prunable)? {
            metrics.pruned_by_dictionary.add(1);
            return Ok(None);
        }
        match access(&self.block, self.row_group, &reader, prunable, request.time, metrics)? {
            RowGroupAccess::Skip => return Ok(None),
            RowGroupAccess::Scan => {}
            RowGroupAccess::Selection(selection) => reader.intersect(&mask(&selection, reader.meta().rows as usize)),
        }
        let marked = request.marks.iter().flat_map(|marks| marks.conditions.iter().flatten());
        reader.prefetch(request.conjuncts.iter().chain(marked).flat_map(Conjunct::columns))?;
        if request.marks.is_none()
            && let Some(conjunct) = Self::ruled_out_by_dictionary(&reader, prunable)?
        {
            metrics.pruned_by_dictionary.add(1);
            // Likely the others have no such value either.
            if let [column] = conjunct.columns()
                && let Some(texts) = self.block.distinct_texts(column)?
                && !conjunct.matches_any(texts)?
            {
                request.ruled_out.insert(self.number, true);
            }
            return Ok(None);
        }
        reader.leave_out_unseen()?;
        // Nothing but hidden traces, say.
        if reader.rows() == 0 {
            return Ok(None);
        }
        if let Some(marks) = &request.marks {
            drop(prune_timer);
            let _timer = metrics.scan_time.timer();
            let Some(marked) = marks.apply(self, &mut reader, metrics)? else { return Ok(None) };
            let rows = reader.rows();
            metrics.rows_matched.add(rows);
            reader.prefetch(&request.columns)?;
            let arrays = request.columns.iter().map(|column| request.deliver(&reader.read(column)?, column, rows));
            let arrays = arrays.chain(marked.into_iter().map(Ok)).collect::<Result<Vec<_>>>()?;
            return Ok(Some(RecordBatch::try_new(Arc::clone(&request.schema), arrays)?));
        }
        drop(prune_timer);
        let _timer = metrics.scan_time.timer();
        metrics.rows_scanned.add(reader.rows());

        // Columns that were read for a condition and are delivered as well are narrowed along instead of read again.
        let mut kept: HashMap<&SpanColumn, Values> = HashMap::new();
        for conjunct in &request.conjuncts {
            let rows = reader.rows();
            let values = conjunct.columns().iter().map(|column| match kept.get(column) {
                Some(values) => Ok(values.clone()),
                None => reader.read(column),
            });
            let values = values.collect::<crate::Result<Vec<_>>>()?;
            let met = conjunct.evaluate(&values, rows)?;
            let count = met.count_set_bits();
            if count == 0 {
                return Ok(None);
            }
            for (column, values) in conjunct.columns().iter().zip(values) {
                if request.columns.contains(column) {
                    kept.insert(column, values);
                }
            }
            if count < rows {
                reader.narrow(&met);
                for values in kept.values_mut() {
                    *values = values.filter(&met)?;
                }
            }
        }
        let rows = reader.rows();
        if rows == 0 {
            return Ok(None);
        }
        metrics.rows_matched.add(rows);
        reader.prefetch(&request.columns)?;
        let arrays = request.columns.iter().map(|column| -> Result<ArrayRef> {
            let values = match kept.remove(column) {
                Some(values) => values,
                None => reader.read(column)?,
            };
            request.deliver(&values, column, rows)
        });
        let arrays = arrays.collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(Some(RecordBatch::try_new_with_options(Arc::clone(&request.schema), arrays, &options)?))
    }

    /// Whether no text that the block is known to have meets some condition. Looked at once for a block.
    fn is_ruled_out(&self, request: &Request, conjuncts: &[Conjunct]) -> Result<bool> {
        if let Some(known) = request.ruled_out.of(self.number) {
            return Ok(known);
        }
        let mut is_ruled_out = false;
        for conjunct in conjuncts {
            if let [column] = conjunct.columns()
                && let Some(texts) = self.block.known_texts(column)
                && !conjunct.matches_any(texts)?
            {
                is_ruled_out = true;
            }
        }
        request.ruled_out.insert(self.number, is_ruled_out);
        Ok(is_ruled_out)
    }

    /// A condition about one text column whose dictionary has no value that meets it.
    pub(super) fn ruled_out_by_dictionary<'c>(
        reader: &SpanReader<'_>,
        conjuncts: &'c [Conjunct],
    ) -> Result<Option<&'c Conjunct>> {
        for conjunct in conjuncts {
            let [column] = conjunct.columns() else { continue };
            if let Some(values) = reader.dictionary(column)?
                && !conjunct.matches_any(Arc::new(values))?
            {
                return Ok(Some(conjunct));
            }
        }
        Ok(None)
    }
}
