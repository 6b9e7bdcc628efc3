//! TraceQL, the query language for traces: parser, checker, planner and engine.
//!
//! ```text
//! text ──▶ syntax::ast ──▶ ir ──▶ plan (DataFusion) ──▶ engine ──▶ traces
//! ```
#![warn(missing_docs)]
#![forbid(unsafe_code)]

pub mod ir;
pub mod syntax;
