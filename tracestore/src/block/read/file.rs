//! One Parquet file of a block: bytes that are checked before they are parsed, columns by name.
//!
//! Nothing here knows what the columns mean. The tail (footer and page indexes) is checked when the file is opened, a
//! column chunk when it is first read: against their checksums, and, since whoever forges a block forges these too, against
//! the [fence]. A panic in the decoder becomes an error as well.

use std::{
    cell::Cell,
    collections::HashMap,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use arrow::{
    array::{Array, ArrayRef, new_empty_array},
    compute::concat,
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use bytes::Bytes;
use parquet::{
    arrow::{
        FieldLevels, ProjectionMask,
        arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, RowSelection},
        parquet_to_arrow_field_levels, parquet_to_arrow_schema,
    },
    basic::Encoding,
    column::page::{Page, PageReader},
    errors::ParquetError,
    file::{
        metadata::{ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData},
        page_index::offset_index::PageLocation,
    },
};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    fence,
    pages::{Chunks, Pages},
    window::Window,
};
use crate::{
    Error, Result,
    block::meta::FileMeta,
    io::{RandomRead, Vfs},
};

thread_local! {
    /// Bytes of column chunks and pages that this thread has read: reading is synchronous, so the difference over a
    /// call is what that call has read.
    static BYTES_READ: Cell<u64> = const { Cell::new(0) };
}

/// Bytes of column chunks and pages that this thread has read so far.
pub(crate) fn bytes_read() -> u64 {
    BYTES_READ.get()
}

/// An open Parquet file of a block.
#[derive(Debug)]
pub(crate) struct ParquetFile {
    path: PathBuf,
    source: Arc<dyn RandomRead>,
    reader: ArrowReaderMetadata,
    by_name: HashMap<String, usize>,
    /// The checksum of every column chunk, row groups outermost.
    chunks: Vec<u64>,
    verified: Vec<AtomicBool>,
    /// By column; found out when it is first read.
    levels: Vec<OnceLock<FieldLevels>>,
}

impl ParquetFile {
    /// Opens the file `meta.name` of the block at `dir`.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Corrupt`] when size or footer are not as written.
    pub(crate) fn open(vfs: &dyn Vfs, dir: &Path, meta: &FileMeta) -> Result<Self> {
        let path = dir.join(&meta.name);
        let source = vfs.open(&path, meta.size)?;
        let tail = Window::read(&source, meta.tail_offset, meta.size)?;
        let refused = |reason: fence::Refused| Error::corrupt(&path, meta.tail_offset, reason);
        if xxh3_64(tail.bytes()) != meta.tail {
            return Err(refused("the footer's checksum does not match".to_owned()));
        }
        let footer = fence::footer(tail.bytes()).map_err(refused)?;
        let metadata = guard(&path, meta.tail_offset, || ParquetMetaDataReader::decode_metadata(footer))?;
        fence::layout(&metadata, tail.bytes(), meta.tail_offset).map_err(refused)?;
        let metadata = guard(&path, meta.tail_offset, || {
            let reader = ParquetMetaDataReader::new_with_metadata(metadata);
            let mut reader = reader.with_page_index_policy(PageIndexPolicy::Optional);
            reader.read_page_indexes(&tail)?;
            reader.finish()
        })?;
        let columns = metadata.file_metadata().schema_descr().num_columns();
        if meta.chunks.len() != columns * metadata.num_row_groups() {
            return Err(Error::corrupt(&path, meta.tail_offset, "the footer lists other column chunks than meta.json"));
        }
        let reader = guard(&path, meta.tail_offset, || {
            let schema = read_schema(&metadata)?;
            let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true).with_schema(schema);
            ArrowReaderMetadata::try_new(Arc::new(metadata), options)
        })?;
        let by_name = reader.schema().fields().iter().enumerate();
        let by_name = by_name.map(|(index, field)| (field.name().clone(), index)).collect();
        let verified = meta.chunks.iter().map(|_| AtomicBool::new(false)).collect();
        let levels = reader.schema().fields().iter().map(|_| OnceLock::new()).collect();
        Ok(Self { path, source, reader, by_name, chunks: meta.chunks.clone(), verified, levels })
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The footer.
    pub(crate) fn metadata(&self) -> &Arc<ParquetMetaData> {
        self.reader.metadata()
    }

