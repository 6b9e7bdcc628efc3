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

mod error;
pub mod io;
pub mod model;

pub use error::{Error, Result};
