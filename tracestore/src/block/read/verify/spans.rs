//! The rows of spans: whose they are, their times, and the trees that they make.

use std::ops::Range;

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, PrimitiveArray},
    datatypes::{ArrowPrimitiveType, Int32Type, Int64Type, UInt32Type, UInt64Type},
};

use super::{super::ParquetFile, Block, require};
use crate::{
    Error, Result,
    block::{
        meta::RowGroupMeta,
        schema::{columns, row_flags},
    },
};

const FIFTEEN_SECONDS: u64 = 15_000_000_000;
/// OTLP's number of the status error.
const ERROR: i32 = 2;

/// Columns of a row group.
struct Rows {
    start: PrimitiveArray<UInt64Type>,
    duration: PrimitiveArray<Int64Type>,
    start15: PrimitiveArray<UInt32Type>,
    trace: PrimitiveArray<UInt32Type>,
    resource: PrimitiveArray<UInt32Type>,
    scope: PrimitiveArray<UInt32Type>,
    status: PrimitiveArray<Int32Type>,
    parent: PrimitiveArray<UInt32Type>,
    descendants: PrimitiveArray<UInt32Type>,
    flags: PrimitiveArray<UInt32Type>,
    id: FixedSizeBinaryArray,
    parent_id: FixedSizeBinaryArray,
}

/// What the trace table says of all traces.
struct Expected {
    starts: PrimitiveArray<UInt64Type>,
    durations: PrimitiveArray<Int64Type>,
    spans: PrimitiveArray<UInt32Type>,
    errors: PrimitiveArray<UInt32Type>,
    has_root: BooleanArray,
}

fn column(file: &ParquetFile, group: usize, name: &str) -> Result<ArrayRef> {
    let column = file.column(name).ok_or_else(|| wrong(file, name))?;
    file.read(group, column, None)
}

fn numbers<T: ArrowPrimitiveType>(file: &ParquetFile, group: usize, name: &str) -> Result<PrimitiveArray<T>> {
    column(file, group, name)?.as_primitive_opt::<T>().cloned().ok_or_else(|| wrong(file, name))
}

fn ids(file: &ParquetFile, group: usize, name: &str) -> Result<FixedSizeBinaryArray> {
    column(file, group, name)?.as_fixed_size_binary_opt().cloned().ok_or_else(|| wrong(file, name))
}

fn wrong(file: &ParquetFile, name: &str) -> Error {
    Error::corrupt(file.path(), 0, format!("there is no column `{name}` of the type that the format says"))
}

impl Rows {
    fn read(file: &ParquetFile, group: usize) -> Result<Self> {
        Ok(Self {
            start: numbers(file, group, columns::START_TIME)?,
            duration: numbers(file, group, columns::DURATION)?,
            start15: numbers(file, group, columns::START15)?,
            trace: numbers(file, group, columns::TRACE)?,
            resource: numbers(file, group, columns::RESOURCE)?,
            scope: numbers(file, group, columns::SCOPE)?,
            status: numbers(file, group, columns::STATUS_CODE)?,
            parent: numbers(file, group, columns::PARENT_OFFSET)?,
            descendants: numbers(file, group, columns::DESCENDANTS)?,
            flags: numbers(file, group, columns::ROW_FLAGS)?,
            id: ids(file, group, columns::SPAN_ID)?,
            parent_id: ids(file, group, columns::PARENT_SPAN_ID)?,
        })
    }

    fn is(&self, row: usize, flag: u32) -> bool {
        self.flags.value(row) & flag != 0
    }

    /// Orders siblings.
    fn key(&self, row: usize) -> (u64, &[u8]) {
        (self.start.value(row), self.id.value(row))
    }

    /// The first row of a trace's shown rows that is not where its tree puts it, or says something else than its place.
    fn misplaced(&self, shown: Range<usize>) -> Option<usize> {
        // The rows above the one at hand: their ends, and the child seen last.
        let mut above: Vec<(usize, usize, Option<usize>)> = Vec::new();
        let mut top: Option<usize> = None;
        for row in shown.clone() {
            while above.last().is_some_and(|(_, end, _)| *end <= row) {
                above.pop();
            }
            let end = row + 1 + self.descendants.value(row) as usize;
            let parent = above.last().map(|(parent, ..)| *parent);
            let before = above.last_mut().map_or(&mut top, |(.., child)| child).replace(row);
            let is_root = self.is(row, row_flags::ROOT);
            // Trees under roots come first.
            let rank = |row: usize| (!self.is(row, row_flags::UNDER_ROOT), self.key(row));
            let is_ordered = before.is_none_or(|before| match parent {
                Some(_) => self.key(before) <= self.key(row),
                None => rank(before) <= rank(row),
            });
            let is_under_root = parent.map_or(is_root, |parent| self.is(parent, row_flags::UNDER_ROOT));
            let is_right = self.parent.value(row) as usize == parent.map_or(0, |parent| row - parent)
                && end <= above.last().map_or(shown.end, |(_, end, _)| *end)
                && self.is(row, row_flags::UNDER_ROOT) == is_under_root
                && if parent.is_some() { !is_root && self.parent_id.is_null(row) } else { self.says_parent(row) };
            if !is_ordered || !is_right {
                return Some(row);
            }
            above.push((row, end, None));
        }
        None
    }

