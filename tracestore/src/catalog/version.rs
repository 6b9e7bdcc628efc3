//! A version of the catalog as a value, and as JSON. Pure.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use xxhash_rust::xxh3::xxh3_64;

use crate::{Error, Result, io::is_plain_name};

/// The format that this build writes, and the newest that it reads.
const FORMAT_VERSION: u32 = 1;
const FORMAT_NAME: &str = "tracestore-catalog";

/// Versions, records and segments count up to here: adding to them is always possible.
const MAX_NUMBER: u64 = 1 << 62;

/// A block of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CatalogBlock {
    /// The name of its folder in `blocks`: its id, or what the folder was called before the store had a catalog.
    pub(crate) folder: String,
    /// How often its spans were merged into larger blocks.
    pub(crate) level: u32,
    /// Its rows that are no part of the store any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deleted: Option<DeletedRows>,
    /// How many of these live on in another block.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) moved: u64,
    /// No trace lies in two of the blocks of a version that say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) gathered: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The file that tells which rows of a block are deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeletedRows {
    /// Its name in `deleted`.
    pub(crate) file: String,
    /// Its bytes.
    pub(crate) size: u64,
    /// XXH3-64 of its content, 16 hex digits.
    pub(crate) checksum: String,
    /// How many rows.
    pub(crate) rows: u64,
}

/// A block that is no longer part of the store, and still there for those who read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RemovedBlock {
    pub(crate) folder: String,
    /// When it was left out first, ms since 1970.
    pub(crate) removed: u64,
}

/// The part of a log that is in blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Covered {
    /// The sequence of its last record.
    pub(crate) records: u64,
    /// The number of the first segment that is not, or not wholly, in blocks: those below that lie about all the same are
    /// to be removed.
    pub(crate) first_segment: u64,
}

/// What was done to the store on somebody's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuditEntry {
    /// The version that it led to.
    pub(crate) version: u64,
    /// When, ms since 1970.
    pub(crate) time: u64,
    /// `delete`, `retention`, ...
    pub(crate) action: String,
    /// What was asked for, as it was asked.
    pub(crate) detail: String,
    /// How many spans went, stored copies counted.
    pub(crate) spans: u64,
}

/// Everything a store consists of, but for what its logs hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Version {
    /// Counts from 1. 0 is a store without a catalog.
    pub(crate) number: u64,
    /// What is in blocks of each log, by the log's id.
    pub(crate) logs: BTreeMap<String, Covered>,
    pub(crate) blocks: Vec<CatalogBlock>,
    pub(crate) removed: Vec<RemovedBlock>,
    /// Oldest first; the last [`super::change::AUDIT_KEPT`].
    pub(crate) audit: Vec<AuditEntry>,
}

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    checksum: String,
    catalog: T,
}

/// What every format has.
#[derive(Deserialize)]
struct Format {
    format: String,
    version: u32,
}

#[derive(Serialize, Deserialize)]
struct VersionV1 {
    format: String,
    version: u32,
    number: u64,
    created_by: String,
    logs: BTreeMap<String, Covered>,
    blocks: Vec<CatalogBlock>,
    removed: Vec<RemovedBlock>,
    audit: Vec<AuditEntry>,
}

fn checksum(catalog: &str) -> String {
    format!("{:016x}", xxh3_64(catalog.as_bytes()))
}

impl CatalogBlock {
    /// A block that was just made.
    pub(crate) fn new(folder: impl Into<String>) -> Self {
        Self { folder: folder.into(), level: 0, deleted: None, moved: 0, gathered: false }
    }
}

impl Version {
    /// The blocks of which no trace lies in two.
    pub(crate) fn gathered(&self) -> impl Iterator<Item = &CatalogBlock> {
        self.blocks.iter().filter(|block| block.gathered)
    }

    /// What is in blocks of a log.
    pub(crate) fn covered(&self, log: &str) -> Covered {
        self.logs.get(log).copied().unwrap_or_default()
    }

