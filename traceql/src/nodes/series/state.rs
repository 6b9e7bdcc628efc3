//! What is kept of the spans of every series and interval. Cells are laid out series by series; adding is all that is
//! done to them, in any order.

use super::{Measure, exact::ExactSum, partial::Cells};
use crate::nodes::values::Number;

const NANOS: f64 = 1e9;

/// The cells of all series.
#[derive(Debug)]
pub(crate) enum State {
    Count(Table<u64>),
    /// NaN where there is no number.
    Least(Table<f64>),
    Greatest(Table<f64>),
    Sum(Table<SumCell>),
    Buckets(Buckets),
    Values(Table<Vec<f64>>),
}

/// A sum and how much is in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SumCell {
    pub(crate) count: u64,
    /// Of integers and of durations in ns.
    pub(crate) whole: i128,
    pub(crate) floats: Option<Box<ExactSum>>,
    /// Whether what is whole are durations.
    pub(crate) durations: bool,
}

/// A cell by itself, as it travels.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Cell {
    /// The number of its series.
    pub(crate) group: u32,
    pub(crate) interval: u32,
    /// The power of two of a bucket.
    pub(crate) bucket: u8,
    pub(crate) count: u64,
    /// The least, the greatest, a value.
    pub(crate) number: Option<f64>,
    pub(crate) sum: Option<Vec<u8>>,
}

/// Cells by series and interval.
#[derive(Debug, Clone)]
pub(crate) struct Table<T> {
    intervals: usize,
    cells: Vec<T>,
    empty: T,
    /// The most cells there may be.
    limit: usize,
    /// Whether there would have been more.
    full: bool,
}

impl<T: Clone> Table<T> {
    fn new(intervals: usize, empty: T, max_memory: usize) -> Self {
        Self { intervals, cells: Vec::new(), empty, limit: max_memory / size_of::<T>().max(1), full: false }
    }

    #[inline]
    fn cell(&mut self, group: u32, interval: u32) -> Option<&mut T> {
        let index = group as usize * self.intervals + interval as usize;
        if index >= self.cells.len() {
            self.grow(group);
        }
        self.cells.get_mut(index)
    }

    #[cold]
    fn grow(&mut self, group: u32) {
        let wanted = (group as usize + 1) * self.intervals;
        if wanted > self.limit {
            self.full = true;
        } else {
            self.cells.resize(wanted, self.empty.clone());
        }
    }

    /// The cells of a series, an interval each.
    pub(crate) fn row(&self, group: u32) -> &[T] {
        let start = group as usize * self.intervals;
        self.cells.get(start..start + self.intervals).unwrap_or(&[])
    }

    /// All cells with their places.
    fn iter(&self) -> impl Iterator<Item = (u32, u32, &T)> {
        let rows = self.cells.chunks(self.intervals.max(1)).zip(0_u32..);
        rows.flat_map(|(row, group)| row.iter().zip(0_u32..).map(move |(cell, interval)| (group, interval, cell)))
    }

    fn size(&self) -> usize {
        self.cells.capacity() * size_of::<T>()
    }
}

/// Counts by power of two: rows of counts, made when the first value of a series is in a bucket.
#[derive(Debug)]
pub(crate) struct Buckets {
    /// By series and power: the number of the row, from 1.
    rows: Table<u32>,
    counts: Table<u64>,
    places: Vec<(u32, u8)>,
}

/// Powers of two of 64-bit integers.
const POWERS: usize = 64;

impl Buckets {
    fn cell(&mut self, group: u32, bucket: u8, interval: u32) -> Option<&mut u64> {
        let row = self.rows.cell(group, u32::from(bucket))?;
        if *row == 0 {
            self.places.push((group, bucket));
            *row = self.places.len() as u32;
        }
        self.counts.cell(*row - 1, interval)
    }

    /// The rows of a series by power, ascending: the power, and a count for each interval.
    pub(crate) fn rows(&self, group: u32) -> impl Iterator<Item = (u8, &[u64])> {
        let rows = self.rows.row(group).iter().zip(0_u8..);
        rows.filter_map(|(row, power)| Some((power, self.counts.row(row.checked_sub(1)?))))
    }
}

