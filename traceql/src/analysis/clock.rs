//! The spans of a trace on one clock, as far as that can be told.
//!
//! Hosts have clocks of their own. That a server's span does not lie within the client's span that called it, although
//! it is not longer, says that the two clocks differ: the server's span is moved into the client's by the least amount
//! that does it, and with it what is below it. Nothing else is moved: between other spans it cannot be told whether a
//! clock is wrong or nobody waited.

use std::sync::Arc;

use tracestore::model::{Trace, TraceSpan};

use super::tree::Forest;

/// OTLP's numbers of the kinds that say who waits for whom.
pub(super) const SERVER: i32 = 2;
pub(super) const CLIENT: i32 = 3;

/// From a start to an end, which is not before it; ns since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Interval {
    fn of(span: &TraceSpan) -> Self {
        let start = span.span.start_time_unix_nano;
        Self { start, end: span.span.end_time_unix_nano.max(start) }
    }

    pub(super) fn length(self) -> u64 {
        self.end - self.start
    }

    /// The part within another one; where they do not meet, an empty one at its edge.
    pub(super) fn clip(self, to: Self) -> Self {
        Self { start: self.start.clamp(to.start, to.end), end: self.end.clamp(to.start, to.end) }
    }

    fn covers(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    fn moved(self, by: i64) -> Self {
        Self { start: self.start.saturating_add_signed(by), end: self.end.saturating_add_signed(by) }
    }

    /// The least move that brings it into another one; `None` where it is too long for that, or too far away.
    fn way_into(self, other: Self) -> Option<i64> {
        if self.length() > other.length() {
            None
        } else if self.start < other.start {
            i64::try_from(other.start - self.start).ok()
        } else {
            i64::try_from(self.end.saturating_sub(other.end)).ok().map(i64::wrapping_neg)
        }
    }
}

/// Where the spans of a trace lie.
pub(super) struct Timeline {
    intervals: Vec<Interval>,
    shifts: Vec<i64>,
}

impl Timeline {
    pub(super) fn of(trace: &Trace, forest: &Forest) -> Self {
        let count = trace.spans.len();
        let mut timeline = Self { intervals: Vec::with_capacity(count), shifts: Vec::with_capacity(count) };
        // Parents come first.
        for (index, span) in trace.spans.iter().enumerate() {
            let parent = forest.parent(index).and_then(|parent| Some((parent, trace.spans.get(parent)?)));
            let shift = parent.map_or(0, |(parent, above)| timeline.shift(parent, above, span));
            timeline.intervals.push(Interval::of(span).moved(shift));
            timeline.shifts.push(shift);
        }
        timeline
    }

    /// By how much a span is to be moved.
    fn shift(&self, parent: usize, above: &TraceSpan, span: &TraceSpan) -> i64 {
        let (inherited, within) = (self.shift_of(parent), self.interval(parent));
        let interval = Interval::of(span).moved(inherited);
        if !is_call(above, span) || within.covers(interval) || same_clock(above, span) || has_no_start(above, span) {
            return inherited;
        }
        interval.way_into(within).and_then(|by| inherited.checked_add(by)).unwrap_or(inherited)
    }

    pub(super) fn interval(&self, span: usize) -> Interval {
        self.intervals.get(span).copied().unwrap_or(Interval { start: 0, end: 0 })
    }

    pub(super) fn shift_of(&self, span: usize) -> i64 {
        self.shifts.get(span).copied().unwrap_or(0)
    }
}

/// Whether a span is the server's half of a call, and its parent the client's.
pub(super) fn is_call(parent: &TraceSpan, span: &TraceSpan) -> bool {
    parent.span.kind == CLIENT && span.span.kind == SERVER
}

/// Of one resource: one process, or at least one host.
fn same_clock(a: &TraceSpan, b: &TraceSpan) -> bool {
    Arc::ptr_eq(&a.resource, &b.resource) || a.resource == b.resource
}

/// A start of zero is no time.
fn has_no_start(a: &TraceSpan, b: &TraceSpan) -> bool {
    [a, b].iter().any(|span| span.span.start_time_unix_nano == 0)
}
