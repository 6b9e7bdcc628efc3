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

pub use error::{Error, Result};
pub use generator::{GeneratorCounts, MetricsGenerator, SavedMetrics};
pub use store::{
    CutPolicy, CutReason, IngestObserver, IngestProgress, IngestReport, LiveStatus, Recovery, SavedState, Snapshot,
    Store, StoreOptions, StoreReader, TraceCandidate, TraceStore,
};
pub use wal::{Damage, SyncMode};
