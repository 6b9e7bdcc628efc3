//! Combinations of codes as numbers: each combination that is met gets the next one.

use std::collections::HashMap;

use super::labels::Codes;

/// Numbers for combinations of codes, one code for each label.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    /// Numbers by pairs: the number of what comes before, and a code. One for each label but the first.
    levels: Vec<Level>,
}

/// Pairs of numbers as numbers.
#[derive(Debug, Default)]
struct Level {
    /// By the first of a pair, then by the second, while that is small; 0 for none yet.
    dense: Vec<Vec<u32>>,
    sparse: HashMap<(u32, u32), u32>,
    pairs: Vec<(u32, u32)>,
}

/// Codes from here on are looked up by hash.
const DENSE: u32 = 1_024;

impl Level {
    fn number(&mut self, first: u32, second: u32) -> u32 {
        let slot = if second < DENSE {
            if self.dense.len() <= first as usize {
                self.dense.resize(first as usize + 1, Vec::new());
            }
            let Some(row) = self.dense.get_mut(first as usize) else { return 0 };
            if row.len() <= second as usize {
                row.resize(second as usize + 1, 0);
            }
            let Some(slot) = row.get_mut(second as usize) else { return 0 };
            slot
        } else {
            self.sparse.entry((first, second)).or_insert(0)
        };
        if *slot == 0 {
            self.pairs.push((first, second));
            *slot = self.pairs.len() as u32;
        }
        *slot - 1
    }

    fn size(&self) -> usize {
        let dense: usize = self.dense.iter().map(|row| row.capacity() * 4 + size_of::<Vec<u32>>()).sum();
        dense + self.sparse.capacity() * 13 + self.pairs.capacity() * 8
    }
}

/// The groups of the rows of a batch.
#[derive(Debug)]
pub(crate) enum RowGroups {
    /// All rows are in group 0.
    Same,
    /// One each.
    One(Vec<u32>),
    /// For each row the groups up to its end.
    Many { ends: Vec<u32>, groups: Vec<u32> },
}

impl RowGroups {
    /// Hands over the groups of a row.
    pub(crate) fn each(&self, row: usize, mut take: impl FnMut(u32)) {
        match self {
            Self::Same => take(0),
            Self::One(groups) => groups.get(row).into_iter().for_each(|group| take(*group)),
            Self::Many { ends, groups } => {
                let end = |row: usize| ends.get(row).copied().unwrap_or(0) as usize;
                let start = row.checked_sub(1).map_or(0, end);
                groups.get(start..end(row)).unwrap_or(&[]).iter().for_each(|group| take(*group));
            }
        }
    }
}

impl Groups {
    /// Numbers for as many labels as there are.
    pub(crate) fn new(labels: usize) -> Self {
        let levels = (1..labels).map(|_| Level::default()).collect();
        Self { levels }
    }

    /// The groups of rows by the codes of their labels. A row with several values for a label is in a group for each, and
    /// for each combination.
    pub(crate) fn of_rows(&mut self, labels: Vec<Codes>, rows: usize) -> RowGroups {
        if labels.iter().any(|codes| matches!(codes, Codes::Many { .. })) {
            return self.combine(&labels, rows);
        }
        let mut labels = labels.into_iter().map(|codes| match codes {
            Codes::One(codes) => codes,
            Codes::Many { codes, .. } => codes,
        });
        let Some(mut groups) = labels.next() else { return RowGroups::Same };
        for (level, codes) in self.levels.iter_mut().zip(labels) {
            let mut last = (u32::MAX, u32::MAX, 0);
            for (group, code) in groups.iter_mut().zip(codes) {
                if (last.0, last.1) != (*group, code) {
                    last = (*group, code, level.number(*group, code));
                }
                *group = last.2;
            }
        }
        RowGroups::One(groups)
    }

    fn combine(&mut self, labels: &[Codes], rows: usize) -> RowGroups {
        let (mut ends, mut groups) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let mut combined: Vec<u32> = Vec::new();
        for row in 0..rows {
            let mut labels = labels.iter();
            combined.clear();
            combined.extend_from_slice(labels.next().map_or(&[], |codes| codes.of(row)));
            for (level, codes) in self.levels.iter_mut().zip(labels) {
                let before = std::mem::take(&mut combined);
                for group in before {
                    combined.extend(codes.of(row).iter().map(|code| level.number(group, *code)));
                }
            }
            groups.extend_from_slice(&combined);
            ends.push(groups.len() as u32);
        }
        RowGroups::Many { ends, groups }
    }

    /// The codes of a group's labels; none without labels.
    pub(crate) fn codes(&self, group: u32, labels: usize) -> Vec<u32> {
        let mut codes = Vec::with_capacity(labels);
        let mut group = group;
        for level in self.levels.iter().rev() {
            let Some((before, code)) = level.pairs.get(group as usize) else { return Vec::new() };
            codes.push(*code);
            group = *before;
        }
        if labels > 0 {
            codes.push(group);
        }
        codes.reverse();
        codes
    }

    /// Bytes on the heap.
    pub(super) fn size(&self) -> usize {
        self.levels.iter().map(Level::size).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_are_numbered_as_they_come() {
        let mut groups = Groups::new(3);
        let labels = || vec![Codes::One(vec![1, 1, 7]), Codes::One(vec![0, 2, 2_000]), Codes::One(vec![5, 5, 5])];
        let RowGroups::One(found) = groups.of_rows(labels(), 3) else { panic!() };
        assert_eq!(found, [0, 1, 2]);
        let RowGroups::One(found) = groups.of_rows(labels(), 3) else { panic!() };
        assert_eq!(found, [0, 1, 2]);
        assert_eq!(
            (0..3).map(|group| groups.codes(group, 3)).collect::<Vec<_>>(),
            [[1, 0, 5], [1, 2, 5], [7, 2_000, 5]]
        );
        assert_eq!(Groups::new(1).codes(4, 1), [4]);
        assert_eq!(Groups::new(0).codes(0, 0), [0; 0]);
    }

    #[test]
    fn several_values_are_in_every_combination() {
        let mut groups = Groups::new(2);
        let labels = vec![
            Codes::Many { ends: vec![2, 3], codes: vec![1, 2, 1] },
            Codes::Many { ends: vec![2, 3], codes: vec![8, 9, 8] },
        ];
        let RowGroups::Many { ends, groups: found } = groups.of_rows(labels, 2) else { panic!() };
        assert_eq!((ends, found), (vec![4, 5], vec![0, 1, 2, 3, 0]));
        assert_eq!(groups.codes(3, 2), [2, 9]);
    }
}
