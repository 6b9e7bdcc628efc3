//! Matches the spans of two traces, and adds them up by path.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use tracestore::model::Trace;

use super::{
    Change, ChangeKind, Totals, TraceDiff,
    group::{Group, Key, Timed},
};
use crate::analysis::{Timing, timing, tree::Forest};

/// One of the two traces.
struct Side<'a> {
    trace: &'a Trace,
    forest: Forest,
    timing: Timing,
}

/// A span of either trace or of both, and the number of its path.
#[derive(Clone, Copy)]
struct Pair {
    before: Option<usize>,
    after: Option<usize>,
    path: usize,
}

/// Siblings of one path by start.
#[derive(Default)]
struct Siblings {
    before: Vec<usize>,
    after: Vec<usize>,
}

/// The paths of two traces; those above come before those below.
pub(super) struct Matching<'a> {
    before: Side<'a>,
    after: Side<'a>,
    groups: Vec<Group<'a>>,
    by_path: HashMap<(Option<usize>, Key<'a>), usize>,
    matched: usize,
}

impl<'a> Side<'a> {
    fn of(trace: &'a Trace) -> Self {
        Self { trace, forest: Forest::of(trace), timing: timing(trace) }
    }

    fn span(&self, index: usize) -> Option<Timed<'a>> {
        Some((self.trace.spans.get(index)?, *self.timing.spans.get(index)?))
    }

    /// Spans by their keys.
    fn keyed(&self, spans: &[usize]) -> Vec<(Key<'a>, usize)> {
        let span = |index: &usize| Some((self.trace.spans.get(*index)?, *index));
        let key = |(span, index): (&'a _, usize)| (key(span), index);
        spans.iter().filter_map(span).map(key).collect()
    }

    /// The topmost spans by start, orphans among the roots.
    fn tops(&self) -> Vec<usize> {
        let mut tops = self.forest.tops().to_vec();
        tops.sort_by_key(|top| self.timing.spans.get(*top).map(|span| span.start));
        tops
    }

    fn children(&self, span: Option<usize>) -> &[usize] {
        span.map_or(&[], |span| self.forest.children(span))
    }

    fn totals(&self) -> Totals {
        let shown = || self.trace.spans.iter().filter(|span| !span.shadowed);
        let starts = shown().map(|span| span.span.start_time_unix_nano);
        let start = starts.filter(|start| *start > 0).min().unwrap_or(0);
        let end = shown().map(|span| span.span.end_time_unix_nano).max().unwrap_or(0);
        Totals {
            spans: shown().count(),
            duration: end.saturating_sub(start),
            self_time: self.timing.spans.iter().map(|span| span.self_time).fold(0, u64::saturating_add),
            errors: shown().filter(|span| span.is_error()).count(),
        }
    }
}

fn key(span: &tracestore::model::TraceSpan) -> Key<'_> {
    (span.service(), &span.span.name, span.span.kind)
}

impl<'a> Matching<'a> {
    pub(super) fn of(before: &'a Trace, after: &'a Trace) -> Self {
        let (before, after) = (Side::of(before), Side::of(after));
        let mut matching = Self { before, after, groups: Vec::new(), by_path: HashMap::new(), matched: 0 };
        let tops = (matching.before.tops(), matching.after.tops());
        let mut stack = matching.pairs(None, &tops.0, &tops.1);
        while let Some(pair) = stack.pop() {
            matching.add(pair);
            let before = matching.before.children(pair.before).to_vec();
            let after = matching.after.children(pair.after).to_vec();
            stack.extend(matching.pairs(Some(pair.path), &before, &after));
        }
        matching
    }

    /// Pairs the children of matched spans, given by start. What is to be looked at first comes last.
    fn pairs(&mut self, above: Option<usize>, before: &[usize], after: &[usize]) -> Vec<Pair> {
        let (before, after) = (self.before.keyed(before), self.after.keyed(after));
        let mut siblings: BTreeMap<usize, Siblings> = BTreeMap::new();
        for (key, span) in before {
            siblings.entry(self.path(above, key)).or_default().before.push(span);
        }
        for (key, span) in after {
            siblings.entry(self.path(above, key)).or_default().after.push(span);
        }
        siblings.iter().rev().flat_map(|(path, siblings)| siblings.pairs(*path)).collect()
    }

    /// The number of a path.
    fn path(&mut self, above: Option<usize>, key: Key<'a>) -> usize {
        *self.by_path.entry((above, key)).or_insert_with(|| {
            self.groups.push(Group::new(above, key));
            self.groups.len() - 1
        })
    }

    fn add(&mut self, pair: Pair) {
        let before = pair.before.and_then(|span| self.before.span(span));
        let after = pair.after.and_then(|span| self.after.span(span));
        self.matched += usize::from(before.is_some() && after.is_some());
        if let Some(group) = self.groups.get_mut(pair.path) {
            group.add(before, after);
        }
    }

    pub(super) fn finish(mut self) -> TraceDiff {
        self.fold_subtrees();
        let (before, after, matched) = (self.before.totals(), self.after.totals(), self.matched);
        let paths = self.groups.iter().map(Group::place).collect();
        let changed = self.groups.iter().enumerate().filter(|(_, group)| group.changed);
        let mut changes: Vec<Change> = changed.map(|(path, group)| group.change(path)).collect();
        let size = |change: &Change| (change.self_time_diff().unsigned_abs(), change.duration_diff().unsigned_abs());
        changes.sort_by_key(|change| Reverse(size(change)));
        let (only_before, only_after) = (before.spans - matched, after.spans - matched);
        TraceDiff { before, after, matched, only_before, only_after, changes, paths }
    }

    /// Adds what only one trace has to the topmost path that only it has.
    fn fold_subtrees(&mut self) {
        // From below: what is above has all that is below it when its turn comes.
        for path in (1..self.groups.len()).rev() {
            let (rest, below) = self.groups.split_at_mut(path);
            let Some(below) = below.first_mut() else { continue };
            let Some(above) = below.above.and_then(|above| rest.get_mut(above)) else { continue };
            if above.kind() == below.kind() && above.kind() != ChangeKind::Changed {
                above.fold(below);
                below.changed = false;
            }
        }
    }
}

impl Siblings {
    /// The first with the first, and so on; what is left over with none. The first pair comes last.
    fn pairs(&self, path: usize) -> impl Iterator<Item = Pair> {
        let count = self.before.len().max(self.after.len());
        let pair =
            move |place| Pair { before: self.before.get(place).copied(), after: self.after.get(place).copied(), path };
        (0..count).rev().map(pair)
    }
}
