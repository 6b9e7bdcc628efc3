//! Structural operators (`>`, `>>`, `<`, `<<`, `~`, their negated and union forms) on rows that are whole traces in
//! pre-order (FORMAT.md, "Order"; SEMANTICS.md, T1).
//!
//! Pure functions on slices: no join, no recursion, no hashing but for spans whose parent is missing. Not here: which rows
//! the operands keep, where batches are cut, what becomes of spansets (T5).
//!
//! ```text
//! parent_offset ─┬──────────────▶ with_parent, with_child ─────────┐
//!                └─▶ families ──▶ with_sibling ────────────────────┼─▶ apply ─▶ rows of the result
//! descendants ──────────────────▶ with_ancestor, with_descendant ──┘
//!                                      ▲
//! rows that the operands keep ─────────┘
//! ```
//!
//! The descendants of row `i` are the rows `i + 1 ..= i + descendants[i]`: a subtree is a range, and no range reaches
//! beyond its trace. So every kernel is one sweep over the rows, or two, whatever the shape of the trees and however many
//! rows the operands keep; they avoid branches on what these keep, which no processor can predict.
//!
//! A result has a value for each row of the slice of structure that it is made from. What an operand lacks is false; an
//! offset that leads out of the batch is none. Shadowed rows, false in both operands, change nothing.

#[cfg(test)]
mod tests;

use std::{collections::HashMap, hint::select_unpredictable};

use crate::syntax::ast::{Relation, StructuralMode, StructuralOp};

/// How the rows of a batch hang together: three slices with a value per row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Structure<'a> {
    /// Rows back to the parent; 0: none.
    pub(super) parent_offsets: &'a [u32],
    /// The row's descendants are this many rows after it.
    pub(super) descendants: &'a [u32],
    /// The group of siblings that the row is in; see [`families`].
    pub(super) families: &'a [u32],
}

/// The rows that `left relation right` keeps. One run of a kernel, two for a union.
pub(super) fn apply(op: StructuralOp, structure: &Structure<'_>, left: &[bool], right: &[bool]) -> Vec<bool> {
    let StructuralOp { relation, mode } = op;
    let mut kept = related(relation, structure, left, right);
    match mode {
        StructuralMode::Related => {}
        StructuralMode::Unrelated => {
            for (kept, &right) in kept.iter_mut().zip(right) {
                *kept = right & !*kept;
            }
        }
        StructuralMode::Union => {
            let partners = related(relation.mirrored(), structure, right, left);
            for (kept, &partner) in kept.iter_mut().zip(&partners) {
                *kept |= partner;
            }
        }
    }
    kept
}

/// The kernel of a relation.
fn related(relation: Relation, structure: &Structure<'_>, left: &[bool], right: &[bool]) -> Vec<bool> {
    match relation {
        Relation::Parent => with_parent(structure.parent_offsets, left, right),
        Relation::Ancestor => with_ancestor(structure.descendants, left, right),
        Relation::Child => with_child(structure.parent_offsets, left, right),
        Relation::Descendant => with_descendant(structure.descendants, left, right),
        Relation::Sibling => with_sibling(structure.families, left, right),
    }
}

/// `left > right`: rows of the right whose parent is in the left. One sweep that looks up the parents.
pub(super) fn with_parent(parent_offsets: &[u32], left: &[bool], right: &[bool]) -> Vec<bool> {
    let rows = parent_offsets.iter().enumerate();
    rows.map(|(row, &offset)| at(right, row) & above(row, offset).is_some_and(|parent| at(left, parent))).collect()
}

/// `left >> right`: rows of the right below a row of the left. One sweep: a row is below some earlier row of the left if
/// it lies before the furthest end of their subtrees.
pub(super) fn with_ancestor(descendants: &[u32], left: &[bool], right: &[bool]) -> Vec<bool> {
    let mut end = 0;
    let rows = descendants.iter().enumerate();
    rows.map(|(row, &descendants)| {
        let below = row < end;
        let reach = (row + 1).saturating_add(descendants as usize);
        end = end.max(select_unpredictable(at(left, row), reach, 0));
        at(right, row) & below
    })
    .collect()
}

