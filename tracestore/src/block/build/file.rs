//! Writes one Parquet file of a block, row group by row group, and takes the checksums on the way.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{array::ArrayRef, datatypes::SchemaRef};
use parquet::{
    arrow::{
        ArrowWriter,
        arrow_writer::{
            ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves,
        },
    },
    errors::ParquetError,
    file::{metadata::RowGroupMetaData, properties::WriterProperties, writer::SerializedFileWriter},
};
use rayon::prelude::*;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::{
    Error, Result,
    block::meta::FileMeta,
    io::{Vfs, VfsFile},
};

/// A Parquet file being written.
pub(super) struct ParquetFileWriter {
    name: String,
    path: PathBuf,
    schema: SchemaRef,
    writer: SerializedFileWriter<Pending>,
    columns: ArrowRowGroupWriterFactory,
    file: Box<dyn VfsFile>,
    checksum: Xxh3,
    /// Bytes handed to the file so far.
    written: u64,
    row_groups: usize,
    chunks: Vec<u64>,
}

/// What the encoder has produced and nobody has hashed yet.
#[derive(Debug, Default)]
struct Pending(Vec<u8>);

impl Write for Pending {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ParquetFileWriter {
    /// Creates the file `name` in `dir`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn create(
        vfs: &dyn Vfs,
        dir: &Path,
        name: &str,
        schema: SchemaRef,
        properties: WriterProperties,
    ) -> Result<Self> {
        let path = dir.join(name);
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(Pending::default(), Arc::clone(&schema), options);
        let (writer, columns) =
            writer.and_then(ArrowWriter::into_serialized_writer).map_err(|error| wrong(&path, &error))?;
        let file = vfs.create(&path)?;
        Ok(Self {
            name: name.to_owned(),
            path,
            schema,
            writer,
            columns,
            file,
            checksum: Xxh3::new(),
            written: 0,
            row_groups: 0,
            chunks: Vec::new(),
        })
    }

    /// Writes a row group of one array per column. Columns are encoded in parallel.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Internal`] when an array is not of its column's type.
    pub(super) fn write(&mut self, arrays: &[ArrayRef]) -> Result<()> {
        let path = self.path.clone();
        let wrong = |error: ParquetError| wrong(&path, &error);
        let mut writers = self.columns.create_column_writers(self.row_groups).map_err(wrong)?.into_iter();
        let mut jobs = Vec::new();
        for (field, array) in self.schema.fields().iter().zip(arrays) {
            let leaves = compute_leaves(field, array).map_err(wrong)?;
            jobs.extend(leaves.into_iter().zip(writers.by_ref()));
        }
        let encode = |(leaf, mut writer): (_, ArrowColumnWriter)| -> Result<ArrowColumnChunk, ParquetError> {
            writer.write(&leaf)?;
            writer.close()
        };
        let chunks = jobs.into_par_iter().map(encode).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
        let mut row_group = self.writer.next_row_group().map_err(wrong)?;
        for chunk in chunks {
            chunk.append_to_row_group(&mut row_group).map_err(wrong)?;
        }
        let metadata = row_group.close().map_err(wrong)?;
        self.writer.flush().map_err(|error| Error::io("write", &self.path, error))?;
        self.row_groups += 1;
        self.hash_chunks(&metadata)?;
        self.drain()
    }

    /// Takes the checksums of a row group's column chunks, whose bytes are all pending.
    fn hash_chunks(&mut self, metadata: &RowGroupMetaData) -> Result<()> {
        for chunk in metadata.columns() {
            let (start, len) = chunk.byte_range();
            let start = start.checked_sub(self.written).map(|start| start as usize);
            let bytes = start.and_then(|start| self.writer.inner().0.get(start..start + len as usize));
            let bytes = bytes.ok_or_else(|| Error::Internal(format!("{}: a column chunk is elsewhere", self.name)))?;
            self.chunks.push(xxh3_64(bytes));
        }
        Ok(())
    }

    /// Hands the pending bytes to the file.
    fn drain(&mut self) -> Result<()> {
        let pending = std::mem::take(&mut self.writer.inner_mut().0);
        self.put(&pending)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| Error::io("write", &self.path, error))?;
        self.checksum.update(bytes);
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Writes the footer and waits until everything is on stable storage.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn finish(mut self) -> Result<FileMeta> {
        let wrong = |error: ParquetError| wrong(&self.path, &error);
        self.writer.finish().map_err(wrong)?;
        let pending = std::mem::take(&mut self.writer.inner_mut().0);
        // A file without a row group still starts with the magic bytes.
        let tail_offset = self.written.max(4);
        let tail = pending.get((tail_offset - self.written) as usize..).map_or(0, xxh3_64);
        self.put(&pending)?;
        self.file.sync()?;
        Ok(FileMeta {
            name: self.name,
            size: self.written,
            checksum: self.checksum.digest(),
            chunks: self.chunks,
            tail_offset,
            tail,
        })
    }
}

fn wrong(path: &Path, error: &ParquetError) -> Error {
    Error::Internal(format!("{} cannot be encoded: {error}", path.display()))
}
