//! `meta.json`: what a block holds and the checksums of its files. Written last; read first.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use xxhash_rust::xxh3::xxh3_64;

use super::schema::file_names;
use crate::{Error, Result, io::is_plain_name, model::BlockId};

/// The format that this build writes, and the newest that it reads.
pub(crate) const FORMAT_VERSION: u32 = 1;
const FORMAT_NAME: &str = "tracestore-block";

/// What a block holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlockMeta {
    pub(crate) block_id: BlockId,
    pub(crate) spans: u64,
    pub(crate) traces: u64,
    pub(crate) events: u64,
    pub(crate) links: u64,
    pub(crate) resources: u64,
    pub(crate) scopes: u64,
    /// Rows of the residual table.
    pub(crate) attributes: u64,
    pub(crate) shadowed: u64,
    /// Of the requests that it was made of: what making it again takes in memory, about. 0 where nobody wrote it down.
    pub(crate) request_bytes: u64,
    /// The earliest trace start and the latest trace end.
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) row_groups: Vec<RowGroupMeta>,
    pub(crate) files: Vec<FileMeta>,
}

/// A row group of `spans.parquet`, and what belongs to it in the other tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct RowGroupMeta {
    pub(crate) rows: u64,
    pub(crate) first_row: u64,
    pub(crate) first_trace: u64,
    pub(crate) traces: u64,
    /// Start of the first trace, start of the last, latest end.
    pub(crate) start: u64,
    pub(crate) last_start: u64,
    pub(crate) end: u64,
    pub(crate) first_event: u64,
    pub(crate) events: u64,
    pub(crate) first_link: u64,
    pub(crate) links: u64,
}

/// A file and its checksums (XXH3-64).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FileMeta {
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) checksum: u64,
    /// Of each column chunk, row groups outermost.
    pub(crate) chunks: Vec<u64>,
    /// Where the last column chunk ends.
    pub(crate) tail_offset: u64,
    /// Of everything from there on.
    pub(crate) tail: u64,
}

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    checksum: String,
    meta: T,
}

/// What every version has.
#[derive(Deserialize)]
struct Version {
    format: String,
    version: u32,
}

#[derive(Serialize, Deserialize)]
struct MetaV1 {
    format: String,
    version: u32,
    block_id: String,
    created_by: String,
    spans: u64,
    traces: u64,
    events: u64,
    links: u64,
    resources: u64,
    scopes: u64,
    attributes: u64,
    shadowed: u64,
    #[serde(default)]
    request_bytes: u64,
    start: u64,
    end: u64,
    row_groups: Vec<RowGroupMeta>,
    files: Vec<FileV1>,
}

#[derive(Serialize, Deserialize)]
struct FileV1 {
    name: String,
    size: u64,
    checksum: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    chunks: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tail_offset: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tail: Option<String>,
}

fn hex(checksum: u64) -> String {
    format!("{checksum:016x}")
}

