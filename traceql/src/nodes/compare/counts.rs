//! Counts over intervals, of values of which most are rare: a list while they are few, an array when they are not.

use crate::nodes::series::{partial::Cells, state::Cell};

/// How many intervals a list has at most.
const FEW: usize = 16;

/// How many spans there are in each interval.
#[derive(Debug, Clone)]
pub(crate) enum Counts {
    /// Intervals and their counts, as they came.
    Few(Vec<(u32, u64)>),
    /// By interval.
    All(Vec<u64>),
}

impl Default for Counts {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Counts {
    pub(crate) fn add(&mut self, interval: u32, count: u64) {
        match self {
            Self::All(counts) => {
                let index = interval as usize;
                if counts.len() <= index {
                    counts.resize(index + 1, 0);
                }
                counts.iter_mut().skip(index).take(1).for_each(|sum| *sum += count);
            }
            Self::Few(list) => {
                // Spans come more or less in the order of time.
                if let Some((_, sum)) = list.iter_mut().rev().find(|(known, _)| *known == interval) {
                    *sum += count;
                } else if list.len() < FEW {
                    list.push((interval, count));
                } else {
                    let list = std::mem::take(list);
                    *self = Self::All(Vec::new());
                    list.into_iter().for_each(|(interval, count)| self.add(interval, count));
                    self.add(interval, count);
                }
            }
        }
    }

    /// Adds what others have.
    pub(crate) fn add_all(&mut self, others: &Self) {
        others.iter().for_each(|(interval, count)| self.add(interval, count));
    }

    /// Over all intervals.
    pub(crate) fn total(&self) -> u64 {
        match self {
            Self::Few(list) => list.iter().map(|(_, count)| count).sum(),
            Self::All(counts) => counts.iter().sum(),
        }
    }

    /// The intervals with something in them.
    pub(crate) fn iter(&self) -> Box<dyn Iterator<Item = (u32, u64)> + '_> {
        match self {
            Self::Few(list) => Box::new(list.iter().copied()),
            Self::All(counts) => Box::new((0..).zip(counts.iter().copied()).filter(|(_, count)| *count > 0)),
        }
    }

    /// Bytes.
    pub(crate) fn size(&self) -> usize {
        let heap = match self {
            Self::Few(list) => list.capacity() * size_of::<(u32, u64)>(),
            Self::All(counts) => counts.capacity() * size_of::<u64>(),
        };
        size_of::<Self>() + heap
    }
}

/// The counts of series, by their numbers.
impl Cells for Vec<Counts> {
    fn add_cell(&mut self, found: &Cell) {
        let index = found.group as usize;
        if self.len() <= index {
            self.resize_with(index + 1, Counts::default);
        }
        self.iter_mut().skip(index).take(1).for_each(|counts| counts.add(found.interval, found.count));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_count_the_same() {
        let mut counts = Counts::default();
        for interval in (0..40).chain((0..40).rev()) {
            counts.add(interval, u64::from(interval % 3));
        }
        let mut found: Vec<_> = counts.iter().collect();
        found.sort_unstable();
        let expected = (0..40).map(|interval| (interval, u64::from(interval % 3) * 2)).filter(|(_, count)| *count > 0);
        assert_eq!(found, expected.collect::<Vec<_>>());
        assert_eq!(counts.total(), 78);
        let mut twice = counts.clone();
        twice.add_all(&counts);
        assert_eq!((twice.total(), twice.iter().count()), (156, 26));
    }
}
