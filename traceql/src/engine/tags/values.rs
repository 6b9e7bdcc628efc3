//! The values of a field.

use std::{fmt, sync::Arc};

use datafusion::{
    common::runtime::JoinSet, execution::SendableRecordBatchStream, physical_plan::execute_stream_partitioned,
};
use futures::TryStreamExt;
use tracestore::{Snapshot, block::SpanColumn};

use super::{TagOptions, count::Counter, selection::Selection};
use crate::{
    Error, Result,
    engine::{Engine, Value, background::run_blocking},
    output::{kind_word, status_word},
    plan::{OutputColumn, ValueKind, output_columns},
    syntax::{
        ast::{Field, Literal},
        format_duration, parse_field,
    },
};

/// The values of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct TagValues {
    /// The field.
    pub field: Field,
    /// Its values, those that most spans have first, then by type and value; cut to the number asked for.
    pub values: Vec<TagValue>,
    /// How many different values there are in all.
    pub distinct: usize,
}

/// A value, and how many spans have it.
#[derive(Debug, Clone, PartialEq)]
pub struct TagValue {
    /// The value, never a list: lists count by element.
    pub value: Value,
    /// How many spans have it, each once.
    pub count: u64,
}

impl TagValue {
    /// What Tempo calls its type.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match &self.value {
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Duration(_) => "duration",
            Value::Status(_) | Value::Kind(_) => "keyword",
            _ => "string",
        }
    }
}

/// The value as Tempo writes it: texts as they are, floats with a point or an exponent, durations to the nanosecond.
impl fmt::Display for TagValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Bool(value) => value.fmt(f),
            Value::Int(value) => value.fmt(f),
            Value::Float(value) if value.is_nan() => f.write_str("NaN"),
            Value::Float(value) if value.is_infinite() => f.write_str(if *value > 0.0 { "+Inf" } else { "-Inf" }),
            Value::Float(value) => Literal::Float(*value).fmt(f),
            Value::Duration(nanos) => f.write_str(&format_duration(*nanos)),
            Value::Status(code) => f.write_str(&status_word(*code)),
            Value::Kind(code) => f.write_str(&kind_word(*code)),
            Value::String(text) | Value::Json(text) => f.write_str(text),
            Value::Array(_) | Value::Nil => Ok(()),
        }
    }
}

impl Engine {
    /// The values that a field has, and how many spans have each. The field is written as in a query: `span.http.method`,
    /// `.http.method`, `name`, `event:name`. There are none of a field that no span has.
    ///
    /// # Errors
    /// [`Error::Query`] when the text is no field; [`Error::Limit`] for a query that is nested too deep, and where there
    /// are more than some million values; [`Error::Store`] when data cannot be read.
    pub async fn tag_values(&self, field: &str, options: &TagOptions) -> Result<TagValues> {
        self.field_values(&parse_field(field)?, options).await
    }

    /// The same for a field that has been read already.
    ///
    /// # Errors
    /// As [`Engine::tag_values`], but for the text.
    pub async fn field_values(&self, field: &Field, options: &TagOptions) -> Result<TagValues> {
        let view = self.view().await?;
        let selection = Selection::new(options, &view)?;
        let columns: Arc<[OutputColumn]> = columns(&view, field)?.into();
        let coded = match selection.is_everything() {
            true => {
                let (view, columns) = (view.clone(), Arc::clone(&columns));
                run_blocking(move || count_codes(&view, &columns)).await?
            }
            false => None,
        };
        let counter = match coded {
            Some(counter) => counter,
            None if columns.is_empty() => Counter::default(),
            None => self.count_spans(&view, &selection, columns).await?,
        };
        let distinct = counter.len();
        Ok(TagValues { field: field.clone(), values: counter.finish(options.limit), distinct })
    }

    /// Counts by looking at every span that is meant, in as many tasks as the scan has parts.
    async fn count_spans(
        &self,
        view: &Snapshot,
        selection: &Selection,
        columns: Arc<[OutputColumn]>,
    ) -> Result<Counter> {
        let scanned: Vec<SpanColumn> = columns.iter().map(|output| output.column.clone()).collect();
        let plan = self.scan(view, selection, &scanned).await?;
        let mut tasks = JoinSet::new();
        for stream in execute_stream_partitioned(plan, self.session.task())? {
            tasks.spawn(count_stream(stream, Arc::clone(&columns)));
        }
        let mut counter = Counter::default();
        while let Some(part) = tasks.join_next().await {
            counter.merge(part.map_err(|error| Error::Execution(error.to_string()))??)?;
        }
        Ok(counter)
    }
}

async fn count_stream(mut batches: SendableRecordBatchStream, columns: Arc<[OutputColumn]>) -> Result<Counter> {
    let mut counter = Counter::default();
    while let Some(batch) = batches.try_next().await? {
        counter.add_batch(&columns, &batch)?;
    }
    Ok(counter)
}

/// The columns that hold the field's values. What cannot be queried only counts where it hides something.
fn columns(view: &Snapshot, field: &Field) -> Result<Vec<OutputColumn>> {
    let mut columns = output_columns(view, std::slice::from_ref(field))?;
    let hides = columns.iter().any(|output| output.fallback && output.kind != ValueKind::Json);
    columns.retain(|output| output.kind != ValueKind::Json || hides && !output.fallback);
    Ok(columns)
}

/// Counts without a look at every span, if all columns are kept as codes and none hides another.
fn count_codes(view: &Snapshot, columns: &[OutputColumn]) -> Result<Option<Counter>> {
    let first = columns.first().map(|output| output.fallback);
    if columns.iter().any(|output| Some(output.fallback) != first) {
        return Ok(None);
    }
    let mut counter = Counter::default();
    for output in columns {
        let Some(counts) = view.count_values(&output.column)? else { return Ok(None) };
        counts.iter().try_for_each(|counts| counter.add_counts(&counts.values, output.kind, &counts.spans))?;
    }
    Ok(Some(counter))
}
