//! Stores: what takes spans, what makes blocks of them, and views over them.

mod attributes;
mod background;
mod committed;
mod copy;
mod cut;
mod export;
#[cfg(feature = "datafusion")]
mod fetch;
mod ingest;
mod inspect;
mod join;
mod layout;
mod live;
mod lookup;
mod open;
mod options;
mod reader;
mod recover;
#[cfg(test)]
mod samples;
mod snapshot;
mod split;
mod trace_store;
mod verify;
mod whole;
mod writer;

pub use copy::{CopyMode, CopyReport, copy_store};
pub use cut::{CutPolicy, CutReason, LiveStatus};
pub use export::Traces;
pub use ingest::{IngestProgress, IngestReport};
pub use inspect::{AuditInfo, SegmentInfo, StoreContents, VersionInfo, inspect_store};
pub use lookup::TraceCandidate;
pub use open::Store;
pub use options::StoreOptions;
pub use reader::StoreReader;
pub use recover::Recovery;
pub use snapshot::Snapshot;
pub use trace_store::TraceStore;
pub use verify::{VerifyReport, verify, verify_on};
