//! The spans chosen so far, and as a table what a partition has chosen.

use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, BinaryArray, Float64Array, RecordBatch, UInt32Array, UInt64Array},
        datatypes::{DataType, Field, Float64Type, Schema, SchemaRef, UInt32Type, UInt64Type},
    },
    common::{Result, internal_err},
};

use crate::{
    Value,
    nodes::pipeline::attributes::{decode, encode},
};

/// How many spans of a series there are in a part of the range.
const EACH: usize = 2;

/// A span that may be an exemplar. The smaller goes first.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct Candidate {
    pub(crate) trace_hash: u64,
    pub(crate) span_hash: u64,
    pub(crate) start: u64,
    /// What it adds; `None` where spans are counted.
    pub(crate) value: Option<f64>,
    /// Where it is in the view.
    pub(crate) block: u32,
    pub(crate) row: u32,
}

/// The first spans of one series and part, of different traces.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chosen(Vec<Candidate>);

impl Chosen {
    pub(crate) fn offer(&mut self, candidate: Candidate) {
        let later = |last: &Candidate| *last < candidate && last.trace_hash != candidate.trace_hash;
        if self.0.len() == EACH && self.0.last().is_some_and(later) {
            return;
        }
        self.0.push(candidate);
        self.0.sort_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
        self.0.dedup_by_key(|candidate| candidate.trace_hash);
        self.0.truncate(EACH);
    }

    pub(crate) fn list(&self) -> &[Candidate] {
        &self.0
    }
}

/// The columns: the series' labels ([`encode`]d), the part (and bucket), and the candidate.
pub(crate) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("labels", DataType::Binary, false),
        Field::new("part", DataType::UInt32, false),
        Field::new("trace_hash", DataType::UInt64, false),
        Field::new("span_hash", DataType::UInt64, false),
        Field::new("start", DataType::UInt64, false),
        Field::new("value", DataType::Float64, true),
        Field::new("block", DataType::UInt32, false),
        Field::new("row", DataType::UInt32, false),
    ]))
}

/// Choices as a batch: the values of a series' labels, a part, a candidate.
pub(super) fn to_batch(chosen: &[(Vec<Option<Value>>, u32, Candidate)]) -> Result<RecordBatch> {
    let labels = chosen.iter().map(|(labels, ..)| {
        let mut bytes = Vec::new();
        encode(&labels.iter().cloned().enumerate().collect::<Vec<_>>(), &mut bytes);
        bytes
    });
    let candidates = || chosen.iter().map(|(.., candidate)| candidate);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(BinaryArray::from_iter_values(labels)),
        Arc::new(UInt32Array::from_iter_values(chosen.iter().map(|(_, part, _)| *part))),
        Arc::new(UInt64Array::from_iter_values(candidates().map(|candidate| candidate.trace_hash))),
        Arc::new(UInt64Array::from_iter_values(candidates().map(|candidate| candidate.span_hash))),
        Arc::new(UInt64Array::from_iter_values(candidates().map(|candidate| candidate.start))),
        Arc::new(candidates().map(|candidate| candidate.value).collect::<Float64Array>()),
        Arc::new(UInt32Array::from_iter_values(candidates().map(|candidate| candidate.block))),
        Arc::new(UInt32Array::from_iter_values(candidates().map(|candidate| candidate.row))),
    ];
    Ok(RecordBatch::try_new(schema(), columns)?)
}

/// Joins the choices of partitions: the values of each series' labels, and its spans in the order of the parts.
pub(crate) fn join(batches: &[RecordBatch]) -> Result<Vec<(Vec<Value>, Candidate)>> {
    let mut all: BTreeMap<(Vec<u8>, u32), Chosen> = BTreeMap::new();
    for batch in batches {
        let [labels, part, trace_hash, span_hash, start, value, block, row] = batch.columns() else {
            return internal_err!("choices have 8 columns, not {}", batch.num_columns());
        };
        let (labels, value) = (labels.as_binary::<i32>(), value.as_primitive::<Float64Type>());
        let long = |array: &ArrayRef, at: usize| array.as_primitive::<UInt64Type>().value(at);
        let short = |array: &ArrayRef, at: usize| array.as_primitive::<UInt32Type>().value(at);
        for at in 0..batch.num_rows() {
            let candidate = Candidate {
                trace_hash: long(trace_hash, at),
                span_hash: long(span_hash, at),
                start: long(start, at),
                value: value.is_valid(at).then(|| value.value(at)),
                block: short(block, at),
                row: short(row, at),
            };
            all.entry((labels.value(at).to_vec(), short(part, at))).or_default().offer(candidate);
        }
    }
    let mut joined = Vec::new();
    for ((labels, _), chosen) in all {
        let Some(values) = decode(&labels) else { return internal_err!("the labels of a choice cannot be read") };
        let values: Vec<Value> = values.into_iter().map(|(_, value)| value).collect();
        joined.extend(chosen.list().iter().map(|candidate| (values.clone(), *candidate)));
    }
    Ok(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_two_traces_are_chosen_in_any_order() {
        let candidate =
            |trace_hash, span_hash| Candidate { trace_hash, span_hash, start: 0, value: None, block: 0, row: 0 };
        let all = [(5, 1), (3, 9), (3, 2), (7, 0), (4, 4), (3, 3)].map(|(trace, span)| candidate(trace, span));
        for turn in 0..all.len() {
            let mut chosen = Chosen::default();
            all.iter().cycle().skip(turn).take(all.len()).for_each(|candidate| chosen.offer(*candidate));
            assert_eq!(chosen.list(), [candidate(3, 2), candidate(4, 4)], "{turn}");
        }
    }
}
