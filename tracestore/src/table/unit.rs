//! The scan of one row group: prune, then condition by condition read, test and narrow, then read what is asked for.

use std::{collections::HashMap, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch, RecordBatchOptions},
    datatypes::SchemaRef,
};
use datafusion::{common::Result, datasource::physical_plan::parquet::RowGroupAccess};

use super::{
    access::{access, mask},
    conjunct::Conjunct,
    metrics::ScanMetrics,
};
use crate::{
    block::{Block, SpanColumn, SpanReader, Values, bytes_read},
    model::TimeRange,
};

/// A row group of a block, and the newest trace start in it.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) block: Arc<Block>,
    /// The block's number in the snapshot.
    pub(super) number: u32,
    pub(super) row_group: usize,
    pub(super) last_start: u64,
}

/// What is asked of every unit.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) conjuncts: Vec<Conjunct>,
    pub(super) time: Option<TimeRange>,
    /// The columns to deliver, and their schema.
    pub(super) columns: Vec<SpanColumn>,
    pub(super) schema: SchemaRef,
}

impl Unit {
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
        let mut reader = SpanReader::new(&self.block, self.number, self.row_group)?;
        match access(&self.block, self.row_group, &reader, &request.conjuncts, request.time, metrics)? {
            RowGroupAccess::Skip => return Ok(None),
            RowGroupAccess::Scan => {}
            RowGroupAccess::Selection(selection) => reader.intersect(&mask(&selection, reader.meta().rows as usize)),
        }
        if self.ruled_out_by_dictionary(&reader, request)? {
            metrics.pruned_by_dictionary.add(1);
            return Ok(None);
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
        let arrays = request.columns.iter().map(|column| -> Result<ArrayRef> {
            let values = match kept.remove(column) {
                Some(values) => values,
                None => reader.read(column)?,
            };
            Ok(values.to_array(&column.data_type(), rows)?)
        });
        let arrays = arrays.collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(Some(RecordBatch::try_new_with_options(Arc::clone(&request.schema), arrays, &options)?))
    }

    /// Whether some condition is about one text column whose dictionary has no value that meets it.
    fn ruled_out_by_dictionary(&self, reader: &SpanReader<'_>, request: &Request) -> Result<bool> {
        for conjunct in &request.conjuncts {
            let [column] = conjunct.columns() else { continue };
            if let Some(values) = reader.dictionary(column)?
                && !conjunct.matches_any(Arc::new(values))?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
