//! The critical path of each tree of a trace: the walk back from its end.

use std::cmp::Reverse;

use tracestore::model::Trace;

use super::{
    clock::{Interval, Timeline, is_call},
    tree::Forest,
};

const PRODUCER: i32 = 4;
const CONSUMER: i32 = 5;

/// The critical path of one tree of a trace: the chain of spans that decides when its topmost span ends.
///
/// ```text
/// root   ├──────────────────────────────┤       walked back from the end:
/// a        ├────────┤                           root ◀ c ◀ root ◀ a ◀ root
/// b          ├───┤                              a: the last to end before c starts
/// c                      ├──────┤               b: ended earlier than a, made nobody wait
/// path   ══aaaaaaaaaa════cccccccc═══════
/// ```
///
/// *Algorithm.* Start at the end of the topmost span. At a span and a point in time, take its child that ends last of
/// those that end at that point or before: up to its end the span itself is on the path, then the child, walked in the
/// same way from its end to its start; go on in the parent from there. Where no child is left, the rest down to the
/// span's start is its own. Of children that end together the longest is taken. The sections do not overlap and leave no
/// gap: their lengths add up to the duration of the topmost span.
///
/// It is the walk over last-finishing children of Jaeger's UI (`TracePage/CriticalPath`) and of Uber's CRISP (Zhang et
/// al., "CRISP: Critical Path Analysis of Large-Scale Microservice Architectures", USENIX ATC 2022), with these answers
/// to what traces are like in practice:
///
/// - *Asynchronous children.* A span that ends before its child did not wait for it: the child, and what is below it, is
///   not on the path. (Both of the above cut such children at the parent's end, and so put what runs longest on the
///   path.) A server's span is different: its client did wait, until it gave up, so it is cut at the client's end. A
///   consumer under a producer is not waited for, whenever it ends (as in Jaeger).
/// - *Overlapping children.* Those that end while a later one runs are passed over: work was concurrent. Ends are
///   compared exactly; a child may end in the very instant in which the next starts. (CRISP allows some overlap, Jaeger
///   wants a gap.)
/// - *Clocks* are set right first where that is sure, see [`Timing`](super::Timing).
/// - *Children that start before their parent* are cut at its start.
/// - *Several roots, missing parents.* Each tree has a path of its own.
/// - *No duration.* A child of no length is never on the path. A topmost span of no length is the only one on its path,
///   which has no sections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CriticalPath {
    /// Index of the topmost span: a root, or a span whose parent is missing.
    pub top: usize,
    /// The spans that are on the path, each once: parents before children, later ones first. A span is on it also where
    /// it has no section, because all of its part is that of a child.
    pub spans: Vec<usize>,
    /// From the start of the topmost span to its end, ascending, without overlaps and gaps, none empty.
    pub sections: Vec<Section>,
}

/// A part of a span that is on the critical path: what the trace waited for meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// Index of the span.
    pub span: usize,
    /// Start in ns since 1970, by the clock of the topmost span.
    pub start: u64,
    /// End in ns since 1970.
    pub end: u64,
}

/// A span on the way back.
struct Frame {
    span: usize,
    start: u64,
    /// What lies after this is done.
    cursor: u64,
    /// The children that were waited for: the next to look at is the last.
    rest: Vec<(Interval, usize)>,
}

/// Finds the paths of a trace.
pub(super) struct Walker<'a> {
    pub(super) trace: &'a Trace,
    pub(super) forest: &'a Forest,
    pub(super) timeline: &'a Timeline,
}

impl Walker<'_> {
    /// The path below a topmost span. No recursion: chains may be long.
    pub(super) fn path(&self, top: usize) -> CriticalPath {
        let mut path = CriticalPath { top, spans: vec![top], sections: Vec::new() };
        let mut stack = vec![self.enter(top, self.timeline.interval(top))];
        while let Some(frame) = stack.last_mut() {
            let child = frame.next_child();
            path.push(frame.span, child.map_or(frame.start, |(part, _)| part.end), frame.cursor);
            if let Some((part, child)) = child {
                frame.cursor = part.start;
                path.spans.push(child);
                stack.push(self.enter(child, part));
            } else {
                stack.pop();
            }
        }
        path.sections.reverse();
        path
    }

    /// A span of which only a part counts.
    fn enter(&self, span: usize, part: Interval) -> Frame {
        let children = self.forest.children(span).iter().filter(|child| self.is_awaited(span, **child));
        let parts = children.map(|child| (self.timeline.interval(*child).clip(part), *child));
        let mut rest: Vec<_> = parts.filter(|(part, _)| part.length() > 0).collect();
        rest.sort_unstable_by_key(|(part, child)| (part.end, Reverse(part.start), Reverse(*child)));
        Frame { span, start: part.start, cursor: part.end, rest }
    }

    fn is_awaited(&self, parent: usize, child: usize) -> bool {
        let (Some(above), Some(span)) = (self.trace.spans.get(parent), self.trace.spans.get(child)) else {
            return false;
        };
        let is_message = above.span.kind == PRODUCER && span.span.kind == CONSUMER;
        let ends_in_time = self.timeline.interval(child).end <= self.timeline.interval(parent).end;
        !is_message && (ends_in_time || is_call(above, span))
    }
}

impl Frame {
    /// The child that ends last of those that end before the cursor.
    fn next_child(&mut self) -> Option<(Interval, usize)> {
        let cursor = self.cursor;
        std::iter::from_fn(|| self.rest.pop()).find(|(part, _)| part.end <= cursor)
    }
}

impl CriticalPath {
    fn push(&mut self, span: usize, start: u64, end: u64) {
        if start < end {
            self.sections.push(Section { span, start, end });
        }
    }
}
