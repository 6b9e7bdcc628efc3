//! The trace table as queries see it: a column at a time, hidden traces left out.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, BooleanArray, StringViewArray, new_null_array},
    compute::{filter, nullif},
    datatypes::DataType,
};

use super::{Block, columns::hex};
use crate::{Error, Result};

/// A column of the trace table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TraceColumn {
    /// The id as 32 hexadecimal digits.
    Id,
    /// The earliest span start, ns since 1970; zero times are left out unless all are zero.
    Start,
    /// The latest end − the start, in ns.
    Duration,
    /// The name of the root span that starts first, null without one.
    RootName,
    /// Its service, null without a root.
    RootService,
    /// How many spans.
    Spans,
    /// How many of them have the status error.
    Errors,
}

impl TraceColumn {
    /// The Arrow type of the column.
    #[must_use]
    pub const fn data_type(self) -> DataType {
        match self {
            Self::Id | Self::RootName | Self::RootService => DataType::Utf8View,
            Self::Start => DataType::UInt64,
            Self::Duration => DataType::Int64,
            Self::Spans | Self::Errors => DataType::UInt32,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Id => "trace_id",
            Self::Start => "start",
            Self::Duration => "duration",
            Self::RootName => "root_name",
            Self::RootService => "root_service",
            Self::Spans => "spans",
            Self::Errors => "errors",
        }
    }
}

impl Block {
    /// A column of the trace table, without the traces that are hidden.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn trace_column(&self, column: TraceColumn) -> Result<ArrayRef> {
        if self.meta().traces == 0 {
            return Ok(new_null_array(&column.data_type(), 0));
        }
        let table = self.trace_table()?;
        let wrong = |error: &dyn std::fmt::Display| Error::corrupt(self.path(), 0, error.to_string());
        let array: ArrayRef = match column {
            TraceColumn::Id => Arc::new(table.read_ids()?.iter().map(|id| id.map(hex)).collect::<StringViewArray>()),
            TraceColumn::RootName | TraceColumn::RootService => {
                let texts = table.text(column.name())?;
                nullif(&texts, &arrow::compute::not(&table.has_root()?).map_err(|error| wrong(&error))?)
                    .map_err(|error| wrong(&error))?
            }
            _ => table.column(column.name())?,
        };
        if array.len() as u64 != self.meta().traces || *array.data_type() != column.data_type() {
            return Err(wrong(&format!("column `{}` of the trace table is not what the block says", column.name())));
        }
        if self.traces() == self.meta().traces {
            return Ok(array);
        }
        let seen: BooleanArray = (0..array.len()).map(|ordinal| Some(!self.is_hidden(ordinal as u32))).collect();
        filter(&array, &seen).map_err(|error| wrong(&error))
    }
}
