//! Counting how many spans have each value.

use std::ops::Range;

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, RecordBatch, StringViewArray},
        compute::{is_not_null, nullif, or},
        datatypes::{DataType, Float64Type, Int32Type, Int64Type},
    },
    common::HashMap,
};

use super::TagValue;
use crate::{
    Error, Result,
    engine::Value,
    plan::{OutputColumn, ValueKind},
};

/// How many different values are counted at most: each takes memory until the end.
const MAX_VALUES: usize = 10_000_000;

/// A value that is no text. Ordered by type, then by value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Plain {
    Bool(bool),
    Int(i64),
    /// In a form that has the order of floats: see [`Plain::float`].
    Float(i64),
    Duration(i64),
    Status(i32),
    Kind(i32),
}

impl Plain {
    /// SEMANTICS.md M5: by representation, all NaN being one.
    fn float(value: f64) -> Self {
        let value = if value.is_nan() { f64::NAN } else { value };
        Self::Float(fold(value.to_bits().cast_signed()))
    }

    fn value(self) -> Value {
        match self {
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Float(folded) => Value::Float(f64::from_bits(fold(folded).cast_unsigned())),
            Self::Duration(nanos) => Value::Duration(nanos),
            Self::Status(code) => Value::Status(code),
            Self::Kind(code) => Value::Kind(code),
        }
    }
}

