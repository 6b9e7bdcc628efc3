//! The small tables that spans point to, resources and instrumentation scopes, with their attributes as columns.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::array::{Array, ArrayRef, StringViewArray, new_null_array};

use super::{ParquetFile, keys::Keys, residual::read_values, text::texts};
use crate::{
    Error, Result,
    block::column::{AttributeScope, AttributeType},
};

/// Resources or scopes of a block, and what was read of them so far.
#[derive(Debug)]
pub(crate) struct Owners {
    scope: AttributeScope,
    file: ParquetFile,
    len: usize,
    /// Columns by name, attributes by key and type: one value per owner.
    cache: Mutex<HashMap<(String, Option<AttributeType>), ArrayRef>>,
}

impl Owners {
    pub(super) fn new(scope: AttributeScope, file: ParquetFile, len: usize) -> Self {
        Self { scope, file, len, cache: Mutex::default() }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The file behind the table.
    pub(crate) fn file(&self) -> &ParquetFile {
        &self.file
    }

    fn cached(
        &self,
        name: &str,
        value_type: Option<AttributeType>,
        read: impl FnOnce() -> Result<ArrayRef>,
    ) -> Result<ArrayRef> {
        let key = (name.to_owned(), value_type);
        if let Some(array) = self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(array));
        }
        let array = read()?;
        if array.len() != self.len {
            let reason = format!("column `{name}` has {} values where {} were written", array.len(), self.len);
            return Err(Error::corrupt(self.file.path(), 0, reason));
        }
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&array));
        Ok(array)
    }

    /// A column of texts, one per owner.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub(crate) fn text(&self, name: &str) -> Result<ArrayRef> {
        self.cached(name, None, || {
            let array: Option<StringViewArray> = texts(&self.file.read_all(name)?);
            let wrong = || Error::corrupt(self.file.path(), 0, format!("column `{name}` holds no text"));
            Ok(Arc::new(array.ok_or_else(wrong)?))
        })
    }

    /// An attribute's values of one type, one per owner; `None` where no owner has one.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub(crate) fn attribute(
        &self,
        keys: &Keys,
        residual: Option<&ParquetFile>,
        key: &str,
        value_type: AttributeType,
    ) -> Result<Option<ArrayRef>> {
        let (Some(entry), Some(residual)) = (keys.entry(self.scope, key, value_type, -1), residual) else {
            return Ok(None);
        };
        let values = self.cached(key, Some(value_type), || {
            let owners: Vec<u32> = (0..self.len as u32).collect();
            let array = read_values(residual, entry.run, value_type, &owners)?;
            let array = array.unwrap_or_else(|| new_null_array(&value_type.data_type(), self.len));
            match texts(&array) {
                Some(views) => Ok(Arc::new(views)),
                None => Ok(array),
            }
        });
        values.map(Some)
    }
}
