//! Rows back to spans, every field as it was received: trace lookups, traces that lie in several blocks, and the proof
//! that a block loses nothing.
//!
//! Attribute lists come back sorted by key; repeated keys keep their order.
//!
//! ```text
//! ordinals ─▶ RowRanges of a row group ─▶ columns of spans.parquet ───┐
//!                        └─▶ RowRanges of events, links, attributes ──┴─▶ model::Trace
//! ```

mod children;
mod copies;
mod owners;
mod ranges;
mod residual;
mod rows;

use std::sync::Arc;

use arrow::array::StringViewArray;
use parquet::file::statistics::Statistics;

pub(crate) use self::copies::SpanKey;
use self::{
    ranges::RowRanges,
    rows::{Rows, take},
};
use super::Block;
use crate::{
    Error, Result,
    block::{
        column::AttributeScope,
        meta::RowGroupMeta,
        schema::{columns, row_flags},
    },
    model::{Span, SpanId, Status, Trace, TraceId, TraceSpan},
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
        self.restore(row_group, &self.rows_of_traces(&ordinals)?)
    }

    /// Some traces without their deleted spans, given by ascending ordinals, in their order; hidden ones too, and those
    /// without spans. Every page that has a span of theirs is read once, in all columns.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub(crate) fn traces_at(&self, ordinals: &[u32]) -> Result<Vec<Trace>> {
        let (mut traces, mut rest) = (Vec::with_capacity(ordinals.len()), ordinals);
        for (row_group, meta) in self.meta().row_groups.iter().enumerate() {
            let end = meta.first_trace + meta.traces;
            let (here, later) = rest.split_at(rest.partition_point(|ordinal| u64::from(*ordinal) < end));
            rest = later;
            if !here.is_empty() {
                traces.extend(self.restore(row_group, &self.rows_of_traces(here)?)?);
            }
        }
        if traces.len() == ordinals.len() {
            return Ok(traces);
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

    /// The traces that some rows of a row group are of; each of them has all its rows there.
    fn restore(&self, row_group: usize, rows: &RowRanges) -> Result<Vec<Trace>> {
        let spans = Rows { file: self.span_file()?, ranges: rows };
        let columns = SpanColumns::read(&spans)?;
        let mut attributes = spans.attributes(AttributeScope::Span)?;
        self.add_residual(&mut attributes, AttributeScope::Span, row_group, rows)?;
        let mut events = self.events_of(row_group, rows, &columns.starts)?;
        let mut links = self.links_of(row_group, rows)?;
        let (resources, scopes) = (self.restored_resources()?, self.restored_scopes()?);

        let missing = || Error::corrupt(self.path(), 0, "the columns of the spans do not fit together");
        let deleted = self.deleted_rows();
        let (mut restored, mut keep): (Vec<Trace>, Vec<bool>) = (Vec::new(), Vec::new());
        let mut current = None;
        for (index, row) in rows.rows().enumerate() {
            let at = |list: &[u32]| list.get(index).copied().ok_or_else(missing);
            let ordinal = at(&columns.traces)?;
            if current != Some(ordinal) {
                current = Some(ordinal);
                restored.last_mut().into_iter().for_each(|trace| keep_spans(trace, &mut keep));
                restored.push(Trace { trace_id: self.trace_table()?.id(ordinal as usize)?, spans: Vec::new() });
            }
            let trace = restored.last_mut().ok_or_else(missing)?;
            let offset = at(&columns.parent_offsets)? as usize;
            let parent = (offset > 0).then(|| trace.spans.len().checked_sub(offset).ok_or_else(missing)).transpose()?;
            let mut span = columns.span(index, trace.trace_id, parent.is_some()).ok_or_else(missing)?;
            span.attributes = take(&mut attributes, row);
            span.events = events.remove(&(row as u32)).unwrap_or_default();
            span.links = links.remove(&(row as u32)).unwrap_or_default();
            trace.spans.push(TraceSpan {
                span,
                resource: Arc::clone(resources.get(at(&columns.resources)? as usize).ok_or_else(missing)?),
                scope: Arc::clone(scopes.get(at(&columns.scopes)? as usize).ok_or_else(missing)?),
                parent,
                shadowed: at(&columns.row_flags)? & row_flags::SHADOWED != 0,
            });
            keep.push(!deleted.contains(row as u32));
        }
        restored.last_mut().into_iter().for_each(|trace| keep_spans(trace, &mut keep));
        Ok(restored)
    }
}

/// Leaves out the spans of a trace that are not to be kept. Empties the list.
fn keep_spans(trace: &mut Trace, keep: &mut Vec<bool>) {
    let keep = std::mem::take(keep);
    if keep.iter().all(|keep| *keep) {
        return;
    }
    let mut places: Vec<Option<usize>> = Vec::with_capacity(keep.len());
    let mut kept = 0;
    for keep in keep {
        places.push(keep.then_some(kept));
        kept += usize::from(keep);
    }
    let mut place = places.iter();
    trace.spans.retain(|_| place.next().is_some_and(Option::is_some));
    for span in &mut trace.spans {
        span.parent = span.parent.and_then(|parent| places.get(parent).copied().flatten());
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

    /// A span without its attributes, events and links. All columns are equally long.
    fn span(&self, index: usize, trace_id: TraceId, has_parent: bool) -> Option<Span> {
        let start = *self.starts.get(index)?;
        let parent_span_id = match has_parent {
            true => *self.ids.get(index.checked_sub(*self.parent_offsets.get(index)? as usize)?)?,
            false => *self.parent_ids.get(index)?,
        };
        let status = (self.row_flags.get(index)? & row_flags::HAS_STATUS != 0).then(|| Status {
            message: self.messages.value(index).to_owned(),
            code: self.codes.get(index).copied().unwrap_or(0),
        });
        Some(Span {
            trace_id,
            span_id: (*self.ids.get(index)?)?,
            trace_state: self.states.value(index).to_owned(),
            parent_span_id,
            flags: *self.flags.get(index)?,
            name: self.names.value(index).to_owned(),
            kind: *self.kinds.get(index)?,
            start_time_unix_nano: start,
            end_time_unix_nano: start.wrapping_add(self.durations.get(index)?.cast_unsigned()),
            attributes: Vec::new(),
            dropped_attributes_count: *self.dropped_attributes.get(index)?,
            events: Vec::new(),
            dropped_events_count: *self.dropped_events.get(index)?,
            links: Vec::new(),
            dropped_links_count: *self.dropped_links.get(index)?,
            status,
        })
    }
}
