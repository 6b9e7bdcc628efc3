//! Queries that say what a store is to delete, or how long it is to keep what.
//!
//! ```text
//! search ─▶ plan without limits and order ─▶ stream of (block, row) ─▶ a bit per span
//! ```

use std::fmt;

use datafusion::{
    arrow::{array::AsArray, datatypes::UInt32Type, record_batch::RecordBatch},
    physical_plan::execute_stream,
};
use futures::StreamExt;
use tracestore::{FoundSpans, Snapshot, SpanSelector, block::SpanColumn};

use super::Engine;
use crate::{
    Error, Result,
    ir::{Spansets, Stage},
    plan::{Context, filter_conjuncts},
};

/// What is wanted of every span that is found. A pipeline goes by trace.
const PLACE: [SpanColumn; 4] = [SpanColumn::Block, SpanColumn::Trace, SpanColumn::Row, SpanColumn::TraceStart];

/// A search as a [`SpanSelector`]: finds the spans of its spansets, all of them. For
/// [`Deletion`](tracestore::Deletion) and [`RetentionRule`](tracestore::RetentionRule).
///
/// Memory: that of the search, some batches at a time, and a bit per span. Each selection runs on threads of its own, so
/// that it can be asked for anywhere, in a tokio runtime too, where it blocks the thread that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuerySelector {
    query: String,
}

impl QuerySelector {
    /// Checks a query.
    ///
    /// # Errors
    /// [`Error::Query`] when it is wrong, or a metrics query; [`Error::Limit`] when it is too deep.
    pub fn new(query: &str) -> Result<Self> {
        Engine::new(Snapshot::new(Vec::new())).compile(query)?;
        Ok(Self { query: query.trim().to_owned() })
    }

    fn run(&self, view: &Snapshot, found: &mut FoundSpans) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().build();
        let runtime = runtime.map_err(|error| Error::Execution(format!("threads cannot be started: {error}")))?;
        runtime.block_on(Engine::new(view.clone()).find_spans(&self.query, found))
    }
}

impl fmt::Display for QuerySelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.query)
    }
}

impl SpanSelector for QuerySelector {
    fn select(&self, view: &Snapshot, found: &mut FoundSpans) -> tracestore::Result<()> {
        let outcome = std::thread::scope(|scope| scope.spawn(|| self.run(view, found)).join());
        match outcome {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Error::Store(error))) => Err(error),
            Ok(Err(error)) => Err(tracestore::Error::Selector { selector: self.to_string(), source: error.into() }),
            Err(_) => Err(tracestore::Error::Internal(format!("the search `{self}` panicked"))),
        }
    }
}

impl Engine {
    /// Adds all spans that a search finds.
    async fn find_spans(&self, query: &str, found: &mut FoundSpans) -> Result<()> {
        let search = self.compile(query)?;
        let view = self.view().await?;
        let context = Context::new(&view, self.session.context());
        // `select` names fields and does nothing to spansets.
        let mut stages = search.pipeline.stages.iter().filter(|stage| !matches!(stage, Stage::Select(_)));
        let plan = match (stages.next(), stages.next()) {
            (Some(Stage::Spansets(Spansets::Filter(condition))), None) => {
                let conditions = filter_conjuncts(&context, condition).map_err(Error::from)?;
                self.filtered(&view, &context, conditions, PLACE.to_vec(), |table| table)?
            }
            _ => self.everything(&view, &context, search.piped(PLACE.to_vec()), |table| table)?.0,
        };
        let physical = self.session.physical_plan(&plan).await?;
        let mut batches = execute_stream(physical, self.session.task())?;
        while let Some(batch) = batches.next().await {
            add(&batch?, found)?;
        }
        Ok(())
    }
}

fn add(batch: &RecordBatch, found: &mut FoundSpans) -> Result<()> {
    let numbers = |name: &str| {
        let column = batch.column_by_name(name).and_then(|array| array.as_primitive_opt::<UInt32Type>());
        column.ok_or_else(|| Error::Execution(format!("the search gave no column `{name}`")))
    };
    let (blocks, rows) = (numbers("block")?, numbers("row")?);
    blocks.values().iter().zip(rows.values()).for_each(|(block, row)| found.add(*block, *row));
    Ok(())
}
