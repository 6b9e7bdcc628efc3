//! The Bloom filter over a block's trace ids: Parquet's split-block filter in a file of its own (FORMAT.md).
//!
//! Source: the Parquet format's BloomFilter.md. A key's upper 32 bits choose a block of 256 bits; its lower 32 bits,
//! multiplied by eight odd constants, set one bit in each of the block's eight words.

use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use crate::{Error, Result, model::TraceId};

const MAGIC: &[u8; 8] = b"TSBLOOM1";
const HEADER: usize = 16;
/// Bits per trace: below 1 % false positives.
const BITS_PER_KEY: usize = 12;
const SALT: [u32; 8] =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];

/// A set of trace ids that may answer "perhaps" for others as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TraceBloom {
    blocks: Vec<[u32; 8]>,
}

impl TraceBloom {
    /// The filter of these ids.
    pub(crate) fn build<'a>(ids: impl ExactSizeIterator<Item = &'a TraceId>) -> Self {
        let blocks = (ids.len() * BITS_PER_KEY).div_ceil(256).max(1);
        let mut filter = Self { blocks: vec![[0; 8]; blocks] };
        for id in ids {
            let hash = xxh3_64(id.as_bytes());
            let index = filter.index(hash);
            if let Some(block) = filter.blocks.get_mut(index) {
                block.iter_mut().zip(bits(hash)).for_each(|(word, bit)| *word |= bit);
            }
        }
        filter
    }

    /// False only if the id is not in the set.
    pub(crate) fn may_contain(&self, id: &TraceId) -> bool {
        let hash = xxh3_64(id.as_bytes());
        let block = self.blocks.get(self.index(hash));
        block.is_some_and(|block| block.iter().zip(bits(hash)).all(|(word, bit)| word & bit != 0))
    }

    fn index(&self, hash: u64) -> usize {
        (((hash >> 32) * self.blocks.len() as u64) >> 32) as usize
    }

    /// The file's content.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.blocks.len() * 32 + 8);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&(self.blocks.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&0_u32.to_le_bytes());
        for word in self.blocks.iter().flatten() {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        let checksum = xxh3_64(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads what [`TraceBloom::encode`] wrote; `path` is for errors.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<Self> {
        let corrupt = |offset: usize, reason: &str| Error::corrupt(path, offset as u64, reason);
        if !bytes.starts_with(MAGIC) {
            return Err(corrupt(0, "this is no Bloom filter of a block"));
        }
        let Some((content, checksum)) = bytes.split_last_chunk::<8>() else {
            return Err(corrupt(bytes.len(), "the file is cut short"));
        };
        if xxh3_64(content) != u64::from_le_bytes(*checksum) {
            return Err(corrupt(content.len(), "the checksum does not match"));
        }
        let Some((header, words)) = content.split_at_checked(HEADER) else {
            return Err(corrupt(content.len(), "the file is cut short"));
        };
        let count = header.get(8..12).and_then(|count| count.try_into().ok()).map_or(0, u32::from_le_bytes) as usize;
        if count == 0 || words.len() != count * 32 {
            return Err(corrupt(8, "the size does not fit the number of blocks"));
        }
        let blocks = words.chunks_exact(32).map(|block| {
            let mut words = [0; 8];
            for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
                *word = u32::from_le_bytes(*bytes);
            }
            words
        });
        Ok(Self { blocks: blocks.collect() })
    }
}

fn bits(hash: u64) -> [u32; 8] {
    SALT.map(|salt| 1 << ((hash as u32).wrapping_mul(salt) >> 27))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(count: u32, salt: u8) -> Vec<TraceId> {
        let id = |index: u32| {
            let mut bytes = [salt; 16];
            bytes[..4].copy_from_slice(&index.to_le_bytes());
            TraceId::from_bytes(bytes)
        };
        (0..count).map(id).collect()
    }

    #[test]
    fn every_member_is_found_and_few_others() {
        let members = ids(10_000, 1);
        let filter = TraceBloom::build(members.iter());
        assert!(members.iter().all(|id| filter.may_contain(id)));
        let wrong = ids(100_000, 2).iter().filter(|id| filter.may_contain(id)).count();
        assert!(wrong < 1_000, "{wrong} of 100000 false positives");
    }

    #[test]
    fn the_codec_round_trips_and_refuses_damage() {
        let filter = TraceBloom::build(ids(100, 1).iter());
        let bytes = filter.encode();
        let path = Path::new("traces.bloom");
        assert_eq!(TraceBloom::decode(path, &bytes).unwrap(), filter);
        for index in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[index] ^= 1;
            assert!(TraceBloom::decode(path, &damaged).unwrap_err().is_corruption());
            assert!(TraceBloom::decode(path, &bytes[..index]).unwrap_err().is_corruption());
        }
    }
}
