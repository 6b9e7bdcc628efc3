//! The table `traces`: a row per trace, from the blocks' trace tables; no span is read.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions},
        compute::cast,
        datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type},
    },
    catalog::{Session, TableProvider},
    common::{Result, project_schema},
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::{Expr, TableType},
    physical_plan::{
        ExecutionPlan,
        empty::EmptyExec,
        stream::RecordBatchStreamAdapter,
        streaming::{PartitionStream, StreamingTableExec},
    },
};
use futures::{StreamExt, stream};
use tracestore::{
    Snapshot,
    block::{Block, TraceColumn},
};

use super::functions::{timestamp_type, timestamps};

/// The columns and where they come from.
const COLUMNS: [(&str, TraceColumn); 7] = [
    ("trace_id", TraceColumn::Id),
    ("start_time", TraceColumn::Start),
    ("duration_nanos", TraceColumn::Duration),
    ("root_service", TraceColumn::RootService),
    ("root_name", TraceColumn::RootName),
    ("spans", TraceColumn::Spans),
    ("errors", TraceColumn::Errors),
];

/// The traces of a view.
#[derive(Debug)]
pub(super) struct Traces {
    view: Snapshot,
    schema: SchemaRef,
}

impl Traces {
    pub(super) fn new(view: Snapshot) -> Self {
        let field = |(name, column): (&str, TraceColumn)| {
            let data_type = match column {
                TraceColumn::Start => timestamp_type(),
                TraceColumn::Spans | TraceColumn::Errors => DataType::Int64,
                other => other.data_type(),
            };
            Field::new(name, data_type, matches!(column, TraceColumn::RootName | TraceColumn::RootService))
        };
        Self { view, schema: Arc::new(Schema::new(COLUMNS.map(field).to_vec())) }
    }
}

#[async_trait]
impl TableProvider for Traces {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = project_schema(&self.schema, projection)?;
        let columns: Vec<TraceColumn> = match projection {
            None => COLUMNS.map(|(_, column)| column).to_vec(),
            Some(indices) => indices.iter().filter_map(|index| Some(COLUMNS.get(*index)?.1)).collect(),
        };
        if self.view.blocks().is_empty() {
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let partition = |block: &Arc<Block>| {
            let block = Arc::clone(block);
            Arc::new(BlockTraces { block, columns: columns.clone(), schema: Arc::clone(&schema) }) as _
        };
        let partitions = self.view.blocks().iter().map(partition).collect();
        Ok(Arc::new(StreamingTableExec::try_new(Arc::clone(&schema), partitions, None, [], false, limit)?))
    }
}

/// The traces of a block.
#[derive(Debug)]
struct BlockTraces {
    block: Arc<Block>,
    columns: Vec<TraceColumn>,
    schema: SchemaRef,
}

impl PartitionStream for BlockTraces {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let size = context.session_config().batch_size().max(1);
        let (block, columns, schema) = (Arc::clone(&self.block), self.columns.clone(), Arc::clone(&self.schema));
        let batches = stream::once(async move { read(&block, &columns, &schema) });
        let batches = batches.flat_map(move |batch| stream::iter(slices(batch, size)));
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}

/// A batch as batches of the size that operators like.
fn slices(batch: Result<RecordBatch>, size: usize) -> Vec<Result<RecordBatch>> {
    match batch {
        Ok(batch) => {
            let slice = |start| Ok(batch.slice(start, size.min(batch.num_rows() - start)));
            (0..batch.num_rows()).step_by(size).map(slice).collect()
        }
        Err(error) => vec![Err(error)],
    }
}

fn read(block: &Block, columns: &[TraceColumn], schema: &SchemaRef) -> Result<RecordBatch> {
    let arrays = columns.iter().map(|column| -> Result<ArrayRef> {
        let array = block.trace_column(*column)?;
        Ok(match column {
            TraceColumn::Start => timestamps(array.as_primitive::<UInt64Type>()),
            TraceColumn::Spans | TraceColumn::Errors => cast(&array, &DataType::Int64)?,
            _ => array,
        })
    });
    let arrays = arrays.collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(block.traces() as usize));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?)
}
