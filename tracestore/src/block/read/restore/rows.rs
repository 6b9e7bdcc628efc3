//! Columns of a file for some rows, as plain values.

use std::collections::BTreeMap;

use arrow::{
    array::{Array, ArrayRef, AsArray, StringViewArray},
    datatypes::{Float64Type, Int32Type, Int64Type, UInt32Type, UInt64Type},
};

use super::ranges::RowRanges;
use crate::{
    Error, Result,
    block::{
        column::{AttributeScope, AttributeType},
        read::{ParquetFile, texts},
    },
    model::{KeyValue, SpanId, Value},
};

/// Attributes by owner: key, occurrence, value.
pub(super) type Attributes = BTreeMap<u32, Vec<(String, u32, Value)>>;

/// Columns of a file for some rows, by name and type.
pub(super) struct Rows<'a> {
    pub(super) file: &'a ParquetFile,
    pub(super) ranges: &'a RowRanges,
}

impl Rows<'_> {
    pub(super) fn array(&self, name: &str) -> Result<ArrayRef> {
        let array = self.file.read_ranges(name, self.ranges.ranges())?;
        if array.len() == self.ranges.len() { Ok(array) } else { Err(self.wrong(name)) }
    }

    pub(super) fn wrong(&self, name: &str) -> Error {
        Error::corrupt(self.file.path(), 0, format!("column `{name}` is not as the format says"))
    }

    pub(super) fn u32(&self, name: &str) -> Result<Vec<u32>> {
        Ok(self.array(name)?.as_primitive_opt::<UInt32Type>().ok_or_else(|| self.wrong(name))?.values().to_vec())
    }

    pub(super) fn u64(&self, name: &str) -> Result<Vec<u64>> {
        Ok(self.array(name)?.as_primitive_opt::<UInt64Type>().ok_or_else(|| self.wrong(name))?.values().to_vec())
    }

    pub(super) fn i32(&self, name: &str) -> Result<Vec<i32>> {
        Ok(self.array(name)?.as_primitive_opt::<Int32Type>().ok_or_else(|| self.wrong(name))?.values().to_vec())
    }

    pub(super) fn i64(&self, name: &str) -> Result<Vec<i64>> {
        Ok(self.array(name)?.as_primitive_opt::<Int64Type>().ok_or_else(|| self.wrong(name))?.values().to_vec())
    }

    pub(super) fn bool(&self, name: &str) -> Result<Vec<bool>> {
        let array = self.array(name)?;
        Ok(array.as_boolean_opt().ok_or_else(|| self.wrong(name))?.values().iter().collect())
    }

    pub(super) fn texts(&self, name: &str) -> Result<StringViewArray> {
        texts(&self.array(name)?).ok_or_else(|| self.wrong(name))
    }

    pub(super) fn span_ids(&self, name: &str) -> Result<Vec<Option<SpanId>>> {
        let array = self.array(name)?;
        let ids = array.as_fixed_size_binary_opt().ok_or_else(|| self.wrong(name))?;
        Ok(ids.iter().map(|id| id.and_then(SpanId::from_slice)).collect())
    }

    pub(super) fn bytes(&self, name: &str) -> Result<Vec<Option<Vec<u8>>>> {
        let array = self.array(name)?;
        let bytes = array.as_binary_opt::<i32>().ok_or_else(|| self.wrong(name))?;
        Ok(bytes.iter().map(|bytes| bytes.map(<[u8]>::to_vec)).collect())
    }

    /// The attributes with columns of their own, by row of the file.
    pub(super) fn attributes(&self, scope: AttributeScope) -> Result<Attributes> {
        let mut attributes = Attributes::new();
        for name in self.file.column_names() {
            let Some((key, value_type)) = attribute_column(name, scope) else { continue };
            let array = self.array(name)?;
            for (index, row) in self.ranges.rows().enumerate().filter(|(index, _)| array.is_valid(*index)) {
                let value = scalar(&array, value_type, index).ok_or_else(|| self.wrong(name))?;
                attributes.entry(row as u32).or_default().push((key.to_owned(), 0, value));
            }
        }
        Ok(attributes)
    }
}

/// Key and type of an attribute's column.
fn attribute_column(name: &str, scope: AttributeScope) -> Option<(&str, AttributeType)> {
    let (key, type_name) = name.strip_prefix(scope.name())?.strip_prefix('.')?.rsplit_once(':')?;
    Some((key, AttributeType::ALL.into_iter().find(|value_type| value_type.name() == type_name)?))
}

/// A value of an array of scalars.
pub(super) fn scalar(array: &ArrayRef, value_type: AttributeType, row: usize) -> Option<Value> {
    Some(match value_type {
        AttributeType::Int => Value::Int(array.as_primitive_opt::<Int64Type>()?.value(row)),
        AttributeType::Float => Value::Double(array.as_primitive_opt::<Float64Type>()?.value(row)),
        AttributeType::Bool => Value::Bool(array.as_boolean_opt()?.value(row)),
        _ => match array.as_dictionary_opt::<Int32Type>() {
            Some(coded) => Value::String(coded.values().as_string_opt::<i32>()?.value(coded.key(row)?).to_owned()),
            None => Value::String(array.as_string_view_opt()?.value(row).to_owned()),
        },
    })
}

/// Takes an owner's attributes, in order of key and occurrence.
pub(super) fn take(attributes: &mut Attributes, owner: usize) -> Vec<KeyValue> {
    let mut list = attributes.remove(&(owner as u32)).unwrap_or_default();
    list.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    list.into_iter().map(|(key, _, value)| KeyValue { key, value }).collect()
}
