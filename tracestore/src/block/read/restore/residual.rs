//! Attributes from the residual table, back in the lists of their owners.

use arrow::array::{ArrayRef, StringViewArray};

use super::{
    ranges::RowRanges,
    rows::{Attributes, Rows, scalar},
};
use crate::{
    Error, Result,
    block::{
        column::{AttributeScope, AttributeType},
        read::{
            Block, ParquetFile,
            residual::{read_rows, rows_of},
        },
    },
    model::Value,
    otlp::value_from_text,
};

impl Block {
    /// Adds what the residual table has for some owners, which are all in one row group.
    pub(super) fn add_residual(
        &self,
        attributes: &mut Attributes,
        scope: AttributeScope,
        row_group: usize,
        owners: &RowRanges,
    ) -> Result<()> {
        let group = match scope {
            AttributeScope::Resource | AttributeScope::Instrumentation => -1,
            _ => i32::try_from(row_group).unwrap_or(i32::MAX),
        };
        let Some(file) = self.residual_file()? else { return Ok(()) };
        let runs = self.keys()?.runs().iter().filter(|(found, _, in_group, _)| *found == scope && *in_group == group);
        for (_, key, _, run) in runs {
            // Owners ascend within a run.
            let run = rows_of(*run);
            let rows = Rows { file, ranges: &RowRanges::one(run.clone()) }.u32("row")?;
            let ranges = owners.find_in(&rows, run.start);
            if ranges.is_empty() {
                continue;
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
                let list = attributes.entry(rows.rows.value(index)).or_default();
                list.push((key.clone(), rows.repeats.value(index), value));
                index += len.max(1);
            }
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
            2 => scalar(&self.bools, AttributeType::Bool, row),
            3 => scalar(&self.ints, AttributeType::Int, row),
            4 => scalar(&self.floats, AttributeType::Float, row),
            _ => value_from_text(self.jsons.value(row)).ok(),
        };
        value.ok_or_else(|| Error::corrupt(self.file.path(), 0, "a value is not of the type that the table says"))
    }
}
