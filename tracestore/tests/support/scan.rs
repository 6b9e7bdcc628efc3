//! A block of some requests in memory, and scans of its spans.

use std::{
    path::Path,
    sync::{Arc, LazyLock},
};

use datafusion::{
    arrow::{
        array::{AsArray, RecordBatch, UInt32Array},
        compute::{concat_batches, take},
        datatypes::UInt32Type,
    },
    catalog::TableProvider,
    logical_expr::Expr,
    physical_plan::collect,
    prelude::SessionContext,
};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tracestore::{
    Snapshot,
    block::{Block, BlockBuilder, SpanColumn},
    io::{MemoryVfs, Vfs},
    model::BlockId,
    table::SpanTable,
};

pub(crate) fn block_of(requests: &[ExportTraceServiceRequest]) -> Snapshot {
    let mut builder = BlockBuilder::new();
    for request in requests {
        builder.push(&request.encode_to_vec().into()).unwrap();
    }
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
    builder.finish(vfs.as_ref(), Path::new("block"), BlockId::generate()).unwrap();
    Snapshot::new(vec![Block::open(vfs, Path::new("block")).unwrap()])
}

static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().build().unwrap());
static SESSION: LazyLock<SessionContext> = LazyLock::new(SessionContext::new);

/// The rows that meet the filters, in the order of the block; the columns have the row.
pub(crate) fn scan(snapshot: &Snapshot, columns: &[SpanColumn], filters: &[Expr]) -> RecordBatch {
    let table = SpanTable::new(snapshot.clone(), columns.to_vec());
    let batches = RUNTIME.block_on(async {
        let plan = table.scan(&SESSION.state(), None, filters, None).await.unwrap();
        collect(plan, SESSION.task_ctx()).await.unwrap()
    });
    let batch = concat_batches(&table.schema(), &batches).unwrap();
    let rows = batch.column_by_name(&SpanColumn::Row.name()).unwrap().as_primitive::<UInt32Type>().clone();
    let mut order: Vec<u32> = (0..batch.num_rows() as u32).collect();
    order.sort_by_key(|index| rows.value(*index as usize));
    let columns = batch.columns().iter().map(|array| take(array, &UInt32Array::from(order.clone()), None).unwrap());
    RecordBatch::try_new(batch.schema(), columns.collect()).unwrap()
}
