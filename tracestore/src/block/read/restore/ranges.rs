//! Some rows of a file, as ranges.

use std::ops::Range;

/// Ascending ranges of rows that do not touch, numbered through the whole file.
#[derive(Debug, Clone, Default)]
pub(super) struct RowRanges {
    ranges: Vec<Range<usize>>,
    len: usize,
}

impl RowRanges {
    /// The rows of one range.
    pub(super) fn one(range: Range<usize>) -> Self {
        let mut ranges = Self::default();
        let _ = ranges.push(range);
        ranges
    }

    /// Adds a range behind the others; `None` where it is not behind them.
    pub(super) fn push(&mut self, range: Range<usize>) -> Option<()> {
        if range.is_empty() {
            return (range.start == range.end).then_some(());
        }
        match self.ranges.last_mut() {
            Some(last) if range.start < last.end => return None,
            Some(last) if range.start == last.end => last.end = range.end,
            _ => self.ranges.push(range.clone()),
        }
        self.len += range.len();
        Some(())
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// The rows in their order.
    pub(super) fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.ranges.iter().cloned().flatten()
    }

    /// The entries of an ascending list of rows that are among these; the first entry has the number `first`.
    pub(super) fn find_in(&self, list: &[u32], first: usize) -> Self {
        let (mut found, mut at) = (Self::default(), 0);
        for range in &self.ranges {
            let rest = list.get(at..).unwrap_or(&[]);
            let start = at + rest.partition_point(|row| (*row as usize) < range.start);
            let rest = list.get(start..).unwrap_or(&[]);
            at = start + rest.partition_point(|row| (*row as usize) < range.end);
            let _ = found.push(first + start..first + at);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_joined_and_ascend() {
        let mut rows = RowRanges::one(2..4);
        assert_eq!(
            (rows.push(4..5), rows.push(9..9), rows.push(7..9), rows.push(8..10)),
            (Some(()), Some(()), Some(()), None)
        );
        assert_eq!(rows.ranges(), [2..5, 7..9]);
        assert_eq!(rows.rows().collect::<Vec<_>>(), [2, 3, 4, 7, 8]);
        assert_eq!(rows.len(), 5);
    }

    #[test]
    fn entries_of_a_list() {
        let mut rows = RowRanges::one(2..4);
        rows.push(7..9).unwrap();
        assert_eq!(rows.find_in(&[0, 2, 2, 3, 5, 6, 8, 8, 9], 100).ranges(), [101..104, 106..108]);
        assert!(rows.find_in(&[1, 4, 9], 0).is_empty());
        assert!(rows.find_in(&[], 0).is_empty());
    }
}
