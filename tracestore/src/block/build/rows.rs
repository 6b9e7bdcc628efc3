//! The rows of one row group as arrays: spans, their events and links, what is left for the residual table, and which
//! keys occurred. The second and last time that a span's bytes are decoded.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{
        ArrayBuilder, ArrayRef, BinaryBuilder, BooleanBuilder, FixedSizeBinaryBuilder, Float64Builder, Int32Builder,
        Int64Builder, StringBuilder, UInt32Builder, UInt64Builder,
    },
    datatypes::{DataType, Field, Schema, SchemaRef},
};

use super::{
    collect::Collected,
    keys::{ChosenColumns, KeyNumber, KeyStatistics, scalar_type},
    order::Order,
    residual::ResidualBuilder,
};
use crate::{
    Error, Result,
    block::{
        AttributeScope, AttributeType, SpanColumn,
        schema::{columns, row_flags},
    },
    otlp::{KeyValueView, SpanView, ValueView},
};

/// Nanoseconds of the unit of `start15`.
const FIFTEEN_SECONDS: u64 = 15_000_000_000;

/// How often each key and type occurred first in a list, and whether such values are in a column.
pub(super) type KeyCounts = BTreeMap<(AttributeScope, KeyNumber, AttributeType), (u32, bool)>;

/// The arrays of a row group.
#[derive(Debug)]
pub(super) struct RowGroupArrays<'a> {
    pub(super) spans: Vec<ArrayRef>,
    pub(super) events: Vec<ArrayRef>,
    pub(super) links: Vec<ArrayRef>,
    pub(super) residual: ResidualBuilder<'a>,
    pub(super) counts: KeyCounts,
    pub(super) event_count: u64,
    pub(super) link_count: u64,
}

/// Where a row group begins in the tables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offsets {
    pub(super) row: u32,
    pub(super) event: u32,
    pub(super) link: u32,
}

/// The schema of `spans.parquet`.
pub(super) fn span_schema(chosen: &ChosenColumns) -> SchemaRef {
    let required = |name, data_type| Field::new(name, data_type, false);
    let mut fields = vec![
        required(columns::START_TIME, DataType::UInt64),
        required(columns::DURATION, DataType::Int64),
        required(columns::START15, DataType::UInt32),
        required(columns::TRACE, DataType::UInt32),
        required(columns::RESOURCE, DataType::UInt32),
        required(columns::SCOPE, DataType::UInt32),
        required(columns::NAME, DataType::Utf8),
        required(columns::KIND, DataType::Int32),
        required(columns::STATUS_CODE, DataType::Int32),
        required(columns::STATUS_MESSAGE, DataType::Utf8),
        required(columns::PARENT_OFFSET, DataType::UInt32),
        required(columns::DESCENDANTS, DataType::UInt32),
        required(columns::ROW_FLAGS, DataType::UInt32),
        required(columns::SPAN_ID, DataType::FixedSizeBinary(8)),
        Field::new(columns::PARENT_SPAN_ID, DataType::FixedSizeBinary(8), true),
        required(columns::FLAGS, DataType::UInt32),
        required(columns::TRACE_STATE, DataType::Utf8),
        required(columns::DROPPED_ATTRIBUTES, DataType::UInt32),
        required(columns::DROPPED_EVENTS, DataType::UInt32),
        required(columns::DROPPED_LINKS, DataType::UInt32),
    ];
    fields.extend(attribute_fields(chosen, AttributeScope::Span));
    Arc::new(Schema::new(fields))
}

/// The schema of `events.parquet`.
pub(super) fn event_schema(chosen: &ChosenColumns) -> SchemaRef {
    let mut fields = vec![
        Field::new("span", DataType::UInt32, false),
        Field::new("time_since_start", DataType::Int64, false),
        Field::new("name", DataType::Utf8, false),
        Field::new(columns::DROPPED_ATTRIBUTES, DataType::UInt32, false),
    ];
    fields.extend(attribute_fields(chosen, AttributeScope::Event));
    Arc::new(Schema::new(fields))
}

/// The schema of `links.parquet`.
pub(super) fn link_schema(chosen: &ChosenColumns) -> SchemaRef {
    let mut fields = vec![
        Field::new("span", DataType::UInt32, false),
        Field::new("trace", DataType::UInt32, true),
        Field::new("trace_id", DataType::Binary, true),
        Field::new("span_id", DataType::Binary, false),
        Field::new("trace_state", DataType::Utf8, false),
        Field::new("flags", DataType::UInt32, false),
        Field::new(columns::DROPPED_ATTRIBUTES, DataType::UInt32, false),
    ];
    fields.extend(attribute_fields(chosen, AttributeScope::Link));
    Arc::new(Schema::new(fields))
}

