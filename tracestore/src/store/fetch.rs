//! Columns of given rows: what a result shows of the spans that were found.

use arrow::{
    array::{ArrayRef, BooleanBufferBuilder, new_empty_array},
    compute::concat,
};

use super::Snapshot;
use crate::{
    Error, Result,
    block::{SpanColumn, SpanReader, bytes_read},
    model::TraceId,
};

impl Snapshot {
    /// The id of a trace, told by the number of its block and its ordinal there, as scans deliver them.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the block has no such trace; [`Error::Io`]; [`Error::Internal`] when there is no such block.
    pub fn trace_id(&self, block: u32, ordinal: u32) -> Result<TraceId> {
        let block = self.blocks().get(block as usize);
        let block = block.ok_or_else(|| Error::Internal("there is no such block in the view".to_owned()))?;
        block.trace_table()?.id(ordinal as usize)
    }

    /// The values of some columns for rows of a block (its number in this view), given by ascending row numbers: one
    /// array per column, a value per row.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`]; [`Error::Internal`] for rows that the block does not have.
    pub fn fetch(&self, block: u32, rows: &[u32], columns: &[SpanColumn]) -> Result<Vec<ArrayRef>> {
        let found = self.blocks().get(block as usize);
        let found = found.ok_or_else(|| Error::Internal(format!("there is no block {block} in the view")))?;
        let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); columns.len()];
        let mut rest = rows;
        for (row_group, meta) in found.meta().row_groups.iter().enumerate() {
            let end = meta.first_row + meta.rows;
            let (here, later) = rest.split_at(rest.partition_point(|row| u64::from(*row) < end));
            rest = later;
            if here.is_empty() {
                continue;
            }
            let mut mask = BooleanBufferBuilder::new(meta.rows as usize);
            mask.append_n(meta.rows as usize, false);
            for row in here {
                mask.set_bit((u64::from(*row) - meta.first_row) as usize, true);
            }
            let mut reader = SpanReader::new(found, block, row_group)?;
            reader.intersect(&mask.finish());
            if reader.rows() != here.len() {
                return Err(Error::Internal("rows were asked for that cannot be seen".to_owned()));
            }
            for (column, parts) in columns.iter().zip(&mut parts) {
                let array = reader.read(column)?.to_array(&column.data_type(), here.len());
                parts.push(array.map_err(|error| Error::corrupt(found.path(), 0, error.to_string()))?);
            }
        }
        let joined = columns.iter().zip(parts).map(|(column, parts)| match parts.as_slice() {
            [] => Ok(new_empty_array(&column.data_type())),
            [array] => Ok(std::sync::Arc::clone(array)),
            several => {
                let several: Vec<_> = several.iter().map(AsRef::as_ref).collect();
                concat(&several).map_err(|error| Error::corrupt(found.path(), 0, error.to_string()))
            }
        });
        joined.collect()
    }

    /// Bytes of column chunks and pages that the calling thread has read so far; reading is synchronous.
    #[must_use]
    pub fn bytes_read_by_thread() -> u64 {
        bytes_read()
    }
}
