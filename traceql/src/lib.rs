//! TraceQL, the query language for traces: parser, checker, planner and engine.
//!
//! ```text
//! text ──▶ syntax::ast ──▶ ir ──▶ plan (DataFusion) ──▶ engine ──▶ traces
//! ```
#![warn(missing_docs)]
#![forbid(unsafe_code)]

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
pub mod syntax;

#[cfg(feature = "engine")]
pub use engine::{
    Engine, FieldValue, SearchOptions, SearchResponse, SearchStats, ServiceStats, SpanMatch, SpansetAttribute,
    SpansetMatch, TraceMatch, Value,
};
#[cfg(feature = "engine")]
pub use error::{Error, Result};

use syntax::{Diagnostics, ast::Query};

/// Parses a query into its syntax tree.
///
/// # Errors
/// What is wrong with the text, and where.
pub fn parse(text: &str) -> Result<Query, Diagnostics> {
    syntax::parse(text)
}

/// Parses a query, checks its types and brings it to the form that the planner takes.
///
/// # Errors
/// What is wrong with the query, and where.
pub fn compile(text: &str) -> Result<ir::Filter, Diagnostics> {
    let query = syntax::parse(text)?;
    ir::check(&query).map_err(|diagnostic| Diagnostics::new(text, vec![*diagnostic]))?;
    Ok(ir::lower(&query))
}
