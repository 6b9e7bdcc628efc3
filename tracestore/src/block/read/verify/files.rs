//! The files of a block: sizes, checksums, and whether every column can be decoded.

use xxhash_rust::xxh3::Xxh3;

use super::{super::ParquetFile, Block, BlockCheck};
use crate::{
    Error, Result,
    block::{bloom::TraceBloom, meta::FileMeta, schema::file_names},
};

/// Bytes that are read at once.
const PIECE: usize = 8 << 20;

impl Block {
    pub(super) fn verify_files(&self, check: &mut BlockCheck) {
        check.files += 1;
        check.bytes += self.size();
        for file in &self.meta().files {
            check.files += 1;
            check.faults.extend(self.verify_file(file).err());
        }
    }

    fn verify_file(&self, meta: &FileMeta) -> Result<()> {
        let path = self.path().join(&meta.name);
        let source = self.vfs().open(&path, meta.size)?;
        if meta.name == file_names::BLOOM {
            TraceBloom::decode(&path, &self.vfs().read(&path)?)?;
        } else if meta.name.ends_with(".parquet") {
            // Names the place, which the checksum of the whole cannot.
            let file = ParquetFile::open(self.vfs(), self.path(), meta)?;
            for group in 0..file.group_rows().count() {
                (0..file.schema().fields().len()).try_for_each(|column| file.read(group, column, None).map(drop))?;
            }
        }
        let mut checksum = Xxh3::new();
        for start in (0..meta.size).step_by(PIECE) {
            checksum.update(&source.read(start..meta.size.min(start + PIECE as u64))?);
        }
        match checksum.digest() == meta.checksum {
            true => Ok(()),
            false => Err(Error::corrupt(path, 0, "the checksum of the file does not match")),
        }
    }
}
