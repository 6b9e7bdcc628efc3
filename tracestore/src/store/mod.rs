//! Stores: folders of blocks, and views over them.

#[cfg(feature = "datafusion")]
mod fetch;
mod ingest;
mod open;
mod snapshot;

pub use ingest::{IngestProgress, IngestReport};
pub use open::Store;
pub use snapshot::Snapshot;
