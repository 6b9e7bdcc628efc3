//! SQL over the same data, through DataFusion: tables, and searches as a function that gives one. For people, SQL.md.
//!
//! ```text
//! text ─▶ statement ─▶ names: what it says of attributes        catalog: spans, traces, events, links, attribute_keys
//!            │            └──────────────────────────────────▶  search: traceql('…')
//!            └─▶ DataFusion: plan, optimize ─▶ filters: its conditions as the scan takes them ─▶ table::SpanScanExec
//! ```
//!
//! Tables of spans are views: projections over a [`tracestore::table::SpanTable`] of the columns that the statement can
//! ask for, so DataFusion's own rules bring conditions and projections down to the scan. There is no end of attributes,
//! so a view has those that the statement names ([`names::Names`]); their types are those of the data.

mod answer;
mod attributes;
mod bounds;
mod catalog;
mod columns;
mod error;
mod filters;
mod functions;
mod keys;
mod names;
mod parts;
mod planner;
mod search;
mod select;
mod session;
mod spans;
mod statement;
mod traces;

use std::{panic::AssertUnwindSafe, sync::Arc};

pub use answer::SqlAnswer;
use datafusion::{dataframe::DataFrame, execution::context::SQLOptions};
use futures::FutureExt;

use tracestore::Snapshot;

use self::{error::Explainer, names::Names};
use super::Engine;
use crate::Result;

/// What one statement asks, and of what.
#[derive(Debug, Clone)]
struct Asked {
    engine: Engine,
    /// With whole traces.
    view: Snapshot,
    names: Arc<Names>,
}

impl Engine {
    /// Runs one SQL statement that reads (`SELECT`, `EXPLAIN`, `DESCRIBE`, `SHOW`) on the tables `spans`, `traces`,
    /// `events`, `links` and `attribute_keys` and on `traceql('…')`; SQL.md says what they have.
    ///
    /// ```
    /// # async fn example(snapshot: tracestore::Snapshot) -> traceql::Result<()> {
    /// let engine = traceql::Engine::new(snapshot);
    /// let sql = "SELECT service, count(*) FROM spans WHERE \"http.method\" = 'GET' GROUP BY service";
    /// for batch in engine.sql(sql).await?.collect().await? {
    ///     println!("{} services", batch.num_rows());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when the statement is wrong or no query, [`crate::Error::Query`] when a search in it is,
    /// [`crate::Error::Limit`] when it asks for more than can be planned, [`crate::Error::Store`] when data cannot be read.
    pub async fn sql(&self, statement: &str) -> Result<SqlAnswer> {
        // Few of DataFusion's functions and rules were made to be safe from any text.
        let answer = AssertUnwindSafe(self.answer(statement)).catch_unwind().await;
        answer.unwrap_or_else(|panic| Err(error::panicked(panic.as_ref())))
    }

    async fn answer(&self, statement: &str) -> Result<SqlAnswer> {
        let (statement, tokens) = statement::parse(statement)?;
        let names = Arc::new(Names::of(&tokens));
        let asked = Asked { engine: self.clone(), view: self.view().await?, names };
        let explainer = Explainer::new(asked.view.clone(), Arc::clone(&asked.names));
        let state = session::session(&asked).map_err(|error| explainer.explain(error))?;
        let plan = state.statement_to_plan(statement).await.map_err(|error| explainer.explain(error))?;
        bounds::check_plan(&plan)?;
        let read_only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        read_only.verify_plan(&plan).map_err(|error| explainer.explain(error))?;
        let stream = DataFrame::new(state, plan).execute_stream().await;
        Ok(SqlAnswer::new(stream.map_err(|error| explainer.explain(error))?, explainer))
    }
}
