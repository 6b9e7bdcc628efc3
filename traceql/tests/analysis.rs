//! Self times, critical paths and differences of traces: known answers, laws, and what the command makes of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "analysis/command.rs"]
mod command;
#[path = "analysis/diff.rs"]
mod diff;
#[path = "analysis/laws.rs"]
mod laws;
#[path = "analysis/timing.rs"]
mod timing;
#[path = "analysis/traces.rs"]
mod traces;
