//! What a store's generator has counted, seen from outside: no writer, no configuration.

use super::live::{NAME, Parts, damaged};
use crate::{Error, Result, StoreReader, servicegraph::ServiceGraph, spanmetrics::SpanMetrics};

/// What a [`MetricsGenerator`](super::MetricsGenerator) had counted when its store last wrote a block.
#[derive(Debug)]
#[non_exhaustive]
pub struct SavedMetrics {
    /// Span metrics, where they are made.
    pub span_metrics: Option<SpanMetrics>,
    /// The service graph, where one is made.
    pub service_graph: Option<ServiceGraph>,
}

impl SavedMetrics {
    /// What is kept in a store; `None` where its spans are not counted as they come in.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Corrupt`], [`Error::UnsupportedVersion`].
    pub fn of_store(store: &StoreReader) -> Result<Option<Self>> {
        let Some(saved) = store.saved_state(NAME)? else { return Ok(None) };
        let corrupt = |reason: String| Error::corrupt(store.state_path(NAME), 0, reason);
        let parts = Parts::of(&saved.state).map_err(corrupt)?;
        let metrics = parts.metrics.map(|part| SpanMetrics::saved(part).ok_or_else(damaged));
        let graph = parts.graph.map(|part| ServiceGraph::saved(part).ok_or_else(damaged));
        let span_metrics = metrics.transpose().map_err(corrupt)?;
        Ok(Some(Self { span_metrics, service_graph: graph.transpose().map_err(corrupt)? }))
    }
}
