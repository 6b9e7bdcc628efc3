//! A wide row for each span: what the SQL table `spans` has, and a column for each attribute and type. Batches go from the
//! scan to the file as they come.

use arrow::{
    array::{Array, AsArray, BooleanArray, RecordBatch},
    compute::filter_record_batch,
};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::properties::WriterProperties,
};
use traceql::Engine;

use super::{Output, Wanted};
use crate::exit::Failure;

/// A row group is written when it is about as large.
const ROW_GROUP_ROWS: usize = 64 << 10;
/// The columns of `spans` that are not made of attributes.
const COLUMNS: &str = "trace_id, span_id, parent_span_id, name, kind, status, status_message, service, start_time, \
                       duration_nanos, scope_name, scope_version";

pub(super) async fn flat(engine: &Engine, wanted: &Wanted, output: Output) -> Result<(Output, usize), Failure> {
    let statement = format!("SELECT {COLUMNS}{} FROM spans", attributes(engine).await?);
    let mut answer = engine.sql(&statement).await?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    let mut writer = ArrowWriter::try_new(output, answer.schema(), Some(properties)).map_err(failed)?;
    let mut spans = 0;
    while let Some(batch) = answer.next().await {
        let batch = of_wanted(batch?, wanted).map_err(|error| failed(error.into()))?;
        spans += batch.num_rows();
        writer.write(&batch).map_err(failed)?;
    }
    Ok((writer.into_inner().map_err(failed)?, spans))
}

/// A column for each attribute of spans and resources and each of its types, as `, "span.http.method:str"`.
async fn attributes(engine: &Engine) -> Result<String, Failure> {
    let keys =
        "SELECT scope, key, type FROM attribute_keys WHERE scope IN ('span', 'resource') ORDER BY scope, key, type";
    let mut answer = engine.sql(keys).await?;
    let mut columns = String::new();
    while let Some(batch) = answer.next().await {
        let batch = batch?;
        let texts =
            batch.columns().iter().map(|column| arrow::compute::cast(column, &arrow::datatypes::DataType::Utf8));
        let texts = texts.collect::<Result<Vec<_>, _>>().map_err(|error| failed(error.into()))?;
        let [scopes, keys, types] = texts.as_slice() else { continue };
        let (scopes, keys, types) = (scopes.as_string::<i32>(), keys.as_string::<i32>(), types.as_string::<i32>());
        for row in 0..scopes.len() {
            let name = format!("{}.{}:{}", scopes.value(row), keys.value(row), types.value(row));
            columns.push_str(&format!(", \"{}\"", name.replace('"', "\"\"")));
        }
    }
    Ok(columns)
}

/// The rows of wanted traces.
fn of_wanted(batch: RecordBatch, wanted: &Wanted) -> Result<RecordBatch, arrow::error::ArrowError> {
    let (Some(wanted), Some(ids)) = (wanted, batch.columns().first()) else { return Ok(batch) };
    let ids = arrow::compute::cast(ids, &arrow::datatypes::DataType::Utf8View)?;
    let is_wanted = |id: &str| id.parse().is_ok_and(|id| wanted.contains(&id));
    let mask: BooleanArray = ids.as_string_view().iter().map(|id| Some(id.is_some_and(is_wanted))).collect();
    filter_record_batch(&batch, &mask)
}

fn failed(error: ParquetError) -> Failure {
    match error {
        ParquetError::External(error) => match error.downcast::<std::io::Error>() {
            Ok(error) => Failure::Output(*error),
            Err(error) => Failure::Output(std::io::Error::other(error)),
        },
        error => Failure::Output(std::io::Error::other(error)),
    }
}
