//! Stores: what takes spans, what makes blocks of them, and views over them.

mod attributes;
mod background;
mod committed;
mod cut;
mod derived;
#[cfg(feature = "datafusion")]
mod fetch;
mod ingest;
mod join;
mod layout;
mod live;
mod lookup;
mod observer;
mod open;
mod options;
mod reader;
mod recover;
#[cfg(test)]
mod samples;
mod snapshot;
mod split;
mod trace_store;
mod whole;
mod writer;

pub use cut::{CutPolicy, CutReason, LiveStatus};
pub use derived::SavedState;
pub use ingest::{IngestProgress, IngestReport};
pub use lookup::TraceCandidate;
pub use observer::IngestObserver;
pub use open::Store;
pub use options::StoreOptions;
pub use reader::StoreReader;
pub use recover::Recovery;
pub use snapshot::Snapshot;
pub use trace_store::TraceStore;
