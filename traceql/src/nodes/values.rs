//! Expressions on the rows of a batch: what rows group by, what numbers they have. A row has several values where an
//! expression is about an attribute with a list, or about events or links (SEMANTICS.md S1, M5).

use std::{cmp::Ordering, collections::HashMap, sync::Arc};

use datafusion::{
    arrow::{
        array::{
            Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch,
            RecordBatchOptions, StringViewArray,
        },
        compute::take,
        datatypes::{Float64Type, Int32Type, Int64Type, SchemaRef},
    },
    common::{Result, internal_err},
    physical_expr::{PhysicalExpr, expressions::Column},
};
use tracestore::block::SpanColumn;

use crate::{
    Value,
    functions::{Dimension, Unfolded, plain_json_column, unfold},
    ir::arithmetic,
};

/// An expression over columns: one expression per type that it can have, of which at most one has a value.
#[derive(Debug)]
pub(crate) struct Source {
    /// What it is about, and what each varies with.
    pub(crate) columns: Vec<SpanColumn>,
    pub(crate) dimensions: Vec<Dimension>,
    /// Columns that say whether there is an event, a link.
    pub(crate) flags: [Option<&'static str>; 2],
    /// The columns' elements, then the flags.
    pub(crate) schema: SchemaRef,
    pub(crate) parts: Vec<(PartKind, Arc<dyn PhysicalExpr>)>,
    /// What it is for.
    pub(crate) groups: bool,
}

/// How a part's values are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartKind {
    Bool,
    Int,
    Float,
    Duration,
    String,
    Status,
    SpanKind,
    /// A value that cannot be queried, as JSON.
    Json,
    BoolList,
    IntList,
    FloatList,
    StringList,
}

/// A value that can be computed with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Int(i64),
    Float(f64),
    Duration(i64),
}

impl Number {
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Int(value) => Some(Self::Int(*value)),
            Value::Float(value) => Some(Self::Float(*value)),
            Value::Duration(value) => Some(Self::Duration(*value)),
            _ => None,
        }
    }

    pub(crate) fn value(self) -> Value {
        match self {
            Self::Int(value) => Value::Int(value),
            Self::Float(value) => Value::Float(value),
            Self::Duration(value) => Value::Duration(value),
        }
    }

    pub(crate) fn float(self) -> f64 {
        match self {
            Self::Int(value) | Self::Duration(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    /// V3: exact; NaN has no order.
    pub(crate) fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Float(left), Self::Float(right)) => left.partial_cmp(&right),
            (Self::Float(left), Self::Int(right) | Self::Duration(right)) => {
                arithmetic::compare_mixed(right, left).map(Ordering::reverse)
            }
            (Self::Int(left) | Self::Duration(left), Self::Float(right)) => arithmetic::compare_mixed(left, right),
            (Self::Int(left) | Self::Duration(left), Self::Int(right) | Self::Duration(right)) => {
                Some(left.cmp(&right))
            }
        }
    }
}

/// A value that is still in its array; it tells types apart, 2 from 2.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Key<'a> {
    Bits(u8, u64),
    Text(u8, &'a str),
}

impl<'a> Key<'a> {
    /// The key of a value that something can be grouped by.
    pub(crate) fn of(value: &'a Value) -> Self {
        match value {
            Value::Bool(value) => Self::Bits(BOOL, u64::from(*value)),
            Value::Int(value) => Self::Bits(INT, value.cast_unsigned()),
            Value::Duration(nanos) => Self::Bits(DURATION, nanos.cast_unsigned()),
            Value::Float(value) => Self::Bits(FLOAT, value.to_bits()),
            Value::Status(code) => Self::Bits(STATUS, u64::from(code.cast_unsigned())),
            Value::Kind(code) => Self::Bits(KIND, u64::from(code.cast_unsigned())),
            Value::String(text) => Self::Text(STRING, text),
            Value::Json(text) => Self::Text(JSON, text),
            // Groups are by elements.
            Value::Array(_) | Value::Nil => Self::Text(JSON, ""),
        }
    }
}

/// What rows group by.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    offsets: Vec<u32>,
    keys: Vec<u32>,
    /// For each key its place among all values, from 1; 0 is nil.
    ranks: Vec<u32>,
    values: Vec<Value>,
}

