//! Which rows of a row group need to be looked at, decided without reading a column: time, keys, statistics.

use std::{collections::HashSet, ops::Range, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray, BooleanArray, UInt64Array},
    buffer::BooleanBuffer,
    compute::cast,
    datatypes::Int64Type,
};
use datafusion::{
    common::{Column, Result, ScalarValue, pruning::PruningStatistics},
    datasource::physical_plan::parquet::RowGroupAccess,
};
use parquet::arrow::arrow_reader::{RowSelection, statistics::StatisticsConverter};

use super::{conjunct::Conjunct, metrics::ScanMetrics};
use crate::{
    block::{Block, SpanColumn, SpanReader},
    model::TimeRange,
};

/// Decides which rows of the reader's row group need to be looked at.
pub(super) fn access(
    block: &Block,
    row_group: usize,
    reader: &SpanReader<'_>,
    conjuncts: &[Conjunct],
    time: Option<TimeRange>,
    metrics: &ScanMetrics,
) -> Result<RowGroupAccess> {
    let mut rows = None;
    if let Some(time) = time {
        match rows_in_time(block, reader, time)? {
            RowGroupAccess::Skip => {
                metrics.pruned_by_time.add(1);
                return Ok(RowGroupAccess::Skip);
            }
            RowGroupAccess::Selection(selection) => rows = Some(selection),
            RowGroupAccess::Scan => {}
        }
    }
    for conjunct in conjuncts {
        if lacks_columns(reader, conjunct)? && !conjunct.is_true_for_missing()? {
            metrics.pruned_by_key.add(1);
            return Ok(RowGroupAccess::Skip);
        }
        match rows_by_statistics(block, row_group, conjunct, metrics)? {
            RowGroupAccess::Skip => {
                metrics.pruned_by_statistics.add(1);
                return Ok(RowGroupAccess::Skip);
            }
            RowGroupAccess::Selection(selection) => {
                rows = Some(rows.map_or(selection.clone(), |rows: RowSelection| rows.intersection(&selection)));
            }
            RowGroupAccess::Scan => {}
        }
    }
    Ok(match rows {
        None => RowGroupAccess::Scan,
        Some(rows) if rows.selects_any() => RowGroupAccess::Selection(rows),
        Some(_) => RowGroupAccess::Skip,
    })
}

/// Whether no row of the row group has any of a condition's columns.
fn lacks_columns(reader: &SpanReader<'_>, conjunct: &Conjunct) -> Result<bool> {
    for column in conjunct.columns() {
        if !reader.is_absent(column)? {
            return Ok(false);
        }
    }
    Ok(!conjunct.columns().is_empty())
}

/// The rows of the traces that overlap a time range.
fn rows_in_time(block: &Block, reader: &SpanReader<'_>, time: TimeRange) -> Result<RowGroupAccess> {
    let meta = reader.meta();
    if !time.overlaps(meta.start, meta.end) {
        return Ok(RowGroupAccess::Skip);
    }
    if time.start <= meta.start && meta.last_start <= time.end {
        return Ok(RowGroupAccess::Scan);
    }
    let table = block.trace_table()?;
    let (starts, durations) = (table.starts()?, table.durations()?);
    let (first_rows, rows) = (table.first_rows()?, table.rows()?);
    let traces = meta.first_trace as usize..(meta.first_trace + meta.traces) as usize;
    let overlapping = traces.filter(|trace| {
        let start = starts.values().get(*trace).copied().unwrap_or(0);
        let duration = durations.values().get(*trace).map_or(0, |duration| duration.unsigned_abs());
        time.overlaps(start, start.saturating_add(duration))
    });
    let first = meta.first_row as usize;
    let ranges = overlapping.filter_map(|trace| {
        let start = (*first_rows.values().get(trace)? as usize).checked_sub(first)?;
        Some(start..start + *rows.values().get(trace)? as usize)
    });
    let selection = RowSelection::from_consecutive_ranges(ranges, meta.rows as usize);
    Ok(if selection.selects_any() { RowGroupAccess::Selection(selection) } else { RowGroupAccess::Skip })
}

