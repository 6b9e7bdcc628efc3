//! TraceQL, the query language for traces: parser, checker, planner and engine.
//!
//! ```text
//! text ──▶ syntax::ast ──▶ ir ──▶ plan (DataFusion) ──▶ engine ──▶ traces
//! ```
#![warn(missing_docs)]
#![forbid(unsafe_code)]

pub mod ir;
pub mod syntax;

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
