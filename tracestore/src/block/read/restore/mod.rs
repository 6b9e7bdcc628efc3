//! Rows back to spans, every field as it was received: trace lookups, traces that lie in several blocks, blocks that are
//! merged, and the proof that a block loses nothing.
//!
//! Attribute lists come back sorted by key; repeated keys keep their order.
//!
//! ```text
//! ordinals ─▶ RowRanges of a row group ─▶ columns of spans.parquet ───┐
//!                        └─▶ RowRanges of events, links, attributes ──┴─▶ Restored: OTLP messages ─┬▶ a request
//!                                                                                                  └▶ model::Trace
//! ```

mod attributes;
mod children;
mod copies;
mod owners;
mod ranges;
mod residual;
mod restored;
mod rows;
mod spans;

use parquet::file::statistics::Statistics;

pub(crate) use self::copies::SpanKey;
use self::{ranges::RowRanges, restored::Restored};
use super::Block;
use crate::{
    Error, Result,
    block::{meta::RowGroupMeta, schema::columns},
    model::{Trace, TraceId},
};

impl Block {
    /// The spans of a trace but for those that are deleted, `None` if the block has none of it or they are hidden. Parents
    /// and shadowed copies are as if nothing were deleted, but that parents which are deleted are none.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn trace(&self, id: &TraceId) -> Result<Option<Trace>> {
        let Some(ordinal) = self.find(id)? else { return Ok(None) };
        Ok(self.traces_at(&[ordinal as u32])?.into_iter().next())
    }

    /// All traces of a row group, in the order of the block; hidden ones and deleted spans left out.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn traces_of_row_group(&self, row_group: usize) -> Result<Vec<Trace>> {
        let group = self.row_group(row_group)?;
        let ordinals = group.first_trace as u32..(group.first_trace + group.traces) as u32;
        let ordinals: Vec<u32> = ordinals.filter(|ordinal| !self.is_hidden(*ordinal)).collect();
        self.traces_of(&self.restore(row_group, &self.rows_of_traces(&ordinals)?)?)
    }

    /// Some traces without their deleted spans, given by ascending ordinals, as encoded requests, one per row group; hidden
    /// ones too. Every page that has a span of theirs is read once, in all columns.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub(crate) fn requests_of(&self, ordinals: &[u32]) -> Result<Vec<Vec<u8>>> {
        self.restore_each(ordinals)?.iter().map(|restored| self.request_of(restored)).collect()
    }

    /// The same as traces, in their order, those without spans too.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub(crate) fn traces_at(&self, ordinals: &[u32]) -> Result<Vec<Trace>> {
        let traces =
            self.restore_each(ordinals)?.iter().map(|restored| self.traces_of(restored)).collect::<Result<Vec<_>>>();
        Ok(traces?.into_iter().flatten().collect())
    }

    /// Some traces by row group.
    fn restore_each(&self, ordinals: &[u32]) -> Result<Vec<Restored>> {
        let (mut found, mut rest) = (Vec::new(), ordinals);
        for (row_group, meta) in self.meta().row_groups.iter().enumerate() {
            let end = meta.first_trace + meta.traces;
            let (here, later) = rest.split_at(rest.partition_point(|ordinal| u64::from(*ordinal) < end));
            rest = later;
            if !here.is_empty() {
                found.push(self.restore(row_group, &self.rows_of_traces(here)?)?);
            }
        }
        if rest.is_empty() && found.iter().map(Restored::traces).sum::<usize>() == ordinals.len() {
            return Ok(found);
        }
        Err(Error::corrupt(self.path(), 0, "the rows of a trace are not where the trace table says"))
    }

    /// How many row groups the spans are in.
    #[must_use]
    pub fn row_groups(&self) -> usize {
        self.meta().row_groups.len()
    }

    /// The earliest and the latest start of the spans of a row group, hidden ones included; `None` where the file does not
    /// say.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub(crate) fn starts_of_row_group(&self, row_group: usize) -> Result<Option<(u64, u64)>> {
        let file = self.span_file()?;
        let group = file.metadata().row_groups().get(row_group);
        let chunk = group.zip(file.column(columns::START_TIME)).and_then(|(group, index)| group.columns().get(index));
        let Some(Statistics::Int64(starts)) = chunk.and_then(|chunk| chunk.statistics()) else { return Ok(None) };
        let bounds = starts.min_opt().zip(starts.max_opt());
        Ok(bounds.map(|(first, last)| (first.cast_unsigned(), last.cast_unsigned())))
    }

    fn row_group(&self, row_group: usize) -> Result<&RowGroupMeta> {
        let group = self.meta().row_groups.get(row_group);
        group.ok_or_else(|| Error::corrupt(self.path(), 0, format!("there is no row group {row_group}")))
    }

    /// The rows of traces given by ascending ordinals.
    fn rows_of_traces(&self, ordinals: &[u32]) -> Result<RowRanges> {
        let table = self.trace_table()?;
        let mut rows = RowRanges::default();
        for ordinal in ordinals {
            let added = rows.push(table.span_rows(*ordinal as usize)?);
            added.ok_or_else(|| Error::corrupt(self.path(), 0, "the rows of the traces overlap"))?;
        }
        Ok(rows)
    }
}
