//! Columns about a span's place in its trace: its parent, and nested-set numbers. Worked out from how many rows back the parent is.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanBufferBuilder, Int64Array, StringViewBuilder, UInt32Array, UInt64Array},
    buffer::BooleanBuffer,
};

use super::{SpanReader, Values, columns::hex, structure};
use crate::{
    Error, Result,
    block::{
        column::{Level, SpanColumn},
        schema::{columns, row_flags},
    },
};

impl SpanReader<'_> {
    pub(super) fn parent_ids(&self) -> Result<ArrayRef> {
        let whole = self.with(None);
        let offsets = whole.unsigned(columns::PARENT_OFFSET)?;
        let (ids, explicit) = (whole.physical(columns::SPAN_ID)?, whole.physical(columns::PARENT_SPAN_ID)?);
        let (Some(ids), Some(explicit)) = (ids.as_fixed_size_binary_opt(), explicit.as_fixed_size_binary_opt()) else {
            return Err(self.wrong(&"span ids are no fixed-size bytes"));
        };
        let mut texts = StringViewBuilder::with_capacity(offsets.len());
        for (row, offset) in offsets.values().iter().enumerate() {
            let parent = (*offset > 0).then(|| row.checked_sub(*offset as usize)).flatten();
            let id = match parent {
                Some(parent) => ids.value(parent),
                None if explicit.is_valid(row) => explicit.value(row),
                None => &[0; 8],
            };
            texts.append_value(hex(id));
        }
        self.select(Arc::new(texts.finish()))
    }

    /// The ids that are stored are those without a row; zeros are a root's.
    pub(super) fn missing_parents(&self) -> Result<ArrayRef> {
        let ids = self.physical(columns::PARENT_SPAN_ID)?;
        let ids = ids.as_fixed_size_binary_opt().ok_or_else(|| self.wrong(&"span ids are no fixed-size bytes"))?;
        let number = |id: Option<&[u8]>| Some(u64::from_be_bytes(id?.try_into().ok()?)).filter(|number| *number > 0);
        Ok(Arc::new(ids.iter().map(number).collect::<UInt64Array>()))
    }

    /// What a column has at the parents of the rows left.
    ///
    /// A parent need not be left itself: it may have failed a condition, or lie on a page that was pruned. But it is in
    /// this row group, which ends with a trace, and it is no row that nobody sees: shadowed copies are nobody's parent,
    /// and traces are hidden as a whole.
    pub(super) fn of_parent(&self, column: &SpanColumn) -> Result<Values> {
        if column.level() != Level::Span {
            return Err(Error::Internal(format!("{} has no value of a parent", column.name())));
        }
        if self.is_absent(column)? {
            return Ok(Values::Missing);
        }
        let (first, offsets) = (self.meta().first_row as u32, self.unsigned(columns::PARENT_OFFSET)?);
        let parent = |(row, offset): (&u32, &u32)| match (row - first).checked_sub(*offset) {
            _ if *offset == 0 => Ok(None),
            Some(parent) => Ok(Some(parent)),
            None => Err(self.wrong(&"a parent is out of reach")),
        };
        let parents =
            self.row_numbers().values().iter().zip(offsets.values()).map(parent).collect::<Result<Vec<_>>>()?;
        let Some((selected, places)) = gather(&parents, self.meta().rows as usize) else { return Ok(Values::Missing) };
        let values = self.with(Some(selected)).read(column)?;
        values.take(&places).map_err(|error| self.wrong(&error))
    }

    pub(super) fn nested_set(&self, column: &SpanColumn) -> Result<ArrayRef> {
        let (offsets, flags) = (self.whole(columns::PARENT_OFFSET)?, self.whole(columns::ROW_FLAGS)?);
        let under_root = |row| flags.value(row) & row_flags::UNDER_ROOT != 0;
        let first_rows = self.block.trace_table()?.first_rows()?;
        let (first, traces) = (self.meta().first_trace as usize, self.meta().traces as usize);
        if first + traces > first_rows.len() {
            return Err(self.wrong(&"the trace table is shorter than the row groups say"));
        }
        let starts = first_rows.slice(first, traces);
        let starts = starts.values().iter().map(|row| (*row as usize).saturating_sub(self.meta().first_row as usize));
        let (mut left, parents) = structure::nested_sets(offsets.values(), under_root, starts);
        if *column == SpanColumn::NestedSetParent {
            return self.select(Arc::new(Int64Array::from(parents)));
        }
        if *column == SpanColumn::NestedSetRight {
            let descendants = self.whole(columns::DESCENDANTS)?;
            for (left, descendants) in left.iter_mut().zip(descendants.values()) {
                *left += if *left > 0 { 2 * i64::from(*descendants) + 1 } else { 0 };
            }
        }
        self.select(Arc::new(Int64Array::from(left)))
    }
}

/// Which of `rows` rows to read to have all of those given, and where each is among them; `None` where none is given.
fn gather(wanted: &[Option<u32>], rows: usize) -> Option<(BooleanBuffer, UInt32Array)> {
    /// Up to this many rows for each that is wanted, it is cheaper to read all in between than to pick.
    const DENSE: usize = 4;
    let given = || wanted.iter().flatten().copied();
    let (first, last) = (given().min()?, given().max()?);
    let mut selected = BooleanBufferBuilder::new(rows);
    let places = if (last - first) as usize <= DENSE * wanted.len() {
        selected.append_n(first as usize, false);
        selected.append_n((last - first) as usize + 1, true);
        wanted.iter().map(|row| Some((*row)? - first)).collect()
    } else {
        let mut distinct: Vec<u32> = given().collect();
        distinct.sort_unstable();
        distinct.dedup();
        for row in &distinct {
            selected.append_n((*row as usize).saturating_sub(selected.len()), false);
            selected.append(true);
        }
        wanted.iter().map(|row| distinct.binary_search(row.as_ref()?).ok().map(|place| place as u32)).collect()
    };
    selected.append_n(rows.saturating_sub(selected.len()), false);
    Some((selected.finish(), places))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_gathered_is_found(wanted in prop::collection::vec(prop::option::of(0..200_u32), 0..20)) {
            let Some((selected, places)) = gather(&wanted, 200) else {
                prop_assert!(wanted.iter().all(Option::is_none));
                return Ok(());
            };
            prop_assert_eq!(selected.len(), 200);
            let read: Vec<u32> = selected.set_indices_u32().collect();
            let found: Vec<_> = places.iter().map(|place| Some(read[place? as usize])).collect();
            prop_assert!(read.len() <= 4 * wanted.len() + 1);
            prop_assert_eq!(found, wanted);
        }
    }
}
