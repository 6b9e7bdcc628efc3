//! Blocks whose files were changed and whose checksums fit all the same: what reaches the decoders when somebody forges a
//! block. Knows the format from FORMAT.md alone.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use parquet::file::metadata::ParquetMetaDataReader;
use serde_json::{Value, json};
use tracestore::io::{MemoryVfs, Vfs};
use xxhash_rust::xxh3::xxh3_64;

/// A block as it was written.
#[derive(Debug)]
pub struct Original {
    dir: PathBuf,
    /// Name, content, and where the column chunks are; `meta.json` is not among them.
    pub files: Vec<(String, Bytes, Vec<Range<usize>>)>,
    meta: Value,
}

fn hex(checksum: u64) -> Value {
    json!(format!("{checksum:016x}"))
}

impl Original {
    /// Reads the block in a folder.
    pub fn read(vfs: &MemoryVfs, dir: &Path) -> Self {
        let envelope: Value = serde_json::from_slice(&vfs.read(&dir.join("meta.json")).unwrap()).unwrap();
        let meta = envelope["meta"].clone();
        let names = meta["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap().to_owned());
        let files = names.map(|name| {
            let content = vfs.read(&dir.join(&name)).unwrap();
            let chunks = if name.ends_with(".parquet") { chunks(&content) } else { Vec::new() };
            (name, content, chunks)
        });
        Self { dir: dir.to_owned(), files: files.collect(), meta }
    }

    /// The same block with other bytes in its files, and in the text inside of `meta.json`, which `change` makes of a
    /// name and what is there.
    pub fn forge(&self, change: impl Fn(&str, &mut Vec<u8>)) -> MemoryVfs {
        let (vfs, mut meta) = (MemoryVfs::default(), self.meta.clone());
        for (index, (name, content, chunks)) in self.files.iter().enumerate() {
            let mut forged = content.to_vec();
            change(name, &mut forged);
            if name == "traces.bloom"
                && let Some((content, checksum)) = forged.split_last_chunk_mut::<8>()
            {
                *checksum = xxh3_64(content).to_le_bytes();
            }
            seal(&mut meta["files"][index], &forged, chunks);
            vfs.put(&self.dir.join(name), forged.into());
        }
        let mut text = serde_json::to_vec(&meta).unwrap();
        change("meta.json", &mut text);
        let sealed = [format!("{{\"checksum\":{},\"meta\":", hex(xxh3_64(&text))).into_bytes(), text, b"}".to_vec()];
        vfs.put(&self.dir.join("meta.json"), sealed.concat().into());
        vfs
    }
}

fn chunks(content: &Bytes) -> Vec<Range<usize>> {
    let metadata = ParquetMetaDataReader::new().parse_and_finish(content).unwrap();
    let chunks = metadata.row_groups().iter().flat_map(|group| group.columns());
    let ranges = chunks.map(|chunk| chunk.byte_range());
    ranges.map(|(start, len)| start as usize..(start + len) as usize).collect()
}

/// Makes an entry of `files` fit its file.
fn seal(entry: &mut Value, content: &[u8], chunks: &[Range<usize>]) {
    let hash = |range: Range<usize>| hex(content.get(range).map_or(0, xxh3_64));
    entry["size"] = json!(content.len());
    entry["checksum"] = hex(xxh3_64(content));
    if let Some(tail) = entry["tail_offset"].as_u64() {
        entry["tail"] = hash(tail as usize..content.len());
        entry["chunks"] = chunks.iter().cloned().map(hash).collect();
    }
}
