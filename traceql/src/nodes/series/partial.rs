//! Cells as a table: what a partition, a block or another process found, to be added up. A row per cell with something
//! in it.
//!
//! | column | |
//! |---|---|
//! | `labels` | what the series is told apart by, a dictionary of [`encode`]d lists of values |
//! | `interval` | from 0 |
//! | `bucket` | the power of two of a bucket, else 0 |
//! | `count` | spans, or values |
//! | `number` | the least, the greatest, a value; else null |
//! | `sum` | an exact sum; else null |

use std::{collections::HashMap, sync::Arc};

use datafusion::{
    arrow::{
        array::{
            Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, DictionaryArray, Float64Array, RecordBatch,
            UInt8Array, UInt32Array, UInt64Array,
        },
        datatypes::{DataType, Field, Float64Type, Schema, SchemaRef, UInt8Type, UInt32Type, UInt64Type},
    },
    common::{Result, internal_err},
};

use super::state::Cell;
use crate::{
    Value,
    nodes::pipeline::attributes::{decode, encode},
};

/// The columns.
pub(crate) fn schema() -> SchemaRef {
    let labels = DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Binary));
    Arc::new(Schema::new(vec![
        Field::new("labels", labels, false),
        Field::new("interval", DataType::UInt32, false),
        Field::new("bucket", DataType::UInt8, false),
        Field::new("count", DataType::UInt64, false),
        Field::new("number", DataType::Float64, true),
        Field::new("sum", DataType::Binary, true),
    ]))
}

/// Cells as a batch; `labels` tells the values of a series' labels.
pub(crate) fn to_batch(
    cells: impl Iterator<Item = Cell>,
    labels: impl Fn(u32) -> Vec<Option<Value>>,
) -> Result<RecordBatch> {
    let mut places: HashMap<u32, u32> = HashMap::new();
    let mut lists = BinaryBuilder::new();
    let (mut keys, mut intervals, mut buckets) = (Vec::new(), Vec::new(), Vec::new());
    let (mut counts, mut numbers, mut sums) = (Vec::new(), Vec::new(), BinaryBuilder::new());
    let mut bytes = Vec::new();
    for cell in cells {
        let next = places.len() as u32;
        keys.push(*places.entry(cell.group).or_insert_with(|| {
            bytes.clear();
            let values: Vec<(usize, Option<Value>)> = labels(cell.group).into_iter().enumerate().collect();
            encode(&values, &mut bytes);
            lists.append_value(&bytes);
            next
        }));
        intervals.push(cell.interval);
        buckets.push(cell.bucket);
        counts.push(cell.count);
        numbers.push(cell.number);
        sums.append_option(cell.sum);
    }
    let labels = DictionaryArray::try_new(UInt32Array::from(keys), Arc::new(lists.finish()))?;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(labels),
        Arc::new(UInt32Array::from(intervals)),
        Arc::new(UInt8Array::from(buckets)),
        Arc::new(UInt64Array::from(counts)),
        Arc::new(Float64Array::from(numbers)),
        Arc::new(sums.finish()),
    ];
    Ok(RecordBatch::try_new(schema(), columns)?)
}

/// What cells can be added to.
pub(crate) trait Cells {
    fn add_cell(&mut self, found: &Cell);
}

/// Series by the values of their labels, with all that was found of them.
#[derive(Debug)]
pub(crate) struct Merged<C> {
    pub(crate) state: C,
    /// The values of each series' labels.
    pub(crate) labels: Vec<Vec<Value>>,
    known: HashMap<Vec<u8>, u32>,
}

impl<C: Cells> Merged<C> {
    pub(crate) fn new(state: C) -> Self {
        Self { state, labels: Vec::new(), known: HashMap::new() }
    }

    /// Adds the cells of a partition.
    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = batch.columns();
        let [labels, intervals, buckets, counts, numbers, sums] = columns else {
            return internal_err!("cells of series have 6 columns, not {}", columns.len());
        };
        let Some(labels) = labels.as_dictionary_opt::<UInt32Type>() else {
            return internal_err!("the labels of cells are a dictionary");
        };
        let Some(lists) = labels.values().as_binary_opt::<i32>() else {
            return internal_err!("the labels of cells are bytes");
        };
        let groups = self.groups(lists)?;
        let (intervals, buckets) = (intervals.as_primitive::<UInt32Type>(), buckets.as_primitive::<UInt8Type>());
        let counts = counts.as_primitive::<UInt64Type>();
        let numbers = numbers.as_primitive::<Float64Type>();
        let sums: &BinaryArray = sums.as_binary();
        for row in 0..batch.num_rows() {
            let Some(group) = groups.get(labels.keys().value(row) as usize) else { continue };
            self.state.add_cell(&Cell {
                group: *group,
                interval: intervals.value(row),
                bucket: buckets.value(row),
                count: counts.value(row),
                number: numbers.is_valid(row).then(|| numbers.value(row)),
                sum: sums.is_valid(row).then(|| sums.value(row).to_vec()),
            });
        }
        Ok(())
    }

    /// The numbers of the series of a batch.
    fn groups(&mut self, lists: &BinaryArray) -> Result<Vec<u32>> {
        let mut groups = Vec::with_capacity(lists.len());
        for list in lists.iter().map(Option::unwrap_or_default) {
            if let Some(group) = self.known.get(list) {
                groups.push(*group);
                continue;
            }
            let Some(values) = decode(list) else { return internal_err!("the labels of a cell cannot be read") };
            let group = self.labels.len() as u32;
            self.labels.push(values.into_iter().map(|(_, value)| value).collect());
            self.known.insert(list.to_vec(), group);
            groups.push(group);
        }
        Ok(groups)
    }
}
