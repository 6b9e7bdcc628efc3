//! Columns of the selected rows of one row group: where each [`SpanColumn`] comes from.
//!
//! A reader starts with all rows of a row group and is narrowed as conditions are met; what is read later is read for
//! the rows that are left.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, Float64Array, Int32Array, Int64Array,
        StringViewArray, UInt32Array, UInt64Array,
    },
    buffer::BooleanBuffer,
    compute::{cast, filter, take},
    datatypes::{DataType, Int32Type, Int64Type, UInt32Type, UInt64Type},
};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::{Block, Values, keys::owner_row_group, plan::ReadPlan, residual::read_values, structure, weight::weight};
use crate::{
    Error, Result,
    block::{
        column::{AttributeScope, AttributeType, SpanColumn},
        meta::RowGroupMeta,
        schema::{columns, row_flags},
    },
};

/// Reads columns of one row group.
#[derive(Debug, Clone)]
pub(crate) struct SpanReader<'a> {
    pub(super) block: &'a Block,
    /// The block's number in the snapshot.
    number: u32,
    pub(super) row_group: usize,
    meta: &'a RowGroupMeta,
    /// Which rows are left; `None` while all are.
    selected: Option<BooleanBuffer>,
    left: Arc<Left>,
}

/// What is known of the rows that are left, found out by the first to ask.
#[derive(Debug, Default)]
struct Left {
    /// How they are read.
    plan: OnceLock<ReadPlan>,
    /// What they point to, which many columns are about.
    traces: OnceLock<UInt32Array>,
    resources: OnceLock<UInt32Array>,
    scopes: OnceLock<UInt32Array>,
}

impl Left {
    fn ordinals(&self) -> [&OnceLock<UInt32Array>; 3] {
        [&self.traces, &self.resources, &self.scopes]
    }

    /// What stays known of those rows that `mask` keeps.
    fn filter(&self, mask: &BooleanBuffer) -> Self {
        let (left, mask) = (Self::default(), BooleanArray::new(mask.clone(), None));
        for (before, after) in self.ordinals().into_iter().zip(left.ordinals()) {
            let kept = before.get().and_then(|ordinals| filter(ordinals, &mask).ok());
            if let Some(ordinals) = kept.as_ref().and_then(|kept| kept.as_primitive_opt::<UInt32Type>()) {
                after.get_or_init(|| ordinals.clone());
            }
        }
        left
    }
}

impl<'a> SpanReader<'a> {
    /// A reader of all rows of a row group that queries may see.
    pub(crate) fn new(block: &'a Block, number: u32, row_group: usize) -> Result<Self> {
        let mut reader = Self::of_all(block, number, row_group)?;
        reader.leave_out_unseen()?;
        Ok(reader)
    }

    /// A reader of all rows there are: for those who look first whether the row group matters at all, and then call
    /// [`SpanReader::leave_out_unseen`].
    pub(crate) fn of_all(block: &'a Block, number: u32, row_group: usize) -> Result<Self> {
        let meta = block.meta().row_groups.get(row_group);
        let meta = meta.ok_or_else(|| Error::corrupt(block.path(), 0, format!("there is no row group {row_group}")))?;
        Ok(Self { block, number, row_group, meta, selected: None, left: Arc::default() })
    }

    /// Leaves out the rows that queries do not see: copies, hidden traces, deleted rows.
    pub(crate) fn leave_out_unseen(&mut self) -> Result<()> {
        if let Some(seen) = self.block.seen_rows(self.meta)? {
            self.intersect(&seen);
        }
        if self.block.meta().shadowed > 0 {
            let flags = self.unsigned(columns::ROW_FLAGS)?;
            self.narrow(&flags.values().iter().map(|flags| flags & row_flags::SHADOWED == 0).collect());
        }
        Ok(())
    }

    /// How many rows are left.
    pub(crate) fn rows(&self) -> usize {
        self.selected.as_ref().map_or(self.meta.rows as usize, BooleanBuffer::count_set_bits)
    }

