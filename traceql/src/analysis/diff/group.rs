//! What is added up for a path.

use tracestore::model::TraceSpan;

use super::{Amount, Change, ChangeKind, Place, SpanKey};
use crate::analysis::SpanTiming;

/// Service, name and kind.
pub(super) type Key<'a> = (&'a str, &'a str, i32);

/// A span and where its time went.
pub(super) type Timed<'a> = (&'a TraceSpan, SpanTiming);

/// The spans of a path in both traces.
pub(super) struct Group<'a> {
    /// The number of the path above.
    pub(super) above: Option<usize>,
    pub(super) key: Key<'a>,
    /// Whether a span differs from the one that it is matched with, or is matched with none.
    pub(super) changed: bool,
    before: Amount,
    after: Amount,
    slower: usize,
    faster: usize,
    errors_appeared: usize,
    errors_vanished: usize,
}

impl<'a> Group<'a> {
    pub(super) fn new(above: Option<usize>, key: Key<'a>) -> Self {
        let (before, after) = (Amount::default(), Amount::default());
        let (slower, faster, errors_appeared, errors_vanished) = (0, 0, 0, 0);
        Self { above, key, changed: false, before, after, slower, faster, errors_appeared, errors_vanished }
    }

    /// Adds a span of either trace, or two that are matched.
    pub(super) fn add(&mut self, before: Option<Timed<'_>>, after: Option<Timed<'_>>) {
        before.iter().for_each(|span| self.before.add(span));
        after.iter().for_each(|span| self.after.add(span));
        let failed = |span: Option<Timed<'_>>| span.is_some_and(|(span, _)| span.is_error());
        let errors = (failed(before), failed(after));
        self.errors_appeared += usize::from(errors == (false, true));
        self.errors_vanished += usize::from(errors == (true, false));
        let times = |span: Timed<'_>| (span.1.duration, span.1.self_time);
        let times = (before.map(times), after.map(times));
        if let (Some(before), Some(after)) = times {
            self.slower += usize::from(after.0 > before.0);
            self.faster += usize::from(after.0 < before.0);
        }
        self.changed |= times.0 != times.1 || errors.0 != errors.1;
    }

    pub(super) fn kind(&self) -> ChangeKind {
        match (self.before.count, self.after.count) {
            (0, _) => ChangeKind::Appeared,
            (_, 0) => ChangeKind::Vanished,
            _ => ChangeKind::Changed,
        }
    }

    /// Adds a path below, of which only its spans are of interest.
    pub(super) fn fold(&mut self, below: &Self) {
        self.before.fold(&below.before);
        self.after.fold(&below.after);
        self.errors_appeared += below.errors_appeared;
        self.errors_vanished += below.errors_vanished;
    }

    pub(super) fn change(&self, path: usize) -> Change {
        Change {
            kind: self.kind(),
            path,
            before: self.before,
            after: self.after,
            slower: self.slower,
            faster: self.faster,
            errors_appeared: self.errors_appeared,
            errors_vanished: self.errors_vanished,
        }
    }

    /// The last step of the path, and where the steps before it are.
    pub(super) fn place(&self) -> Place {
        let (service, name, kind) = self.key;
        Place { above: self.above, key: SpanKey { service: service.to_owned(), name: name.to_owned(), kind } }
    }
}

impl Amount {
    fn add(&mut self, (span, timing): &Timed<'_>) {
        self.count += 1;
        self.duration = self.duration.saturating_add(timing.duration);
        self.spans += 1;
        self.self_time = self.self_time.saturating_add(timing.self_time);
        self.errors += usize::from(span.is_error());
    }

    /// Adds what is at a path below.
    fn fold(&mut self, below: &Self) {
        self.spans += below.spans;
        self.self_time = self.self_time.saturating_add(below.self_time);
        self.errors += below.errors;
    }
}
