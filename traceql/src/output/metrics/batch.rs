//! Series as an Arrow record batch in long form: a row for each value.

use std::{collections::BTreeSet, sync::Arc};

use datafusion::arrow::{
    array::{
        Array, ArrayRef, BooleanArray, DurationNanosecondArray, Float64Array, Int64Array, RecordBatch, StringArray,
        TimestampNanosecondArray, UInt64Array,
    },
    compute::{cast, take},
    datatypes::{DataType, Field, Schema},
    error::ArrowError,
};

use crate::{
    Error, MetricsResponse, Result, TagValue, Value,
    series::{Label, Series},
};

/// One batch: `time` (the interval's end; timestamp in ns, UTC), a column for each label that occurs, by name (of the type
/// that all its values have, else text; null where a series lacks the label), `value` (float64). Rows series by series in
/// the answer's order, by time; none where there is no value.
///
/// # Errors
/// [`Error::Execution`] when Arrow refuses the columns, as where there are more rows than it can count.
pub fn metrics_batch(response: &MetricsResponse) -> Result<RecordBatch> {
    batch(response).map_err(|error| Error::Execution(error.to_string()))
}

fn batch(response: &MetricsResponse) -> Result<RecordBatch, ArrowError> {
    let ends: Vec<i64> = response.intervals.ends().map(|end| i64::try_from(end).unwrap_or(i64::MAX)).collect();
    let (mut times, mut series_of_rows, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (index, series) in (0_u64..).zip(&response.series) {
        for (time, value) in ends.iter().zip(&series.values).filter(|(_, value)| !value.is_nan()) {
            times.push(*time);
            series_of_rows.push(index);
            values.push(*value);
        }
    }
    let series_of_rows = UInt64Array::from(series_of_rows);
    let times: ArrayRef = Arc::new(TimestampNanosecondArray::from(times).with_timezone("UTC"));
    let mut fields = vec![Field::new("time", times.data_type().clone(), false)];
    let mut columns = vec![times];
    for name in label_names(&response.series) {
        let column = take(&labels(&response.series, name)?, &series_of_rows, None)?;
        fields.push(Field::new(name, column.data_type().clone(), true));
        columns.push(column);
    }
    fields.push(Field::new("value", DataType::Float64, false));
    columns.push(Arc::new(Float64Array::from(values)));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

/// The names that occur, sorted.
fn label_names(series: &[Series]) -> BTreeSet<&str> {
    series.iter().flat_map(|series| &series.labels).map(|label| label.name.as_str()).collect()
}

/// A label's values, one for each series.
fn labels(series: &[Series], name: &str) -> Result<ArrayRef, ArrowError> {
    let labels = series.iter().map(|series| series.labels.iter().find(|label| label.name == name));
    let labels: Vec<Option<&Label>> = labels.map(|label| label.filter(|label| label.value != Value::Nil)).collect();
    if let Some(values) = all(&labels, |value| if let Value::String(text) = value { Some(text) } else { None }) {
        texts(values.into_iter().collect())
    } else if let Some(values) = all(&labels, |value| if let Value::Bool(value) = value { Some(*value) } else { None })
    {
        Ok(Arc::new(BooleanArray::from(values)))
    } else if let Some(values) = all(&labels, |value| if let Value::Int(value) = value { Some(*value) } else { None }) {
        Ok(Arc::new(Int64Array::from(values)))
    } else if let Some(values) = all(&labels, |value| if let Value::Float(value) = value { Some(*value) } else { None })
    {
        Ok(Arc::new(Float64Array::from(values)))
    } else if let Some(values) =
        all(&labels, |value| if let Value::Duration(value) = value { Some(*value) } else { None })
    {
        Ok(Arc::new(DurationNanosecondArray::from(values)))
    } else {
        texts(labels.into_iter().map(|label| label.map(text)).collect())
    }
}

/// The values of labels that are all of one type, or have none.
fn all<'a, T>(labels: &[Option<&'a Label>], of_type: impl Fn(&'a Value) -> Option<T>) -> Option<Vec<Option<T>>> {
    labels.iter().map(|label| label.map_or(Some(None), |label| of_type(&label.value).map(Some))).collect()
}

/// As text; 2 and 2.0 stay apart.
fn text(label: &Label) -> String {
    match &label.value {
        Value::Float(_) => TagValue { value: label.value.clone(), count: 0 }.to_string(),
        _ => label.value_text(),
    }
}

/// Texts, each once: a dictionary, since they are repeated in every row of a series.
fn texts(texts: StringArray) -> Result<ArrayRef, ArrowError> {
    cast(&texts, &DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)))
}
