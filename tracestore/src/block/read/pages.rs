//! Pages of column chunks for the Parquet decoder, unpacked here: by one zstd context per thread.
//!
//! The parquet crate makes a context for packing and one for unpacking whenever it opens a chunk, and each asks the CPU
//! what it can do: an instruction that takes 20 to 30 µs in a virtual machine, as long as decoding a small chunk. So chunks
//! that zstd packed are opened as if they were not packed, and their pages unpacked when they are read. Which pages are
//! read at all, and what is in them, is left to the crate.
//!
//! ```text
//! ParquetFile ─▶ Chunk (RowGroups) ─▶ Pages (PageReader) ─▶ SerializedPageReader ─▶ packed page ─▶ unpack
//! ```

use std::{cell::RefCell, sync::Arc};

use bytes::Bytes;
use parquet::{
    arrow::arrow_reader::RowGroups,
    basic::Compression,
    column::page::{Page, PageIterator, PageMetadata, PageReader},
    errors::{ParquetError, Result},
    file::{
        metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData},
        serialized_reader::SerializedPageReader,
    },
};
use zstd::{bulk::Decompressor, zstd_safe::get_frame_content_size};

use super::{levels, window::Window};

/// No page of ours is larger unpacked; a page that says so is damaged.
const MAX_PAGE_BYTES: u64 = 1 << 30;

thread_local! {
    static UNPACKER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// The column chunks of one row group.
pub(super) struct Chunks<'a> {
    /// The chunks that are read, at least.
    pub(super) window: Arc<Window>,
    pub(super) metadata: &'a Arc<ParquetMetaData>,
    pub(super) row_group: usize,
}

impl Chunks<'_> {
    fn group(&self) -> Result<&RowGroupMetaData> {
        let group = self.metadata.row_groups().get(self.row_group);
        group.ok_or_else(|| ParquetError::General(format!("there is no row group {}", self.row_group)))
    }
}

impl RowGroups for Chunks<'_> {
    fn num_rows(&self) -> usize {
        self.group().map_or(0, |group| group.num_rows().unsigned_abs() as usize)
    }

    fn column_chunks(&self, column: usize) -> Result<Box<dyn PageIterator>> {
        Ok(Box::new(OneChunk(Some(Pages::open(&self.window, self.metadata, self.row_group, column)?))))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(self.group().ok().into_iter())
    }

    fn metadata(&self) -> &ParquetMetaData {
        self.metadata
    }
}

/// One column chunk, as the decoder wants chunks.
struct OneChunk(Option<Pages>);

impl Iterator for OneChunk {
    type Item = Result<Box<dyn PageReader>>;

    fn next(&mut self) -> Option<Self::Item> {
        let pages: Box<dyn PageReader> = Box::new(self.0.take()?);
        Some(Ok(pages))
    }
}

impl PageIterator for OneChunk {}

/// The pages of one column chunk, unpacked.
pub(super) struct Pages {
    inner: SerializedPageReader<Window>,
    /// Whether its pages are still packed by zstd.
    packed: bool,
    /// The greatest repetition level: above 0 in columns of lists.
    max_level: i16,
}

impl Pages {
    /// Opens a column chunk.
    ///
    /// # Errors
    /// When there is no such chunk.
    pub(super) fn open(
        window: &Arc<Window>,
        metadata: &ParquetMetaData,
        row_group: usize,
        column: usize,
    ) -> Result<Self> {
        let group = metadata.row_groups().get(row_group);
        let (Some(group), Some(chunk)) = (group, group.and_then(|group| group.columns().get(column))) else {
            return Err(ParquetError::General(format!("there is no column {column} in row group {row_group}")));
        };
        let locations = metadata.offset_index().and_then(|index| index.get(row_group)?.get(column));
        let locations = locations.map(|index| index.page_locations().clone()).filter(|pages| !pages.is_empty());
        let packed = matches!(chunk.compression(), Compression::ZSTD(_));
        let rows = group.num_rows().unsigned_abs() as usize;
        let open = |chunk: &ColumnChunkMetaData| SerializedPageReader::new(Arc::clone(window), chunk, rows, locations);
        let inner = if packed { open(&as_not_packed(chunk)?)? } else { open(chunk)? };
        Ok(Self { inner, packed, max_level: chunk.column_descr().max_rep_level() })
    }
}

