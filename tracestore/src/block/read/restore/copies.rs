//! What tells the spans of a trace apart: copies of one span have the same id and kind (FORMAT.md, *Duplicates*).

use super::{Block, rows::Rows};
use crate::{Error, Result, block::schema::columns, model::SpanId};

/// Id and kind of a span: within a trace, all that have the same are copies of one span.
pub(crate) type SpanKey = (SpanId, i32);

/// A stored span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoredSpan {
    /// The ordinal of its trace.
    pub(crate) trace: u32,
    pub(crate) row: u32,
    pub(crate) key: SpanKey,
}

impl Block {
    /// All rows of some traces, given by ascending ordinals, shadowed and deleted ones too.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub(crate) fn stored_spans(&self, ordinals: &[u32]) -> Result<Vec<StoredSpan>> {
        let ranges = self.rows_of_traces(ordinals)?;
        let rows = Rows { file: self.span_file()?, ranges: &ranges };
        let (traces, kinds) = (rows.u32(columns::TRACE)?, rows.i32(columns::KIND)?);
        let values = rows.span_ids(columns::SPAN_ID)?.into_iter().zip(kinds).zip(traces);
        let spans = ranges.rows().zip(values).map(|(row, ((id, kind), trace))| {
            let id = id.ok_or_else(|| Error::corrupt(self.path(), 0, "a span has no id"))?;
            Ok(StoredSpan { trace, row: row as u32, key: (id, kind) })
        });
        spans.collect()
    }

    /// Whether spans are stored more than once.
    pub(crate) fn has_copies(&self) -> bool {
        self.meta().shadowed > 0
    }
}
