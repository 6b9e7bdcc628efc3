//! What a statement gives: batches of rows, as they come.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use datafusion::{
    arrow::{array::RecordBatch, datatypes::SchemaRef},
    execution::SendableRecordBatchStream,
    physical_plan::EmptyRecordBatchStream,
};
use futures::{Stream, StreamExt, TryStreamExt};

use super::error::{Explainer, panicked};
use crate::Result;

/// The rows that a statement gives: a stream of Arrow batches. Work goes on as it is asked for; dropping it ends it.
///
/// A column whose texts are JSON is marked as Arrow's canonical extension type `arrow.json`.
pub struct SqlAnswer {
    batches: SendableRecordBatchStream,
    explainer: Explainer,
}

impl fmt::Debug for SqlAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlAnswer").field("schema", &self.schema()).finish_non_exhaustive()
    }
}

impl SqlAnswer {
    pub(super) fn new(batches: SendableRecordBatchStream, explainer: Explainer) -> Self {
        Self { batches, explainer }
    }

    /// The columns.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.batches.schema()
    }

    /// The next rows, `None` when there are no more.
    ///
    /// # Errors
    /// As [`crate::Engine::sql`].
    pub async fn next(&mut self) -> Option<Result<RecordBatch>> {
        StreamExt::next(self).await
    }

    /// All rows that are left.
    ///
    /// # Errors
    /// As [`crate::Engine::sql`].
    pub async fn collect(self) -> Result<Vec<RecordBatch>> {
        self.try_collect().await
    }

    /// The stream as DataFusion has it, for its own operators and for Arrow Flight; its errors are DataFusion's.
    #[must_use]
    pub fn into_stream(self) -> SendableRecordBatchStream {
        self.batches
    }
}

impl Stream for SqlAnswer {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = catch_unwind(AssertUnwindSafe(|| self.batches.poll_next_unpin(context)));
        let polled = polled
            .map(|polled| polled.map(|next| next.map(|batch| batch.map_err(|error| self.explainer.explain(error)))));
        polled.unwrap_or_else(|panic| {
            // What panicked is not to be asked again.
            self.batches = Box::pin(EmptyRecordBatchStream::new(self.schema()));
            Poll::Ready(Some(Err(panicked(panic.as_ref()))))
        })
    }
}
