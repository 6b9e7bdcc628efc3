//! Where the time of a trace went.

use tracestore::model::Trace;

use super::{
    clock::{Interval, Timeline},
    critical_path::{CriticalPath, Walker},
    tree::Forest,
};

/// Where the time of a trace went: self times and critical paths.
///
/// *Clocks.* Where a server's span sticks out of the client's span that called it, although it is not longer and of
/// another resource, the clocks differ: the server's span counts as moved into the client's by the least amount, with
/// all that is below it. Everything here is on the clock of the topmost span; [`SpanTiming::clock_shift`] says by how
/// much a span was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// The spans, by their index in the trace. Shadowed copies have no time.
    pub spans: Vec<SpanTiming>,
    /// The critical path of each tree, in the order of the trace: roots by start, then spans whose parent is missing. The
    /// first is that of the trace's root, if it has one.
    pub paths: Vec<CriticalPath>,
}

/// Where the time of a span went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpanTiming {
    /// Start in ns since 1970, by the clock of the topmost span.
    pub start: u64,
    /// End − start in ns; 0 where the end lies before the start.
    pub duration: u64,
    /// How long none of its children ran: the duration minus the union of their intervals. What of them lies outside of
    /// the span does not count.
    pub self_time: u64,
    /// Whether it is on the critical path of its tree.
    pub critical: bool,
    /// How long the critical path is in this span and not in one of its children.
    pub critical_time: u64,
    /// What was added to its recorded times, in ns, because its clock differs from that of the topmost span.
    pub clock_shift: i64,
}

/// Self times and critical paths of a trace. Pure, total on any trace; time `O(n log n)` in the number of spans.
#[must_use]
pub fn timing(trace: &Trace) -> Timing {
    let forest = Forest::of(trace);
    let timeline = Timeline::of(trace, &forest);
    let mut spans = vec![SpanTiming::default(); trace.spans.len()];
    for (index, timing) in spans.iter_mut().enumerate() {
        if trace.spans.get(index).is_some_and(|span| !span.shadowed) {
            *timing = SpanTiming::of(&forest, &timeline, index);
        }
    }
    let walker = Walker { trace, forest: &forest, timeline: &timeline };
    let paths: Vec<CriticalPath> = forest.tops().iter().map(|top| walker.path(*top)).collect();
    for path in &paths {
        mark(&mut spans, path);
    }
    Timing { spans, paths }
}

impl SpanTiming {
    fn of(forest: &Forest, timeline: &Timeline, index: usize) -> Self {
        let interval = timeline.interval(index);
        let children = forest.children(index).iter().map(|child| timeline.interval(*child).clip(interval));
        Self {
            start: interval.start,
            duration: interval.length(),
            self_time: interval.length() - union(children.collect()),
            clock_shift: timeline.shift_of(index),
            ..Self::default()
        }
    }
}

/// How much time intervals cover together.
fn union(mut intervals: Vec<Interval>) -> u64 {
    intervals.sort_unstable_by_key(|interval| interval.start);
    let (mut total, mut covered) = (0, 0);
    for interval in intervals {
        total += interval.end.saturating_sub(interval.start.max(covered));
        covered = covered.max(interval.end);
    }
    total
}

fn mark(spans: &mut [SpanTiming], path: &CriticalPath) {
    for span in &path.spans {
        if let Some(span) = spans.get_mut(*span) {
            span.critical = true;
        }
    }
    for section in &path.sections {
        if let Some(span) = spans.get_mut(section.span) {
            span.critical_time += section.end - section.start;
        }
    }
}
