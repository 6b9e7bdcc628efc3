//! Span metrics and service graphs against what queries say of the same spans; policies in TraceQL; configurations; the
//! commands.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

#[path = "span_metrics/command.rs"]
mod command;
#[path = "span_metrics/config.rs"]
mod config;
#[path = "span_metrics/policy.rs"]
mod policy;
#[path = "span_metrics/queries.rs"]
mod queries;
