//! The shape of one trace: who is whose parent, and the order of the rows (FORMAT.md, "Order"). Pure; no recursion,
//! since chains may be long.

use hashbrown::HashMap;

/// OTLP's numbers of the kinds that decide between spans with the same id.
const SERVER: i32 = 2;
const CLIENT: i32 = 3;

/// What the shape of a trace follows from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) span_id: u64,
    /// 0 for roots.
    pub(super) parent_id: u64,
    pub(super) kind: i32,
    pub(super) start: u64,
}

/// A row of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    /// Index of the node.
    pub(super) node: usize,
    /// Rows back to the parent, 0 without one.
    pub(super) parent_offset: u32,
    pub(super) descendants: u32,
    pub(super) under_root: bool,
}

/// Below this many nodes a parent is looked for one by one.
const SMALL: usize = 16;

/// The nodes in pre-order: trees under roots, then subtrees whose parent is missing.
pub(super) fn arrange(nodes: &[Node]) -> Vec<Placed> {
    let mut parents = find_parents(nodes);
    cut_cycles(nodes, &mut parents);

    // Siblings in the order of (start, span id); lists of children linked through the later sibling.
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    order.sort_by_key(|node| nodes.get(*node).map(|node| (node.start, node.span_id, node.kind)));
    let mut first_child: Vec<Option<usize>> = vec![None; nodes.len()];
    let mut next_sibling: Vec<Option<usize>> = vec![None; nodes.len()];
    let (mut roots, mut orphans) = (Vec::new(), Vec::new());
    for &node in order.iter().rev() {
        match parents.get(node).copied().flatten() {
            Some(parent) => {
                if let (Some(first), Some(next)) = (first_child.get_mut(parent), next_sibling.get_mut(node)) {
                    *next = first.replace(node);
                }
            }
            None if nodes.get(node).is_some_and(|node| node.parent_id == 0) => roots.push(node),
            None => orphans.push(node),
        }
    }

    let mut placed: Vec<Placed> = Vec::with_capacity(nodes.len());
    let mut rows = vec![0_usize; nodes.len()];
    let root_count = roots.len();
    let tops = roots.into_iter().rev().chain(orphans.into_iter().rev());
    let mut stack = Vec::new();
    for (index, top) in tops.enumerate() {
        stack.push(top);
        while let Some(node) = stack.pop() {
            let row = placed.len();
            let parent_row = parents.get(node).copied().flatten().and_then(|parent| rows.get(parent));
            let parent_offset = parent_row.map_or(0, |parent| (row - parent) as u32);
            placed.push(Placed { node, parent_offset, descendants: 0, under_root: index < root_count });
            if let Some(slot) = rows.get_mut(node) {
                *slot = row;
            }
            // The first child is to be popped first: push the later siblings before it.
            let base = stack.len();
            let mut child = first_child.get(node).copied().flatten();
            while let Some(node) = child {
                stack.push(node);
                child = next_sibling.get(node).copied().flatten();
            }
            if let Some(children) = stack.get_mut(base..) {
                children.reverse();
            }
        }
    }
    for row in (0..placed.len()).rev() {
        let Some(Placed { parent_offset, descendants, .. }) = placed.get(row).copied() else { continue };
        if parent_offset > 0
            && let Some(parent) = placed.get_mut(row - parent_offset as usize)
        {
            parent.descendants += descendants + 1;
        }
    }
    placed
}

/// Each node's parent by id, and by kind where several nodes share the id.
fn find_parents(nodes: &[Node]) -> Vec<Option<usize>> {
    let mut by_id: HashMap<u64, Vec<usize>> = HashMap::new();
    if nodes.len() > SMALL {
        for (index, node) in nodes.iter().enumerate() {
            by_id.entry(node.span_id).or_default().push(index);
        }
    }
    let parent = |(index, node): (usize, &Node)| {
        if node.parent_id == 0 {
            return None;
        }
        if nodes.len() > SMALL {
            let candidates = by_id.get(&node.parent_id)?;
            return choose(nodes, index, candidates.iter().copied());
        }
        let candidates = nodes.iter().enumerate().filter(|(_, other)| other.span_id == node.parent_id);
        choose(nodes, index, candidates.map(|(candidate, _)| candidate))
    };
    nodes.iter().enumerate().map(parent).collect()
}

/// The parent of `child` among all nodes with its parent id.
fn choose(nodes: &[Node], child: usize, candidates: impl Iterator<Item = usize> + Clone) -> Option<usize> {
    let several = candidates.clone().nth(1).is_some();
    let wanted = match nodes.get(child)?.kind {
        SERVER => CLIENT,
        _ => SERVER,
    };
    let fits = |candidate: &usize| {
        *candidate != child && (!several || nodes.get(*candidate).is_some_and(|node| node.kind == wanted))
    };
    candidates.filter(fits).min_by_key(|candidate| nodes.get(*candidate).map(|node| (node.start, *candidate)))
}