    /// Whether a row without a parent row has the parent's id that its flag says: none, or zero, of roots alone.
    fn says_parent(&self, row: usize) -> bool {
        let has_parent = !self.parent_id.is_null(row) && self.parent_id.value(row).iter().any(|byte| *byte != 0);
        has_parent != self.is(row, row_flags::ROOT)
    }
}

impl Block {
    pub(super) fn verify_spans(&self) -> Result<()> {
        if self.meta().spans == 0 {
            return Ok(());
        }
        let (file, table) = (self.span_file()?, self.trace_table()?);
        let expected = Expected {
            starts: table.starts()?,
            durations: table.durations()?,
            spans: table.primitive::<UInt32Type>("spans")?,
            errors: table.primitive::<UInt32Type>("errors")?,
            has_root: table.has_root()?,
        };
        let mut shadowed = 0;
        for (index, group) in self.meta().row_groups.iter().enumerate() {
            let rows = Rows::read(file, index)?;
            self.verify_numbers(file, group, &rows)?;
            let mut next = 0;
            for ordinal in group.first_trace as usize..(group.first_trace + group.traces) as usize {
                let range = table.span_rows(ordinal)?;
                let end = next + range.len();
                let is_here = range.start == group.first_row as usize + next && end <= group.rows as usize;
                let is_its_own = is_here && (next..end).all(|row| rows.trace.value(row) as usize == ordinal);
                require(is_its_own, file, || format!("the rows of trace {ordinal} are not in their row group"))?;
                shadowed += verify_trace(file, &rows, next..end, &expected, ordinal)?;
                next = end;
            }
            require(next == group.rows as usize, file, || format!("row group {index} has rows of no trace"))?;
        }
        require(shadowed == self.meta().shadowed, file, || format!("{shadowed} spans are shadowed"))
    }

    /// What each row is by itself.
    fn verify_numbers(&self, file: &ParquetFile, group: &RowGroupMeta, rows: &Rows) -> Result<()> {
        let meta = self.meta();
        for row in 0..group.rows as usize {
            let is_right = u64::from(rows.start15.value(row)) == rows.start.value(row).div_ceil(FIFTEEN_SECONDS)
                && u64::from(rows.resource.value(row)) < meta.resources
                && u64::from(rows.scope.value(row)) < meta.scopes;
            let what =
                || format!("row {} has a wrong `start15`, or no resource or scope", group.first_row + row as u64);
            require(is_right, file, what)?;
        }
        Ok(())
    }
}

/// Checks the rows of a trace; tells how many are shadowed.
fn verify_trace(
    file: &ParquetFile,
    rows: &Rows,
    range: Range<usize>,
    expected: &Expected,
    ordinal: usize,
) -> Result<u64> {
    let is_shadowed = |row: usize| rows.is(row, row_flags::SHADOWED);
    let end = range.clone().find(|row| is_shadowed(*row)).unwrap_or(range.end);
    let (shown, copies) = (range.start..end, end..range.end);
    let is_apart = |row: usize| {
        is_shadowed(row) && rows.parent.value(row) == 0 && rows.descendants.value(row) == 0 && rows.says_parent(row)
    };
    require(copies.clone().all(is_apart), file, || format!("trace {ordinal} has copies of spans in its tree"))?;
    let misplaced = rows.misplaced(shown.clone());
    require(misplaced.is_none(), file, || {
        format!("row {} of trace {ordinal} is not where its tree puts it", misplaced.unwrap_or(0) - range.start)
    })?;
    let errors = shown.clone().filter(|row| rows.status.value(*row) == ERROR).count();
    let start = shown.clone().map(|row| rows.start.value(row)).filter(|start| *start > 0).min().unwrap_or(0);
    let last = shown.clone().map(|row| rows.start.value(row).wrapping_add_signed(rows.duration.value(row))).max();
    let duration = i64::try_from(last.unwrap_or(start).saturating_sub(start)).unwrap_or(i64::MAX);
    let has_root = shown.clone().any(|row| rows.is(row, row_flags::ROOT));
    let is_as_listed = expected.spans.value(ordinal) as usize == shown.len()
        && expected.errors.value(ordinal) as usize == errors
        && (expected.starts.value(ordinal), expected.durations.value(ordinal)) == (start, duration)
        && expected.has_root.value(ordinal) == has_root;
    require(is_as_listed, file, || {
        format!("trace {ordinal} has other spans, errors or times than the trace table says")
    })?;
    Ok(copies.len() as u64)
}
