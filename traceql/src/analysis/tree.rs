//! Who is whose child in a trace.

use tracestore::model::Trace;

/// The trees of a trace: under its roots, and under spans whose parent is missing. Shadowed copies are in none.
pub(super) struct Forest {
    parents: Vec<Option<usize>>,
    children: Vec<Vec<usize>>,
    tops: Vec<usize>,
}

impl Forest {
    /// Parents come before their children in a trace; what does not is taken for a top, so that there are no cycles.
    pub(super) fn of(trace: &Trace) -> Self {
        let count = trace.spans.len();
        let mut forest = Self { parents: vec![None; count], children: vec![Vec::new(); count], tops: Vec::new() };
        let shown = |index: usize| trace.spans.get(index).is_some_and(|span| !span.shadowed);
        for (index, span) in trace.spans.iter().enumerate().filter(|(_, span)| !span.shadowed) {
            let parent = span.parent.filter(|parent| *parent < index && shown(*parent));
            if let (Some(parent), Some(slot)) = (parent, forest.parents.get_mut(index)) {
                *slot = Some(parent);
            }
            match parent.and_then(|parent| forest.children.get_mut(parent)) {
                Some(children) => children.push(index),
                None => forest.tops.push(index),
            }
        }
        forest
    }

    /// The topmost spans, in the order of the trace: roots, then those whose parent is missing, both by start.
    pub(super) fn tops(&self) -> &[usize] {
        &self.tops
    }

    /// The children of a span in the order of the trace: by start.
    pub(super) fn children(&self, span: usize) -> &[usize] {
        self.children.get(span).map_or(&[], Vec::as_slice)
    }

    pub(super) fn parent(&self, span: usize) -> Option<usize> {
        self.parents.get(span).copied().flatten()
    }
}
