//! What can be told from whole traces: where the time went, and how two traces differ.
//!
//! Pure functions over [`tracestore::model::Trace`], as a lookup hands it out. No engine, no queries.
//!
//! ```text
//! Trace ─▶ tree (who is whose child) ─▶ clock (one clock) ─▶ timing: self times, critical_path
//!                                                            diff:   two of them, matched span by span
//! ```

mod clock;
mod critical_path;
mod diff;
mod timing;
mod tree;

pub use critical_path::{CriticalPath, Section};
pub use diff::{Amount, Change, ChangeKind, SpanKey, Totals, TraceDiff, diff};
pub use timing::{SpanTiming, Timing, timing};