fn attribute_fields(chosen: &ChosenColumns, scope: AttributeScope) -> impl Iterator<Item = Field> {
    let list = chosen.lists.get(scope as usize).into_iter().flatten();
    list.map(move |(key, value_type)| {
        let column = SpanColumn::Attribute { scope, key: key.clone(), value_type: *value_type };
        let data_type = match value_type {
            AttributeType::String => DataType::Utf8,
            other => other.data_type(),
        };
        Field::new(column.name(), data_type, true)
    })
}

/// A column of attribute values in the making; rows without a value become null.
#[derive(Debug)]
enum AttributeBuilder {
    String(StringBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Bool(BooleanBuilder),
}

impl AttributeBuilder {
    fn new(value_type: AttributeType) -> Self {
        match value_type {
            AttributeType::Int => Self::Int(Int64Builder::new()),
            AttributeType::Float => Self::Float(Float64Builder::new()),
            AttributeType::Bool => Self::Bool(BooleanBuilder::new()),
            _ => Self::String(StringBuilder::new()),
        }
    }

    /// Fills up with nulls to a row.
    fn fill(&mut self, row: usize) {
        match self {
            Self::String(builder) => builder.append_nulls(row.saturating_sub(builder.len())),
            Self::Int(builder) => builder.append_nulls(row.saturating_sub(builder.len())),
            Self::Float(builder) => builder.append_nulls(row.saturating_sub(builder.len())),
            Self::Bool(builder) => builder.append_nulls(row.saturating_sub(builder.len())),
        }
    }

    /// Puts the value of a row.
    fn put(&mut self, row: usize, value: &ValueView<'_>) {
        self.fill(row);
        match (self, value) {
            (Self::String(builder), ValueView::String(text)) => builder.append_value(text),
            (Self::Int(builder), ValueView::Int(int)) => builder.append_value(*int),
            (Self::Float(builder), ValueView::Double(float)) => builder.append_value(*float),
            (Self::Bool(builder), ValueView::Bool(bool)) => builder.append_value(*bool),
            _ => {}
        }
    }

    fn finish(&mut self, rows: usize) -> ArrayRef {
        self.fill(rows);
        match self {
            Self::String(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Float(builder) => Arc::new(builder.finish()),
            Self::Bool(builder) => Arc::new(builder.finish()),
        }
    }
}

/// The attributes of one scope in the making.
struct Attributes<'k> {
    scope: AttributeScope,
    chosen: &'k ChosenColumns,
    builders: Vec<AttributeBuilder>,
}

impl<'k> Attributes<'k> {
    fn new(scope: AttributeScope, chosen: &'k ChosenColumns) -> Self {
        let list = chosen.lists.get(scope as usize).into_iter().flatten();
        Self { scope, chosen, builders: list.map(|(_, value_type)| AttributeBuilder::new(*value_type)).collect() }
    }

    /// Adds an attribute list: `row` is the owner's place in the row group, `owner` in the whole table.
    fn add<'a>(
        &mut self,
        row: usize,
        owner: u32,
        list: impl Iterator<Item = KeyValueView<'a>>,
        keys: &mut KeyStatistics,
        residual: &mut ResidualBuilder<'a>,
        counts: &mut KeyCounts,
    ) {
        keys.begin_list(self.scope);
        for attribute in list {
            let (key, repeat) = keys.occurrence(self.scope, attribute.key);
            let scalar = scalar_type(&attribute.value).filter(|_| repeat == 0);
            let column = scalar.and_then(|scalar| Some((scalar, self.chosen.index(self.scope, key, scalar)?)));
            if let Some((scalar, index)) = column
                && let Some(builder) = self.builders.get_mut(index)
            {
                builder.put(row, &attribute.value);
                counts.entry((self.scope, key, scalar)).or_insert((0, true)).0 += 1;
                continue;
            }
            let value_type = residual.add(self.scope, key, owner, repeat, attribute.value);
            if repeat == 0 {
                counts.entry((self.scope, key, value_type)).or_insert((0, false)).0 += 1;
            }
        }
    }

    fn finish(mut self, rows: usize) -> impl Iterator<Item = ArrayRef> {
        self.builders.iter_mut().map(|builder| builder.finish(rows)).collect::<Vec<_>>().into_iter()
    }
}