/// What numbers rows have.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    offsets: Vec<u32>,
    numbers: Vec<Number>,
}

fn part<'a, T>(offsets: &[u32], items: &'a [T], row: u32) -> &'a [T] {
    let at = |row: usize| offsets.get(row).copied().unwrap_or(0) as usize;
    items.get(at(row as usize)..at(row as usize + 1)).unwrap_or(&[])
}

impl Groups {
    /// Keys of rows, numbers of distinct values, as groups in the order of the values.
    fn new(distinct: &[Key<'_>], keys: Vec<u32>, offsets: Vec<u32>) -> Self {
        let mut order: Vec<(Value, usize)> = distinct.iter().map(|key| value(*key)).zip(0..).collect();
        order.sort_by(|a, b| a.0.order(&b.0));
        let mut ranks = vec![0; order.len()];
        for (rank, (_, key)) in (1..).zip(&order) {
            if let Some(place) = ranks.get_mut(*key) {
                *place = rank;
            }
        }
        let values = order.into_iter().map(|(value, _)| value).collect();
        Self { offsets, keys, ranks, values }
    }

    /// Bytes of memory, the texts of values left out.
    pub(crate) fn size(&self) -> usize {
        let numbers = [&self.offsets, &self.keys, &self.ranks];
        let numbers = numbers.into_iter().map(|numbers| size_of_val(numbers.as_slice()));
        numbers.sum::<usize>() + size_of_val(self.values.as_slice())
    }

    /// The keys of a row; none: nil.
    pub(crate) fn of(&self, row: u32) -> &[u32] {
        part(&self.offsets, &self.keys, row)
    }

    /// The different values, in their order.
    pub(crate) fn values(&self) -> &[Value] {
        &self.values
    }

    /// The place of a key's value in the order of values.
    pub(crate) fn rank(&self, key: u32) -> u32 {
        self.ranks.get(key as usize).copied().unwrap_or(0)
    }

    /// The value at a place.
    pub(crate) fn value(&self, rank: u32) -> Option<&Value> {
        (rank as usize).checked_sub(1).and_then(|place| self.values.get(place))
    }
}

impl Numbers {
    /// Bytes of memory.
    pub(crate) fn size(&self) -> usize {
        size_of_val(self.offsets.as_slice()) + size_of_val(self.numbers.as_slice())
    }

