//! The façade: queries over a snapshot of blocks.

mod blocking;
mod collect;
mod options;
mod response;
mod search;
mod session;
mod tags;
mod watch;

pub use blocking::BlockingEngine;
pub use options::{Cursor, SearchKey, SearchOptions, SearchOrder};
pub use response::{
    FieldValue, SearchResponse, SearchStats, ServiceStats, SpanMatch, SpansetAttribute, SpansetMatch, TraceMatch, Value,
};
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
        Self { snapshot, session: session::Session::new() }
    }

    /// The blocks that are asked.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}