/// The bits of a float to a number of the same order, and back.
const fn fold(bits: i64) -> i64 {
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

/// A value in an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Element<'a> {
    Plain(Plain),
    Text(&'a str),
}

/// How many spans have each value.
#[derive(Debug, Default)]
pub(super) struct Counter {
    plain: HashMap<Plain, u64>,
    texts: HashMap<String, u64>,
}

impl Counter {
    /// How many different values there are.
    pub(super) fn len(&self) -> usize {
        self.plain.len() + self.texts.len()
    }

    /// Counts the values of one field on the rows of a batch, a row being a span.
    pub(super) fn add_batch(&mut self, columns: &[OutputColumn], batch: &RecordBatch) -> Result<()> {
        let mut lists = Vec::new();
        let hidden = hidden_rows(columns, batch)?;
        for (output, array) in columns.iter().zip(batch.columns()).filter(|(output, _)| output.kind != ValueKind::Json)
        {
            let array = match &hidden {
                Some(hidden) if output.fallback => nullif(array, hidden).map_err(unexpected)?,
                _ => ArrayRef::clone(array),
            };
            if array.data_type().is_nested() {
                lists.push((array, output.kind));
            } else {
                self.add_scalars(&array, output.kind)?;
            }
        }
        if !lists.is_empty() {
            self.add_lists(&lists, batch.num_rows())?;
        }
        self.check_size()
    }

    /// Counts values that so many spans have each.
    pub(super) fn add_counts(&mut self, values: &ArrayRef, kind: ValueKind, spans: &[u64]) -> Result<()> {
        for (index, spans) in spans.iter().enumerate().filter(|(_, spans)| **spans > 0) {
            if values.is_valid(index) {
                self.add(element(values, index, kind)?, *spans);
            }
        }
        self.check_size()
    }

    /// Adds what another counter has.
    pub(super) fn merge(&mut self, mut other: Self) -> Result<()> {
        if self.len() < other.len() {
            std::mem::swap(self, &mut other);
        }
        other.plain.into_iter().for_each(|(value, spans)| *self.plain.entry(value).or_default() += spans);
        other.texts.into_iter().for_each(|(text, spans)| *self.texts.entry(text).or_default() += spans);
        self.check_size()
    }

    /// The values, those that most spans have first, then by value.
    pub(super) fn finish(self, limit: Option<usize>) -> Vec<TagValue> {
        let plain = self.plain.iter().map(|(value, spans)| (Element::Plain(*value), *spans));
        let texts = self.texts.iter().map(|(text, spans)| (Element::Text(text), *spans));
        let mut all: Vec<(Element<'_>, u64)> = plain.chain(texts).collect();
        all.sort_unstable_by(|(a, a_spans), (b, b_spans)| b_spans.cmp(a_spans).then_with(|| a.cmp(b)));
        all.truncate(limit.unwrap_or(usize::MAX));
        let value = |(element, count)| match element {
            Element::Plain(value) => TagValue { value: value.value(), count },
            Element::Text(text) => TagValue { value: Value::String(text.to_owned()), count },
        };
        all.into_iter().map(value).collect()
    }

    fn check_size(&self) -> Result<()> {
        match self.len() {
            0..=MAX_VALUES => Ok(()),
            _ => Err(Error::Limit(format!(
                "there are more than {MAX_VALUES} different values; a query or a time range makes them fewer"
            ))),
        }
    }

    fn add(&mut self, element: Element<'_>, spans: u64) {
        match element {
            Element::Plain(value) => *self.plain.entry(value).or_default() += spans,
            Element::Text(text) => *self.texts.entry_ref(text).or_default() += spans,
        }
    }

    /// One value per span.
    fn add_scalars(&mut self, array: &ArrayRef, kind: ValueKind) -> Result<()> {
        match array.data_type() {
            DataType::Utf8View => self.add_texts(array.as_string_view()),
            DataType::Int64 if kind == ValueKind::Duration => self.add_numbers::<Int64Type>(array, Plain::Duration),
            DataType::Int64 => self.add_numbers::<Int64Type>(array, Plain::Int),
            DataType::Int32 if kind == ValueKind::Status => self.add_numbers::<Int32Type>(array, Plain::Status),
            DataType::Int32 => self.add_numbers::<Int32Type>(array, Plain::Kind),
            DataType::Float64 => self.add_numbers::<Float64Type>(array, Plain::float),
            DataType::Boolean => {
                for value in array.as_boolean().iter().flatten() {
                    self.add(Element::Plain(Plain::Bool(value)), 1);
                }
            }
            other => return Err(unexpected(other)),
        }
        Ok(())
    }

    fn add_numbers<T: ArrowPrimitiveType>(&mut self, array: &ArrayRef, plain: impl Fn(T::Native) -> Plain) {
        for value in array.as_primitive::<T>().iter().flatten() {
            *self.plain.entry(plain(value)).or_default() += 1;
        }
    }

    /// Texts that come from a dictionary have the same view wherever they are the same: views are counted, and their
    /// texts looked at once.
    fn add_texts(&mut self, array: &StringViewArray) {
        let mut views: HashMap<u128, (usize, u64)> = HashMap::default();
        for (row, view) in array.views().iter().enumerate() {
            if array.is_valid(row) {
                views.entry(*view).or_insert((row, 0)).1 += 1;
            }
        }
        for (row, spans) in views.into_values() {
            self.add(Element::Text(array.value(row)), spans);
        }
    }

    /// Several values per span: of arrays, events, links, in all columns together. Each counts once.
    fn add_lists(&mut self, lists: &[(ArrayRef, ValueKind)], rows: usize) -> Result<()> {
        let mut found = Vec::new();
        for row in 0..rows {
            for (array, kind) in lists {
                gather(array, row..row + 1, *kind, &mut found)?;
            }
            if found.len() > 1 {
                found.sort_unstable();
                found.dedup();
            }
            found.drain(..).for_each(|element| self.add(element, 1));
        }
        Ok(())
    }
}

/// The rows on which the span's own attribute hides the resource's (SEMANTICS.md S2), if there can be any.
fn hidden_rows(columns: &[OutputColumn], batch: &RecordBatch) -> Result<Option<BooleanArray>> {
    if columns.iter().all(|output| !output.fallback) {
        return Ok(None);
    }
    let own = columns.iter().zip(batch.columns()).filter(|(output, _)| !output.fallback);
    let mut hidden: Option<BooleanArray> = None;
    for (_, array) in own {
        let present = is_not_null(array).map_err(unexpected)?;
        hidden = Some(match hidden {
            Some(hidden) => or(&hidden, &present).map_err(unexpected)?,
            None => present,
        });
    }
    Ok(hidden)
}

/// The elements of lists, and of lists in them, in a range of an array.
fn gather<'a>(array: &'a ArrayRef, range: Range<usize>, kind: ValueKind, found: &mut Vec<Element<'a>>) -> Result<()> {
    for index in range.filter(|index| array.is_valid(*index)) {
        match array.as_list_opt::<i32>() {
            None => found.push(element(array, index, kind)?),
            Some(lists) => {
                let offset = |index: usize| lists.value_offsets().get(index).map_or(0, |offset| *offset as usize);
                gather(lists.values(), offset(index)..offset(index + 1), kind, found)?;
            }
        }
    }
    Ok(())
}

/// A value that is no list.
fn element(array: &ArrayRef, index: usize, kind: ValueKind) -> Result<Element<'_>> {
    Ok(Element::Plain(match array.data_type() {
        DataType::Utf8View => return Ok(Element::Text(array.as_string_view().value(index))),
        DataType::Int64 if kind == ValueKind::Duration => {
            Plain::Duration(array.as_primitive::<Int64Type>().value(index))
        }
        DataType::Int64 => Plain::Int(array.as_primitive::<Int64Type>().value(index)),
        DataType::Int32 if kind == ValueKind::Status => Plain::Status(array.as_primitive::<Int32Type>().value(index)),
        DataType::Int32 => Plain::Kind(array.as_primitive::<Int32Type>().value(index)),
        DataType::Float64 => Plain::float(array.as_primitive::<Float64Type>().value(index)),
        DataType::Boolean => Plain::Bool(array.as_boolean().value(index)),
        other => return Err(unexpected(other)),
    }))
}

fn unexpected(what: impl std::fmt::Display) -> Error {
    Error::Execution(format!("values cannot be counted: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_keep_their_order_and_their_bits() {
        let floats = [f64::NEG_INFINITY, -2.5, -0.0, 0.0, 1e-300, 3.0, f64::INFINITY, f64::NAN];
        let folded: Vec<Plain> = floats.into_iter().map(Plain::float).collect();
        assert!(folded.is_sorted());
        for (float, folded) in floats.into_iter().zip(folded) {
            let Value::Float(back) = folded.value() else { panic!("{folded:?}") };
            assert_eq!(back.to_bits(), float.to_bits());
        }
        assert_eq!(Plain::float(-f64::NAN), Plain::float(f64::NAN));
    }
}
