//! The judge: evaluates the parsed tree trace by trace, span by span, over OTLP that it reads itself. Slow and obvious,
//! written from SEMANTICS.md (the ids of its rules stand in the comments); shares no code with the engine beyond the
//! parser.

#![allow(dead_code, reason = "every test file uses its own part")]

mod aggregate;
mod eval;
mod fields;
mod json;
mod label;
pub(crate) mod metrics;
mod model;
mod pipeline;
mod random;
mod search;
pub(crate) mod tags;
mod value;

#[allow(unused_imports, reason = "every test file uses its own part")]
pub(crate) use model::{Trace, read_traces};
#[allow(unused_imports, reason = "every test file uses its own part")]
pub(crate) use random::{large_request, metrics_query, pipeline, query, request};
#[allow(unused_imports, reason = "every test file uses its own part")]
pub(crate) use search::{matched, search};