    /// Which rows of the row group are left.
    pub(crate) fn selection(&self) -> BooleanBuffer {
        self.selected.clone().unwrap_or_else(|| BooleanBuffer::new_set(self.meta.rows as usize))
    }

    /// The row group's meta data.
    pub(crate) fn meta(&self) -> &RowGroupMeta {
        self.meta
    }

    /// Keeps the rows that `mask` keeps, which is as long as there are rows left.
    pub(crate) fn narrow(&mut self, mask: &BooleanBuffer) {
        self.left = Arc::new(self.left.filter(mask));
        self.selected = Some(match &self.selected {
            None => mask.clone(),
            Some(selected) => {
                let (mut kept, mut taken) = (BooleanBufferBuilder::new(selected.len()), 0);
                for (start, end) in selected.set_slices() {
                    kept.append_n(start - kept.len(), false);
                    kept.append_buffer(&mask.slice(taken, end - start));
                    taken += end - start;
                }
                kept.append_n(selected.len() - kept.len(), false);
                kept.finish()
            }
        });
    }

    /// Keeps the rows of the row group that `mask` keeps, which is as long as the row group.
    pub(crate) fn intersect(&mut self, mask: &BooleanBuffer) {
        self.left = Arc::default();
        self.selected = Some(match &self.selected {
            None => mask.clone(),
            Some(selected) => selected & mask,
        });
    }

    /// Keeps those of a range of the row group's rows.
    pub(crate) fn keep_range(&mut self, rows: &Range<usize>) {
        let len = self.meta.rows as usize;
        let (start, end) = (rows.start.min(len), rows.end.clamp(rows.start.min(len), len));
        let mut mask = BooleanBufferBuilder::new(len);
        mask.append_n(start, false);
        mask.append_n(end - start, true);
        mask.append_n(len - end, false);
        self.intersect(&mask.finish());
    }

    /// The rows left, numbered through the block.
    pub(crate) fn row_numbers(&self) -> UInt32Array {
        let first = self.meta.first_row as u32;
        match &self.selected {
            None => (first..first + self.meta.rows as u32).collect(),
            Some(selected) => selected.set_indices().map(|row| first + row as u32).collect(),
        }
    }

