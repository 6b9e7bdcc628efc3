//! Whether some rows have a value in a column: told by the levels of its pages, no value is decoded. For those who read many
//! columns of few rows, most of which are about others.

use std::sync::Arc;

use arrow::{
    array::{BooleanArray, BooleanBufferBuilder},
    buffer::BooleanBuffer,
};
use parquet::{arrow::arrow_reader::RowSelection, column::page::PageReader, errors::ParquetError};

use super::{
    file::{ParquetFile, guard},
    levels,
    pages::Pages,
};
use crate::Result;

impl ParquetFile {
    /// Whether any of some rows of a row group has a value in a column; no values are decoded. A column of lists, or one that is
    /// never null, is taken to have one.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub(crate) fn any_value(&self, row_group: usize, column: usize, rows: &BooleanBuffer) -> Result<bool> {
        let leaves = self.leaves(column);
        let chunk = self.chunk(row_group, leaves.start)?;
        let descriptor = chunk.column_descr();
        if leaves.len() != 1 || descriptor.max_def_level() != 1 || descriptor.max_rep_level() != 0 {
            return Ok(true);
        }
        let (start, _) = chunk.byte_range();
        let window = Arc::new(self.chunk_bytes(row_group, leaves.clone())?);
        let mut looked_at = BooleanBufferBuilder::new(rows.len());
        let found = guard(self.path(), start, || {
            let mut pages = Pages::open(&window, self.metadata(), row_group, leaves.start)?;
            while let Some(page) = pages.peek_next_page()? {
                let count = if page.is_dict { 0 } else { page.num_levels.or(page.num_rows).unwrap_or(0) };
                let first = looked_at.len();
                if count > rows.len() - first {
                    return Err(ParquetError::General(format!("its pages have more than {} rows", rows.len())));
                }
                let wanted = rows.slice(first, count);
                let is_wanted = wanted.count_set_bits() > 0;
                looked_at.append_n(count, is_wanted);
                if !is_wanted {
                    pages.skip_next_page()?;
                    continue;
                }
                let page = pages.get_next_page()?.filter(|page| page.num_values() as usize == count);
                let page =
                    page.ok_or_else(|| ParquetError::General("a page has other rows than is said".to_owned()))?;
                if (&levels::defined(&page)? & &wanted).count_set_bits() > 0 {
                    return Ok(true);
                }
            }
            match looked_at.len() == rows.len() {
                true => Ok(false),
                false => Err(ParquetError::General(format!("its pages have fewer than {} rows", rows.len()))),
            }
        })?;
        // What has a value is read next, and counts then.
        if !found {
            let rows = RowSelection::from_filters(&[BooleanArray::new(looked_at.finish(), None)]);
            self.count_bytes(row_group, leaves.start, Some(&rows))?;
        }
        Ok(found)
    }
}
