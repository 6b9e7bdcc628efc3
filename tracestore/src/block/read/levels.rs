//! Whether a page of lists has as many repetition levels as values. Pure.
//!
//! The decoder goes round and round in a page that has fewer (parquet 59: `skip_records` takes no levels for progress), and
//! nothing can stop it from outside.

use parquet::{
    basic::Encoding,
    column::page::Page,
    errors::{ParquetError, Result},
};

/// Checks a page, not packed, of a column whose levels go up to `max_level`.
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
    match stream.is_some_and(|stream| levels(stream, bits, u64::from(values)) >= u64::from(values)) {
        true => Ok(()),
        false => Err(ParquetError::General("a page of lists has fewer levels than values".to_owned())),
    }
}

/// What follows its length in four bytes.
fn prefixed(bytes: &[u8]) -> Option<&[u8]> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    rest.get(..u32::from_le_bytes(*len) as usize)
}

/// How many levels of some bits each are in a stream of runs; it is enough to know of `enough`.
fn levels(mut stream: &[u8], bits: u64, enough: u64) -> u64 {
    let mut count = 0_u64;
    while count < enough {
        let Some((head, rest)) = varint(stream) else { break };
        // Groups of eight levels, or a level that repeats.
        let (more, bytes) = match head & 1 {
            1 => ((head >> 1).saturating_mul(8), (head >> 1).saturating_mul(bits)),
            _ => (head >> 1, bits.div_ceil(8)),
        };
        let Some(rest) = usize::try_from(bytes).ok().and_then(|bytes| rest.get(bytes..)) else { break };
        (stream, count) = (rest, count.saturating_add(more));
    }
    count
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
        assert_eq!(levels(&stream, 1, 116), 116);
        assert_eq!(levels(&stream[..5], 1, 116), 100, "the groups are cut short");
        assert_eq!(levels(&stream[..2], 1, 116), 0);
        assert_eq!(levels(&[0, 0, 0, 0], 1, 1), 0, "runs of nothing");
        assert_eq!(levels(&[0xff; 20], 1, 1), 0);
        assert_eq!(levels(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], 1, 1), 0);
    }
}
