//! Events and links of some spans.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray, StringViewArray},
    datatypes::UInt32Type,
};

use super::{
    ranges::RowRanges,
    rows::{Rows, take},
};
use crate::{
    Result,
    block::{
        column::AttributeScope,
        read::{Block, ParquetFile, columns::hex},
        schema::columns,
    },
    model::{Event, Link},
};

impl Block {
    /// The rows of events (or links) whose spans are among some; `owners` are those of the row group.
    fn rows_below(file: &ParquetFile, owners: Range<usize>, spans: &RowRanges) -> Result<RowRanges> {
        let first = owners.start;
        let rows = Rows { file, ranges: &RowRanges::one(owners) }.u32("span")?;
        Ok(spans.find_in(&rows, first))
    }

    /// The events of some spans of a row group, whose starts are given, by the spans' rows.
    pub(super) fn events_of(
        &self,
        group: usize,
        spans: &RowRanges,
        starts: &[u64],
    ) -> Result<BTreeMap<u32, Vec<Event>>> {
        let mut events: BTreeMap<u32, Vec<Event>> = BTreeMap::new();
        let meta = self.row_group(group)?;
        let Some(file) = self.event_file()? else { return Ok(events) };
        let owners = meta.first_event as usize..(meta.first_event + meta.events) as usize;
        let ranges = Self::rows_below(file, owners, spans)?;
        if ranges.is_empty() {
            return Ok(events);
        }
        let rows = Rows { file, ranges: &ranges };
        let (owners, times, names) = (rows.u32("span")?, rows.i64("time_since_start")?, rows.texts("name")?);
        let dropped = rows.u32(columns::DROPPED_ATTRIBUTES)?;
        let mut attributes = rows.attributes(AttributeScope::Event)?;
        self.add_residual(&mut attributes, AttributeScope::Event, group, &ranges)?;
        let numbers = ranges.rows().zip(names.iter());
        for (((number, name), owner), (time, dropped)) in numbers.zip(owners).zip(times.into_iter().zip(dropped)) {
            let start = spans.position(owner as usize).and_then(|index| starts.get(index)).copied().unwrap_or(0);
            events.entry(owner).or_default().push(Event {
                time_unix_nano: start.wrapping_add(time.cast_unsigned()),
                name: name.unwrap_or_default().to_owned(),
                attributes: take(&mut attributes, number),
                dropped_attributes_count: dropped,
            });
        }
        Ok(events)
    }

    /// The links of some spans of a row group, by the spans' rows.
    pub(super) fn links_of(&self, group: usize, spans: &RowRanges) -> Result<BTreeMap<u32, Vec<Link>>> {
        let mut links: BTreeMap<u32, Vec<Link>> = BTreeMap::new();
        let meta = self.row_group(group)?;
        let Some(file) = self.link_file()? else { return Ok(links) };
        let owners = meta.first_link as usize..(meta.first_link + meta.links) as usize;
        let ranges = Self::rows_below(file, owners, spans)?;
        if ranges.is_empty() {
            return Ok(links);
        }
        let rows = Rows { file, ranges: &ranges };
        let (owners, trace_ids, span_ids) = (rows.u32("span")?, self.link_targets(&rows)?, rows.bytes("span_id")?);
        let (states, flags) = (rows.texts("trace_state")?, rows.u32("flags")?);
        let dropped = rows.u32(columns::DROPPED_ATTRIBUTES)?;
        let mut attributes = rows.attributes(AttributeScope::Link)?;
        self.add_residual(&mut attributes, AttributeScope::Link, group, &ranges)?;
        let ids = owners.into_iter().zip(trace_ids.into_iter().zip(span_ids));
        let rest = ranges.rows().zip(states.iter()).zip(flags.into_iter().zip(dropped));
        for ((owner, (trace_id, span_id)), ((number, state), (flags, dropped))) in ids.zip(rest) {
            links.entry(owner).or_default().push(Link {
                trace_id,
                span_id: span_id.unwrap_or_default(),
                trace_state: state.unwrap_or_default().to_owned(),
                attributes: take(&mut attributes, number),
                dropped_attributes_count: dropped,
                flags,
            });
        }
        Ok(links)
    }

    /// The trace ids that links point to: an ordinal where the trace is in the block, else the bytes.
    fn link_targets(&self, rows: &Rows<'_>) -> Result<Vec<Vec<u8>>> {
        let ordinals = rows.array("trace")?;
        let ordinals = ordinals.as_primitive_opt::<UInt32Type>().ok_or_else(|| rows.wrong("trace"))?;
        let targets = ordinals.iter().zip(rows.bytes("trace_id")?).map(|(ordinal, bytes)| match ordinal {
            Some(ordinal) => Ok(self.trace_table()?.id(ordinal as usize)?.as_bytes().to_vec()),
            None => Ok(bytes.unwrap_or_default()),
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
