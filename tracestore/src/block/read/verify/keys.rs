//! The table of keys: the runs of the residual table, and how many owners have a value of each type.

use std::ops::Range;

use arrow::array::Array;

use super::{
    super::{
        ParquetFile,
        keys::KeyEntry,
        residual::{matches_type, read_rows, rows_of},
    },
    Block,
};
use crate::{
    Error, Result,
    block::{
        column::{AttributeScope, SpanColumn},
        schema::file_names,
    },
};

impl Block {
    pub(super) fn verify_keys(&self) -> Result<()> {
        let wrong = |reason: String| Error::corrupt(self.path().join(file_names::KEYS), 0, reason);
        let keys = self.keys()?;
        let mut next = 0;
        for (_, key, _, run) in keys.runs() {
            if run.first != next {
                return Err(wrong(format!("the rows of `{key}` do not follow those of the key before")));
            }
            next = run.first.saturating_add(run.rows);
        }
        if u64::from(next) != self.meta().attributes {
            return Err(wrong(format!("the keys have {next} rows of attributes.parquet")));
        }
        for scope in AttributeScope::ALL {
            for (key, entry) in
                keys.of_scope(scope).flat_map(|(key, entries)| entries.iter().map(move |entry| (key, entry)))
            {
                let counted = self.count_owners(scope, key, entry)?;
                if counted != Some(entry.count as usize) {
                    let counted = counted.map_or("no place for".to_owned(), |count| count.to_string());
                    let (count, group) = (entry.count, entry.row_group);
                    return Err(wrong(format!("`{key}` has {counted} values in row group {group}, not {count}")));
                }
            }
        }
        Ok(())
    }

    /// How many owners have a value of a key and type; `None` where there is no such row group or file.
    fn count_owners(&self, scope: AttributeScope, key: &str, entry: &KeyEntry) -> Result<Option<usize>> {
        if entry.column {
            let Some((file, rows)) = self.column_rows(scope, entry)? else { return Ok(None) };
            let column = SpanColumn::Attribute { scope, key: key.to_owned(), value_type: entry.value_type };
            let values = file.read_ranges(&column.name(), std::slice::from_ref(&rows))?;
            return Ok(Some(values.len() - values.null_count()));
        }
        let Some(file) = self.residual_file()? else { return Ok(None) };
        let found = read_rows(file, &[rows_of(entry.run)])?;
        let is_value = |row: &usize| {
            found.repeats.value(*row) == 0
                && (found.array_lens.value(*row) > 0) == entry.value_type.is_array()
                && matches_type(found.types.value(*row), entry.value_type.element())
        };
        let mut owners: Vec<u32> = (0..found.rows.len()).filter(is_value).map(|row| found.rows.value(row)).collect();
        owners.dedup();
        Ok(Some(owners.len()))
    }

    /// The file with the columns of a scope, and the rows of a row group in it.
    fn column_rows(&self, scope: AttributeScope, entry: &KeyEntry) -> Result<Option<(&ParquetFile, Range<usize>)>> {
        let group = usize::try_from(entry.row_group).ok().and_then(|group| self.meta().row_groups.get(group));
        let Some(group) = group else { return Ok(None) };
        let (file, first, count) = match scope {
            AttributeScope::Span => (Some(self.span_file()?), group.first_row, group.rows),
            AttributeScope::Event => (self.event_file()?, group.first_event, group.events),
            AttributeScope::Link => (self.link_file()?, group.first_link, group.links),
            AttributeScope::Resource | AttributeScope::Instrumentation => (None, 0, 0),
        };
        Ok(file.map(|file| (file, first as usize..(first + count) as usize)))
    }
}
