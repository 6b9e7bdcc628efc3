//! Columns of events and links: for each span a list. From their files, and from the residual table.

use std::{ops::Range, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, ListArray, UInt32Array},
    buffer::OffsetBuffer,
    compute::take,
    datatypes::{Field, UInt32Type},
};

use super::{ParquetFile, SpanReader, Values, columns::hex_texts, keys::owner_row_group, residual::read_values};
use crate::{
    Error, Result,
    block::column::{Level, SpanColumn},
};

impl SpanReader<'_> {
    /// A column of events or links: for each row left the list of its events' or links' values.
    pub(super) fn list(&self, column: &SpanColumn) -> Result<ArrayRef> {
        let (file, first, owners) = match column.level() {
            Level::Event => (self.block.event_file()?, self.meta().first_event as usize, self.meta().events as usize),
            _ => (self.block.link_file()?, self.meta().first_link as usize, self.meta().links as usize),
        };
        let element_type = column.value_data_type();
        let (Some(file), true) = (file, owners > 0) else {
            let empty = arrow::array::new_empty_array(&element_type);
            return self.list_of(OffsetBuffer::from_lengths(std::iter::repeat_n(0, self.rows())), empty);
        };
        let range = first..first + owners;
        let spans = file.read_ranges("span", std::slice::from_ref(&range))?;
        let spans = spans.as_primitive_opt::<UInt32Type>().ok_or_else(|| self.wrong(&"`span` is no UINT32"))?;
        if spans.len() != owners {
            return Err(Error::corrupt(file.path(), 0, "there are fewer rows than the row groups say"));
        }
        // Spans and owners ascend: one walk over both.
        let (mut indices, mut lengths, mut owner) = (Vec::new(), Vec::with_capacity(self.rows()), 0);
        for row in self.row_numbers().values() {
            while owner < owners && spans.value(owner) < *row {
                owner += 1;
            }
            let start = owner;
            while owner < owners && spans.value(owner) == *row {
                indices.push(owner as u32);
                owner += 1;
            }
            lengths.push(owner - start);
        }
        let values = self.owner_values(column, file, range)?.to_array(&element_type, owners);
        let elements = values.and_then(|values| take(&values, &UInt32Array::from(indices), None));
        self.list_of(OffsetBuffer::from_lengths(lengths), elements.map_err(|error| self.wrong(&error))?)
    }

    /// A value per event or link of the row group.
    fn owner_values(&self, column: &SpanColumn, file: &ParquetFile, range: Range<usize>) -> Result<Values> {
        let ranges = std::slice::from_ref(&range);
        let element_type = column.value_data_type();
        let array = match column {
            SpanColumn::EventName => file.read_ranges("name", ranges)?,
            SpanColumn::EventTimeSinceStart => file.read_ranges("time_since_start", ranges)?,
            SpanColumn::LinkTraceId => self.block.link_trace_ids(file, range)?,
            SpanColumn::LinkSpanId => hex_texts(&file.read_ranges("span_id", ranges)?)?,
            SpanColumn::Attribute { scope, key, value_type } => {
                let entry = self.block.keys()?.entry(*scope, key, *value_type, owner_row_group(*scope, self.row_group));
                match entry {
                    None => return Ok(Values::Missing),
                    Some(entry) if entry.column => file.read_ranges(&column.name(), ranges)?,
                    Some(entry) => {
                        let residual = self.block.residual_file()?;
                        let residual = residual.ok_or_else(|| self.wrong(&"there is no attributes.parquet"))?;
                        let owners: Vec<u32> = range.map(|owner| owner as u32).collect();
                        match read_values(residual, entry.run, *value_type, &owners)? {
                            Some(values) => values,
                            None => return Ok(Values::Missing),
                        }
                    }
                }
            }
            _ => return Err(Error::Internal(format!("{} is no column of events or links", column.name()))),
        };
        Values::from_array(array, &element_type).map_err(|error| self.wrong(&error))
    }

    fn list_of(&self, offsets: OffsetBuffer<i32>, elements: ArrayRef) -> Result<ArrayRef> {
        let field = Arc::new(Field::new_list_field(elements.data_type().clone(), true));
        let list = ListArray::try_new(field, offsets, elements, None);
        list.map(|list| Arc::new(list) as ArrayRef).map_err(|error| self.wrong(&error))
    }
}
