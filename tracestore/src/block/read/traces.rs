//! The trace table in memory: one value per trace, read column by column when first asked for.
//!
//! Serves lookups by id, the trace-level columns of the span table and the summaries of search results, so that none
//! of them touches span rows.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, StringViewArray},
    datatypes::{ArrowPrimitiveType, Int64Type, UInt32Type, UInt64Type},
};

use super::{
    ParquetFile,
    text::{text_at, texts},
};
use crate::{Error, Result, model::TraceId};

/// The trace table of a block.
#[derive(Debug)]
pub(crate) struct TraceTable {
    file: ParquetFile,
    columns: Mutex<HashMap<&'static str, ArrayRef>>,
}

/// What is known of a trace without its spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceSummary {
    /// The id.
    pub trace_id: TraceId,
    /// The earliest span start, ns since 1970; zero times are left out unless all are zero.
    pub start: u64,
    /// The latest end − the start, in ns.
    pub duration: u64,
    /// Name and service of the root span that starts first.
    pub root: Option<(String, String)>,
    /// Spans and errors by service, ascending by name.
    pub services: Vec<ServiceCount>,
}

/// How many spans of a trace a service has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCount {
    /// The service's name, empty where the resource has none.
    pub service: String,
    /// Its spans.
    pub spans: u32,
    /// Those with status error.
    pub errors: u32,
}

impl TraceTable {
    pub(super) fn new(file: ParquetFile) -> Self {
        Self { file, columns: Mutex::default() }
    }

    /// The file behind the table.
    pub(super) fn file(&self) -> &ParquetFile {
        &self.file
    }

    pub(super) fn column(&self, name: &'static str) -> Result<ArrayRef> {
        let mut columns = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(column) = columns.get(name) {
            return Ok(Arc::clone(column));
        }
        let column = self.file.read_all(name)?;
        columns.insert(name, Arc::clone(&column));
        Ok(column)
    }

    pub(super) fn primitive<T: ArrowPrimitiveType>(
        &self,
        name: &'static str,
    ) -> Result<arrow::array::PrimitiveArray<T>> {
        let column = self.column(name)?;
        column.as_primitive_opt::<T>().cloned().ok_or_else(|| self.wrong_type(name))
    }

    pub(super) fn text(&self, name: &'static str) -> Result<StringViewArray> {
        texts(&self.column(name)?).ok_or_else(|| self.wrong_type(name))
    }

    fn wrong_type(&self, column: &str) -> Error {
        let reason = format!("column `{column}` has another type than the format says");
        Error::corrupt(self.file.path(), 0, reason)
    }

    /// Starts, ns since 1970, ascending.
    pub(crate) fn starts(&self) -> Result<arrow::array::UInt64Array> {
        self.primitive::<UInt64Type>("start")
    }

    /// Latest end − start, in ns.
    pub(crate) fn durations(&self) -> Result<arrow::array::Int64Array> {
        self.primitive::<Int64Type>("duration")
    }

    /// The first row of each trace.
    pub(crate) fn first_rows(&self) -> Result<arrow::array::UInt32Array> {
        self.primitive::<UInt32Type>("first_row")
    }

    /// The number of rows of each trace.
    pub(crate) fn rows(&self) -> Result<arrow::array::UInt32Array> {
        self.primitive::<UInt32Type>("rows")
    }

    /// Root names, empty without a root; texts in any form.
    pub(super) fn root_names(&self) -> Result<ArrayRef> {
        self.column("root_name")
    }

    /// The root spans' services, empty without a root; texts in any form.
    pub(super) fn root_services(&self) -> Result<ArrayRef> {
        self.column("root_service")
    }

    /// Which traces have a root.
    pub(crate) fn has_root(&self) -> Result<BooleanArray> {
        self.column("has_root")?.as_boolean_opt().cloned().ok_or_else(|| self.wrong_type("has_root"))
    }

    /// The id of a trace.
    pub(crate) fn id(&self, ordinal: usize) -> Result<TraceId> {
        let ids = self.column("trace_id")?;
        let ids = ids.as_fixed_size_binary_opt().ok_or_else(|| self.wrong_type("trace_id"))?;
        let id = (ordinal < ids.len()).then(|| TraceId::from_slice(ids.value(ordinal))).flatten();
        id.ok_or_else(|| Error::corrupt(self.file.path(), 0, format!("there is no trace {ordinal}")))
    }

