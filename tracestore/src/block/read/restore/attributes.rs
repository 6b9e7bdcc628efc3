//! Attribute lists of some rows, written as fields of their owners' messages: by key and occurrence, from the columns of
//! the file and from the residual table.

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, Float64Array, Int64Array, StringArray, StringViewArray,
    },
    datatypes::{Float64Type, Int32Type, Int64Type},
};

use super::{residual::ResidualEntry, rows::Rows};
use crate::{
    Result,
    block::{
        column::{AttributeScope, AttributeType},
        read::Block,
    },
    otlp::{Message, ValueView},
};

/// The attributes of some owners.
pub(super) struct AttributeLists {
    /// By key.
    columns: Vec<KeyColumn>,
    /// By owner, key and occurrence.
    residual: Vec<ResidualEntry>,
    keys: Vec<String>,
    /// The first entry of an owner that was not written yet.
    next: usize,
}

/// A column of attribute values.
struct KeyColumn {
    /// Among the keys of the lists.
    key: u32,
    values: ColumnValues,
}

enum ColumnValues {
    Coded(DictionaryArray<Int32Type>, StringArray),
    Text(StringViewArray),
    Int(Int64Array),
    Float(Float64Array),
    Bool(BooleanArray),
}

impl AttributeLists {
    /// Of some rows of a file, which are all in one row group of the spans.
    pub(super) fn read(block: &Block, rows: &Rows<'_>, scope: AttributeScope, row_group: usize) -> Result<Self> {
        let names = rows.file.column_names().filter_map(|name| Some((name, attribute_column(name, scope)?)));
        let names: Vec<_> = names.collect();
        let runs = block.residual_runs(scope, row_group)?;
        let mut keys: Vec<String> = names.iter().map(|(_, (key, _))| (*key).to_owned()).collect();
        keys.extend(runs.iter().map(|(key, _)| (*key).to_owned()));
        keys.sort_unstable();
        keys.dedup();
        let number = |key: &str| keys.binary_search_by(|other| other.as_str().cmp(key)).unwrap_or(0) as u32;
        let columns = names.into_iter().map(|(name, (key, value_type))| {
            let values = ColumnValues::new(&rows.array(name)?, value_type).ok_or_else(|| rows.wrong(name))?;
            Ok(KeyColumn { key: number(key), values })
        });
        let mut columns = columns.collect::<Result<Vec<_>>>()?;
        columns.retain(|column| !column.values.is_empty());
        columns.sort_by_key(|column| column.key);
        let mut residual = Vec::new();
        for (key, run) in runs {
            block.add_residual(&mut residual, number(key), run, rows.ranges)?;
        }
        residual.sort_by_key(|entry| (entry.owner, entry.key, entry.repeat));
        Ok(Self { columns, residual, keys, next: 0 })
    }

    /// Writes the list of an owner, its `index`-th row; owners ascend.
    pub(super) fn write(&mut self, index: usize, owner: usize, field: u32, message: &mut Message) {
        let rest = self.residual.get(self.next..).unwrap_or(&[]);
        let (before, rest) = rest.split_at(rest.iter().take_while(|entry| (entry.owner as usize) < owner).count());
        let own = rest.iter().take_while(|entry| entry.owner as usize == owner).count();
        self.next += before.len() + own;
        let mut own = rest.get(..own).unwrap_or(&[]).iter().peekable();
        let key = |number: u32| self.keys.get(number as usize).map_or("", String::as_str);
        let residual =
            |message: &mut Message, entry: &ResidualEntry| message.attribute(field, key(entry.key), &entry.value);
        for column in &self.columns {
            // A column has first occurrences: what else has its key follows.
            while let Some(entry) = own.next_if(|entry| entry.key < column.key) {
                residual(message, entry);
            }
            if let Some(value) = column.values.value(index) {
                message.scalar_attribute(field, key(column.key), &value);
            }
        }
        own.for_each(|entry| residual(message, entry));
    }
}

impl ColumnValues {
    fn new(array: &ArrayRef, value_type: AttributeType) -> Option<Self> {
        Some(match value_type {
            AttributeType::Int => Self::Int(array.as_primitive_opt::<Int64Type>()?.clone()),
            AttributeType::Float => Self::Float(array.as_primitive_opt::<Float64Type>()?.clone()),
            AttributeType::Bool => Self::Bool(array.as_boolean_opt()?.clone()),
            _ => match array.as_dictionary_opt::<Int32Type>() {
                Some(coded) => Self::Coded(coded.clone(), coded.values().as_string_opt::<i32>()?.clone()),
                None => Self::Text(array.as_string_view_opt()?.clone()),
            },
        })
    }

    /// Whether no row has a value.
    fn is_empty(&self) -> bool {
        let array: &dyn Array = match self {
            Self::Coded(codes, _) => codes,
            Self::Text(array) => array,
            Self::Int(array) => array,
            Self::Float(array) => array,
            Self::Bool(array) => array,
        };
        array.null_count() == array.len()
    }

    fn value(&self, index: usize) -> Option<ValueView<'_>> {
        Some(match self {
            Self::Coded(codes, texts) => ValueView::String(texts.value(codes.key(index)?)),
            Self::Text(array) if array.is_valid(index) => ValueView::String(array.value(index)),
            Self::Int(array) if array.is_valid(index) => ValueView::Int(array.value(index)),
            Self::Float(array) if array.is_valid(index) => ValueView::Double(array.value(index)),
            Self::Bool(array) if array.is_valid(index) => ValueView::Bool(array.value(index)),
            _ => return None,
        })
    }
}

/// Key and type of an attribute's column.
fn attribute_column(name: &str, scope: AttributeScope) -> Option<(&str, AttributeType)> {
    let (key, type_name) = name.strip_prefix(scope.name())?.strip_prefix('.')?.rsplit_once(':')?;
    Some((key, AttributeType::ALL.into_iter().find(|value_type| value_type.name() == type_name)?))
}