/// `left < right`: rows of the right with a child in the left. One sweep marks the parents of the left, a second keeps
/// those in the right.
pub(super) fn with_child(parent_offsets: &[u32], left: &[bool], right: &[bool]) -> Vec<bool> {
    let mut kept = vec![false; parent_offsets.len()];
    for ((row, &offset), &left) in parent_offsets.iter().enumerate().zip(left) {
        if let Some(parent) = above(row, offset).and_then(|parent| kept.get_mut(parent)) {
            *parent |= left;
        }
    }
    for (row, kept) in kept.iter_mut().enumerate() {
        *kept &= at(right, row);
    }
    kept
}

/// `left << right`: rows of the right above a row of the left. One sweep from the end: a row has a descendant in the left
/// if the next row of the left is one.
pub(super) fn with_descendant(descendants: &[u32], left: &[bool], right: &[bool]) -> Vec<bool> {
    let mut kept = vec![false; descendants.len()];
    let mut next = usize::MAX;
    for ((row, &descendants), kept) in descendants.iter().enumerate().zip(&mut kept).rev() {
        *kept = at(right, row) & (next - row <= descendants as usize);
        next = select_unpredictable(at(left, row), row, next);
    }
    kept
}

/// `left ~ right`: rows of the right with a sibling, other than themselves, in the left. One sweep counts the left of each
/// family (up to 255, in a byte per row), a second takes the row itself off.
pub(super) fn with_sibling(families: &[u32], left: &[bool], right: &[bool]) -> Vec<bool> {
    let mut counts = vec![0_u8; families.len()];
    for (&family, &left) in families.iter().zip(left) {
        if let Some(count) = counts.get_mut(family as usize) {
            *count = count.saturating_add(u8::from(left));
        }
    }
    let rows = families.iter().enumerate();
    rows.map(|(row, &family)| {
        let count = counts.get(family as usize).copied().unwrap_or(0);
        at(right, row) & (count > u8::from(at(left, row)))
    })
    .collect()
}

/// For each row the number of its group of siblings. Rows have the same number if they have the same parent, or are roots
/// of one trace, or lack the same parent in one trace. Numbers count from 0 in the order of the groups' first rows.
///
/// `trace_starts` are the first rows of the traces, ascending. `missing_parent` is asked of the rows without a parent:
/// `None` for a root, otherwise the id that no row has. One sweep; such ids go through a hash map that lasts for a trace,
/// of std's kind, since they are chosen by senders.
pub(super) fn families(
    parent_offsets: &[u32],
    trace_starts: &[u32],
    missing_parent: impl Fn(usize) -> Option<u64>,
) -> Vec<u32> {
    let mut families: Vec<u32> = Vec::with_capacity(parent_offsets.len());
    let mut starts = trace_starts.iter().peekable();
    let (mut roots, mut orphans) = (None, HashMap::new());
    let mut next = 0;
    for (row, &offset) in parent_offsets.iter().enumerate() {
        // The row opens a family, unless it turns out to join one.
        families.push(next);
        let family = if let Some(parent) = above(row, offset) {
            // The parent's first child is the row after it, which may be this one.
            families.get(parent + 1).copied().unwrap_or(next)
        } else {
            while starts.next_if(|start| **start as usize <= row).is_some() {
                (roots, orphans) = (None, HashMap::new());
            }
            match missing_parent(row) {
                None => *roots.get_or_insert(next),
                Some(parent) => *orphans.entry(parent).or_insert(next),
            }
        };
        if let Some(last) = families.last_mut() {
            *last = family;
        }
        next += u32::from(family == next);
    }
    families
}

/// The row of the parent, if there is one.
fn above(row: usize, parent_offset: u32) -> Option<usize> {
    if parent_offset > 0 { row.checked_sub(parent_offset as usize) } else { None }
}

/// Whether an operand keeps a row.
fn at(kept: &[bool], row: usize) -> bool {
    kept.get(row) == Some(&true)
}
