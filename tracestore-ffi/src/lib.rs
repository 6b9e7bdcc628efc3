//! The C ABI of tracestore and traceql: a thin layer that turns pointers, lengths and numbers into the values of the Rust
//! crates, and their answers back. No storing or querying is done here.
//!
//! ```text
//! C ─▶ boundary (panics, errors) ─▶ handle, text, sized (what pointers mean) ─▶ TraceStore, Engine, Compiler
//! C ◀─ ArrowArrayStream, text::ts_text, error::ts_error, structs of numbers ◀─┘
//! ```
//!
//! The rules for callers (ownership, threads, versions) are written once, at the top of `include/tracestore.h`, which
//! `cbindgen.toml` has; the header is generated from these files by `tests/header.rs`.
//!
//! Every exported function is `unsafe` for the same reasons, which that text gives, so none says them again.
#![warn(missing_docs)]
#![allow(unsafe_code, reason = "C ABI boundary")]
#![allow(non_camel_case_types, reason = "types have the names that they have in C")]
#![allow(clippy::missing_safety_doc, reason = "the rules are those of the header's beginning")]

mod batches;
mod boundary;
mod handle;
mod sized;

pub mod arrow;
pub mod error;
pub mod ingest;
pub mod interrupt;
pub mod language;
pub mod log;
pub mod options;
pub mod query;
pub mod span_metrics;
pub mod store;
pub mod tags;
pub mod text;
pub mod trace;
pub mod upkeep;
pub mod version;