    /// The file's content.
    ///
    /// # Errors
    /// [`Error::Internal`]; there is no value that cannot be written.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let catalog = VersionV1 {
            format: FORMAT_NAME.to_owned(),
            version: FORMAT_VERSION,
            number: self.number,
            created_by: concat!("tracestore ", env!("CARGO_PKG_VERSION")).to_owned(),
            logs: self.logs.clone(),
            blocks: self.blocks.clone(),
            removed: self.removed.clone(),
            audit: self.audit.clone(),
        };
        let internal = |error: serde_json::Error| Error::Internal(format!("a catalog cannot be written: {error}"));
        let catalog = serde_json::value::to_raw_value(&catalog).map_err(internal)?;
        let checksum = checksum(catalog.get());
        serde_json::to_vec(&Envelope { checksum, catalog }).map_err(internal)
    }

    /// Reads what [`Version::encode`] wrote; `path` is for errors.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::UnsupportedVersion`].
    pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<Self> {
        let corrupt = |reason: String| Error::corrupt(path, 0, reason);
        let wrong = |error: serde_json::Error| {
            let offset = error.column().saturating_sub(1) as u64;
            Error::corrupt(path, offset, format!("this is no catalog: {error}"))
        };
        let envelope: Envelope<&RawValue> = serde_json::from_slice(bytes).map_err(wrong)?;
        let catalog = envelope.catalog.get();
        if envelope.checksum != checksum(catalog) {
            return Err(corrupt("the checksum does not match".to_owned()));
        }
        let format: Format = serde_json::from_str(catalog).map_err(wrong)?;
        if format.format != FORMAT_NAME {
            return Err(corrupt(format!("the format is `{}`, not `{FORMAT_NAME}`", format.format)));
        }
        if format.version != FORMAT_VERSION {
            let (path, found) = (path.to_owned(), format.version);
            return Err(Error::UnsupportedVersion { path, found, supported: FORMAT_VERSION });
        }
        let catalog: VersionV1 = serde_json::from_str(catalog).map_err(wrong)?;
        let folders = catalog.blocks.iter().map(|block| &block.folder);
        let folders = folders.chain(catalog.removed.iter().map(|block| &block.folder));
        let files = catalog.blocks.iter().filter_map(|block| block.deleted.as_ref()).map(|deleted| &deleted.file);
        if let Some(name) = folders.chain(files).find(|name| !is_plain_name(name)) {
            return Err(corrupt(format!("`{name}` is no name of a file or folder")));
        }
        let VersionV1 { number, logs, blocks, removed, audit, .. } = catalog;
        let numbers = logs.values().flat_map(|covered| [covered.records, covered.first_segment]);
        if let Some(number) = numbers.chain([number]).find(|number| *number > MAX_NUMBER) {
            return Err(corrupt(format!("no store comes as far as {number}")));
        }
        Ok(Self { number, logs, blocks, removed, audit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Version {
        Version {
            number: 3,
            logs: BTreeMap::from([("wal".into(), Covered { records: 17, first_segment: 4 })]),
            blocks: vec![
                CatalogBlock { level: 1, ..CatalogBlock::new("0199f7c2-0000-7000-8000-000000000001") },
                CatalogBlock {
                    deleted: Some(DeletedRows { file: "f".into(), size: 9, checksum: "0".into(), rows: 2 }),
                    moved: 1,
                    gathered: true,
                    ..CatalogBlock::new("0199f7c2-0000-7000-8000-000000000002")
                },
            ],
            removed: vec![RemovedBlock { folder: "old".into(), removed: 5 }],
            audit: vec![AuditEntry {
                version: 2,
                time: 7,
                action: "delete".into(),
                detail: "{ status = error }".into(),
                spans: 2,
            }],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = example().encode().unwrap();
        assert_eq!(Version::decode(Path::new("1.json"), &bytes).unwrap(), example());
    }

    #[test]
    fn any_flipped_bit_is_an_error_or_means_the_same() {
        let bytes = example().encode().unwrap();
        for index in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[index] ^= 1 << bit;
                match Version::decode(Path::new("1.json"), &damaged) {
                    Ok(version) => assert_eq!(version, example()),
                    Err(error) => assert!(error.to_string().starts_with("1.json: corrupt at byte "), "{error}"),
                }
            }
            assert!(Version::decode(Path::new("1.json"), &bytes[..index]).is_err());
        }
    }

    fn sealed(catalog: &str) -> Vec<u8> {
        format!("{{\"checksum\":\"{}\",\"catalog\":{catalog}}}", checksum(catalog)).into_bytes()
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["", ".", "..", "a/b", "/a", "a/"] {
            let file = DeletedRows { file: name.into(), size: 0, checksum: String::new(), rows: 0 };
            for block in [CatalogBlock::new(name), CatalogBlock { deleted: Some(file), ..CatalogBlock::new("x") }] {
                let version = Version { blocks: vec![block], ..Version::default() };
                let error = Version::decode(Path::new("1.json"), &version.encode().unwrap()).unwrap_err();
                assert!(error.to_string().contains("is no name of a file or folder"), "{error}");
            }
        }
    }

    #[test]
    fn what_a_newer_build_wrote_is_not_misread() {
        let text = String::from_utf8(example().encode().unwrap()).unwrap();
        let envelope: Envelope<&RawValue> = serde_json::from_str(&text).unwrap();
        let newer = envelope.catalog.get().replace("\"version\":1", "\"version\":2");
        let error = Version::decode(Path::new("x/1.json"), &sealed(&newer)).unwrap_err();
        assert_eq!(error.to_string(), "x/1.json: format version 2 is not known; this build reads up to 1");
    }
}
