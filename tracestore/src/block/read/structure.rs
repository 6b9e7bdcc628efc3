//! Numbers that follow from the order of the rows: parents, child counts, nested-set numbers. Pure sweeps over the rows
//! of whole traces, in pre-order with the trees under roots first.

/// Index of each row's parent, `None` without one.
fn parent(row: usize, offset: u32) -> Option<usize> {
    (offset > 0).then(|| row.checked_sub(offset as usize)).flatten()
}

/// How many rows have each row as parent.
pub(super) fn child_counts(parent_offsets: &[u32]) -> Vec<i64> {
    let mut counts = vec![0; parent_offsets.len()];
    for (row, offset) in parent_offsets.iter().enumerate() {
        if let Some(count) = parent(row, *offset).and_then(|parent| counts.get_mut(parent)) {
            *count += 1;
        }
    }
    counts
}

/// Left and parent numbers of nested sets; the right number is `left + 2 * descendants + 1`. All zero for rows that are
/// not `under_root`.
///
/// In pre-order the k-th row under a root (from 0) at depth d was entered after k entries and k − d exits, so its
/// left number is 2k − d + 1, whatever the number of roots.
pub(super) fn nested_sets(
    parent_offsets: &[u32],
    under_root: impl Fn(usize) -> bool,
    trace_starts: impl Iterator<Item = usize>,
) -> (Vec<i64>, Vec<i64>) {
    let rows = parent_offsets.len();
    let (mut left, mut parents, mut depths) = (vec![0_i64; rows], vec![0_i64; rows], vec![0_i64; rows]);
    let mut trace_starts = trace_starts.peekable();
    let mut first = 0;
    for (row, offset) in parent_offsets.iter().enumerate() {
        while trace_starts.next_if(|start| *start <= row).is_some_and(|start| start <= row) {
            first = row;
        }
        if !under_root(row) {
            continue;
        }
        let parent = parent(row, *offset);
        let depth = parent.and_then(|parent| depths.get(parent)).map_or(0, |depth| depth + 1);
        let above = parent.and_then(|parent| left.get(parent)).copied().unwrap_or(-1);
        let index = i64::try_from(row - first).unwrap_or(i64::MAX / 4);
        if let (Some(left), Some(parents), Some(depths)) =
            (left.get_mut(row), parents.get_mut(row), depths.get_mut(row))
        {
            *left = 2 * index - depth + 1;
            *parents = above;
            *depths = depth;
        }
    }
    (left, parents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_two_traces() {
        // Rows 0 to 4: a root with children 1 (child 2) and 3, then a second root 4; row 5: an orphan; row 6: a root.
        let offsets = [0, 1, 1, 3, 0, 0, 0];
        let (left, parents) = nested_sets(&offsets, |row| row != 5, [0, 6].into_iter());
        assert_eq!(left, [1, 2, 3, 6, 9, 0, 1]);
        assert_eq!(parents, [-1, 1, 2, 1, -1, 0, -1]);
        assert_eq!(child_counts(&offsets), [2, 1, 0, 0, 0, 0, 0]);
    }
}
