//! Which attribute keys a block has, with which types, and where their values are: `keys.parquet` in memory.

use std::collections::{BTreeSet, HashMap};

use arrow::{
    array::AsArray,
    datatypes::{Int32Type, UInt32Type},
};

use super::{ParquetFile, text::texts};
use crate::{
    Error, Result,
    block::column::{AttributeScope, AttributeType},
};

/// The values of one key and type in one row group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyEntry {
    pub(crate) value_type: AttributeType,
    /// The row group of the span, −1 for resources and scopes.
    pub(crate) row_group: i32,
    /// Whether the values are in a column of their own.
    pub(crate) column: bool,
    /// How many owners have a value.
    pub(crate) count: u32,
    /// The key's run of rows in the residual table, all types.
    pub(crate) run: Run,
}

/// A range of rows of the residual table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) first: u32,
    pub(crate) rows: u32,
}

/// All keys of a block.
#[derive(Debug)]
pub(crate) struct Keys {
    by_scope: [HashMap<String, Vec<KeyEntry>>; 5],
    /// The residual table's runs by scope, key and row group: also those with nothing but repeats.
    runs: Vec<(AttributeScope, String, i32, Run)>,
}

/// Where the key list has the attributes that a scope's owners have in a row group of spans.
pub(super) fn owner_row_group(scope: AttributeScope, row_group: usize) -> i32 {
    match scope {
        AttributeScope::Resource | AttributeScope::Instrumentation => -1,
        _ => i32::try_from(row_group).unwrap_or(i32::MAX),
    }
}

impl Keys {
    /// Reads the table.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub(crate) fn read(file: &ParquetFile) -> Result<Self> {
        let int = |name| -> Result<_> {
            let array = file.read_all(name)?;
            array.as_primitive_opt::<Int32Type>().cloned().ok_or_else(|| wrong_type(file, name))
        };
        let unsigned = |name| -> Result<_> {
            let array = file.read_all(name)?;
            array.as_primitive_opt::<UInt32Type>().cloned().ok_or_else(|| wrong_type(file, name))
        };
        let (scopes, types, groups) = (int("scope")?, int("type")?, int("row_group")?);
        let (firsts, rows, counts) = (unsigned("first_row")?, unsigned("rows")?, unsigned("count")?);
        let columns = file.read_all("column")?;
        let columns = columns.as_boolean_opt().ok_or_else(|| wrong_type(file, "column"))?;
        let keys = texts(&file.read_all("key")?).ok_or_else(|| wrong_type(file, "key"))?;

        let mut by_scope: [HashMap<String, Vec<KeyEntry>>; 5] = Default::default();
        let mut runs = BTreeSet::new();
        for (row, key) in keys.iter().enumerate() {
            let key = key.unwrap_or_default();
            let number = usize::try_from(scopes.value(row)).unwrap_or(usize::MAX);
            let (Some(scope), Some(entries)) = (AttributeScope::ALL.get(number), by_scope.get_mut(number)) else {
                return Err(Error::corrupt(file.path(), 0, format!("there is no attribute scope {number}")));
            };
            let run = Run { first: firsts.value(row), rows: rows.value(row) };
            let row_group = groups.value(row);
            if run.rows > 0 {
                runs.insert((run.first, *scope, key.to_owned(), row_group, run.rows));
            }
            // A number past the types stands for a key with nothing but repeats: queries do not see those.
            let value_type = usize::try_from(types.value(row)).ok().and_then(|number| AttributeType::ALL.get(number));
            if let Some(value_type) = value_type {
                let (value_type, column, count) = (*value_type, columns.value(row), counts.value(row));
                let entry = KeyEntry { value_type, row_group, column, count, run };
                entries.entry(key.to_owned()).or_default().push(entry);
            }
        }
        let runs = runs.into_iter().map(|(first, scope, key, group, rows)| (scope, key, group, Run { first, rows }));
        Ok(Self { by_scope, runs: runs.collect() })
    }

    /// Where a key's values are, by type and row group; empty when the block does not have the key.
    pub(crate) fn entries(&self, scope: AttributeScope, key: &str) -> &[KeyEntry] {
        let keys = self.by_scope.get(scope as usize);
        keys.and_then(|keys| keys.get(key)).map_or(&[], Vec::as_slice)
    }

    /// The keys of a scope, in no order, and where their values are.
    pub(crate) fn of_scope(&self, scope: AttributeScope) -> impl Iterator<Item = (&str, &[KeyEntry])> {
        let keys = self.by_scope.get(scope as usize).into_iter().flatten();
        keys.map(|(key, entries)| (key.as_str(), entries.as_slice()))
    }

    /// The entry of a key and type in a row group.
    pub(crate) fn entry(
        &self,
        scope: AttributeScope,
        key: &str,
        value_type: AttributeType,
        row_group: i32,
    ) -> Option<&KeyEntry> {
        let mut entries = self.entries(scope, key).iter();
        entries.find(|entry| entry.value_type == value_type && entry.row_group == row_group)
    }

    /// The runs of the residual table in its order: scope, key, row group, rows.
    pub(crate) fn runs(&self) -> &[(AttributeScope, String, i32, Run)] {
        &self.runs
    }
}

fn wrong_type(file: &ParquetFile, column: &str) -> Error {
    Error::corrupt(file.path(), 0, format!("column `{column}` has another type than the format says"))
}