/// Puts the attributes of resources or scopes into the residual table, where all of them live.
pub(super) fn add_owner_attributes<'a>(
    scope: AttributeScope,
    lists: impl Iterator<Item = Vec<KeyValueView<'a>>>,
    keys: &mut KeyStatistics,
    residual: &mut ResidualBuilder<'a>,
    counts: &mut KeyCounts,
) {
    let none = ChosenColumns::default();
    let mut attributes = Attributes::new(scope, &none);
    for (owner, list) in (0..).zip(lists) {
        attributes.add(owner as usize, owner, list.into_iter(), keys, residual, counts);
    }
}

/// Decodes the rows of a row group. `traces` gives the ordinal of each row's trace.
pub(super) fn build<'a>(
    collected: &'a Collected,
    order: &Order,
    keys: &mut KeyStatistics,
    chosen: &ChosenColumns,
    mut traces: impl Iterator<Item = u32>,
    first: Offsets,
    count: usize,
) -> Result<RowGroupArrays<'a>> {
    let rows = order.rows.get(first.row as usize..first.row as usize + count).unwrap_or(&[]);
    let mut starts = UInt64Builder::with_capacity(rows.len());
    let mut durations = Int64Builder::with_capacity(rows.len());
    let mut starts15 = UInt32Builder::with_capacity(rows.len());
    let mut trace_ordinals = UInt32Builder::with_capacity(rows.len());
    let mut resources = UInt32Builder::with_capacity(rows.len());
    let mut scopes = UInt32Builder::with_capacity(rows.len());
    let mut names = StringBuilder::new();
    let mut kinds = Int32Builder::with_capacity(rows.len());
    let mut statuses = Int32Builder::with_capacity(rows.len());
    let mut messages = StringBuilder::new();
    let mut parent_offsets = UInt32Builder::with_capacity(rows.len());
    let mut descendants = UInt32Builder::with_capacity(rows.len());
    let mut row_bits = UInt32Builder::with_capacity(rows.len());
    let mut span_ids = FixedSizeBinaryBuilder::with_capacity(rows.len(), 8);
    let mut parent_ids = FixedSizeBinaryBuilder::new(8);
    let mut flags = UInt32Builder::with_capacity(rows.len());
    let mut trace_states = StringBuilder::new();
    let mut dropped_attributes = UInt32Builder::with_capacity(rows.len());
    let mut dropped_events = UInt32Builder::with_capacity(rows.len());
    let mut dropped_links = UInt32Builder::with_capacity(rows.len());
    let mut attributes = Attributes::new(AttributeScope::Span, chosen);
    let mut events = Events::new(chosen);
    let mut links = Links::new(chosen);
    let (mut residual, mut counts) = (ResidualBuilder::default(), KeyCounts::new());

    let broken = |reason: &str| Error::Internal(format!("a span that was checked cannot be read again: {reason}"));
    for (index, row) in rows.iter().enumerate() {
        let owner = first.row + index as u32;
        let taken = collected.spans.get(row.span as usize).ok_or_else(|| broken("it is gone"))?;
        let span = SpanView::parse(collected.span_bytes(taken)).map_err(|error| broken(&error.to_string()))?;
        let start = span.start_time_unix_nano;
        starts.append_value(start);
        durations.append_value(span.end_time_unix_nano.wrapping_sub(start).cast_signed());
        starts15.append_value(u32::try_from(start.div_ceil(FIFTEEN_SECONDS)).unwrap_or(u32::MAX));
        trace_ordinals.append_value(traces.next().unwrap_or(0));
        resources.append_value(taken.resource);
        scopes.append_value(taken.scope);
        names.append_value(span.name);
        kinds.append_value(span.kind);
        statuses.append_value(span.status.map_or(0, |status| status.code));
        messages.append_value(span.status.map_or("", |status| status.message));
        parent_offsets.append_value(row.parent_offset);
        descendants.append_value(row.descendants);
        row_bits.append_value(row.flags | if span.status.is_some() { row_flags::HAS_STATUS } else { 0 });
        span_ids.append_value(span.span_id).map_err(|error| broken(&error.to_string()))?;
        if row.parent_offset == 0 && !span.parent_span_id.is_empty() {
            parent_ids.append_value(span.parent_span_id).map_err(|error| broken(&error.to_string()))?;
        } else {
            parent_ids.append_null();
        }
        flags.append_value(span.flags);
        trace_states.append_value(span.trace_state);
        dropped_attributes.append_value(span.dropped_attributes_count);
        dropped_events.append_value(span.dropped_events_count);
        dropped_links.append_value(span.dropped_links_count);
        attributes.add(index, owner, span.attributes().flatten(), keys, &mut residual, &mut counts);

        for event in span.events().flatten() {
            let number = events.names.len();
            events.spans.append_value(owner);
            events.times.append_value(event.time_unix_nano.wrapping_sub(start).cast_signed());
            events.names.append_value(event.name);
            events.dropped.append_value(event.dropped_attributes_count);
            let owner = first.event + number as u32;
            events.attributes.add(number, owner, event.attributes().flatten(), keys, &mut residual, &mut counts);
        }
        for link in span.links().flatten() {
            let number = links.flags.len();
            links.spans.append_value(owner);
            let target = order.ordinal(collected, link.trace_id);
            links.traces.append_option(target);
            links.trace_ids.append_option(target.is_none().then_some(link.trace_id));
            links.span_ids.append_value(link.span_id);
            links.trace_states.append_value(link.trace_state);
            links.flags.append_value(link.flags);
            links.dropped.append_value(link.dropped_attributes_count);
            let owner = first.link + number as u32;
            links.attributes.add(number, owner, link.attributes().flatten(), keys, &mut residual, &mut counts);
        }
    }

    let mut spans: Vec<ArrayRef> = vec![
        Arc::new(starts.finish()),
        Arc::new(durations.finish()),
        Arc::new(starts15.finish()),
        Arc::new(trace_ordinals.finish()),
        Arc::new(resources.finish()),
        Arc::new(scopes.finish()),
        Arc::new(names.finish()),
        Arc::new(kinds.finish()),
        Arc::new(statuses.finish()),
        Arc::new(messages.finish()),
        Arc::new(parent_offsets.finish()),
        Arc::new(descendants.finish()),
        Arc::new(row_bits.finish()),
        Arc::new(span_ids.finish()),
        Arc::new(parent_ids.finish()),
        Arc::new(flags.finish()),
        Arc::new(trace_states.finish()),
        Arc::new(dropped_attributes.finish()),
        Arc::new(dropped_events.finish()),
        Arc::new(dropped_links.finish()),
    ];
    spans.extend(attributes.finish(rows.len()));
    let (event_count, link_count) = (events.names.len() as u64, links.flags.len() as u64);
    let (events, links) = (events.finish(), links.finish());
    Ok(RowGroupArrays { spans, events, links, residual, counts, event_count, link_count })
}

