//! The rows of `spans.parquet` as `Span` messages.

use arrow::array::StringViewArray;

use super::{
    attributes::AttributeLists,
    ranges::RowRanges,
    restored::{Restored, RestoredSpan},
    rows::Rows,
};
use crate::{
    Error, Result,
    block::{
        column::AttributeScope,
        read::Block,
        schema::{columns, row_flags},
    },
    model::SpanId,
    otlp::SpanFields,
};

impl Block {
    /// The spans that some rows of a row group hold.
    pub(super) fn restore(&self, row_group: usize, rows: &RowRanges) -> Result<Restored> {
        let spans = Rows { file: self.span_file()?, ranges: rows };
        let columns = SpanColumns::read(&spans)?;
        let mut attributes = AttributeLists::read(self, &spans, AttributeScope::Span, row_group)?;
        let mut events = self.events_of(row_group, rows)?;
        let mut links = self.links_of(row_group, rows)?;

        let table = self.trace_table()?;
        let missing = || Error::corrupt(self.path(), 0, "the columns of the spans do not fit together");
        let deleted = self.deleted_rows();
        let mut restored = Restored::with_capacity(rows.len());
        let mut trace = None;
        for (index, row) in rows.rows().enumerate() {
            let ordinal = *columns.traces.get(index).ok_or_else(missing)?;
            let (_, trace_id) = match trace {
                Some(known @ (known_ordinal, _)) if known_ordinal == ordinal => known,
                _ => *trace.insert((ordinal, table.id(ordinal as usize)?)),
            };
            let fields = columns.fields(index, trace_id.as_bytes()).ok_or_else(missing)?;
            let start = fields.start_time_unix_nano;
            fields.write(
                &mut restored.messages,
                |message| attributes.write(index, row, SpanFields::ATTRIBUTES, message),
                |message| events.iter_mut().for_each(|events| events.write(row, start, message)),
                |message| links.iter_mut().for_each(|links| links.write(row, message)),
            );
            let place = columns.place(index, ordinal).ok_or_else(missing)?;
            restored.push(RestoredSpan { is_deleted: deleted.contains(row as u32), ..place });
        }
        Ok(restored)
    }
}

/// The columns of `spans.parquet` that every block has, for some rows.
struct SpanColumns {
    traces: Vec<u32>,
    resources: Vec<u32>,
    scopes: Vec<u32>,
    starts: Vec<u64>,
    durations: Vec<i64>,
    names: StringViewArray,
    kinds: Vec<i32>,
    codes: Vec<i32>,
    messages: StringViewArray,
    parent_offsets: Vec<u32>,
    row_flags: Vec<u32>,
    ids: Vec<Option<SpanId>>,
    parent_ids: Vec<Option<SpanId>>,
    flags: Vec<u32>,
    states: StringViewArray,
    dropped_attributes: Vec<u32>,
    dropped_events: Vec<u32>,
    dropped_links: Vec<u32>,
}

impl SpanColumns {
    fn read(spans: &Rows<'_>) -> Result<Self> {
        Ok(Self {
            traces: spans.u32(columns::TRACE)?,
            resources: spans.u32(columns::RESOURCE)?,
            scopes: spans.u32(columns::SCOPE)?,
            starts: spans.u64(columns::START_TIME)?,
            durations: spans.i64(columns::DURATION)?,
            names: spans.texts(columns::NAME)?,
            kinds: spans.i32(columns::KIND)?,
            codes: spans.i32(columns::STATUS_CODE)?,
            messages: spans.texts(columns::STATUS_MESSAGE)?,
            parent_offsets: spans.u32(columns::PARENT_OFFSET)?,
            row_flags: spans.u32(columns::ROW_FLAGS)?,
            ids: spans.span_ids(columns::SPAN_ID)?,
            parent_ids: spans.span_ids(columns::PARENT_SPAN_ID)?,
            flags: spans.u32(columns::FLAGS)?,
            states: spans.texts(columns::TRACE_STATE)?,
            dropped_attributes: spans.u32(columns::DROPPED_ATTRIBUTES)?,
            dropped_events: spans.u32(columns::DROPPED_EVENTS)?,
            dropped_links: spans.u32(columns::DROPPED_LINKS)?,
        })
    }

    /// What a span is without its attributes, events and links. All columns are equally long.
    fn fields<'a>(&'a self, index: usize, trace_id: &'a [u8]) -> Option<SpanFields<'a>> {
        let start = *self.starts.get(index)?;
        let parent_span_id = match *self.parent_offsets.get(index)? as usize {
            0 => self.parent_ids.get(index)?.as_ref(),
            offset => self.ids.get(index.checked_sub(offset)?)?.as_ref(),
        };
        let has_status = self.row_flags.get(index)? & row_flags::HAS_STATUS != 0;
        Some(SpanFields {
            trace_id,
            span_id: self.ids.get(index)?.as_ref()?.as_bytes(),
            trace_state: self.states.value(index),
            parent_span_id: parent_span_id.map(|id| id.as_bytes().as_slice()),
            name: self.names.value(index),
            kind: *self.kinds.get(index)?,
            start_time_unix_nano: start,
            end_time_unix_nano: start.wrapping_add(self.durations.get(index)?.cast_unsigned()),
            dropped_attributes_count: *self.dropped_attributes.get(index)?,
            dropped_events_count: *self.dropped_events.get(index)?,
            dropped_links_count: *self.dropped_links.get(index)?,
            status: has_status.then_some((self.messages.value(index), *self.codes.get(index)?)),
            flags: *self.flags.get(index)?,
        })
    }

    /// Where a span belongs.
    fn place(&self, index: usize, ordinal: u32) -> Option<RestoredSpan> {
        Some(RestoredSpan {
            ordinal,
            resource: *self.resources.get(index)?,
            scope: *self.scopes.get(index)?,
            parent_offset: *self.parent_offsets.get(index)?,
            is_shadowed: self.row_flags.get(index)? & row_flags::SHADOWED != 0,
            is_deleted: false,
            end: 0,
        })
    }
}
