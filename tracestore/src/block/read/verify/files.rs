//! The files of a block: sizes, checksums, and whether every column can be decoded.

use xxhash_rust::xxh3::xxh3_64;

use super::{super::ParquetFile, Block, BlockCheck};
use crate::{
    Error, Result,
    block::{bloom::TraceBloom, meta::FileMeta, schema::file_names},
};

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
        let bytes = self.vfs().open(&path, meta.size)?.read(0..meta.size)?;
        if meta.name == file_names::BLOOM {
            TraceBloom::decode(&path, &bytes)?;
        } else if meta.name.ends_with(".parquet") {
            // Names the place, which the checksum of the whole cannot.
            let file = ParquetFile::open(self.vfs(), self.path(), meta)?;
            for group in 0..file.group_rows().count() {
                (0..file.schema().fields().len()).try_for_each(|column| file.read(group, column, None).map(drop))?;
            }
        }
        match xxh3_64(&bytes) == meta.checksum {
            true => Ok(()),
            false => Err(Error::corrupt(path, 0, "the checksum of the file does not match")),
        }
    }
}
