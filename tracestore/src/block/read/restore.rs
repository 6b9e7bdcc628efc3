//! Rows back to spans, every field as it was received: trace lookups, and the proof that a block loses nothing.
//!
//! Attribute lists come back sorted by key; repeated keys keep their order.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, StringViewArray},
    datatypes::{Float64Type, Int32Type, Int64Type, UInt32Type, UInt64Type},
};

use super::{Block, ParquetFile, columns::hex, residual, texts};
use crate::{
    Error, Result,
    block::{
        column::{AttributeScope, AttributeType},
        meta::RowGroupMeta,
        schema::{columns, row_flags},
    },
    model::{Event, KeyValue, Link, Resource, Scope, Span, SpanId, Status, Trace, TraceId, TraceSpan, Value},
    otlp::{entity_refs_from_json, value_from_text},
};

/// Attributes by owner: key, occurrence, value.
type Attributes = BTreeMap<u32, Vec<(String, u32, Value)>>;

/// Columns of a file for some rows, by name and type.
struct Rows<'a> {
    file: &'a ParquetFile,
    range: Range<usize>,
}

impl Rows<'_> {
    fn array(&self, name: &str) -> Result<ArrayRef> {
        let array = self.file.read_ranges(name, std::slice::from_ref(&self.range))?;
        if array.len() == self.range.len() { Ok(array) } else { Err(self.wrong(name)) }
    }

    fn wrong(&self, name: &str) -> Error {
        Error::corrupt(self.file.path(), 0, format!("column `{name}` is not as the format says"))
    }

    fn u32(&self, name: &str) -> Result<Vec<u32>> {
        Ok(self.array(name)?.as_primitive_opt::<UInt32Type>().ok_or_else(|| self.wrong(name))?.values().to_vec())
    }

    fn u64(&self, name: &str) -> Result<Vec<u64>> {
        Ok(self.array(name)?.as_primitive_opt::<UInt64Type>().ok_or_else(|| self.wrong(name))?.values().to_vec())
    }

    fn i32(&self, name: &str) -> Result<Vec<i32>> {
        Ok(self.array(name)?.as_primitive_opt::<Int32Type>().ok_or_else(|| self.wrong(name))?.values().to_vec())
    }

    fn i64(&self, name: &str) -> Result<Vec<i64>> {
        Ok(self.array(name)?.as_primitive_opt::<Int64Type>().ok_or_else(|| self.wrong(name))?.values().to_vec())
    }

    fn bool(&self, name: &str) -> Result<Vec<bool>> {
        let array = self.array(name)?;
        Ok(array.as_boolean_opt().ok_or_else(|| self.wrong(name))?.values().iter().collect())
    }

    fn texts(&self, name: &str) -> Result<StringViewArray> {
        texts(&self.array(name)?).ok_or_else(|| self.wrong(name))
    }

    fn bytes(&self, name: &str) -> Result<Vec<Option<Vec<u8>>>> {
        let array = self.array(name)?;
        if let Some(bytes) = array.as_fixed_size_binary_opt() {
            return Ok(bytes.iter().map(|bytes| bytes.map(<[u8]>::to_vec)).collect());
        }
        let bytes = array.as_binary_opt::<i32>().ok_or_else(|| self.wrong(name))?;
        Ok(bytes.iter().map(|bytes| bytes.map(<[u8]>::to_vec)).collect())
    }

    /// The attributes with columns of their own, by row of the file.
    fn attributes(&self, scope: AttributeScope) -> Result<Attributes> {
        let mut attributes = Attributes::new();
        for name in self.file.column_names() {
            let Some((key, value_type)) = attribute_column(name, scope) else { continue };
            let array = self.array(name)?;
            for row in (0..array.len()).filter(|row| array.is_valid(*row)) {
                let value = scalar(&array, value_type, row).ok_or_else(|| self.wrong(name))?;
                attributes.entry((self.range.start + row) as u32).or_default().push((key.to_owned(), 0, value));
            }
        }
        Ok(attributes)
    }
}

/// Key and type of an attribute's column.
fn attribute_column(name: &str, scope: AttributeScope) -> Option<(&str, AttributeType)> {
    let (key, type_name) = name.strip_prefix(scope.name())?.strip_prefix('.')?.rsplit_once(':')?;
    Some((key, AttributeType::ALL.into_iter().find(|value_type| value_type.name() == type_name)?))
}