    /// How many rows each row group has.
    pub(super) fn group_rows(&self) -> impl Iterator<Item = u64> {
        self.metadata().row_groups().iter().map(|group| group.num_rows().unsigned_abs())
    }

    /// The number of a column, `None` if the file has no such column.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The Arrow type that a column is read as.
    pub(crate) fn data_type(&self, column: usize) -> Option<&DataType> {
        self.reader.schema().fields().get(column).map(|field| field.data_type())
    }

    /// The Arrow schema that the file is read as.
    pub(crate) fn schema(&self) -> &SchemaRef {
        self.reader.schema()
    }

    /// The names of the columns in their order.
    pub(crate) fn column_names(&self) -> impl Iterator<Item = &str> {
        self.reader.schema().fields().iter().map(|field| field.name().as_str())
    }

    fn row_group(&self, row_group: usize) -> Result<&RowGroupMetaData> {
        let found = self.metadata().row_groups().get(row_group);
        found.ok_or_else(|| Error::corrupt(&self.path, 0, format!("there is no row group {row_group}")))
    }

    pub(super) fn chunk(&self, row_group: usize, leaf: usize) -> Result<&ColumnChunkMetaData> {
        let found = self.row_group(row_group)?.columns().get(leaf);
        found.ok_or_else(|| Error::corrupt(&self.path, 0, format!("there is no column {leaf}")))
    }

    /// The leaves of a column: one after the other, more than one where it is nested.
    pub(super) fn leaves(&self, column: usize) -> Range<usize> {
        let schema = self.metadata().file_metadata().schema_descr();
        let mut leaves = (0..schema.num_columns()).filter(|leaf| schema.get_column_root_idx(*leaf) == column);
        leaves.next().map_or(0..0, |first| first..first + 1 + leaves.count())
    }

    /// The checked bytes of the chunks of some neighbouring leaves.
    pub(super) fn chunk_bytes(&self, row_group: usize, leaves: Range<usize>) -> Result<Window> {
        let range = self.chunk_range(row_group, leaves.clone())?;
        let window = Window::read(&self.source, range.start, range.end)?;
        leaves.into_iter().try_for_each(|leaf| self.verify(row_group, leaf, &window))?;
        Ok(window)
    }

    /// Checks a column chunk, its checksum and what its pages ask for: once where the file stays as it is, else whenever it
    /// was fetched.
    fn verify(&self, row_group: usize, leaf: usize, window: &Window) -> Result<()> {
        let index = row_group * self.metadata().file_metadata().schema_descr().num_columns() + leaf;
        let (Some(expected), Some(verified)) = (self.chunks.get(index), self.verified.get(index)) else {
            return Err(Error::corrupt(&self.path, 0, format!("there is no column chunk {index}")));
        };
        if self.source.is_held() && verified.load(Ordering::Acquire) {
            return Ok(());
        }
        let chunk = self.chunk(row_group, leaf)?;
        let (start, len) = chunk.byte_range();
        let wrong = |reason: String| {
            let name = chunk.column_path().string();
            Error::corrupt(&self.path, start, format!("column {name} in row group {row_group}: {reason}"))
        };
        let bytes = window.get(start, start.saturating_add(len)).filter(|bytes| xxh3_64(bytes) == *expected);
        let bytes = bytes.ok_or_else(|| wrong("the checksum does not match".to_owned()))?;
        let rows = self.row_group(row_group)?.num_rows();
        fence::pages(&bytes, start, chunk, rows, self.pages(row_group, leaf)).map_err(wrong)?;
        verified.store(true, Ordering::Release);
        Ok(())
    }

    /// Whether the whole file is at hand.
    pub(crate) fn is_held(&self) -> bool {
        self.source.is_held()
    }

