//! Span metrics and service graphs (tracestore/SPANMETRICS.md) as people configure them: files with Tempo's keys, and
//! filter policies in TraceQL.
//!
//! ```text
//! YAML ─▶ config ─▶ SpanMetricsConfig, ServiceGraphConfig (tracestore)
//! TraceQL ─▶ predicate ─▶ SpanPredicate ────────┘
//! ```

mod config;
mod keys;
mod predicate;

pub use config::{ConfigReport, GeneratorConfig, Processor};
pub use predicate::SpanFilter;
