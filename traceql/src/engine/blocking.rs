//! The engine for callers that are not asynchronous.

use std::ops::ControlFlow;

use tracestore::{
    Snapshot, TraceCandidate,
    model::{Trace, TraceId},
};

use super::{
    Engine, MetricsOptions, MetricsResponse, Progress, SearchEvent, SearchOptions, SearchResponse, TagNames,
    TagOptions, TagValues,
};
use crate::{Error, Result};

/// An [`Engine`] with a runtime of its own. Not for use within a tokio runtime: its calls block.
#[derive(Debug)]
pub struct BlockingEngine {
    engine: Engine,
    runtime: tokio::runtime::Runtime,
}

impl BlockingEngine {
    /// An engine over these blocks, with as many threads as there are cores.
    ///
    /// # Errors
    /// [`Error::Execution`] when threads cannot be started.
    pub fn new(snapshot: Snapshot) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().build();
        let runtime = runtime.map_err(|error| Error::Execution(format!("threads cannot be started: {error}")))?;
        Ok(Self { engine: Engine::new(snapshot), runtime })
    }

    /// See [`Engine::search`].
    ///
    /// # Errors
    /// The same.
    pub fn search(&self, query: &str, options: &SearchOptions) -> Result<SearchResponse> {
        self.runtime.block_on(self.engine.search(query, options))
    }

    /// See [`Engine::search_watched`].
    ///
    /// # Errors
    /// The same.
    pub fn search_watched(
        &self,
        query: &str,
        options: &SearchOptions,
        watch: impl FnMut(&Progress) -> ControlFlow<()> + Send,
    ) -> Result<SearchResponse> {
        self.runtime.block_on(self.engine.search_watched(query, options, watch))
    }

    /// See [`Engine::query_range`].
    ///
    /// # Errors
    /// The same.
    pub fn query_range(&self, query: &str, options: &MetricsOptions) -> Result<MetricsResponse> {
        self.runtime.block_on(self.engine.query_range(query, options))
    }

    /// See [`Engine::query_instant`].
    ///
    /// # Errors
    /// The same.
    pub fn query_instant(&self, query: &str, options: &MetricsOptions) -> Result<MetricsResponse> {
        self.runtime.block_on(self.engine.query_instant(query, options))
    }

    /// See [`crate::rules::Evaluator::evaluate`].
    #[cfg(feature = "rules")]
    pub fn evaluate_rules(&self, evaluator: &mut crate::rules::Evaluator, at: u64) -> crate::rules::Evaluation {
        self.runtime.block_on(evaluator.evaluate(&self.engine, at))
    }

    /// See [`Engine::search_stream`]; the search runs while an event is waited for.
    ///
    /// # Errors
    /// As items: the same.
    pub fn search_events(
        &self,
        query: &str,
        options: &SearchOptions,
    ) -> impl Iterator<Item = Result<SearchEvent>> + use<'_> {
        let mut stream = self.engine.search_stream(query, options);
        std::iter::from_fn(move || self.runtime.block_on(stream.next()))
    }

    /// See [`Engine::explain`].
    ///
    /// # Errors
    /// The same.
    pub fn explain(&self, query: &str, options: &SearchOptions, analyze: bool) -> Result<String> {
        self.runtime.block_on(self.engine.explain(query, options, analyze))
    }

    /// See [`Engine::trace`].
    ///
    /// # Errors
    /// The same.
    pub fn trace(&self, id: &TraceId) -> Result<Option<Trace>> {
        self.runtime.block_on(self.engine.trace(id))
    }

    /// See [`Engine::traces_by_prefix`].
    ///
    /// # Errors
    /// The same.
    pub fn traces_by_prefix(&self, digits: &str, limit: usize) -> Result<Vec<TraceCandidate>> {
        self.runtime.block_on(self.engine.traces_by_prefix(digits, limit))
    }

    /// See [`Engine::tag_names`].
    ///
    /// # Errors
    /// The same.
    pub fn tag_names(&self, options: &TagOptions) -> Result<TagNames> {
        self.runtime.block_on(self.engine.tag_names(options))
    }

    /// See [`Engine::tag_values`].
    ///
    /// # Errors
    /// The same.
    pub fn tag_values(&self, field: &str, options: &TagOptions) -> Result<TagValues> {
        self.runtime.block_on(self.engine.tag_values(field, options))
    }

    /// The engine itself, for the methods that are not asynchronous.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
}
