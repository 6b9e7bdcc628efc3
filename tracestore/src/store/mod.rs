//! Stores: folders of blocks, and views over them.

mod attributes;
#[cfg(feature = "datafusion")]
mod fetch;
mod ingest;
mod join;
mod lookup;
mod open;
#[cfg(test)]
mod samples;
mod snapshot;
mod split;
mod whole;

pub use ingest::{IngestProgress, IngestReport};
pub use lookup::TraceCandidate;
pub use open::Store;
pub use snapshot::Snapshot;