/// The power of two that is not below a number; integers and durations from 2 on have one.
pub(crate) fn bucket(number: Number) -> Option<u8> {
    match number {
        Number::Int(value) | Number::Duration(value) if value >= 2 => Some((64 - (value - 1).leading_zeros()) as u8),
        _ => None,
    }
}

impl State {
    pub(crate) fn new(measure: Measure, intervals: usize, max_memory: usize) -> Self {
        match measure {
            Measure::Count => Self::Count(Table::new(intervals, 0, max_memory)),
            Measure::Least => Self::Least(Table::new(intervals, f64::NAN, max_memory)),
            Measure::Greatest => Self::Greatest(Table::new(intervals, f64::NAN, max_memory)),
            Measure::Sum => Self::Sum(Table::new(intervals, SumCell::default(), max_memory)),
            Measure::Buckets => Self::Buckets(Buckets {
                rows: Table::new(POWERS, 0, max_memory),
                counts: Table::new(intervals, 0, max_memory),
                places: Vec::new(),
            }),
            Measure::Values => Self::Values(Table::new(intervals, Vec::new(), max_memory)),
        }
    }

    /// Adds a number to a series, `weight` times.
    #[inline]
    pub(crate) fn add(&mut self, group: u32, interval: u32, number: Number, weight: u64) {
        match self {
            Self::Count(table) => table.cell(group, interval).into_iter().for_each(|cell| *cell += weight),
            Self::Least(table) => {
                table.cell(group, interval).into_iter().for_each(|cell| *cell = least(*cell, seconds(number)));
            }
            Self::Greatest(table) => {
                table.cell(group, interval).into_iter().for_each(|cell| *cell = greatest(*cell, seconds(number)));
            }
            Self::Sum(table) => table.cell(group, interval).into_iter().for_each(|cell| cell.add(number, weight)),
            Self::Buckets(buckets) => {
                let Some(power) = bucket(number) else { return };
                buckets.cell(group, power, interval).into_iter().for_each(|count| *count += weight);
            }
            Self::Values(table) => {
                let value = seconds(number);
                if !value.is_nan() {
                    table.cell(group, interval).into_iter().for_each(|cell| cell.push(value));
                }
            }
        }
    }

    /// Every cell that has something in it.
    pub(crate) fn cells(&self) -> Box<dyn Iterator<Item = Cell> + '_> {
        fn at(group: u32, interval: u32) -> Cell {
            Cell { group, interval, ..Cell::default() }
        }
        match self {
            Self::Count(table) => {
                let cells = table.iter().filter(|(_, _, count)| **count > 0);
                Box::new(cells.map(|(group, interval, count)| Cell { count: *count, ..at(group, interval) }))
            }
            Self::Least(table) | Self::Greatest(table) => {
                let cells = table.iter().filter(|(_, _, number)| !number.is_nan());
                Box::new(cells.map(|(group, interval, number)| Cell { number: Some(*number), ..at(group, interval) }))
            }
            Self::Sum(table) => {
                let cells = table.iter().filter(|(_, _, cell)| cell.count > 0);
                Box::new(cells.map(|(group, interval, cell)| Cell {
                    count: cell.count,
                    sum: Some(cell.to_bytes()),
                    ..at(group, interval)
                }))
            }
            Self::Buckets(buckets) => {
                let cells = buckets.counts.iter().filter(|(_, _, count)| **count > 0);
                Box::new(cells.filter_map(|(row, interval, count)| {
                    let (group, bucket) = buckets.places.get(row as usize)?;
                    Some(Cell { bucket: *bucket, count: *count, ..at(*group, interval) })
                }))
            }
            Self::Values(table) => Box::new(table.iter().flat_map(|(group, interval, values)| {
                values.iter().map(move |value| Cell { count: 1, number: Some(*value), ..at(group, interval) })
            })),
        }
    }

    /// Bytes on the heap; `None` when some cell would have been one too many.
    pub(crate) fn size(&self) -> Option<usize> {
        let (full, size) = match self {
            Self::Count(table) => (table.full, table.size()),
            Self::Least(table) | Self::Greatest(table) => (table.full, table.size()),
            Self::Sum(table) => {
                let floats = table.cells.iter().filter_map(|cell| cell.floats.as_ref());
                (table.full, table.size() + floats.map(|sum| size_of::<ExactSum>() + sum.size()).sum::<usize>())
            }
            Self::Buckets(buckets) => {
                (buckets.rows.full || buckets.counts.full, buckets.rows.size() + buckets.counts.size())
            }
            Self::Values(table) => {
                let values: usize = table.cells.iter().map(|cell| cell.capacity() * size_of::<f64>()).sum();
                (table.full, table.size() + values)
            }
        };
        (!full).then_some(size)
    }
}