/// What a page reader needs to know of a chunk, without its compression.
fn as_not_packed(chunk: &ColumnChunkMetaData) -> Result<ColumnChunkMetaData> {
    ColumnChunkMetaData::builder(chunk.column_descr_ptr())
        .set_compression(Compression::UNCOMPRESSED)
        .set_data_page_offset(chunk.data_page_offset())
        .set_dictionary_page_offset(chunk.dictionary_page_offset())
        .set_total_compressed_size(chunk.compressed_size())
        .set_total_uncompressed_size(chunk.uncompressed_size())
        .set_num_values(chunk.num_values())
        .build()
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.inner.get_next_page()?;
        let page = if self.packed { page.map(unpack_page).transpose()? } else { page };
        page.iter().try_for_each(|page| levels::check(page, self.max_level))?;
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.inner.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.inner.at_record_boundary()
    }
}

fn unpack_page(mut page: Page) -> Result<Page> {
    match &mut page {
        Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. } => *buf = unpack(buf, 0)?,
        Page::DataPageV2 { buf, def_levels_byte_len, rep_levels_byte_len, is_compressed: true, .. } => {
            // The levels stand before what is packed.
            *buf = unpack(buf, (*def_levels_byte_len as usize).saturating_add(*rep_levels_byte_len as usize))?;
        }
        Page::DataPageV2 { .. } => {}
    }
    Ok(page)
}

/// The first `plain` bytes, and what follows unpacked.
fn unpack(page: &Bytes, plain: usize) -> Result<Bytes> {
    let damaged = |reason: &str| ParquetError::General(format!("a page cannot be unpacked: {reason}"));
    let (head, packed) = page.split_at_checked(plain).ok_or_else(|| damaged("its levels are longer than the page"))?;
    if packed.is_empty() {
        return Ok(page.clone());
    }
    let size = get_frame_content_size(packed).ok().flatten().ok_or_else(|| damaged("it does not say its size"))?;
    let size = usize::try_from(size).ok().filter(|_| size <= MAX_PAGE_BYTES);
    let size = size.ok_or_else(|| damaged("it says that it is larger than any page"))?;
    let unpacked = UNPACKER.with_borrow_mut(|unpacker| {
        let unpacker = match unpacker {
            Some(unpacker) => unpacker,
            none => none.insert(Decompressor::new()?),
        };
        unpacker.decompress(packed, size)
    });
    let unpacked = unpacked.map_err(|error| damaged(&error.to_string()))?;
    Ok(if head.is_empty() { unpacked.into() } else { [head, &unpacked].concat().into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_unpacked_and_damaged_ones_are_errors() {
        let content = b"abcabcabcabc".repeat(100);
        let packed = zstd::bulk::compress(&content, 3).unwrap();
        let page = |head: &[u8], packed: &[u8]| Bytes::from([head, packed].concat());
        assert_eq!(unpack(&page(b"", &packed), 0).unwrap(), content);
        assert_eq!(unpack(&page(b"levels", &packed), 6).unwrap(), [b"levels", content.as_slice()].concat());
        // Nothing but levels.
        assert_eq!(unpack(&page(b"levels", b""), 6).unwrap(), b"levels".as_slice());
        assert!(unpack(&page(b"levels", b""), 7).is_err());
        for len in 1..packed.len() {
            assert!(unpack(&page(b"", &packed[..len]), 0).is_err(), "{len}");
        }
        // A frame of 8 bytes' length that says it is 2^40 bytes long.
        let mut lie = vec![0x28, 0xb5, 0x2f, 0xfd, 0xe0];
        lie.extend((1_u64 << 40).to_le_bytes());
        let error = unpack(&page(b"", &lie), 0).unwrap_err().to_string();
        assert!(error.contains("larger than any page"), "{error}");
    }
}