    /// All ids by ordinal, read once more unless they are in memory already, and not kept there: 16 bytes per trace.
    pub(crate) fn read_ids(&self) -> Result<FixedSizeBinaryArray> {
        let columns = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = columns.get("trace_id").cloned();
        drop(columns);
        let ids = kept.map_or_else(|| self.file.read_all("trace_id"), Ok)?;
        ids.as_fixed_size_binary_opt().cloned().ok_or_else(|| self.wrong_type("trace_id"))
    }

    /// The ordinal of the trace with an id.
    pub(crate) fn find(&self, id: &TraceId) -> Result<Option<usize>> {
        let next = self.ids_from(*id)?.next().transpose()?;
        Ok(next.filter(|(found, _)| found == id).map(|(_, ordinal)| ordinal))
    }

    /// The traces whose ids are at least `low`, in the order of the ids: ids and ordinals. By binary search.
    pub(crate) fn ids_from(&self, low: TraceId) -> Result<impl Iterator<Item = Result<(TraceId, usize)>>> {
        let order = self.primitive::<UInt32Type>("by_id")?;
        let (mut first, mut end) = (0, order.len());
        while first < end {
            let middle = first.midpoint(end);
            if self.id(order.value(middle) as usize)? < low {
                first = middle + 1;
            } else {
                end = middle;
            }
        }
        let ordinals = (first..order.len()).map(move |place| order.value(place) as usize);
        Ok(ordinals.map(|ordinal| Ok((self.id(ordinal)?, ordinal))))
    }

    /// The rows of a trace in the span table.
    pub(crate) fn span_rows(&self, ordinal: usize) -> Result<Range<usize>> {
        let (first, rows) = (self.first_rows()?, self.rows()?);
        if ordinal >= first.len().min(rows.len()) {
            return Err(Error::corrupt(self.file.path(), 0, format!("there is no trace {ordinal}")));
        }
        let first = first.value(ordinal) as usize;
        Ok(first..first + rows.value(ordinal) as usize)
    }

    /// The ordinal of the trace that a row of the span table belongs to.
    pub(crate) fn trace_of_row(&self, row: u32) -> Result<u32> {
        let first_rows = self.first_rows()?;
        let ordinal = first_rows.values().partition_point(|first| *first <= row).checked_sub(1);
        match ordinal {
            Some(ordinal) if self.span_rows(ordinal)?.contains(&(row as usize)) => Ok(ordinal as u32),
            _ => Err(Error::corrupt(self.file.path(), 0, format!("row {row} belongs to no trace"))),
        }
    }

    /// How many spans each trace has, copies left out.
    pub(crate) fn spans(&self) -> Result<arrow::array::UInt32Array> {
        self.primitive::<UInt32Type>("spans")
    }

    /// What is known of some traces, given by ascending ordinals.
    pub(crate) fn summaries(&self, ordinals: &[usize]) -> Result<Vec<TraceSummary>> {
        let (starts, durations) = (self.starts()?, self.durations()?);
        let (names, services) = (self.root_names()?, self.root_services()?);
        let has_root = self.has_root()?;
        let ranges: Vec<_> = ordinals.iter().map(|ordinal| *ordinal..*ordinal + 1).collect();
        let counts = self.file.read_ranges("services", &ranges)?;
        let counts = counts.as_list_opt::<i32>().ok_or_else(|| self.wrong_type("services"))?;
        let summaries = ordinals.iter().enumerate().map(|(index, &ordinal)| {
            let trace_id = self.id(ordinal)?;
            let root = has_root.value(ordinal);
            let text = |texts, column| -> Result<String> {
                text_at(texts, ordinal).map(str::to_owned).ok_or_else(|| self.wrong_type(column))
            };
            let root = match root {
                true => Some((text(&names, "root_name")?, text(&services, "root_service")?)),
                false => None,
            };
            let start = starts.value(ordinal);
            let duration = durations.value(ordinal).unsigned_abs();
            let services = service_counts(&counts.value(index)).ok_or_else(|| self.wrong_type("services"))?;
            Ok(TraceSummary { trace_id, start, duration, root, services })
        });
        summaries.collect()
    }
}

/// The elements of one trace's list of services.
fn service_counts(list: &ArrayRef) -> Option<Vec<ServiceCount>> {
    let list = list.as_struct_opt()?;
    let services = texts(list.column_by_name("service")?)?;
    let spans = list.column_by_name("spans")?.as_primitive_opt::<UInt32Type>()?;
    let errors = list.column_by_name("errors")?.as_primitive_opt::<UInt32Type>()?;
    let count = |row| ServiceCount {
        service: services.value(row).to_owned(),
        spans: spans.value(row),
        errors: errors.value(row),
    };
    Some((0..list.len()).map(count).collect())
}
