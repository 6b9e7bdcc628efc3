//! An embeddable store for OpenTelemetry traces.
//!
//! ```text
//! OTLP bytes ──▶ otlp (views) ──▶ block (columnar, immutable) ──▶ table (DataFusion) ──▶ queries
//!                                    ▲        │
//!                                 io::Vfs   model::Trace ──▶ OTLP
//! ```
//!
//! This crate knows spans, blocks and time. It knows nothing of TraceQL: filters reach it as DataFusion expressions.
#![warn(missing_docs)]

pub mod block;
mod catalog;
mod compact;
mod error;
mod generator;
pub mod io;
pub mod model;
pub mod otlp;
pub mod servicegraph;
pub mod spanmetrics;
mod store;
#[cfg(feature = "datafusion")]
pub mod table;
mod wal;

pub use compact::{BlockSummary, CompactionJob, CompactionReport, CompactionStrategy, LeftAlone, TimeWindows};
pub use error::{Error, Result};
pub use generator::{GeneratorCounts, MetricsGenerator, SavedMetrics};
pub use store::{
    AuditInfo, CopyMode, CopyReport, CutPolicy, CutReason, Deletion, DeletionReport, FoundSpans, IngestObserver,
    IngestProgress, IngestReport, LiveStatus, Recovery, RetentionPolicy, RetentionReport, RetentionRule, SavedState,
    SegmentInfo, Snapshot, SpanSelector, Store, StoreContents, StoreOptions, StoreReader, TraceCandidate, TraceStore,
    Traces, VerifyReport, VersionInfo, copy_store, inspect_store, verify, verify_on,
};
pub use wal::{Damage, SyncMode};