    /// The values of a column for the rows left.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub(crate) fn read(&self, column: &SpanColumn) -> Result<Values> {
        let data_type = column.data_type();
        let array = match column {
            SpanColumn::Block => {
                let codes = Int32Array::from_value(0, self.rows());
                return Ok(Values::Coded { codes, values: Arc::new(UInt32Array::from(vec![self.number])) });
            }
            SpanColumn::Row => Arc::new(self.row_numbers()),
            SpanColumn::Trace => Arc::new(self.ordinals(columns::TRACE)?),
            SpanColumn::StartTime => self.physical(columns::START_TIME)?,
            SpanColumn::Duration => self.duration()?,
            SpanColumn::Name => self.physical(columns::NAME)?,
            SpanColumn::Kind => self.physical(columns::KIND)?,
            SpanColumn::Status => self.physical(columns::STATUS_CODE)?,
            SpanColumn::StatusMessage => self.physical(columns::STATUS_MESSAGE)?,
            SpanColumn::SpanId => self.physical(columns::SPAN_ID)?,
            SpanColumn::SpanIdText => hex_texts(&self.physical(columns::SPAN_ID)?)?,
            SpanColumn::ParentIdText => self.parent_ids()?,
            SpanColumn::ChildCount => {
                let counts = structure::child_counts(self.whole(columns::PARENT_OFFSET)?.values());
                self.select(Arc::new(Int64Array::from(counts)))?
            }
            SpanColumn::ParentOffset => self.physical(columns::PARENT_OFFSET)?,
            SpanColumn::Descendants => self.physical(columns::DESCENDANTS)?,
            SpanColumn::HasParent => {
                let offsets = self.unsigned(columns::PARENT_OFFSET)?;
                Arc::new(BooleanArray::from_unary(&offsets, |offset| offset > 0))
            }
            SpanColumn::MissingParent => self.missing_parents()?,
            SpanColumn::OfParent(column) => return self.of_parent(column),
            SpanColumn::NestedSetLeft | SpanColumn::NestedSetRight | SpanColumn::NestedSetParent => {
                self.nested_set(column)?
            }
            SpanColumn::SpanHash => self.span_hashes()?,
            SpanColumn::Weight => return self.weights(),
            SpanColumn::TraceIdText
            | SpanColumn::TraceHash
            | SpanColumn::TraceStart
            | SpanColumn::TraceDuration
            | SpanColumn::RootName
            | SpanColumn::RootService => return self.of_trace(column),
            SpanColumn::Service => {
                return self.of_owner(columns::RESOURCE, self.block.resources()?.text("service_name")?);
            }
            SpanColumn::ScopeName => return self.of_owner(columns::SCOPE, self.block.scopes()?.text("name")?),
            SpanColumn::ScopeVersion => return self.of_owner(columns::SCOPE, self.block.scopes()?.text("version")?),
            SpanColumn::EventName
            | SpanColumn::EventTimeSinceStart
            | SpanColumn::LinkTraceId
            | SpanColumn::LinkSpanId => self.list(column)?,
            SpanColumn::Attribute { scope, key, value_type } => {
                return self.attribute(column, *scope, key, *value_type);
            }
        };
        Values::from_array(array, &data_type).map_err(|error| self.wrong(&error))
    }

    /// The dictionary of a column in this row group, as texts, where the column is stored as one and nothing else.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub(crate) fn dictionary(&self, column: &SpanColumn) -> Result<Option<StringViewArray>> {
        self.block.dictionary(self.row_group, column)
    }

    /// Whether a column is absent from this row group: no row of it has a value.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub(crate) fn is_absent(&self, column: &SpanColumn) -> Result<bool> {
        self.block.is_absent(self.row_group, column)
    }

    /// A column of the file for the rows left.
    pub(super) fn physical(&self, name: &str) -> Result<ArrayRef> {
        let file = self.block.span_file()?;
        let column = file.column(name);
        let column = column.ok_or_else(|| Error::corrupt(file.path(), 0, format!("there is no column `{name}`")))?;
        let array = match &self.selected {
            None => file.read(self.row_group, column, None)?,
            Some(rows) => {
                let plan = self.left.plan.get_or_init(|| ReadPlan::new(rows));
                let decoded = file.read(self.row_group, column, Some(plan.selection()))?;
                plan.keep(decoded).map_err(|error| self.wrong(&error))?
            }
        };
        if array.len() != self.rows() {
            let reason = format!("column `{name}` has {} values for {} rows", array.len(), self.rows());
            return Err(Error::corrupt(file.path(), 0, reason));
        }
        Ok(array)
    }

    /// The same; `None` where none of the rows has a value. Few rows have most attributes in common: those of one service
    /// have none of what the others say.
    fn physical_if_any(&self, name: &str) -> Result<Option<ArrayRef>> {
        let file = self.block.span_file()?;
        if let (Some(rows), Some(column)) = (&self.selected, file.column(name))
            && !file.any_value(self.row_group, column, rows)?
        {
            return Ok(None);
        }
        self.physical(name).map(Some)
    }

    pub(super) fn unsigned(&self, name: &str) -> Result<UInt32Array> {
        let array = self.physical(name)?;
        array
            .as_primitive_opt::<UInt32Type>()
            .cloned()
            .ok_or_else(|| self.wrong(&format!("column `{name}` is no UINT32")))
    }

    /// The traces, resources or scopes that the rows left point to.
    fn ordinals(&self, name: &str) -> Result<UInt32Array> {
        let known = match name {
            columns::TRACE => &self.left.traces,
            columns::RESOURCE => &self.left.resources,
            _ => &self.left.scopes,
        };
        if let Some(ordinals) = known.get() {
            return Ok(ordinals.clone());
        }
        let ordinals = self.unsigned(name)?;
        Ok(known.get_or_init(|| ordinals).clone())
    }

    /// A reader of the same row group with these rows, or all.
    pub(super) fn with(&self, selected: Option<BooleanBuffer>) -> Self {
        Self { selected, left: Arc::default(), ..*self }
    }

    /// A number column for all rows of the row group.
    pub(super) fn whole(&self, name: &str) -> Result<UInt32Array> {
        self.with(None).unsigned(name)
    }

    /// The rows left of an array over all rows of the row group.
    pub(super) fn select(&self, array: ArrayRef) -> Result<ArrayRef> {
        match &self.selected {
            None => Ok(array),
            Some(selected) => {
                filter(&array, &BooleanArray::new(selected.clone(), None)).map_err(|error| self.wrong(&error))
            }
        }
    }

    pub(super) fn wrong(&self, reason: &impl ToString) -> Error {
        Error::corrupt(self.block.path(), 0, reason.to_string())
    }

    fn duration(&self) -> Result<ArrayRef> {
        let array = self.physical(columns::DURATION)?;
        let durations = array.as_primitive_opt::<Int64Type>().ok_or_else(|| self.wrong(&"`duration` is no INT64"))?;
        if durations.values().iter().all(|duration| *duration >= 0) {
            return Ok(array);
        }
        Ok(Arc::new(durations.unary::<_, Int64Type>(|duration| duration.max(0))))
    }

    /// A value of the trace that each row belongs to.
    fn of_trace(&self, column: &SpanColumn) -> Result<Values> {
        let table = self.block.trace_table()?;
        let (first, traces) = (self.meta.first_trace as usize, self.meta.traces as usize);
        let values: ArrayRef = match column {
            SpanColumn::TraceIdText => {
                let ids = (first..first + traces).map(|ordinal| table.id(ordinal).map(|id| Some(id.to_string())));
                Arc::new(ids.collect::<Result<StringViewArray>>()?)
            }
            SpanColumn::TraceHash => {
                let ids = (first..first + traces).map(|ordinal| table.id(ordinal));
                Arc::new(UInt64Array::from_iter_values(
                    ids.map(|id| Ok(xxh3_64(id?.as_bytes()))).collect::<Result<Vec<_>>>()?,
                ))
            }
            SpanColumn::TraceStart => Arc::new(table.starts()?),
            SpanColumn::TraceDuration => Arc::new(table.durations()?),
            SpanColumn::RootName => table.root_names()?,
            _ => table.root_services()?,
        };
        let values =
            if values.len() == traces { values } else { values.slice(first, traces.min(values.len() - first)) };
        let ordinals = self.ordinals(columns::TRACE)?;
        let codes = ordinals.unary::<_, Int32Type>(|ordinal| (ordinal as i32).wrapping_sub(first as i32));
        if !are_below(codes.values(), values.len()) {
            return Err(self.wrong(&"a span belongs to a trace of another row group"));
        }
        // Texts of traces are codes themselves, mostly: each text is then one value, however many traces have it.
        if let Some(coded) = values.as_dictionary_opt::<Int32Type>() {
            let codes = take(coded.keys(), &codes, None).map_err(|error| self.wrong(&error))?;
            let values = cast(coded.values(), &column.data_type()).map_err(|error| self.wrong(&error))?;
            return Ok(Values::Coded { codes: codes.as_primitive::<Int32Type>().clone(), values });
        }
        Ok(Values::Coded { codes, values })
    }

    /// For how many spans each stands.
    fn weights(&self) -> Result<Values> {
        let states = Values::from_array(self.physical(columns::TRACE_STATE)?, &DataType::Utf8View);
        let of_texts = |texts: &ArrayRef| -> ArrayRef {
            let texts = texts.as_string_view().iter();
            Arc::new(Float64Array::from_iter_values(texts.map(|text| weight(text.unwrap_or_default()))))
        };
        Ok(match states.map_err(|error| self.wrong(&error))? {
            Values::Coded { codes, values } => Values::Coded { codes, values: of_texts(&values) },
            Values::Plain(texts) => Values::Plain(of_texts(&texts)),
            Values::Missing => Values::Plain(Arc::new(Float64Array::from_value(1.0, self.rows()))),
        })
    }

    /// Numbers that spans are sampled by.
    fn span_hashes(&self) -> Result<ArrayRef> {
        let traces = self.of_trace(&SpanColumn::TraceHash)?.to_array(&DataType::UInt64, self.rows());
        let traces = traces.map_err(|error| self.wrong(&error))?;
        let traces = traces.as_primitive::<UInt64Type>();
        let ids = self.physical(columns::SPAN_ID)?;
        let ids = ids.as_fixed_size_binary_opt().ok_or_else(|| self.wrong(&"span ids are not 8 bytes each"))?;
        let hashes = ids.iter().zip(traces.values());
        let hashes = hashes.map(|(id, trace)| xxh3_64_with_seed(id.unwrap_or_default(), *trace));
        Ok(Arc::new(UInt64Array::from_iter_values(hashes)))
    }

    /// A value of the resource or scope that each row points to.
    fn of_owner(&self, column: &str, values: ArrayRef) -> Result<Values> {
        let ordinals = self.ordinals(column)?;
        let codes = ordinals.unary::<_, Int32Type>(|ordinal| ordinal as i32);
        if !are_below(codes.values(), values.len()) {
            return Err(self.wrong(&format!("a span points to a {column} that does not exist")));
        }
        Ok(Values::Coded { codes, values })
    }

    fn attribute(
        &self,
        column: &SpanColumn,
        scope: AttributeScope,
        key: &str,
        value_type: AttributeType,
    ) -> Result<Values> {
        let residual = || self.block.residual_file();
        let keys = self.block.keys()?;
        match scope {
            AttributeScope::Resource | AttributeScope::Instrumentation => {
                let (owners, physical) = match scope {
                    AttributeScope::Resource => (self.block.resources()?, columns::RESOURCE),
                    _ => (self.block.scopes()?, columns::SCOPE),
                };
                match owners.attribute(keys, residual()?, key, value_type)? {
                    Some(values) => self.of_owner(physical, values),
                    None => Ok(Values::Missing),
                }
            }
            AttributeScope::Span => {
                let Some(entry) = keys.entry(scope, key, value_type, owner_row_group(scope, self.row_group)) else {
                    return Ok(Values::Missing);
                };
                let array = if entry.column {
                    self.physical_if_any(&column.name())?
                } else {
                    let file = residual()?.ok_or_else(|| self.wrong(&"there is no attributes.parquet"))?;
                    read_values(file, entry.run, value_type, self.row_numbers().values())?
                };
                let Some(array) = array else { return Ok(Values::Missing) };
                Values::from_array(array, &column.data_type()).map_err(|error| self.wrong(&error))
            }
            AttributeScope::Event | AttributeScope::Link => self.list(column).map(Values::Plain),
        }
    }
}

/// Whether codes are those of so many values.
fn are_below(codes: &[i32], values: usize) -> bool {
    codes.iter().map(|code| code.cast_unsigned()).max().is_none_or(|last| (last as usize) < values)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Bytes as hexadecimal digits.
pub(super) fn hex_texts(array: &ArrayRef) -> Result<ArrayRef> {
    let texts: StringViewArray = match array.data_type() {
        DataType::FixedSizeBinary(_) => array.as_fixed_size_binary().iter().map(|id| id.map(hex)).collect(),
        DataType::Binary => array.as_binary::<i32>().iter().map(|id| id.map(hex)).collect(),
        other => return Err(Error::Internal(format!("ids are stored as {other}"))),
    };
    Ok(Arc::new(texts))
}
