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
