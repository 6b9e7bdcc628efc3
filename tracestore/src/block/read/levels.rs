//! Levels of pages, without their values: whether a page of lists has as many repetition levels as it says, and which rows of
//! a flat page have a value. Pure.
//!
//! The decoder goes round and round in a page of lists that has fewer levels than values (parquet 59: `skip_records` takes no
//! levels for progress), and nothing can stop it from outside.

use arrow::{array::BooleanBufferBuilder, buffer::BooleanBuffer};
use parquet::{
    basic::Encoding,
    column::page::Page,
    errors::{ParquetError, Result},
};

/// Checks a page, not packed, of a column whose repetition levels go up to `max_level`.
pub(super) fn check(page: &Page, max_level: i16) -> Result<()> {
    let (stream, values) = match page {
        _ if max_level <= 0 => return Ok(()),
        Page::DataPage { buf, num_values, rep_level_encoding: Encoding::RLE, .. } => (prefixed(buf), *num_values),
        Page::DataPageV2 { buf, num_values, rep_levels_byte_len, .. } => {
            (buf.get(..*rep_levels_byte_len as usize), *num_values)
        }
        Page::DictionaryPage { .. } => return Ok(()),
        Page::DataPage { .. } => (None, 0),
    };
    let bits = u64::from(16 - max_level.leading_zeros());
    match stream.is_some_and(|stream| count(stream, bits, u64::from(values)) >= u64::from(values)) {
        true => Ok(()),
        false => Err(ParquetError::General("a page of lists has fewer levels than values".to_owned())),
    }
}

/// Which rows of a data page, not packed, have a value: of a column without lists, that may be null.
///
/// # Errors
/// When it has fewer levels than rows.
pub(super) fn defined(page: &Page) -> Result<BooleanBuffer> {
    let (stream, rows) = match page {
        Page::DataPage { buf, num_values, def_level_encoding: Encoding::RLE, .. } => (prefixed(buf), *num_values),
        Page::DataPageV2 { buf, num_values, def_levels_byte_len, rep_levels_byte_len: 0, .. } => {
            (buf.get(..*def_levels_byte_len as usize), *num_values)
        }
        _ => (None, 0),
    };
    let rows = rows as usize;
    let mut defined = BooleanBufferBuilder::new(rows);
    for run in (Runs { stream: stream.unwrap_or_default(), bits: 1 }) {
        let left = rows - defined.len();
        let len = usize::try_from(run.len).unwrap_or(left).min(left);
        match run.is_packed {
            true => defined.append_packed_range(0..len, run.bytes),
            false => defined.append_n(len, run.bytes.first().is_some_and(|level| level & 1 == 1)),
        }
        if defined.len() == rows {
            break;
        }
    }
    match defined.len() == rows && stream.is_some() {
        true => Ok(defined.finish()),
        false => Err(ParquetError::General("a page has fewer levels than rows".to_owned())),
    }
}

/// What follows its length in four bytes.
fn prefixed(bytes: &[u8]) -> Option<&[u8]> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    rest.get(..u32::from_le_bytes(*len) as usize)
}

/// How many levels of some bits each are in a stream; it is enough to know of `enough`.
fn count(stream: &[u8], bits: u64, enough: u64) -> u64 {
    let mut count = 0_u64;
    for run in (Runs { stream, bits }) {
        count = count.saturating_add(run.len);
        if count >= enough {
            break;
        }
    }
    count
}

/// The runs of a stream of levels, up to where it is cut short.
struct Runs<'a> {
    stream: &'a [u8],
    bits: u64,
}

/// Some levels.
struct Levels<'a> {
    len: u64,
    /// Whether each is there by itself, in groups of eight, or one for all.
    is_packed: bool,
    bytes: &'a [u8],
}

impl<'a> Iterator for Runs<'a> {
    type Item = Levels<'a>;

    fn next(&mut self) -> Option<Levels<'a>> {
        let (head, rest) = varint(self.stream)?;
        let is_packed = head & 1 == 1;
        let (len, bytes) = match is_packed {
            true => ((head >> 1).saturating_mul(8), (head >> 1).saturating_mul(self.bits)),
            false => (head >> 1, self.bits.div_ceil(8)),
        };
        let (bytes, rest) = rest.split_at_checked(usize::try_from(bytes).ok()?)?;
        self.stream = rest;
        Some(Levels { len, is_packed, bytes })
    }
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(9).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_counted_run_by_run() {
        // 100 zeros, then two groups of eight.
        let stream = [0xc8, 1, 0, 5, 0xff, 0x0f];
        assert_eq!(count(&stream, 1, 116), 116);
        assert_eq!(count(&stream[..5], 1, 116), 100, "the groups are cut short");
        assert_eq!(count(&stream[..2], 1, 116), 0);
        assert_eq!(count(&[0, 0, 0, 0], 1, 1), 0, "runs of nothing");
        assert_eq!(count(&[0xff; 20], 1, 1), 0);
        assert_eq!(count(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], 1, 1), 0);
    }

    #[test]
    fn rows_with_a_value_are_found_run_by_run() {
        let page = |levels: &[u8], rows: u32| Page::DataPage {
            buf: [&(levels.len() as u32).to_le_bytes(), levels, b"values"].concat().into(),
            num_values: rows,
            encoding: Encoding::PLAIN,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        // 5 rows with a value, 3 without, then a group of eight.
        let stream = [10, 1, 6, 0, 3, 0b0101_0011];
        let expected: BooleanBuffer =
            [1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1, 0, 1, 0].iter().map(|level| *level == 1).collect();
        assert_eq!(defined(&page(&stream, 16)).unwrap(), expected);
        // A group may have more levels than the page has rows.
        assert_eq!(defined(&page(&stream, 13)).unwrap(), expected.slice(0, 13));
        assert_eq!(defined(&page(&stream, 6)).unwrap(), expected.slice(0, 6));
        for len in 0..stream.len() {
            assert!(defined(&page(&stream[..len], 16)).is_err(), "{len}");
        }
        assert!(defined(&page(&stream, 17)).is_err());
        let version_2 = Page::DataPageV2 {
            buf: [&stream, b"values".as_slice()].concat().into(),
            num_values: 16,
            encoding: Encoding::PLAIN,
            num_nulls: 7,
            num_rows: 16,
            def_levels_byte_len: 6,
            rep_levels_byte_len: 0,
            is_compressed: false,
            statistics: None,
        };
        assert_eq!(defined(&version_2).unwrap(), expected);
        let dictionary =
            Page::DictionaryPage { buf: vec![0].into(), num_values: 1, encoding: Encoding::PLAIN, is_sorted: false };
        assert!(defined(&dictionary).is_err());
    }
}