fn from_hex(text: &str) -> Option<u64> {
    (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

impl BlockMeta {
    /// The rows of a table, where they are counted here.
    pub(crate) fn rows_of(&self, name: &str) -> Option<u64> {
        match name {
            file_names::SPANS => Some(self.spans),
            file_names::TRACES => Some(self.traces),
            file_names::EVENTS => Some(self.events),
            file_names::LINKS => Some(self.links),
            file_names::ATTRIBUTES => Some(self.attributes),
            file_names::RESOURCES => Some(self.resources),
            file_names::SCOPES => Some(self.scopes),
            _ => None,
        }
    }

    /// What is wrong with the numbers, that readers count on: row groups follow each other and make up the whole, and
    /// ordinals fit.
    fn fault(&self) -> Option<String> {
        let mut sums = [0_u64; 4];
        for (index, group) in self.row_groups.iter().enumerate() {
            if sums != [group.first_row, group.first_trace, group.first_event, group.first_link] {
                return Some(format!("row group {index} does not begin where the one before ends"));
            }
            for (sum, count) in sums.iter_mut().zip([group.rows, group.traces, group.events, group.links]) {
                *sum = sum.saturating_add(count);
            }
        }
        let totals = [self.spans, self.traces, self.events, self.links];
        if sums != totals {
            return Some("the row groups have other rows than the block".to_owned());
        }
        let all = totals.into_iter().chain([self.resources, self.scopes, self.attributes]);
        if all.max().is_some_and(|most| most > u64::from(u32::MAX)) || self.shadowed > self.spans {
            return Some("it has more rows than a block can have".to_owned());
        }
        let name = self.files.iter().find(|file| !is_plain_name(&file.name));
        name.map(|file| format!("`{}` is no name of a file", file.name))
    }

    /// The file's content.
    ///
    /// # Errors
    /// [`Error::Internal`]; there is no value that cannot be written.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let files = self.files.iter().map(|file| FileV1 {
            name: file.name.clone(),
            size: file.size,
            checksum: hex(file.checksum),
            chunks: file.chunks.iter().copied().map(hex).collect(),
            tail_offset: (file.tail_offset > 0).then_some(file.tail_offset),
            tail: (file.tail_offset > 0).then(|| hex(file.tail)),
        });
        let meta = MetaV1 {
            format: FORMAT_NAME.to_owned(),
            version: FORMAT_VERSION,
            block_id: self.block_id.to_string(),
            created_by: concat!("tracestore ", env!("CARGO_PKG_VERSION")).to_owned(),
            spans: self.spans,
            traces: self.traces,
            events: self.events,
            links: self.links,
            resources: self.resources,
            scopes: self.scopes,
            attributes: self.attributes,
            shadowed: self.shadowed,
            request_bytes: self.request_bytes,
            start: self.start,
            end: self.end,
            row_groups: self.row_groups.clone(),
            files: files.collect(),
        };
        let internal = |error: serde_json::Error| Error::Internal(format!("meta.json cannot be written: {error}"));
        let meta = serde_json::value::to_raw_value(&meta).map_err(internal)?;
        let checksum = hex(xxh3_64(meta.get().as_bytes()));
        serde_json::to_vec(&Envelope { checksum, meta }).map_err(internal)
    }

    /// Reads what [`BlockMeta::encode`] wrote; `path` is for errors.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::UnsupportedVersion`].
    pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<Self> {
        let corrupt = |reason: String| Error::corrupt(path, 0, reason);
        let wrong = |error: serde_json::Error| {
            let offset = error.column().saturating_sub(1) as u64;
            Error::corrupt(path, offset, format!("this is no meta.json of a block: {error}"))
        };
        let envelope: Envelope<&RawValue> = serde_json::from_slice(bytes).map_err(wrong)?;
        let meta = envelope.meta.get();
        let version: Version = serde_json::from_str(meta).map_err(wrong)?;
        if version.format != FORMAT_NAME {
            return Err(corrupt(format!("the format is `{}`, not `{FORMAT_NAME}`", version.format)));
        }
        if from_hex(&envelope.checksum) != Some(xxh3_64(meta.as_bytes())) {
            return Err(corrupt("the checksum does not match".to_owned()));
        }
        if version.version != FORMAT_VERSION {
            let (path, found) = (path.to_owned(), version.version);
            return Err(Error::UnsupportedVersion { path, found, supported: FORMAT_VERSION });
        }
        let meta: MetaV1 = serde_json::from_str(meta).map_err(wrong)?;
        let checksum = |text: &str| from_hex(text).ok_or_else(|| corrupt(format!("`{text}` is no checksum")));
        let files = meta.files.iter().map(|file| {
            Ok(FileMeta {
                name: file.name.clone(),
                size: file.size,
                checksum: checksum(&file.checksum)?,
                chunks: file.chunks.iter().map(|text| checksum(text)).collect::<Result<_>>()?,
                tail_offset: file.tail_offset.unwrap_or(0),
                tail: file.tail.as_deref().map_or(Ok(0), checksum)?,
            })
        });
        let meta = Self {
            block_id: meta.block_id.parse().map_err(|error| corrupt(format!("{error}")))?,
            spans: meta.spans,
            traces: meta.traces,
            events: meta.events,
            links: meta.links,
            resources: meta.resources,
            scopes: meta.scopes,
            attributes: meta.attributes,
            shadowed: meta.shadowed,
            request_bytes: meta.request_bytes,
            start: meta.start,
            end: meta.end,
            row_groups: meta.row_groups,
            files: files.collect::<Result<_>>()?,
        };
        meta.fault().map_or(Ok(meta), |fault| Err(corrupt(fault)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> BlockMeta {
        let file = FileMeta {
            name: "spans.parquet".into(),
            size: 9,
            checksum: 1,
            chunks: vec![2, 3],
            tail_offset: 7,
            tail: 4,
        };
        BlockMeta {
            block_id: "0199f7c2-0000-7000-8000-000000000001".parse().unwrap(),
            spans: 11,
            traces: 2,
            events: 3,
            links: 4,
            resources: 5,
            scopes: 6,
            attributes: 7,
            shadowed: 8,
            request_bytes: 12,
            start: u64::MAX,
            end: 10,
            row_groups: vec![
                RowGroupMeta { rows: 8, traces: 1, events: 3, ..RowGroupMeta::default() },
                RowGroupMeta {
                    rows: 3,
                    traces: 1,
                    links: 4,
                    first_row: 8,
                    first_trace: 1,
                    first_event: 3,
                    ..RowGroupMeta::default()
                },
            ],
            files: vec![file],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = example().encode().unwrap();
        assert_eq!(BlockMeta::decode(Path::new("meta.json"), &bytes).unwrap(), example());
    }

    #[test]
    fn any_flipped_byte_is_an_error_or_means_the_same() {
        let bytes = example().encode().unwrap();
        for index in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[index] ^= 1 << bit;
                if let Ok(meta) = BlockMeta::decode(Path::new("meta.json"), &damaged) {
                    assert_eq!(meta, example());
                }
            }
            assert!(BlockMeta::decode(Path::new("meta.json"), &bytes[..index]).is_err());
        }
    }

    #[test]
    fn numbers_that_readers_cannot_count_on_are_refused() {
        let changes: [fn(&mut BlockMeta); 6] = [
            |meta| meta.row_groups[1].first_row = 9,
            |meta| meta.row_groups[1].rows = u64::MAX,
            |meta| meta.events = 4,
            |meta| meta.resources = 1 << 32,
            |meta| meta.files[0].name = "../spans.parquet".into(),
            |meta| meta.shadowed = 12,
        ];
        for change in changes {
            let mut meta = example();
            change(&mut meta);
            assert!(BlockMeta::decode(Path::new("meta.json"), &meta.encode().unwrap()).unwrap_err().is_corruption());
        }
    }

    #[test]
    fn a_newer_version_is_named() {
        let text = String::from_utf8(example().encode().unwrap()).unwrap();
        let envelope: Envelope<&RawValue> = serde_json::from_str(&text).unwrap();
        let meta = envelope.meta.get().replace("\"version\":1", "\"version\":2");
        let text = format!("{{\"checksum\":\"{}\",\"meta\":{meta}}}", hex(xxh3_64(meta.as_bytes())));
        let error = BlockMeta::decode(Path::new("x/meta.json"), text.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "x/meta.json: format version 2 is not known; this build reads up to 1");
    }
}
