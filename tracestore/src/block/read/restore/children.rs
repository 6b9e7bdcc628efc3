//! Events and links of some spans, written as fields of their messages.

use std::{ops::Range, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray, BinaryArray, StringViewArray},
    datatypes::UInt32Type,
};

use super::{attributes::AttributeLists, ranges::RowRanges, rows::Rows};
use crate::{
    Result,
    block::{
        column::AttributeScope,
        read::{Block, ParquetFile, columns::hex},
        schema::columns,
    },
    otlp::{EventFields, LinkFields, Message, SpanFields},
};

/// Rows of events or links, of spans in ascending order.
struct Children {
    /// The span's row.
    owners: Vec<u32>,
    /// The rows themselves.
    rows: Vec<usize>,
    attributes: AttributeLists,
    /// The first that was not written yet.
    next: usize,
}

/// Events of some spans.
pub(super) struct Events {
    children: Children,
    times: Vec<i64>,
    names: StringViewArray,
    dropped: Vec<u32>,
}

/// Links of some spans.
pub(super) struct Links {
    children: Children,
    trace_ids: Vec<Vec<u8>>,
    span_ids: BinaryArray,
    states: StringViewArray,
    flags: Vec<u32>,
    dropped: Vec<u32>,
}

impl Children {
    fn read(block: &Block, rows: &Rows<'_>, scope: AttributeScope, row_group: usize) -> Result<Self> {
        let attributes = AttributeLists::read(block, rows, scope, row_group)?;
        Ok(Self { owners: rows.u32("span")?, rows: rows.ranges.rows().collect(), attributes, next: 0 })
    }

    /// Those of a span that were not asked for yet; spans ascend.
    fn of(&mut self, span: usize) -> Range<usize> {
        let rest = self.owners.get(self.next..).unwrap_or(&[]);
        let before = rest.iter().take_while(|owner| (**owner as usize) < span).count();
        let own = rest.iter().skip(before).take_while(|owner| **owner as usize == span).count();
        let start = self.next + before;
        self.next = start + own;
        start..self.next
    }

    fn write_attributes(&mut self, index: usize, field: u32, message: &mut Message) {
        let row = self.rows.get(index).copied().unwrap_or(usize::MAX);
        self.attributes.write(index, row, field, message);
    }
}

impl Events {
    /// Writes the events of a span with this start.
    pub(super) fn write(&mut self, span: usize, start: u64, message: &mut Message) {
        for index in self.children.of(span) {
            let time = self.times.get(index).copied().unwrap_or(0).cast_unsigned();
            let fields = EventFields {
                time_unix_nano: start.wrapping_add(time),
                name: self.names.value(index),
                dropped_attributes_count: self.dropped.get(index).copied().unwrap_or(0),
            };
            message.nested(SpanFields::EVENTS, |message| {
                fields.write(message, |message| {
                    self.children.write_attributes(index, EventFields::ATTRIBUTES, message);
                });
            });
        }
    }
}

impl Links {
    /// Writes the links of a span.
    pub(super) fn write(&mut self, span: usize, message: &mut Message) {
        for index in self.children.of(span) {
            let fields = LinkFields {
                trace_id: self.trace_ids.get(index).map_or(&[], Vec::as_slice),
                span_id: self.span_ids.value(index),
                trace_state: self.states.value(index),
                dropped_attributes_count: self.dropped.get(index).copied().unwrap_or(0),
                flags: self.flags.get(index).copied().unwrap_or(0),
            };
            message.nested(SpanFields::LINKS, |message| {
                fields.write(message, |message| {
                    self.children.write_attributes(index, LinkFields::ATTRIBUTES, message);
                });
            });
        }
    }
}

impl Block {
    /// The rows of events (or links) whose spans are among some; `owners` are those of the row group.
    fn rows_below(file: &ParquetFile, owners: Range<usize>, spans: &RowRanges) -> Result<RowRanges> {
        let first = owners.start;
        let rows = Rows { file, ranges: &RowRanges::one(owners) }.u32("span")?;
        Ok(spans.find_in(&rows, first))
    }

    /// The events of some spans of a row group, if they have any.
    pub(super) fn events_of(&self, group: usize, spans: &RowRanges) -> Result<Option<Events>> {
        let meta = self.row_group(group)?;
        let Some(file) = self.event_file()? else { return Ok(None) };
        let owners = meta.first_event as usize..(meta.first_event + meta.events) as usize;
        let ranges = Self::rows_below(file, owners, spans)?;
        if ranges.is_empty() {
            return Ok(None);
        }
        let rows = Rows { file, ranges: &ranges };
        let children = Children::read(self, &rows, AttributeScope::Event, group)?;
        let (times, names) = (rows.i64("time_since_start")?, rows.texts("name")?);
        Ok(Some(Events { children, times, names, dropped: rows.u32(columns::DROPPED_ATTRIBUTES)? }))
    }

    /// The links of some spans of a row group, if they have any.
    pub(super) fn links_of(&self, group: usize, spans: &RowRanges) -> Result<Option<Links>> {
        let meta = self.row_group(group)?;
        let Some(file) = self.link_file()? else { return Ok(None) };
        let owners = meta.first_link as usize..(meta.first_link + meta.links) as usize;
        let ranges = Self::rows_below(file, owners, spans)?;
        if ranges.is_empty() {
            return Ok(None);
        }
        let rows = Rows { file, ranges: &ranges };
        let children = Children::read(self, &rows, AttributeScope::Link, group)?;
        let (trace_ids, span_ids) = (self.link_targets(&rows)?, rows.bytes("span_id")?);
        let (states, flags) = (rows.texts("trace_state")?, rows.u32("flags")?);
        let dropped = rows.u32(columns::DROPPED_ATTRIBUTES)?;
        Ok(Some(Links { children, trace_ids, span_ids, states, flags, dropped }))
    }

    /// The trace ids that links point to: an ordinal where the trace is in the block, else the bytes.
    fn link_targets(&self, rows: &Rows<'_>) -> Result<Vec<Vec<u8>>> {
        let ordinals = rows.array("trace")?;
        let ordinals = ordinals.as_primitive_opt::<UInt32Type>().ok_or_else(|| rows.wrong("trace"))?;
        let ids = rows.bytes("trace_id")?;
        let targets = ordinals.iter().zip(ids.iter()).map(|(ordinal, bytes)| match ordinal {
            Some(ordinal) => Ok(self.trace_table()?.id(ordinal as usize)?.as_bytes().to_vec()),
            None => Ok(bytes.unwrap_or_default().to_vec()),
        });
        targets.collect()
    }

    /// The same as hexadecimal digits.
    pub(in crate::block::read) fn link_trace_ids(&self, file: &ParquetFile, range: Range<usize>) -> Result<ArrayRef> {
        let targets = self.link_targets(&Rows { file, ranges: &RowRanges::one(range) })?;
        let texts = targets.into_iter().map(|id| Some(hex(&id)));
        Ok(Arc::new(texts.collect::<StringViewArray>()))
    }
}