    /// The numbers of a row.
    pub(crate) fn of(&self, row: u32) -> &[Number] {
        part(&self.offsets, &self.numbers, row)
    }
}

impl Source {
    /// Evaluates the expression on a batch, for what it is for.
    pub(crate) fn evaluate(&self, batch: &RecordBatch) -> Result<(Groups, Numbers)> {
        if let Some(groups) = self.coded_groups(batch)? {
            return Ok((groups, Numbers::default()));
        }
        let column = |column: &SpanColumn| match batch.column_by_name(&column.name()) {
            Some(array) => Ok(match array.as_any_dictionary_opt() {
                Some(coded) => take(coded.values(), coded.keys(), None)?,
                None => Arc::clone(array),
            }),
            None => internal_err!("a pipeline needs a column `{}`", column.name()),
        };
        let columns = self.columns.iter().map(column).collect::<Result<Vec<_>>>()?;
        let rows = batch.num_rows();
        let (columns, ends) = if self.dimensions.iter().all(|dimension| *dimension == Dimension::Row) {
            (columns, (1..=rows).collect())
        } else {
            let Unfolded { columns, ends, .. } = unfold(&columns, &self.dimensions, &self.flags, true, rows)?;
            (columns, ends)
        };
        let unfolded = ends.last().copied().unwrap_or(0);
        let options = RecordBatchOptions::new().with_row_count(Some(unfolded));
        let elements = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        let parts = self.parts.iter().map(|(kind, expr)| Ok((*kind, expr.evaluate(&elements)?.into_array(unfolded)?)));
        let mut parts = parts.collect::<Result<Vec<_>>>()?;
        for (_, array) in parts.iter_mut().filter(|(kind, _)| *kind == PartKind::Json) {
            *array = plain_json_column(array);
        }
        if self.groups {
            Ok((groups(&parts, &ends)?, Numbers::default()))
        } else {
            Ok((Groups::default(), numbers(&parts, &ends)?))
        }
    }
}

impl Source {
    /// What rows group by, where that is one column of codes: each code's text is looked at once.
    fn coded_groups(&self, batch: &RecordBatch) -> Result<Option<Groups>> {
        let ([(kind, expr)], true) = (self.parts.as_slice(), self.groups) else { return Ok(None) };
        // Values that cannot be queried are shown in another way than they are stored.
        if *kind == PartKind::Json {
            return Ok(None);
        }
        let column = expr.downcast_ref::<Column>().and_then(|column| batch.column_by_name(column.name()));
        let Some(coded) = column.and_then(|column| column.as_dictionary_opt::<Int32Type>()) else { return Ok(None) };
        let reader = Reader::new(*kind, coded.values())?;
        let mut of_codes: Vec<Option<u32>> = vec![None; coded.values().len()];
        let mut known: HashMap<Key<'_>, u32, foldhash::fast::RandomState> = HashMap::default();
        let mut distinct = Vec::new();
        let (mut keys, mut offsets) = (Vec::with_capacity(coded.len()), Vec::with_capacity(coded.len() + 1));
        offsets.push(0);
        for code in coded.keys() {
            let slot = code.and_then(|code| of_codes.get_mut(usize::try_from(code).ok()?));
            if let (Some(slot), Some(code)) = (slot, code) {
                if slot.is_none() {
                    // Two codes may be of one text: of resources, say.
                    reader.read(code.unsigned_abs() as usize, &mut |key| {
                        *slot = Some(*known.entry(key).or_insert_with(|| {
                            distinct.push(key);
                            distinct.len() as u32 - 1
                        }));
                    });
                }
                keys.extend(*slot);
            }
            offsets.push(keys.len() as u32);
        }
        Ok(Some(Groups::new(&distinct, keys, offsets)))
    }
}

/// Calls `take` with every value of every row, and `end` behind each row.
fn each_value<'a>(
    parts: &'a [(PartKind, ArrayRef)],
    ends: &[usize],
    mut take: impl FnMut(Key<'a>),
    mut end: impl FnMut(),
) -> Result<()> {
    let readers = parts.iter().map(|(kind, array)| Reader::new(*kind, array)).collect::<Result<Vec<_>>>()?;
    let mut element = 0;
    for row_end in ends {
        while element < *row_end {
            for reader in &readers {
                reader.read(element, &mut take);
            }
            element += 1;
        }
        end();
    }
    Ok(())
}

/// An array of one part, typed.
pub(crate) enum Reader<'a> {
    Bools(&'a BooleanArray),
    Ints(u8, &'a Int64Array),
    Smalls(u8, &'a Int32Array),
    Floats(&'a Float64Array),
    Texts(u8, &'a StringViewArray),
    Lists(&'a ListArray, Box<Reader<'a>>),
}

const BOOL: u8 = 0;
const INT: u8 = 1;
const FLOAT: u8 = 2;
const DURATION: u8 = 3;
const STRING: u8 = 4;
const STATUS: u8 = 5;
const KIND: u8 = 6;
pub(crate) const JSON: u8 = 7;

impl<'a> Reader<'a> {
    pub(crate) fn new(kind: PartKind, array: &'a ArrayRef) -> Result<Self> {
        let reader = match kind {
            PartKind::Bool => array.as_boolean_opt().map(Self::Bools),
            PartKind::Int => array.as_primitive_opt::<Int64Type>().map(|array| Self::Ints(INT, array)),
            PartKind::Duration => array.as_primitive_opt::<Int64Type>().map(|array| Self::Ints(DURATION, array)),
            PartKind::Float => array.as_primitive_opt::<Float64Type>().map(Self::Floats),
            PartKind::String => array.as_string_view_opt().map(|array| Self::Texts(STRING, array)),
            PartKind::Json => array.as_string_view_opt().map(|array| Self::Texts(JSON, array)),
            PartKind::Status => array.as_primitive_opt::<Int32Type>().map(|array| Self::Smalls(STATUS, array)),
            PartKind::SpanKind => array.as_primitive_opt::<Int32Type>().map(|array| Self::Smalls(KIND, array)),
            PartKind::BoolList | PartKind::IntList | PartKind::FloatList | PartKind::StringList => {
                let of = match kind {
                    PartKind::BoolList => PartKind::Bool,
                    PartKind::IntList => PartKind::Int,
                    PartKind::FloatList => PartKind::Float,
                    _ => PartKind::String,
                };
                match array.as_list_opt::<i32>() {
                    Some(list) => Some(Self::Lists(list, Box::new(Reader::new(of, list.values())?))),
                    None => None,
                }
            }
        };
        match reader {
            Some(reader) => Ok(reader),
            None => internal_err!("a value of kind {kind:?} is {}", array.data_type()),
        }
    }

    pub(crate) fn read(&self, at: usize, take: &mut impl FnMut(Key<'a>)) {
        match self {
            Self::Bools(array) if array.is_valid(at) => take(Key::Bits(BOOL, u64::from(array.value(at)))),
            Self::Ints(tag, array) if array.is_valid(at) => take(Key::Bits(*tag, array.value(at) as u64)),
            Self::Smalls(tag, array) if array.is_valid(at) => {
                take(Key::Bits(*tag, u64::from(array.value(at) as u32)));
            }
            Self::Floats(array) if array.is_valid(at) => {
                let value = array.value(at);
                // One NaN is like another.
                let value = if value.is_nan() { f64::NAN } else { value };
                take(Key::Bits(FLOAT, value.to_bits()));
            }
            Self::Texts(tag, array) if array.is_valid(at) => take(Key::Text(*tag, array.value(at))),
            Self::Lists(list, elements) if list.is_valid(at) => {
                let offsets = list.value_offsets();
                let offset = |at: usize| offsets.get(at).map_or(0, |at| at.unsigned_abs() as usize);
                (offset(at)..offset(at + 1)).for_each(|element| elements.read(element, take));
            }
            _ => {}
        }
    }
}

fn groups(parts: &[(PartKind, ArrayRef)], ends: &[usize]) -> Result<Groups> {
    let mut known: HashMap<Key<'_>, u32, foldhash::fast::RandomState> = HashMap::default();
    let mut distinct: Vec<Key<'_>> = Vec::new();
    let keys = std::cell::RefCell::new(Vec::with_capacity(ends.len()));
    let mut offsets = Vec::with_capacity(ends.len() + 1);
    offsets.push(0);
    let mut last: Option<(Key<'_>, u32)> = None;
    let take = |key| {
        let number = match last {
            // Neighbours are often alike.
            Some((same, number)) if same == key => number,
            _ => *known.entry(key).or_insert_with(|| {
                distinct.push(key);
                distinct.len() as u32 - 1
            }),
        };
        last = Some((key, number));
        keys.borrow_mut().push(number);
    };
    each_value(parts, ends, take, || offsets.push(keys.borrow().len() as u32))?;
    Ok(Groups::new(&distinct, keys.into_inner(), offsets))
}

fn numbers(parts: &[(PartKind, ArrayRef)], ends: &[usize]) -> Result<Numbers> {
    let numbers = std::cell::RefCell::new(Vec::with_capacity(ends.len()));
    let mut offsets = Vec::with_capacity(ends.len() + 1);
    offsets.push(0);
    let take = |key| {
        let number = match key {
            Key::Bits(INT, bits) => Number::Int(bits as i64),
            Key::Bits(DURATION, bits) => Number::Duration(bits as i64),
            Key::Bits(FLOAT, bits) => Number::Float(f64::from_bits(bits)),
            _ => return,
        };
        numbers.borrow_mut().push(number);
    };
    each_value(parts, ends, take, || offsets.push(numbers.borrow().len() as u32))?;
    Ok(Numbers { offsets, numbers: numbers.into_inner() })
}

pub(crate) fn value(key: Key<'_>) -> Value {
    match key {
        Key::Bits(BOOL, bits) => Value::Bool(bits != 0),
        Key::Bits(INT, bits) => Value::Int(bits as i64),
        Key::Bits(DURATION, bits) => Value::Duration(bits as i64),
        Key::Bits(FLOAT, bits) => Value::Float(f64::from_bits(bits)),
        Key::Bits(STATUS, bits) => Value::Status(bits as i32),
        Key::Bits(_, bits) => Value::Kind(bits as i32),
        Key::Text(JSON, text) => Value::Json(text.to_owned()),
        Key::Text(_, text) => Value::String(text.to_owned()),
    }
}