    /// Fetches columns of a row group that are about to be read. Those that the file does not have are none.
    pub(crate) fn prefetch<'a>(&self, row_group: usize, columns: impl Iterator<Item = &'a str>) {
        let columns = columns.filter_map(|name| self.column(name));
        let ranges = columns.filter_map(|column| self.chunk_range(row_group, self.leaves(column)).ok());
        self.source.prefetch(&ranges.collect::<Vec<_>>());
    }

    /// Where the chunks of some neighbouring leaves are.
    fn chunk_range(&self, row_group: usize, leaves: Range<usize>) -> Result<Range<u64>> {
        let (mut start, mut end) = (u64::MAX, 0);
        for leaf in leaves {
            let (first, len) = self.chunk(row_group, leaf)?.byte_range();
            (start, end) = (start.min(first), end.max(first.saturating_add(len)));
        }
        Ok(start.min(end)..end)
    }

    /// What the page index says of the pages of a column chunk.
    fn pages(&self, row_group: usize, leaf: usize) -> Option<&[PageLocation]> {
        let pages = self.metadata().offset_index()?.get(row_group)?.get(leaf)?;
        Some(pages.page_locations())
    }

    /// Counts the bytes that reading the selected rows of a column chunk touches.
    pub(super) fn count_bytes(&self, row_group: usize, leaf: usize, rows: Option<&RowSelection>) -> Result<()> {
        let chunk = self.chunk(row_group, leaf)?;
        let bytes = match (rows, self.pages(row_group, leaf)) {
            (Some(rows), Some(pages)) => {
                let ranges = rows.scan_ranges(pages);
                ranges.iter().map(|range| range.end.saturating_sub(range.start)).sum()
            }
            _ => chunk.compressed_size().unsigned_abs(),
        };
        BYTES_READ.set(BYTES_READ.get() + bytes);
        Ok(())
    }

    /// How the decoder puts a column together.
    fn levels(&self, column: usize) -> Result<&FieldLevels, ParquetError> {
        let missing = || ParquetError::General(format!("there is no column {column}"));
        let cell = self.levels.get(column).ok_or_else(missing)?;
        if let Some(levels) = cell.get() {
            return Ok(levels);
        }
        let schema = self.metadata().file_metadata().schema_descr();
        let mask = ProjectionMask::roots(schema, [column]);
        let levels = parquet_to_arrow_field_levels(schema, mask, Some(self.reader.schema().fields()))?;
        Ok(cell.get_or_init(|| levels))
    }

    /// Reads the selected rows (all if `None`) of one column of a row group, as one array.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub(crate) fn read(&self, row_group: usize, column: usize, rows: Option<RowSelection>) -> Result<ArrayRef> {
        let leaves = self.leaves(column);
        let window = self.chunk_bytes(row_group, leaves.clone())?;
        leaves.into_iter().try_for_each(|leaf| self.count_bytes(row_group, leaf, rows.as_ref()))?;
        let total = self.row_group(row_group)?.num_rows().unsigned_abs() as usize;
        let wanted = rows.as_ref().map_or(total, RowSelection::row_count);
        let batches = guard(&self.path, 0, || {
            let chunks = Chunks { window: Arc::new(window), metadata: self.metadata(), row_group };
            let (levels, batch_size) = (self.levels(column)?, wanted.max(1));
            let reader = ParquetRecordBatchReader::try_new_with_row_groups(levels, &chunks, batch_size, rows)?;
            reader.collect::<Result<Vec<_>, _>>().map_err(ParquetError::from)
        })?;
        let arrays: Vec<ArrayRef> = batches.iter().filter_map(|batch| batch.columns().first().cloned()).collect();
        let array = self.join(column, &arrays)?;
        if array.len() != wanted {
            let name = self.column_names().nth(column).unwrap_or_default();
            let reason = format!("column {name} in row group {row_group} has {} rows of {wanted}", array.len());
            return Err(Error::corrupt(&self.path, 0, reason));
        }
        Ok(array)
    }

    /// Reads ranges of rows, ascending and numbered through the whole file, of the column `name` as one array.
    ///
    /// # Errors
    /// [`Error::Corrupt`], also when there is no such column.
    pub(crate) fn read_ranges(&self, name: &str, ranges: &[Range<usize>]) -> Result<ArrayRef> {
        let column = self.column(name);
        let column = column.ok_or_else(|| Error::corrupt(&self.path, 0, format!("there is no column `{name}`")))?;
        let mut arrays = Vec::new();
        let mut first = 0;
        for (index, group) in self.metadata().row_groups().iter().enumerate() {
            let rows = group.num_rows().unsigned_abs() as usize;
            let local = ranges.iter().filter(|range| range.start < first + rows && range.end > first);
            let local = local.map(|range| range.start.max(first) - first..range.end.min(first + rows) - first);
            let local: Vec<_> = local.collect();
            if let Some(whole) = local.first() {
                let selection =
                    (*whole != (0..rows)).then(|| RowSelection::from_consecutive_ranges(local.iter().cloned(), rows));
                arrays.push(self.read(index, column, selection)?);
            }
            first += rows;
        }
        self.join(column, &arrays)
    }

    /// Reads the whole column `name`.
    ///
    /// # Errors
    /// [`Error::Corrupt`], also when there is no such column.
    pub(crate) fn read_all(&self, name: &str) -> Result<ArrayRef> {
        self.read_ranges(name, std::slice::from_ref(&(0..usize::MAX)))
    }

    /// The parts of a column as one array.
    fn join(&self, column: usize, parts: &[ArrayRef]) -> Result<ArrayRef> {
        match parts {
            [] => Ok(new_empty_array(self.data_type(column).unwrap_or(&DataType::Null))),
            [array] => Ok(Arc::clone(array)),
            several => {
                let arrays: Vec<_> = several.iter().map(AsRef::as_ref).collect();
                concat(&arrays).map_err(|error| Error::corrupt(&self.path, 0, error.to_string()))
            }
        }
    }

    /// The dictionary of a column chunk whose pages all use it; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub(crate) fn dictionary(&self, row_group: usize, column: usize) -> Result<Option<Vec<Bytes>>> {
        let chunk = self.chunk(row_group, column)?;
        if !is_dictionary_encoded(chunk) {
            return Ok(None);
        }
        let window = self.chunk_bytes(row_group, column..column + 1)?;
        let (start, _) = chunk.byte_range();
        let window = Arc::new(window);
        let page =
            guard(&self.path, start, || Pages::open(&window, self.metadata(), row_group, column)?.get_next_page())?;
        let Some(Page::DictionaryPage { buf, num_values, .. }) = page else { return Ok(None) };
        BYTES_READ.set(BYTES_READ.get() + buf.len() as u64);
        let values = plain_byte_arrays(&buf, num_values as usize);
        values.map(Some).ok_or_else(|| Error::corrupt(&self.path, start, "the dictionary page is cut short"))
    }
}

