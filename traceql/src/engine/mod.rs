//! The façade: queries over a snapshot of blocks.

mod background;
mod batches;
mod blocking;
mod collect;
mod labels;
mod lookup;
mod memory;
mod metrics;
mod options;
mod response;
mod search;
mod select;
mod session;
#[cfg(feature = "sql")]
mod sql;
mod stream;
mod tags;
mod watch;

pub use batches::SearchBatches;
pub use blocking::BlockingEngine;
pub use metrics::{MetricsOptions, MetricsResponse};
pub use options::{Cursor, SearchKey, SearchOptions, SearchOrder};
pub use response::{
    FieldValue, SearchResponse, SearchStats, ServiceStats, SpanMatch, SpansetAttribute, SpansetMatch, TraceMatch, Value,
};
pub use select::QuerySelector;
#[cfg(feature = "sql")]
pub use sql::SqlAnswer;
pub use stream::{SearchEvent, SearchStream};
pub use tags::{ScopeNames, TagNames, TagOptions, TagScope, TagValue, TagValues};
use tracestore::Snapshot;
pub use watch::Progress;

/// Answers queries over one snapshot. Cheap to make; clones share the snapshot's caches.
///
/// Methods are futures and want a tokio runtime; a multi-threaded one lets a query use all cores.
#[derive(Clone)]
pub struct Engine {
    snapshot: Snapshot,
    session: session::Session,
    options: EngineOptions,
}

/// How an engine works. Answers do not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineOptions {
    /// How many parts of a scan may run side by side. Default: one for each core.
    pub partitions: Option<std::num::NonZero<usize>>,
    /// Whether statistics, keys and dictionaries leave unread what cannot match. Default: yes.
    pub pruning: bool,
    /// Whether the scan applies the condition of a query of one filter. Default: yes.
    pub pushdown: bool,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { partitions: None, pruning: true, pushdown: true }
    }
}

impl EngineOptions {
    /// How many parts of a scan may run side by side.
    #[must_use]
    pub fn with_partitions(self, partitions: std::num::NonZero<usize>) -> Self {
        Self { partitions: Some(partitions), ..self }
    }

    /// Whether what cannot match is left unread, and whether the scan applies conditions: for finding faults.
    #[must_use]
    pub fn with_shortcuts(self, pruning: bool, pushdown: bool) -> Self {
        Self { pruning, pushdown, ..self }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("snapshot", &self.snapshot).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine over these blocks.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> Self {
        Self::with_options(snapshot, EngineOptions::default())
    }

    /// An engine that works in another way than usual.
    #[must_use]
    pub fn with_options(snapshot: Snapshot, options: EngineOptions) -> Self {
        Self { snapshot, session: session::Session::new(options.partitions), options }
    }

    /// The blocks that are asked.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}
