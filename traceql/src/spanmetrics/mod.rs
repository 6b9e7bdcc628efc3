//! Span metrics and service graphs (tracestore/SPANMETRICS.md) as people configure them: files with Tempo's keys, and
//! filter policies in TraceQL.
//!
//! ```text
//! YAML ─▶ yaml ─▶ config (keys, values) ─▶ GeneratorConfig: SpanMetricsConfig, ServiceGraphConfig
//! TraceQL ─▶ predicate ─▶ policies ────────────────┘
//! ```

mod config;
mod keys;
mod policies;
mod predicate;
mod values;

pub use config::{ConfigReport, GeneratorConfig, Processor};
pub use predicate::SpanFilter;