/// The rows of the pages whose minima and maxima leave a condition open.
fn rows_by_statistics(
    block: &Block,
    row_group: usize,
    conjunct: &Conjunct,
    metrics: &ScanMetrics,
) -> Result<RowGroupAccess> {
    let (Some(pruning), [column]) = (conjunct.pruning(), conjunct.columns()) else { return Ok(RowGroupAccess::Scan) };
    let file = block.span_file()?;
    let Some(index) = file.column(&column.name()).or_else(|| file.column(physical_name(column)?)) else {
        return Ok(RowGroupAccess::Scan);
    };
    let metadata = file.metadata();
    let Some(group) = metadata.row_groups().get(row_group) else { return Ok(RowGroupAccess::Scan) };
    let schema = metadata.file_metadata().schema_descr();
    let arrow = file.schema();
    let Some(field) = arrow.fields().get(index) else { return Ok(RowGroupAccess::Scan) };
    let converter = StatisticsConverter::try_new(field.name(), arrow, schema)?;

    let whole = ColumnStatistics::new(
        column,
        converter.row_group_mins([group])?,
        converter.row_group_maxes([group])?,
        converter.row_group_null_counts([group])?,
        UInt64Array::from(vec![group.num_rows().unsigned_abs()]),
    )?;
    if pruning.prune(&whole)? == [false] {
        return Ok(RowGroupAccess::Skip);
    }
    let (Some(columns), Some(offsets)) = (metadata.column_index(), metadata.offset_index()) else {
        return Ok(RowGroupAccess::Scan);
    };
    let pages = offsets.get(row_group).and_then(|columns| columns.get(index)).map(|pages| pages.page_locations());
    let (Some(pages), Some(counts)) =
        (pages, converter.data_page_row_counts(offsets, metadata.row_groups(), [&row_group])?)
    else {
        return Ok(RowGroupAccess::Scan);
    };
    let statistics = ColumnStatistics::new(
        column,
        converter.data_page_mins(columns, offsets, [&row_group])?,
        converter.data_page_maxes(columns, offsets, [&row_group])?,
        converter.data_page_null_counts(columns, offsets, [&row_group])?,
        counts.clone(),
    )?;
    let open = pruning.prune(&statistics)?;
    let pruned = open.iter().filter(|open| !**open).count();
    if pruned == 0 || open.len() != pages.len() {
        return Ok(RowGroupAccess::Scan);
    }
    metrics.pages_pruned.add(pruned);
    let rows = pages.iter().zip(counts.values()).zip(&open).filter(|(_, open)| **open);
    let ranges = rows.map(|((page, rows), _)| {
        let first = page.first_row_index.unsigned_abs() as usize;
        Range { start: first, end: first + *rows as usize }
    });
    let selection = RowSelection::from_consecutive_ranges(ranges, group.num_rows().unsigned_abs() as usize);
    Ok(if selection.selects_any() { RowGroupAccess::Selection(selection) } else { RowGroupAccess::Skip })
}

/// The file's column behind a column of the span table, where the two are in the same order.
fn physical_name(column: &SpanColumn) -> Option<&'static str> {
    match column {
        SpanColumn::StartTime => Some("start_time"),
        SpanColumn::Duration => Some("duration"),
        SpanColumn::Kind => Some("kind"),
        SpanColumn::Status => Some("status_code"),
        _ => None,
    }
}

/// Minima and maxima of one column in some containers (row groups or pages).
#[derive(Debug)]
struct ColumnStatistics {
    name: String,
    min: ArrayRef,
    max: ArrayRef,
    nulls: UInt64Array,
    rows: UInt64Array,
}

impl ColumnStatistics {
    fn new(column: &SpanColumn, min: ArrayRef, max: ArrayRef, nulls: UInt64Array, rows: UInt64Array) -> Result<Self> {
        let as_seen = |array: ArrayRef| -> Result<ArrayRef> {
            let array = cast(&array, &column.data_type())?;
            // The file keeps negative durations, queries see 0.
            match (column, array.as_primitive_opt::<Int64Type>()) {
                (SpanColumn::Duration, Some(durations)) => {
                    Ok(Arc::new(durations.unary::<_, Int64Type>(|duration| duration.max(0))))
                }
                _ => Ok(array),
            }
        };
        Ok(Self { name: column.name(), min: as_seen(min)?, max: as_seen(max)?, nulls, rows })
    }
}

impl PruningStatistics for ColumnStatistics {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        (column.name == self.name).then(|| Arc::clone(&self.min))
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        (column.name == self.name).then(|| Arc::clone(&self.max))
    }

    fn num_containers(&self) -> usize {
        self.rows.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        (column.name == self.name).then(|| Arc::new(self.nulls.clone()) as ArrayRef)
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(self.rows.clone()))
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

/// A selection as a mask over `rows` rows.
pub(super) fn mask(selection: &RowSelection, rows: usize) -> BooleanBuffer {
    let mut builder = arrow::array::BooleanBufferBuilder::new(rows);
    for run in selection.iter() {
        builder.append_n(run.row_count, !run.skip);
    }
    builder.append_n(rows.saturating_sub(builder.len()), false);
    builder.finish()
}
