//! Where the batches of answers come from.

use std::sync::Arc;

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use traceql::SearchBatches;

use crate::{arrow::Source, error::Fault, interrupt::Watch, store::Store};

/// The spans of a search, looked for as they are asked for.
pub(crate) struct FoundSpans {
    schema: SchemaRef,
    /// `None` behind the last batch, and behind an error.
    batches: Option<SearchBatches>,
    watch: Watch,
    // The last to go: the batches are made by its threads.
    store: Arc<Store>,
}

impl FoundSpans {
    pub(crate) fn new(store: Arc<Store>, batches: SearchBatches, watch: Watch) -> Self {
        Self { schema: batches.schema(), batches: Some(batches), watch, store }
    }
}

impl Source for FoundSpans {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, Fault> {
        // Gone unless a batch comes out.
        let Some(mut batches) = self.batches.take() else { return Ok(None) };
        let next = self.watch.wait(&self.store.runtime, async { batches.next().await.transpose() })?;
        self.batches = next.is_some().then_some(batches);
        Ok(next)
    }
}

/// An answer that is there as a whole.
pub(crate) struct OneBatch {
    schema: SchemaRef,
    batch: Option<RecordBatch>,
}

impl OneBatch {
    pub(crate) fn new(batch: RecordBatch) -> Self {
        Self { schema: batch.schema(), batch: Some(batch) }
    }
}

impl Source for OneBatch {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, Fault> {
        Ok(self.batch.take())
    }
}