/// The events of a row group in the making.
struct Events<'k> {
    spans: UInt32Builder,
    times: Int64Builder,
    names: StringBuilder,
    dropped: UInt32Builder,
    attributes: Attributes<'k>,
}

impl<'k> Events<'k> {
    fn new(chosen: &'k ChosenColumns) -> Self {
        Self {
            spans: UInt32Builder::new(),
            times: Int64Builder::new(),
            names: StringBuilder::new(),
            dropped: UInt32Builder::new(),
            attributes: Attributes::new(AttributeScope::Event, chosen),
        }
    }

    fn finish(mut self) -> Vec<ArrayRef> {
        let rows = self.names.len();
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(self.spans.finish()),
            Arc::new(self.times.finish()),
            Arc::new(self.names.finish()),
            Arc::new(self.dropped.finish()),
        ];
        arrays.extend(self.attributes.finish(rows));
        arrays
    }
}

/// The links of a row group in the making.
struct Links<'k> {
    spans: UInt32Builder,
    traces: UInt32Builder,
    trace_ids: BinaryBuilder,
    span_ids: BinaryBuilder,
    trace_states: StringBuilder,
    flags: UInt32Builder,
    dropped: UInt32Builder,
    attributes: Attributes<'k>,
}

impl<'k> Links<'k> {
    fn new(chosen: &'k ChosenColumns) -> Self {
        Self {
            spans: UInt32Builder::new(),
            traces: UInt32Builder::new(),
            trace_ids: BinaryBuilder::new(),
            span_ids: BinaryBuilder::new(),
            trace_states: StringBuilder::new(),
            flags: UInt32Builder::new(),
            dropped: UInt32Builder::new(),
            attributes: Attributes::new(AttributeScope::Link, chosen),
        }
    }

    fn finish(mut self) -> Vec<ArrayRef> {
        let rows = self.flags.len();
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(self.spans.finish()),
            Arc::new(self.traces.finish()),
            Arc::new(self.trace_ids.finish()),
            Arc::new(self.span_ids.finish()),
            Arc::new(self.trace_states.finish()),
            Arc::new(self.flags.finish()),
            Arc::new(self.dropped.finish()),
        ];
        arrays.extend(self.attributes.finish(rows));
        arrays
    }
}