/// Cuts every cycle of parents at its earliest start.
fn cut_cycles(nodes: &[Node], parents: &mut [Option<usize>]) {
    /// 0: not seen; the number of the walk that saw it; `usize::MAX`: leads to no cycle.
    const DONE: usize = usize::MAX;
    let mut seen = vec![0_usize; nodes.len()];
    for start in 0..nodes.len() {
        let walk = start + 1;
        let mut at = Some(start);
        while let Some(node) = at {
            match seen.get_mut(node) {
                Some(mark) if *mark == 0 => *mark = walk,
                Some(mark) if *mark == walk => {
                    cut_cycle(nodes, parents, node);
                    break;
                }
                _ => break,
            }
            at = parents.get(node).copied().flatten();
        }
        let mut at = Some(start);
        while let Some(node) = at {
            match seen.get_mut(node) {
                Some(mark) if *mark == walk => *mark = DONE,
                _ => break,
            }
            at = parents.get(node).copied().flatten();
        }
    }
}

/// Cuts the cycle that `member` is on.
fn cut_cycle(nodes: &[Node], parents: &mut [Option<usize>], member: usize) {
    let mut earliest = member;
    let mut at = parents.get(member).copied().flatten();
    let key = |node: usize| nodes.get(node).map(|node| (node.start, node.span_id, node.kind));
    while let Some(node) = at.filter(|node| *node != member) {
        if key(node) < key(earliest) {
            earliest = node;
        }
        at = parents.get(node).copied().flatten();
    }
    if let Some(parent) = parents.get_mut(earliest) {
        *parent = None;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn node(span_id: u64, parent_id: u64, start: u64) -> Node {
        Node { span_id, parent_id, kind: 1, start }
    }

    /// Span ids in order of the rows with the offset to the parent.
    fn rows(nodes: &[Node]) -> Vec<(u64, u32, u32)> {
        let placed = arrange(nodes);
        placed.iter().map(|row| (nodes[row.node].span_id, row.parent_offset, row.descendants)).collect()
    }

    #[test]
    fn children_follow_their_parent_by_start() {
        let nodes = [node(4, 2, 9), node(3, 1, 5), node(2, 1, 3), node(1, 0, 1), node(9, 0, 0), node(8, 77, 0)];
        let expected = [(9, 0, 0), (1, 0, 3), (2, 1, 1), (4, 1, 0), (3, 3, 0), (8, 0, 0)];
        assert_eq!(rows(&nodes), expected);
        assert_eq!(arrange(&nodes).iter().filter(|row| row.under_root).count(), 5);
    }

    #[test]
    fn a_cycle_is_cut_at_its_earliest_start() {
        let nodes = [node(1, 3, 5), node(2, 1, 4), node(3, 2, 6), node(4, 1, 1)];
        assert_eq!(rows(&nodes), [(2, 0, 3), (3, 1, 2), (1, 1, 1), (4, 1, 0)]);
        assert_eq!(rows(&[node(1, 1, 5)]), [(1, 0, 0)]);
    }

    #[test]
    fn halves_with_one_id_are_told_apart_by_kind() {
        let half = |kind| Node { span_id: 7, parent_id: 1, kind, start: 2 };
        let child = |span_id, kind| Node { span_id, parent_id: 7, kind, start: 3 };
        // An internal child belongs to the server half, a server child to the client half.
        let nodes = [node(1, 0, 1), half(CLIENT), half(SERVER), child(8, 1), child(9, SERVER)];
        let placed = arrange(&nodes);
        let parent = |span_id| {
            let row = placed.iter().position(|row| nodes[row.node].span_id == span_id).unwrap();
            nodes[placed[row - placed[row].parent_offset as usize].node].kind
        };
        assert_eq!((parent(8), parent(9)), (SERVER, CLIENT));
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let nodes: Vec<_> = (1..=200_000).map(|id| node(id, id - 1, 0)).collect();
        let placed = arrange(&nodes);
        assert_eq!(placed[0].descendants, 199_999);
        assert!(placed.iter().skip(1).all(|row| row.parent_offset == 1));
    }

    proptest! {
        #[test]
        fn every_row_lies_within_its_parent(
            raw in prop::collection::vec((1..40_u64, 0..40_u64, 0..5_i32, 0..5_u64), 0..60)
        ) {
            let nodes: Vec<_> = raw.iter()
                .map(|(span_id, parent_id, kind, start)| Node { span_id: *span_id, parent_id: *parent_id, kind: *kind, start: *start })
                .collect();
            let placed = arrange(&nodes);
            let mut seen: Vec<_> = placed.iter().map(|row| row.node).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..nodes.len()).collect::<Vec<_>>());
            for (row, place) in placed.iter().enumerate() {
                let offset = place.parent_offset as usize;
                if offset > 0 {
                    let parent = placed[row - offset];
                    prop_assert_eq!(nodes[parent.node].span_id, nodes[place.node].parent_id);
                    prop_assert!(row + place.descendants as usize <= row - offset + parent.descendants as usize);
                    prop_assert_eq!(place.under_root, parent.under_root);
                } else {
                    prop_assert_eq!(place.under_root, nodes[place.node].parent_id == 0);
                }
            }
        }
    }
}
