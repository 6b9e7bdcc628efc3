//! Attributes from the residual table, back with their owners.

use arrow::{
    array::{ArrayRef, AsArray, StringViewArray},
    datatypes::{Float64Type, Int64Type},
};

use super::{ranges::RowRanges, rows::Rows};
use crate::{
    Error, Result,
    block::{
        column::AttributeScope,
        read::{
            Block, ParquetFile,
            keys::Run,
            residual::{read_rows, rows_of},
        },
    },
    model::Value,
    otlp::value_from_text,
};

/// An attribute of the residual table.
pub(super) struct ResidualEntry {
    /// Its owner's row.
    pub(super) owner: u32,
    /// As the reader numbers keys.
    pub(super) key: u32,
    /// Which occurrence of the key.
    pub(super) repeat: u32,
    pub(super) value: Value,
}

impl Block {
    /// Where the residual table has attributes of a scope, for owners in a row group, by key.
    pub(super) fn residual_runs(&self, scope: AttributeScope, row_group: usize) -> Result<Vec<(&str, Run)>> {
        let group = match scope {
            AttributeScope::Resource | AttributeScope::Instrumentation => -1,
            _ => i32::try_from(row_group).unwrap_or(i32::MAX),
        };
        let runs = self.keys()?.runs().iter().filter(|(found, _, in_group, _)| *found == scope && *in_group == group);
        Ok(runs.map(|(_, key, _, run)| (key.as_str(), *run)).collect())
    }

    /// Adds what a run of the residual table has for some owners, under a number for its key.
    pub(super) fn add_residual(
        &self,
        entries: &mut Vec<ResidualEntry>,
        key: u32,
        run: Run,
        owners: &RowRanges,
    ) -> Result<()> {
        let Some(file) = self.residual_file()? else { return Ok(()) };
        // Owners ascend within a run.
        let run = rows_of(run);
        let rows = Rows { file, ranges: &RowRanges::one(run.clone()) }.u32("row")?;
        let ranges = owners.find_in(&rows, run.start);
        if ranges.is_empty() {
            return Ok(());
        }
        let rows = read_rows(file, ranges.ranges())?;
        let values = ResidualValues::read(file, &ranges)?;
        let (mut index, end) = (0, rows.rows.len().min(ranges.len()));
        while index < end {
            let len = rows.array_lens.value(index) as usize;
            let value = |row: usize| values.value(row, rows.types.value(row));
            let value = match len {
                0 => value(index)?,
                len if index + len <= end => Value::Array((index..index + len).map(value).collect::<Result<_>>()?),
                _ => return Err(Error::corrupt(file.path(), 0, "an array reaches beyond its key")),
            };
            let (owner, repeat) = (rows.rows.value(index), rows.repeats.value(index));
            entries.push(ResidualEntry { owner, key, repeat, value });
            index += len.max(1);
        }
        Ok(())
    }
}

/// The value columns of some rows of the residual table.
struct ResidualValues<'a> {
    file: &'a ParquetFile,
    texts: StringViewArray,
    ints: ArrayRef,
    floats: ArrayRef,
    bools: ArrayRef,
    jsons: StringViewArray,
}

impl<'a> ResidualValues<'a> {
    fn read(file: &'a ParquetFile, ranges: &RowRanges) -> Result<Self> {
        let rows = Rows { file, ranges };
        let (texts, jsons) = (rows.texts("str")?, rows.texts("json")?);
        Ok(Self {
            file,
            texts,
            ints: rows.array("int")?,
            floats: rows.array("float")?,
            bools: rows.array("bool")?,
            jsons,
        })
    }

    fn value(&self, row: usize, number: i32) -> Result<Value> {
        let value = match number {
            1 => Some(Value::String(self.texts.value(row).to_owned())),
            2 => self.bools.as_boolean_opt().map(|bools| Value::Bool(bools.value(row))),
            3 => self.ints.as_primitive_opt::<Int64Type>().map(|ints| Value::Int(ints.value(row))),
            4 => self.floats.as_primitive_opt::<Float64Type>().map(|floats| Value::Double(floats.value(row))),
            _ => value_from_text(self.jsons.value(row)).ok(),
        };
        value.ok_or_else(|| Error::corrupt(self.file.path(), 0, "a value is not of the type that the table says"))
    }
}
