//! How many spans have which value, counted by the codes of a dictionary: a text is never looked at, only its number.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array};

use super::{Block, SpanReader, Values};
use crate::{Error, Result, block::column::SpanColumn};

/// Some values of a column, and how many spans have each. A value may be there several times, or with no span.
#[derive(Debug, Clone)]
pub struct ValueCounts {
    /// The values; null for none.
    pub values: ArrayRef,
    /// For each value, how many spans have it.
    pub spans: Vec<u64>,
}

/// What a row group says of a column.
#[derive(Debug)]
pub(crate) enum Counted {
    /// The column is not kept as codes here: each span has its value.
    Uncoded,
    /// No span has a value.
    Nothing,
    Values(ValueCounts),
}

impl Block {
    /// How many spans of a row group have which value. `number` is the block's in the view.
    pub(crate) fn count_codes(&self, number: u32, row_group: usize, column: &SpanColumn) -> Result<Counted> {
        let reader = SpanReader::new(self, number, row_group)?;
        if reader.rows() == 0 || reader.is_absent(column)? {
            return Ok(Counted::Nothing);
        }
        match reader.read(column)? {
            Values::Missing => Ok(Counted::Nothing),
            Values::Plain(_) => Ok(Counted::Uncoded),
            Values::Coded { codes, values } => {
                let spans = histogram(&codes, values.len());
                let spans = spans.ok_or_else(|| Error::corrupt(self.path(), 0, "a code has no value"))?;
                Ok(Counted::Values(ValueCounts { values, spans }))
            }
        }
    }
}

impl ValueCounts {
    /// Joins counts over the very same values, as the row groups of a block give for a column of resources.
    pub(crate) fn join(parts: Vec<Self>) -> Vec<Self> {
        let mut joined: Vec<Self> = Vec::new();
        for part in parts {
            match joined.last_mut().filter(|last| Arc::ptr_eq(&last.values, &part.values)) {
                Some(last) => last.spans.iter_mut().zip(part.spans).for_each(|(sum, spans)| *sum += spans),
                None => joined.push(part),
            }
        }
        joined
    }
}

/// How often each code below `len` is there; `None` if one is not below it.
fn histogram(codes: &Int32Array, len: usize) -> Option<Vec<u64>> {
    let mut counts = vec![0_u64; len];
    let mut count = |code: i32| {
        let slot = usize::try_from(code).ok().and_then(|code| counts.get_mut(code));
        slot.map(|slot| *slot += 1)
    };
    if codes.null_count() == 0 {
        codes.values().iter().try_for_each(|code| count(*code))?;
    } else {
        codes.iter().flatten().try_for_each(count)?;
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_counted_and_checked() {
        assert_eq!(histogram(&Int32Array::from(vec![Some(2), None, Some(0), Some(2)]), 3), Some(vec![1, 0, 2]));
        assert_eq!(histogram(&Int32Array::from(vec![3]), 3), None);
        assert_eq!(histogram(&Int32Array::from(vec![-1]), 3), None);
    }

    #[test]
    fn counts_over_the_same_values_are_one() {
        let values: ArrayRef = Arc::new(Int32Array::from(vec![7, 8]));
        let other: ArrayRef = Arc::new(Int32Array::from(vec![7, 8]));
        let part =
            |values: &ArrayRef, spans: [u64; 2]| ValueCounts { values: Arc::clone(values), spans: spans.to_vec() };
        let joined = ValueCounts::join(vec![part(&values, [1, 2]), part(&values, [10, 0]), part(&other, [5, 5])]);
        let spans: Vec<_> = joined.into_iter().map(|part| part.spans).collect();
        assert_eq!(spans, [[11, 2], [5, 5]]);
    }
}
