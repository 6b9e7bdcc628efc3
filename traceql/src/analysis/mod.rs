//! What can be told from whole traces: where the time went, and how two traces differ.
//!
//! Pure functions over [`tracestore::model::Trace`], as a lookup hands it out. No engine, no queries.
//!
//! ```text
//! Trace ─▶ tree (who is whose child) ─▶ clock (one clock) ─▶ timing: self times, critical_path
//!                                                            diff:   two of them, matched span by span
//! ```
//!
//! ```no_run
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let snapshot = tracestore::Snapshot::open(&["traces".into()])?;
//! if let Some(trace) = snapshot.find_trace(&"4bf92f3577b34da6a3ce929d0e0e4736".parse()?)? {
//!     let timing = traceql::analysis::timing(&trace);
//!     for section in timing.paths.iter().flat_map(|path| &path.sections) {
//!         println!("{} ns in {}", section.end - section.start, trace.spans[section.span].span.name);
//!     }
//! }
//! # Ok(()) }
//! ```

mod clock;
mod critical_path;
mod diff;
mod timing;
mod tree;

pub use critical_path::{CriticalPath, Section};
pub use diff::{Amount, Change, ChangeKind, SpanKey, Totals, TraceDiff, diff};
pub use timing::{SpanTiming, Timing, timing};
