//! Stores: what takes spans, what makes blocks of them, and views over them.

mod attributes;
mod background;
mod committed;
mod compact;
mod copy;
mod cut;
mod deletion;
mod derived;
mod export;
#[cfg(feature = "datafusion")]
mod fetch;
mod gather;
mod ingest;
mod inspect;
mod join;
mod layout;
mod live;
mod log_place;
mod lookup;
mod making;
mod merge;
mod observer;
mod open;
mod options;
mod reader;
mod recover;
mod retention;
#[cfg(test)]
mod samples;
mod shared;
mod snapshot;
mod split;
mod trace_store;
mod upkeep;
mod verify;
mod whole;
mod writer;

pub use copy::{CopyMode, CopyReport, copy_store};
pub use cut::{CutPolicy, CutReason, LiveStatus};
pub use deletion::{Deletion, DeletionReport, FoundSpans, SpanSelector};
pub use derived::SavedState;
pub use export::Traces;
pub use ingest::{IngestProgress, IngestReport};
pub use inspect::{AuditInfo, SegmentInfo, StoreContents, VersionInfo, inspect_store};
pub use lookup::TraceCandidate;
pub use observer::IngestObserver;
pub use open::Store;
pub use options::StoreOptions;
pub use reader::StoreReader;
pub use recover::Recovery;
pub use retention::{RetentionPolicy, RetentionReport, RetentionRule};
pub use snapshot::Snapshot;
pub use trace_store::TraceStore;
pub use verify::{VerifyReport, verify, verify_on};
