//! The spans that a search finds as Arrow record batches: for bindings, and for whoever works on columns.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use datafusion::{
    arrow::{
        array::RecordBatch,
        datatypes::{DataType, Field, Schema, SchemaRef},
    },
    execution::SendableRecordBatchStream,
    physical_plan::execute_stream,
};
use futures::{Stream, StreamExt};
use tracestore::{block::SpanColumn, table::Watermark};

use super::{Engine, SearchOptions, labels::shape};
use crate::{
    Error, Result,
    nodes::found_spans::{FoundColumn, FoundSpansExec},
    plan::output_columns,
};

/// What every span has, whatever the query.
const SHOWN: [SpanColumn; 6] = [
    SpanColumn::TraceIdText,
    SpanColumn::SpanIdText,
    SpanColumn::Name,
    SpanColumn::Service,
    SpanColumn::StartTime,
    SpanColumn::Duration,
];

/// The spans that a search finds: a stream of Arrow batches, a row for each span of each spanset. Work goes on as it is
/// asked for; dropping it ends it.
pub struct SearchBatches {
    batches: SendableRecordBatchStream,
}

impl fmt::Debug for SearchBatches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchBatches").field("schema", &self.schema()).finish_non_exhaustive()
    }
}

impl SearchBatches {
    /// The columns: `spanset` (its number in its trace, from 1), what stages computed of the spanset under the names that
    /// results have, `trace:id`, `span:id`, `name`, `service`, `start_time` (ns since 1970), `duration` (ns), and one for
    /// each field that the query names and each type that it has in the data (`span.http.status_code:int`).
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.batches.schema()
    }

    /// The next rows, `None` when there are no more.
    ///
    /// # Errors
    /// As [`Engine::search`].
    pub async fn next(&mut self) -> Option<Result<RecordBatch>> {
        StreamExt::next(self).await
    }
}

impl Stream for SearchBatches {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.batches.poll_next_unpin(context).map(|batch| batch.map(|batch| batch.map_err(Error::from)))
    }
}

impl Engine {
    /// The spans that a search finds as Arrow record batches: of the traces that [`Engine::search`] would give, in their
    /// order, all matching spans. Of the options, `timeout`, `max_bytes` and `spss` have no effect: whoever reads the
    /// stream ends it.
    ///
    /// # Errors
    /// As [`Engine::search`]; what goes wrong later is an item of the stream.
    pub async fn search_batches(&self, query: &str, options: &SearchOptions) -> Result<SearchBatches> {
        let search = self.compile(query)?;
        let view = self.view().await?;
        let (plan, labels) = self.plan_pipeline(&view, &search, options, &Watermark::new(options.limit))?;
        let mut columns = vec![("spanset".to_owned(), FoundColumn::Spanset)];
        for (number, label) in labels.iter().enumerate() {
            // As results number the second of two values with one name (SEMANTICS.md P1).
            let before = labels.iter().take(number).filter(|other| *other == label).count();
            let name = if before == 0 { label.clone() } else { format!("{label} #{}", before + 1) };
            columns.push((name, FoundColumn::Attribute(number, shape(&search.pipeline, label))));
        }
        let fields = output_columns(&view, &search.fields)?.into_iter().map(|found| found.column);
        for column in SHOWN.into_iter().chain(fields) {
            if columns.iter().all(|(name, _)| *name != column.name()) {
                columns.push((column.name(), FoundColumn::Span(column)));
            }
        }
        let fields = columns.iter().map(|(name, column)| match column {
            FoundColumn::Spanset => Field::new(name, DataType::Int64, false),
            FoundColumn::Attribute(_, shape) => Field::new(name, shape.data_type(), true),
            FoundColumn::Span(column) => column.field(),
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let found = self.session.physical_plan(&plan).await?;
        let columns: Vec<FoundColumn> = columns.into_iter().map(|(_, column)| column).collect();
        let plan = Arc::new(FoundSpansExec::new(found, view, columns.into(), schema));
        let task = self.session.limited_task(options.max_memory)?;
        Ok(SearchBatches { batches: execute_stream(plan, task)? })
    }
}
