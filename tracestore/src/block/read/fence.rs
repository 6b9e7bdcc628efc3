//! What a Parquet file may ask of its decoder, checked before the decoder sees it: sizes and counts that somebody may have
//! forged together with the checksums. Pure.
//!
//! ```text
//! tail ─▶ footer (length, lists) ─▶ parsed ─▶ layout (chunks, indexes) ─▶ indexes parsed ─▶ chunk ─▶ pages (headers) ─▶ decoded
//! ```
//!
//! What passes asks for the memory that its rows take, and no more: a footer has the elements that its lists name, column
//! chunks lie one after the other, and their pages hold as many values as the footer says.

use parquet::{
    basic::Compression,
    file::{
        metadata::{ColumnChunkMetaData, ParquetMetaData},
        page_index::offset_index::PageLocation,
    },
};

use super::thrift;

/// A footer is not longer: 64 MiB, some hundred thousand column chunks.
const MAX_FOOTER: usize = 64 << 20;
/// All lists of a footer, or of a page index, have no more elements.
const MAX_ELEMENTS: usize = 1 << 20;
/// Rows of a row group. A group ends behind 256 MiB of received spans, or a larger trace; an event may take two bytes.
const MAX_ROWS: i64 = 1 << 29;
/// A page before compression. It has no more than its row group.
const MAX_PAGE: i64 = 1 << 30;
/// The length of the footer and Parquet's magic bytes.
const FOOTER_END: usize = 8;
/// Where the first column chunk begins: behind the magic bytes.
const FIRST_CHUNK: u64 = 4;

/// Why something is refused.
pub(super) type Refused = String;

/// The footer's bytes, which the last of the tail's bytes say the length of.
pub(super) fn footer(tail: &[u8]) -> Result<&[u8], Refused> {
    let (rest, end) = tail.split_last_chunk::<FOOTER_END>().ok_or("the footer is cut short")?;
    let [a, b, c, d, magic @ ..] = end;
    let len = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
    if magic != b"PAR1" || len > MAX_FOOTER {
        return Err(format!("a footer of {len} bytes is none that was written"));
    }
    let footer = rest.len().checked_sub(len).and_then(|start| rest.get(start..)).ok_or("the footer is cut short")?;
    match thrift::walk(footer, &mut MAX_ELEMENTS.min(len), &mut |_, _| {}) {
        Some(_) => Ok(footer),
        None => Err("the footer is no message, or its lists are shorter than they say".to_owned()),
    }
}

/// Where things are: column chunks one after the other up to the tail, page indexes in the tail, which is
/// given.
pub(super) fn layout(metadata: &ParquetMetaData, tail: &[u8], tail_offset: u64) -> Result<(), Refused> {
    let columns = metadata.file_metadata().schema_descr().num_columns();
    let (mut end, mut indexes) = (FIRST_CHUNK, 0);
    for group in metadata.row_groups() {
        if !(0..=MAX_ROWS).contains(&group.num_rows()) || group.num_columns() != columns {
            return Err(format!("a row group has {} rows and {} columns", group.num_rows(), group.num_columns()));
        }
        for chunk in group.columns() {
            let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
            let size = u64::try_from(chunk.compressed_size()).ok();
            let next = size.and_then(|size| end.checked_add(size)).filter(|next| *next <= tail_offset);
            let (Some(next), true) = (next, u64::try_from(start) == Ok(end)) else {
                return Err(format!("column {} is not behind the one before", chunk.column_path().string()));
            };
            end = next;
            for (offset, len) in [
                (chunk.offset_index_offset(), chunk.offset_index_length()),
                (chunk.column_index_offset(), chunk.column_index_length()),
            ] {
                let (Some(offset), Some(len)) = (offset, len) else { continue };
                indexes += index(tail, tail_offset, offset, len)
                    .ok_or_else(|| format!("a page index of column {} is none", chunk.column_path().string()))?;
            }
        }
    }
    // None is there twice: memory is bounded by the file's size.
    if indexes > tail.len() {
        return Err("the page indexes overlap".to_owned());
    }
    Ok(())
}

