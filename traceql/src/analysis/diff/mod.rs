//! Two traces compared span by span: what appeared, vanished, became slower or faster.

mod group;
mod matching;

use tracestore::model::Trace;

use self::matching::Matching;

/// What distinguishes siblings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanKey {
    /// The `service.name` of the resource, empty where it has none.
    pub service: String,
    /// The span's name.
    pub name: String,
    /// OTLP's kind number.
    pub kind: i32,
}

/// How two traces differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceDiff {
    /// The first trace as a whole.
    pub before: Totals,
    /// The second trace as a whole.
    pub after: Totals,
    /// How many spans of the one are matched with a span of the other.
    pub matched: usize,
    /// How many spans only the first has.
    pub only_before: usize,
    /// How many spans only the second has.
    pub only_after: usize,
    /// What differs, in the order of how much self time changed, then how much duration. Every span of the two traces
    /// belongs to one of them or to a path on which all is equal: the differences of self time, spans and errors add up
    /// to those of the whole.
    pub changes: Vec<Change>,
    paths: Vec<Place>,
}

/// A path: its last step, and the number of the path before that.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    above: Option<usize>,
    key: SpanKey,
}

/// A trace as a whole. Shadowed copies of spans do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// How many spans it has.
    pub spans: usize,
    /// Latest end − earliest start in ns; starts of zero are left out unless all are zero.
    pub duration: u64,
    /// The sum of all self times in ns. More than the duration where spans ran at the same time.
    pub self_time: u64,
    /// How many spans have status error.
    pub errors: usize,
}

/// A path whose spans differ in number, duration, self time or errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which of the traces have the path.
    pub kind: ChangeKind,
    /// The number of the path.
    path: usize,
    /// The spans of the first trace.
    pub before: Amount,
    /// The spans of the second trace.
    pub after: Amount,
    /// How many matched spans lasted longer in the second trace.
    pub slower: usize,
    /// How many matched spans lasted longer in the first trace.
    pub faster: usize,
    /// How many spans of the second trace have status error where the matched one has not, or there is none.
    pub errors_appeared: usize,
    /// How many spans of the first trace have status error where the matched one has not, or there is none.
    pub errors_vanished: usize,
}

/// Which traces have a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// Both have it.
    Changed,
    /// Only the second: the change is of the whole subtree.
    Appeared,
    /// Only the first: the change is of the whole subtree.
    Vanished,
}

/// The spans of a path in one trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    /// How many spans are at the path.
    pub count: usize,
    /// Their durations added up, in ns.
    pub duration: u64,
    /// How many spans the change is about: as many as `count`, and in a subtree those below them as well.
    pub spans: usize,
    /// The self times of all these, in ns.
    pub self_time: u64,
    /// How many of all these have status error.
    pub errors: usize,
}

/// Compares two traces span by span. Pure, total on any traces; time `O(n log n)` in the number of spans.
///
/// ```text
/// before: gateway ─┬─ cart ── redis            after: gateway ─┬─ cart
///                  └─ pay                                      ├─ pay ── fraud ── db
///                                                              └─ pay
///
/// gateway        1 → 1   matched
/// gateway/cart   1 → 1   matched        gateway/cart/redis   vanished, 1 span
/// gateway/pay    1 → 2   matched        gateway/pay/fraud    appeared, 2 spans
/// ```
///
/// Spans are matched by their place, never by ids or times: service, name and kind of a span and of all that are above it
/// must be equal. Of siblings with equal keys the first to start is matched with the first, the second with the second;
/// what is left over on one side is matched with nothing, nor is what is below it. Spans of one path are reported
/// together. A path that only one trace has is reported with all that is below it.
#[must_use]
pub fn diff(before: &Trace, after: &Trace) -> TraceDiff {
    Matching::of(before, after).finish()
}

impl TraceDiff {
    /// The path of a change, from the span itself upwards.
    pub fn path(&self, change: &Change) -> impl Iterator<Item = &SpanKey> {
        let place = |number: usize| self.paths.get(number);
        std::iter::successors(place(change.path), move |below| place(below.above?)).map(|place| &place.key)
    }
}

impl Change {
    /// Duration in the second trace − duration in the first, in ns.
    #[must_use]
    pub fn duration_diff(&self) -> i128 {
        i128::from(self.after.duration) - i128::from(self.before.duration)
    }

    /// Self time in the second trace − self time in the first, in ns.
    #[must_use]
    pub fn self_time_diff(&self) -> i128 {
        i128::from(self.after.self_time) - i128::from(self.before.self_time)
    }
}
