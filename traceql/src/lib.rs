//! TraceQL, the query language for traces: parser, checker, planner and engine.
//!
//! ```text
//! text ──▶ syntax::ast ──▶ ir ──▶ plan (DataFusion) ──▶ engine ──▶ traces
//! ```
#![warn(missing_docs)]
#![forbid(unsafe_code)]

#[cfg(feature = "engine")]
pub mod analysis;
mod compiler;
#[cfg(feature = "engine")]
mod engine;
#[cfg(feature = "engine")]
mod error;
#[cfg(feature = "engine")]
mod functions;
pub mod ir;
#[cfg(feature = "engine")]
mod nodes;
#[cfg(feature = "engine")]
pub mod output;
#[cfg(feature = "engine")]
mod plan;
#[cfg(feature = "rules")]
pub mod retention;
#[cfg(feature = "rules")]
pub mod rules;
#[cfg(feature = "engine")]
pub mod series;
#[cfg(feature = "rules")]
pub mod spanmetrics;
pub mod syntax;
#[cfg(feature = "rules")]
mod yaml;

#[cfg(feature = "sql")]
pub use engine::SqlAnswer;
#[cfg(feature = "engine")]
pub use engine::{
    BlockingEngine, Cursor, Engine, EngineOptions, FieldValue, MetricsOptions, MetricsResponse, Progress,
    QuerySelector, ScopeNames, SearchBatches, SearchEvent, SearchKey, SearchOptions, SearchOrder, SearchResponse,
    SearchStats, SearchStream, ServiceStats, SpanMatch, SpansetAttribute, SpansetMatch, TagNames, TagOptions, TagScope,
    TagValue, TagValues, TraceMatch, Value,
};
#[cfg(feature = "engine")]
pub use error::{Error, Result};

pub use compiler::{Compiler, Report, Verdict};
use syntax::{Diagnostics, ast::Query};

/// The syntax tree of a query, extensions included. See [`Compiler`] for strictness and limits.
///
/// # Errors
/// What is wrong with the query, and where.
pub fn parse(text: &str) -> Result<Query, Diagnostics> {
    Compiler::new().parse(text)
}

/// What a query asks, in the form that the planner takes.
///
/// # Errors
/// What is wrong with the query, and where.
pub fn compile(text: &str) -> Result<ir::Query, Diagnostics> {
    Compiler::new().compile(text)
}