/// The length of a page index that is where it should be.
fn index(tail: &[u8], tail_offset: u64, offset: i64, len: i32) -> Option<usize> {
    let start = u64::try_from(offset).ok()?.checked_sub(tail_offset)?;
    let (start, len) = (usize::try_from(start).ok()?, usize::try_from(len).ok()?);
    let index = tail.get(start..start.checked_add(len)?)?;
    thrift::walk(index, &mut MAX_ELEMENTS.min(len), &mut |_, _| {})?;
    Some(len)
}

/// The header of a page.
#[derive(Debug, Default)]
struct PageHeader {
    kind: i64,
    uncompressed: i64,
    compressed: i64,
    values: i64,
}

/// Kinds of pages, as Parquet numbers them.
const DATA_PAGE: i64 = 0;
const DICTIONARY_PAGE: i64 = 2;
const DATA_PAGE_V2: i64 = 3;

impl PageHeader {
    /// The header at the start of some bytes, and its length.
    fn parse(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut header = Self { kind: -1, ..Self::default() };
        let len = thrift::walk(bytes, &mut bytes.len().min(1 << 10), &mut |place, number| match place {
            (0, 1) => header.kind = number,
            (0, 2) => header.uncompressed = number,
            (0, 3) => header.compressed = number,
            // Of each kind of page.
            (5 | 7 | 8, 1) => header.values = number,
            _ => {}
        })?;
        Some((header, len))
    }
}

/// The pages of a column chunk: `bytes` are the chunk's, `start` is where they are in the file, `locations` what the page
/// index says of them.
pub(super) fn pages(
    bytes: &[u8],
    start: u64,
    chunk: &ColumnChunkMetaData,
    rows: i64,
    locations: Option<&[PageLocation]>,
) -> Result<(), Refused> {
    let is_flat = chunk.column_descr().max_rep_level() == 0;
    let (mut at, mut values, mut data_pages) = (0, 0_i64, 0);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let page = || format!("the page at byte {}", start + at as u64);
        let (header, len) = PageHeader::parse(rest).ok_or_else(|| format!("{} has no header", page()))?;
        let size = usize::try_from(header.compressed).ok().and_then(|size| size.checked_add(len));
        let size = size.filter(|size| *size <= rest.len()).ok_or_else(|| format!("{} is cut short", page()))?;
        let is_same_size = chunk.compression() != Compression::UNCOMPRESSED || header.compressed == header.uncompressed;
        if !(0..=MAX_PAGE).contains(&header.uncompressed) || !is_same_size {
            return Err(format!("{} is said to have {} bytes", page(), header.uncompressed));
        }
        match header.kind {
            // Each value takes a byte, at least.
            DICTIONARY_PAGE if at == 0 && (0..=header.uncompressed).contains(&header.values) => {}
            DATA_PAGE | DATA_PAGE_V2 if (0..=chunk.num_values() - values).contains(&header.values) => {
                let is_listed = locations.is_none_or(|locations| {
                    locations.get(data_pages).is_some_and(|location| {
                        u64::try_from(location.offset) == Ok(start + at as u64)
                            && usize::try_from(location.compressed_page_size) == Ok(size)
                            && (0..=rows).contains(&location.first_row_index)
                            && (!is_flat || location.first_row_index == values)
                    })
                });
                if !is_listed {
                    return Err(format!("{} is not where the page index says", page()));
                }
                values += header.values;
                data_pages += 1;
            }
            _ => return Err(format!("{} has {} values, and is of kind {}", page(), header.values, header.kind)),
        }
        at += size;
    }
    let is_whole = values == chunk.num_values() && if is_flat { values == rows } else { values >= rows };
    let is_listed = locations.is_none_or(|locations| {
        let rows = locations.iter().map(|location| location.first_row_index);
        locations.len() == data_pages && rows.clone().zip(rows.skip(1)).all(|(row, next)| row < next)
    });
    match is_whole && is_listed {
        true => Ok(()),
        false => Err(format!("{data_pages} pages have {values} values for {rows} rows")),
    }
}
