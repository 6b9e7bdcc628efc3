//! A version of the catalog as a value, and as JSON. Pure.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use xxhash_rust::xxh3::xxh3_64;

use crate::{Error, Result, io::is_plain_name};

/// The format that this build writes, and the newest that it reads.
const FORMAT_VERSION: u32 = 1;
const FORMAT_NAME: &str = "tracestore-catalog";

/// A block of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CatalogBlock {
    /// The name of its folder in `blocks`: its id, or what the folder was called before the store had a catalog.
    pub(crate) folder: String,
    /// How often its spans were merged into larger blocks.
    pub(crate) level: u32,
}

/// A block that is no longer part of the store, and still there for those who read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RemovedBlock {
    pub(crate) folder: String,
    /// When it was left out first, ms since 1970.
    pub(crate) removed: u64,
}

/// Everything a store consists of, but for what its log holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Version {
    /// Counts from 1. 0 is a store without a catalog.
    pub(crate) number: u64,
    /// The records of the log up to this sequence are in the blocks.
    pub(crate) covered: u64,
    /// The log has no segments below this number: those that lie about all the same are to be removed.
    pub(crate) first_segment: u64,
    pub(crate) blocks: Vec<CatalogBlock>,
    pub(crate) removed: Vec<RemovedBlock>,
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
    log: LogV1,
    blocks: Vec<CatalogBlock>,
    removed: Vec<RemovedBlock>,
    /// Reserved: always empty in this format.
    deletions: Vec<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
struct LogV1 {
    covered: u64,
    first_segment: u64,
}

fn checksum(catalog: &str) -> String {
    format!("{:016x}", xxh3_64(catalog.as_bytes()))
}

impl Version {
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
            log: LogV1 { covered: self.covered, first_segment: self.first_segment },
            blocks: self.blocks.clone(),
            removed: self.removed.clone(),
            deletions: Vec::new(),
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
        let mut folders = folders.chain(catalog.removed.iter().map(|block| &block.folder));
        if let Some(folder) = folders.find(|folder| !is_plain_name(folder)) {
            return Err(corrupt(format!("`{folder}` is no name of a folder")));
        }
        if !catalog.deletions.is_empty() {
            return Err(corrupt("it has deletions, which this format does not define".to_owned()));
        }
        let LogV1 { covered, first_segment } = catalog.log;
        let (number, blocks, removed) = (catalog.number, catalog.blocks, catalog.removed);
        Ok(Self { number, covered, first_segment, blocks, removed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Version {
        Version {
            number: 3,
            covered: 17,
            first_segment: 4,
            blocks: vec![CatalogBlock { folder: "0199f7c2-0000-7000-8000-000000000001".into(), level: 1 }],
            removed: vec![RemovedBlock { folder: "old".into(), removed: 5 }],
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
            let version =
                Version { blocks: vec![CatalogBlock { folder: name.into(), level: 0 }], ..Version::default() };
            let error = Version::decode(Path::new("1.json"), &version.encode().unwrap()).unwrap_err();
            assert!(error.to_string().contains("is no name of a folder"), "{error}");
        }
    }

    #[test]
    fn what_a_newer_build_wrote_is_not_misread() {
        let text = String::from_utf8(example().encode().unwrap()).unwrap();
        let envelope: Envelope<&RawValue> = serde_json::from_str(&text).unwrap();
        let newer = envelope.catalog.get().replace("\"version\":1", "\"version\":2");
        let error = Version::decode(Path::new("x/1.json"), &sealed(&newer)).unwrap_err();
        assert_eq!(error.to_string(), "x/1.json: format version 2 is not known; this build reads up to 1");
        let deleting = envelope.catalog.get().replace("\"deletions\":[]", "\"deletions\":[{}]");
        assert!(Version::decode(Path::new("1.json"), &sealed(&deleting)).unwrap_err().is_corruption());
    }
}