/// A value of an array of scalars.
fn scalar(array: &ArrayRef, value_type: AttributeType, row: usize) -> Option<Value> {
    Some(match value_type {
        AttributeType::Int => Value::Int(array.as_primitive_opt::<Int64Type>()?.value(row)),
        AttributeType::Float => Value::Double(array.as_primitive_opt::<Float64Type>()?.value(row)),
        AttributeType::Bool => Value::Bool(array.as_boolean_opt()?.value(row)),
        _ => match array.as_dictionary_opt::<Int32Type>() {
            Some(coded) => Value::String(coded.values().as_string_opt::<i32>()?.value(coded.key(row)?).to_owned()),
            None => Value::String(array.as_string_view_opt()?.value(row).to_owned()),
        },
    })
}

/// Takes an owner's attributes, in order of key and occurrence.
fn take(attributes: &mut Attributes, owner: usize) -> Vec<KeyValue> {
    let mut list = attributes.remove(&(owner as u32)).unwrap_or_default();
    list.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    list.into_iter().map(|(key, _, value)| KeyValue { key, value }).collect()
}

impl Block {
    /// The spans of a trace, `None` if the block has none of it.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn trace(&self, id: &TraceId) -> Result<Option<Trace>> {
        let Some(ordinal) = self.find(id)? else { return Ok(None) };
        let rows = self.trace_table()?.span_rows(ordinal)?;
        let holds =
            |group: &RowGroupMeta| (group.first_row..group.first_row + group.rows).contains(&(rows.start as u64));
        let group = self.meta().row_groups.iter().position(holds);
        let group = group.ok_or_else(|| Error::corrupt(self.path(), 0, "a trace is in no row group"))?;
        Ok(self.restore(group, rows)?.into_iter().next())
    }

    /// All traces of a row group, in the order of the block.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn traces_of_row_group(&self, row_group: usize) -> Result<Vec<Trace>> {
        let group = self.row_group(row_group)?;
        self.restore(row_group, group.first_row as usize..(group.first_row + group.rows) as usize)
    }

    /// How many row groups the spans are in.
    #[must_use]
    pub fn row_groups(&self) -> usize {
        self.meta().row_groups.len()
    }

    fn row_group(&self, row_group: usize) -> Result<&RowGroupMeta> {
        let group = self.meta().row_groups.get(row_group);
        group.ok_or_else(|| Error::corrupt(self.path(), 0, format!("there is no row group {row_group}")))
    }

    /// The traces in a range of rows of a row group; the range begins and ends with a trace.
    fn restore(&self, row_group: usize, range: Range<usize>) -> Result<Vec<Trace>> {
        let spans = Rows { file: self.span_file()?, range: range.clone() };
        let (traces, resources, scopes) =
            (spans.u32(columns::TRACE)?, spans.u32(columns::RESOURCE)?, spans.u32(columns::SCOPE)?);
        let (starts, durations) = (spans.u64(columns::START_TIME)?, spans.i64(columns::DURATION)?);
        let (names, kinds) = (spans.texts(columns::NAME)?, spans.i32(columns::KIND)?);
        let (codes, messages) = (spans.i32(columns::STATUS_CODE)?, spans.texts(columns::STATUS_MESSAGE)?);
        let (offsets, bits) = (spans.u32(columns::PARENT_OFFSET)?, spans.u32(columns::ROW_FLAGS)?);
        let (ids, parents) = (spans.bytes(columns::SPAN_ID)?, spans.bytes(columns::PARENT_SPAN_ID)?);
        let (flags, states) = (spans.u32(columns::FLAGS)?, spans.texts(columns::TRACE_STATE)?);
        let dropped_attributes = spans.u32(columns::DROPPED_ATTRIBUTES)?;
        let (dropped_events, dropped_links) = (spans.u32(columns::DROPPED_EVENTS)?, spans.u32(columns::DROPPED_LINKS)?);
        let mut attributes = spans.attributes(AttributeScope::Span)?;
        self.add_residual(&mut attributes, AttributeScope::Span, row_group, &range)?;
        let mut events = self.events_of(row_group, &range, &starts)?;
        let mut links = self.links_of(row_group, &range)?;
        let (all_resources, all_scopes) = (self.restored_resources()?, self.restored_scopes()?);

        let missing = || Error::corrupt(self.path(), 0, "the columns of the spans do not fit together");
        let mut restored: Vec<Trace> = Vec::new();
        let mut current = None;
        for index in 0..range.len() {
            let at = |list: &[u32]| list.get(index).copied().ok_or_else(missing);
            let row = range.start + index;
            let ordinal = at(&traces)?;
            if current != Some(ordinal) {
                current = Some(ordinal);
                restored.push(Trace { trace_id: self.trace_table()?.id(ordinal as usize)?, spans: Vec::new() });
            }
            let trace = restored.last_mut().ok_or_else(missing)?;
            let id = |list: &[Option<Vec<u8>>], index: usize| {
                list.get(index).and_then(Option::as_deref).and_then(SpanId::from_slice)
            };
            let offset = at(&offsets)? as usize;
            let parent = (offset > 0).then(|| trace.spans.len().checked_sub(offset).ok_or_else(missing)).transpose()?;
            let parent_span_id = match parent {
                Some(_) => id(&ids, index - offset),
                None => id(&parents, index),
            };
            let bits = at(&bits)?;
            let start = *starts.get(index).ok_or_else(missing)?;
            let duration = *durations.get(index).ok_or_else(missing)?;
            let status = (bits & row_flags::HAS_STATUS != 0).then(|| Status {
                message: messages.value(index).to_owned(),
                code: codes.get(index).copied().unwrap_or(0),
            });
            let span = Span {
                trace_id: trace.trace_id,
                span_id: id(&ids, index).ok_or_else(missing)?,
                trace_state: states.value(index).to_owned(),
                parent_span_id,
                flags: at(&flags)?,
                name: names.value(index).to_owned(),
                kind: kinds.get(index).copied().unwrap_or(0),
                start_time_unix_nano: start,
                end_time_unix_nano: start.wrapping_add(duration.cast_unsigned()),
                attributes: take(&mut attributes, row),
                dropped_attributes_count: at(&dropped_attributes)?,
                events: events.remove(&(row as u32)).unwrap_or_default(),
                dropped_events_count: at(&dropped_events)?,
                links: links.remove(&(row as u32)).unwrap_or_default(),
                dropped_links_count: at(&dropped_links)?,
                status,
            };
            trace.spans.push(TraceSpan {
                span,
                resource: Arc::clone(all_resources.get(at(&resources)? as usize).ok_or_else(missing)?),
                scope: Arc::clone(all_scopes.get(at(&scopes)? as usize).ok_or_else(missing)?),
                parent,
                shadowed: bits & row_flags::SHADOWED != 0,
            });
        }
        Ok(restored)
    }

    /// The rows of events (or links) whose spans are in a range of rows.
    fn rows_below(&self, file: &ParquetFile, owners: Range<usize>, spans: &Range<usize>) -> Result<Range<usize>> {
        let rows = Rows { file, range: owners.clone() }.u32("span")?;
        let before = rows.partition_point(|row| (*row as usize) < spans.start);
        let until = rows.partition_point(|row| (*row as usize) < spans.end);
        Ok(owners.start + before..owners.start + until)
    }

    fn events_of(&self, group: usize, spans: &Range<usize>, starts: &[u64]) -> Result<BTreeMap<u32, Vec<Event>>> {
        let mut events: BTreeMap<u32, Vec<Event>> = BTreeMap::new();
        let meta = self.row_group(group)?;
        let Some(file) = self.event_file()? else { return Ok(events) };
        let owners = meta.first_event as usize..(meta.first_event + meta.events) as usize;
        let range = self.rows_below(file, owners, spans)?;
        if range.is_empty() {
            return Ok(events);
        }
        let rows = Rows { file, range: range.clone() };
        let (owners, times, names) = (rows.u32("span")?, rows.i64("time_since_start")?, rows.texts("name")?);
        let dropped = rows.u32(columns::DROPPED_ATTRIBUTES)?;
        let mut attributes = rows.attributes(AttributeScope::Event)?;
        self.add_residual(&mut attributes, AttributeScope::Event, group, &range)?;
        for (index, ((owner, time), dropped)) in owners.iter().zip(times).zip(dropped).enumerate() {
            let start = starts.get(*owner as usize - spans.start).copied().unwrap_or(0);
            events.entry(*owner).or_default().push(Event {
                time_unix_nano: start.wrapping_add(time.cast_unsigned()),
                name: names.value(index).to_owned(),
                attributes: take(&mut attributes, range.start + index),
                dropped_attributes_count: dropped,
            });
        }
        Ok(events)
    }

    fn links_of(&self, group: usize, spans: &Range<usize>) -> Result<BTreeMap<u32, Vec<Link>>> {
        let mut links: BTreeMap<u32, Vec<Link>> = BTreeMap::new();
        let meta = self.row_group(group)?;
        let Some(file) = self.link_file()? else { return Ok(links) };
        let owners = meta.first_link as usize..(meta.first_link + meta.links) as usize;
        let range = self.rows_below(file, owners, spans)?;
        if range.is_empty() {
            return Ok(links);
        }
        let rows = Rows { file, range: range.clone() };
        let (owners, trace_ids, span_ids) =
            (rows.u32("span")?, self.link_targets(file, range.clone())?, rows.bytes("span_id")?);
        let (states, flags) = (rows.texts("trace_state")?, rows.u32("flags")?);
        let dropped = rows.u32(columns::DROPPED_ATTRIBUTES)?;
        let mut attributes = rows.attributes(AttributeScope::Link)?;
        self.add_residual(&mut attributes, AttributeScope::Link, group, &range)?;
        let ids = trace_ids.into_iter().zip(span_ids);
        for (index, (((owner, (trace_id, span_id)), flags), dropped)) in
            owners.iter().zip(ids).zip(flags).zip(dropped).enumerate()
        {
            links.entry(*owner).or_default().push(Link {
                trace_id,
                span_id: span_id.unwrap_or_default(),
                trace_state: states.value(index).to_owned(),
                attributes: take(&mut attributes, range.start + index),
                dropped_attributes_count: dropped,
                flags,
            });
        }
        Ok(links)
    }

    /// The trace ids that links point to: an ordinal where the trace is in the block, else the bytes.
    fn link_targets(&self, file: &ParquetFile, range: Range<usize>) -> Result<Vec<Vec<u8>>> {
        let rows = Rows { file, range };
        let ordinals = rows.array("trace")?;
        let ordinals = ordinals.as_primitive_opt::<UInt32Type>().ok_or_else(|| rows.wrong("trace"))?;
        let targets = ordinals.iter().zip(rows.bytes("trace_id")?).map(|(ordinal, bytes)| match ordinal {
            Some(ordinal) => Ok(self.trace_table()?.id(ordinal as usize)?.as_bytes().to_vec()),
            None => Ok(bytes.unwrap_or_default()),
        });
        targets.collect()
    }

    /// The same as hexadecimal digits.
    pub(super) fn link_trace_ids(&self, file: &ParquetFile, range: Range<usize>) -> Result<ArrayRef> {
        let texts = self.link_targets(file, range)?.into_iter().map(|id| Some(hex(&id)));
        Ok(Arc::new(texts.collect::<StringViewArray>()))
    }

    /// Adds what the residual table has for owners in a range of rows.
    fn add_residual(
        &self,
        attributes: &mut Attributes,
        scope: AttributeScope,
        row_group: usize,
        owners: &Range<usize>,
    ) -> Result<()> {
        let group = match scope {
            AttributeScope::Resource | AttributeScope::Instrumentation => -1,
            _ => i32::try_from(row_group).unwrap_or(i32::MAX),
        };
        let Some(file) = self.residual_file()? else { return Ok(()) };
        let runs = self.keys()?.runs().iter().filter(|(found, _, in_group, _)| *found == scope && *in_group == group);
        for (_, key, _, run) in runs {
            let range = residual::rows_of(*run);
            let rows = residual::read_rows(file, std::slice::from_ref(&range))?;
            // Owners ascend within a run.
            let before = rows.rows.values().partition_point(|row| (*row as usize) < owners.start);
            let until = rows.rows.values().partition_point(|row| (*row as usize) < owners.end);
            if before >= until {
                continue;
            }
            let values = ResidualValues::read(file, range.start + before..range.start + until)?;
            let mut index = before;
            while index < until {
                let len = rows.array_lens.value(index) as usize;
                let value = |row: usize| values.value(row - before, rows.types.value(row));
                let value = match len {
                    0 => value(index)?,
                    len if index + len <= until => {
                        Value::Array((index..index + len).map(value).collect::<Result<_>>()?)
                    }
                    _ => return Err(Error::corrupt(file.path(), 0, "an array reaches beyond its key")),
                };
                let list = attributes.entry(rows.rows.value(index)).or_default();
                list.push((key.clone(), rows.repeats.value(index), value));
                index += len.max(1);
            }
        }
        Ok(())
    }

    pub(super) fn restored_resources(&self) -> Result<&[Arc<Resource>]> {
        self.restored_resources_with(|| {
            let owners = self.resources()?;
            let rows = Rows { file: owners.file(), range: 0..owners.len() };
            let (present, urls) = (rows.bool("present")?, rows.texts("schema_url")?);
            let (dropped, entities) = (rows.u32(columns::DROPPED_ATTRIBUTES)?, rows.texts("entity_refs")?);
            let mut attributes = Attributes::new();
            self.add_residual(&mut attributes, AttributeScope::Resource, 0, &rows.range)?;
            let resource = |(index, (present, dropped)): (usize, (bool, u32))| {
                let refs = entities.is_valid(index).then(|| entity_refs_from_json(entities.value(index))).transpose();
                Ok(Arc::new(Resource {
                    present,
                    attributes: take(&mut attributes, index),
                    dropped_attributes_count: dropped,
                    entity_refs: refs.map_err(|_| rows.wrong("entity_refs"))?.unwrap_or_default(),
                    schema_url: urls.value(index).to_owned(),
                }))
            };
            present.into_iter().zip(dropped).enumerate().map(resource).collect()
        })
    }

    pub(super) fn restored_scopes(&self) -> Result<&[Arc<Scope>]> {
        self.restored_scopes_with(|| {
            let owners = self.scopes()?;
            let rows = Rows { file: owners.file(), range: 0..owners.len() };
            let (present, urls) = (rows.bool("present")?, rows.texts("schema_url")?);
            let (names, versions) = (rows.texts("name")?, rows.texts("version")?);
            let dropped = rows.u32(columns::DROPPED_ATTRIBUTES)?;
            let mut attributes = Attributes::new();
            self.add_residual(&mut attributes, AttributeScope::Instrumentation, 0, &rows.range)?;
            let scope = |(index, (present, dropped)): (usize, (bool, u32))| {
                Ok(Arc::new(Scope {
                    present,
                    name: names.value(index).to_owned(),
                    version: versions.value(index).to_owned(),
                    attributes: take(&mut attributes, index),
                    dropped_attributes_count: dropped,
                    schema_url: urls.value(index).to_owned(),
                }))
            };
            present.into_iter().zip(dropped).enumerate().map(scope).collect()
        })
    }
}

/// The value columns of some rows of the residual table.
struct ResidualValues<'a> {
    file: &'a ParquetFile,
    texts: StringViewArray,
    ints: ArrayRef,
    floats: ArrayRef,
    bools: ArrayRef,
    jsons: StringViewArray,
}

impl<'a> ResidualValues<'a> {
    fn read(file: &'a ParquetFile, range: Range<usize>) -> Result<Self> {
        let rows = Rows { file, range };
        let (texts, jsons) = (rows.texts("str")?, rows.texts("json")?);
        Ok(Self {
            file,
            texts,
            ints: rows.array("int")?,
            floats: rows.array("float")?,
            bools: rows.array("bool")?,
            jsons,
        })
    }

    fn value(&self, row: usize, number: i32) -> Result<Value> {
        let value = match number {
            1 => Some(Value::String(self.texts.value(row).to_owned())),
            2 => scalar(&self.bools, AttributeType::Bool, row),
            3 => scalar(&self.ints, AttributeType::Int, row),
            4 => scalar(&self.floats, AttributeType::Float, row),
            _ => value_from_text(self.jsons.value(row)).ok(),
        };
        value.ok_or_else(|| Error::corrupt(self.file.path(), 0, "a value is not of the type that the table says"))
    }
}