impl Cells for State {
    fn add_cell(&mut self, found: &Cell) {
        let Cell { group, interval, bucket, count, number, sum } = found;
        match self {
            Self::Count(table) => table.cell(*group, *interval).into_iter().for_each(|cell| *cell += count),
            Self::Least(table) => {
                let number = number.unwrap_or(f64::NAN);
                table.cell(*group, *interval).into_iter().for_each(|cell| *cell = least(*cell, number));
            }
            Self::Greatest(table) => {
                let number = number.unwrap_or(f64::NAN);
                table.cell(*group, *interval).into_iter().for_each(|cell| *cell = greatest(*cell, number));
            }
            Self::Sum(table) => {
                let other = sum.as_deref().and_then(|bytes| SumCell::from_bytes(*count, bytes));
                if let (Some(cell), Some(other)) = (table.cell(*group, *interval), other) {
                    cell.merge(&other);
                }
            }
            Self::Buckets(buckets) => {
                let cell = buckets.cell(*group, (*bucket).min(63), *interval);
                cell.into_iter().for_each(|cell| *cell += count);
            }
            Self::Values(table) => {
                let values = number
                    .iter()
                    .flat_map(|number| std::iter::repeat_n(*number, usize::try_from(*count).unwrap_or(usize::MAX)));
                table.cell(*group, *interval).into_iter().for_each(|cell| cell.extend(values.clone()));
            }
        }
    }
}

/// A number as a float, durations in seconds. Zero has no sign, so that it does not matter which one came first.
pub(crate) fn seconds(number: Number) -> f64 {
    match number {
        Number::Int(value) => value as f64,
        Number::Float(value) => value + 0.0,
        Number::Duration(nanos) => nanos as f64 / NANOS,
    }
}

/// The smaller one; NaN only if there is nothing else.
fn least(cell: f64, value: f64) -> f64 {
    if value < cell || cell.is_nan() { value } else { cell }
}

fn greatest(cell: f64, value: f64) -> f64 {
    if value > cell || cell.is_nan() { value } else { cell }
}

impl SumCell {
    fn add(&mut self, number: Number, weight: u64) {
        self.count += weight;
        match number {
            Number::Int(value) => self.whole += i128::from(value) * i128::from(weight),
            Number::Duration(nanos) => {
                self.whole += i128::from(nanos) * i128::from(weight);
                self.durations = true;
            }
            Number::Float(value) => self.floats.get_or_insert_default().add(value * weight as f64),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.whole += other.whole;
        self.durations |= other.durations;
        if let Some(floats) = &other.floats {
            self.floats.get_or_insert_default().merge(floats);
        }
    }

    /// The sum; durations in seconds. NaN where there is nothing.
    pub(crate) fn sum(&self) -> f64 {
        match &self.floats {
            _ if self.count == 0 => f64::NAN,
            None if self.durations => self.whole as f64 / NANOS,
            None => self.whole as f64,
            Some(floats) => {
                let mut sum = floats.as_ref().clone();
                sum.add_integer(self.whole);
                sum.value()
            }
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.whole.to_le_bytes().to_vec();
        bytes.push(u8::from(self.durations));
        bytes.extend(self.floats.iter().flat_map(|floats| floats.to_bytes()));
        bytes
    }

    fn from_bytes(count: u64, bytes: &[u8]) -> Option<Self> {
        let (whole, rest) = bytes.split_first_chunk::<16>()?;
        let (durations, rest) = rest.split_first()?;
        let floats = if rest.is_empty() { None } else { Some(Box::new(ExactSum::from_bytes(rest)?)) };
        Some(Self { count, whole: i128::from_le_bytes(*whole), floats, durations: *durations == 1 })
    }
}