/// Runs a decoder; its errors and panics become [`Error::Corrupt`].
pub(super) fn guard<T>(path: &Path, offset: u64, decode: impl FnOnce() -> Result<T, ParquetError>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(decoded) => decoded.map_err(|error| Error::corrupt(path, offset, error.to_string())),
        Err(_) => Err(Error::corrupt(path, offset, "the Parquet decoder gave up on it")),
    }
}

/// Whether every data page of a chunk holds dictionary codes.
pub(crate) fn is_dictionary_encoded(chunk: &ColumnChunkMetaData) -> bool {
    let only_codes = chunk.page_encoding_stats_mask().is_some_and(|mask| mask.is_only(Encoding::RLE_DICTIONARY));
    chunk.dictionary_page_offset().is_some() && only_codes
}

/// How columns are read: texts as dictionaries where they are stored so, else as views; the rest by nature.
fn read_schema(metadata: &ParquetMetaData) -> Result<SchemaRef, ParquetError> {
    let descriptor = metadata.file_metadata().schema_descr();
    let natural = parquet_to_arrow_schema(descriptor, None)?;
    let fields = natural.fields().iter().enumerate().map(|(root, field)| {
        let DataType::Utf8 = field.data_type() else { return Arc::clone(field) };
        let leaf = (0..descriptor.num_columns()).find(|leaf| descriptor.get_column_root_idx(*leaf) == root);
        let coded = leaf.is_some_and(|leaf| {
            let mut chunks = metadata.row_groups().iter().filter_map(|group| group.columns().get(leaf));
            chunks.all(is_dictionary_encoded)
        });
        let data_type = if coded {
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
        } else {
            DataType::Utf8View
        };
        Arc::new(Field::new(field.name(), data_type, field.is_nullable()))
    });
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

/// The values of a PLAIN page of byte arrays: each a 4-byte length and the bytes.
fn plain_byte_arrays(page: &Bytes, count: usize) -> Option<Vec<Bytes>> {
    let mut values = Vec::with_capacity(count.min(page.len() / 4));
    let mut at = 0;
    for _ in 0..count {
        let len = u32::from_le_bytes(page.get(at..at + 4)?.try_into().ok()?) as usize;
        let end = (at + 4).checked_add(len).filter(|end| *end <= page.len())?;
        values.push(page.slice(at + 4..end));
        at = end;
    }
    Some(values)
}
