//! A piece of a Parquet file, as the decoder wants to see the whole: bytes by their place in the file.

use std::{fmt::Debug, sync::Arc};

use bytes::{Buf, Bytes, buf::Reader};
use parquet::{
    errors::{ParquetError, Result},
    file::reader::{ChunkReader, Length},
};

use crate::io::{RandomRead, slice};

/// The bytes of a file from `start` on, as far as they were read.
#[derive(Debug, Clone)]
pub(super) struct Window {
    /// Of the whole file.
    size: u64,
    start: u64,
    bytes: Bytes,
}

impl Window {
    /// Reads a piece of a file.
    pub(super) fn read(source: &Arc<dyn RandomRead>, start: u64, end: u64) -> crate::Result<Self> {
        Ok(Self { size: source.size(), start, bytes: source.read(start..end)? })
    }

    /// All that was read.
    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What was read from `start` up to `end`; `None` where it was not.
    pub(super) fn get(&self, start: u64, end: u64) -> Option<Bytes> {
        slice(&self.bytes, self.start, &(start..end))
    }

    fn require(&self, start: u64, end: u64) -> Result<Bytes> {
        self.get(start, end).ok_or_else(|| ParquetError::EOF(format!("bytes {start} to {end} were not read")))
    }
}

impl Length for Window {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for Window {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(self.require(start, self.start + self.bytes.len() as u64)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.require(start, start.saturating_add(length as u64))
    }
}
