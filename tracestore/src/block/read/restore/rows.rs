//! Columns of a file for some rows, as plain values.

use arrow::{
    array::{ArrayRef, AsArray, BinaryArray, StringViewArray},
    datatypes::{Int32Type, Int64Type, UInt32Type, UInt64Type},
};

use super::ranges::RowRanges;
use crate::{
    Error, Result,
    block::read::{ParquetFile, texts},
    model::SpanId,
};

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

    pub(super) fn bytes(&self, name: &str) -> Result<BinaryArray> {
        self.array(name)?.as_binary_opt::<i32>().cloned().ok_or_else(|| self.wrong(name))
    }
}
