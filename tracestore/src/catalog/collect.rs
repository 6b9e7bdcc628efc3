//! Removes folders of blocks that no version names, once nobody can be making or reading them any more.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::version::Version;
use crate::{Result, io::Vfs, model::BlockId};

/// Removes the orphans in the folder of blocks, but for those that this process uses: folders named by a block id that are not in `version`, and were begun
/// (or, if they once were part of the store, left out) longer than `grace` ago. Tells what was removed.
///
/// # Errors
/// [`crate::Error::Io`]; some may be removed.
pub(crate) fn collect_orphans(
    vfs: &dyn Vfs,
    blocks: &Path,
    version: &Version,
    now: SystemTime,
    grace: Duration,
    is_used: &dyn Fn(&str) -> bool,
) -> Result<Vec<PathBuf>> {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut removed = Vec::new();
    for name in vfs.list(blocks)? {
        let Some(folder) = name.to_str() else { continue };
        if version.blocks.iter().any(|block| block.folder == folder) {
            continue;
        }
        let left_out = version.removed.iter().find(|block| block.folder == folder);
        let left_out = left_out.map(|block| Duration::from_millis(block.removed));
        // Folders with other names are none of ours.
        let begun = || folder.parse::<BlockId>().ok()?.created();
        let Some(since) = left_out.or_else(begun) else { continue };
        if since + grace < now && !is_used(folder) {
            let path = blocks.join(folder);
            vfs.remove(&path)?;
            removed.push(path);
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::{
        super::version::{CatalogBlock, RemovedBlock},
        *,
    };
    use crate::io::MemoryVfs;

    #[test]
    fn what_no_version_names_goes_when_its_time_is_over() {
        let (vfs, blocks) = (MemoryVfs::default(), Path::new("blocks"));
        // Begun 1000 ms, 2000 ms and 3000 ms after 1970, and one with a name of its own.
        let folder = |ms: u64| format!("{:08x}-{:04x}-7000-8000-000000000000", ms >> 16, ms & 0xffff);
        for name in [folder(1000), folder(2000), folder(3000), "mine".to_owned()] {
            vfs.put(&blocks.join(name).join("meta.json"), "x".into());
        }
        let version = Version {
            blocks: vec![CatalogBlock::new(folder(1000))],
            removed: vec![RemovedBlock { folder: folder(2000), removed: 9000 }],
            ..Version::default()
        };
        let collect_unused = |now, used: &str| {
            let (now, grace) = (UNIX_EPOCH + Duration::from_millis(now), Duration::from_millis(500));
            collect_orphans(&vfs, blocks, &version, now, grace, &|name| name == used).unwrap()
        };
        let collect = |now| collect_unused(now, "");
        assert_eq!(collect_unused(3501, &folder(3000)), Vec::<PathBuf>::new());
        assert_eq!(collect(3500), Vec::<PathBuf>::new());
        assert_eq!(collect(3501), [blocks.join(folder(3000))]);
        assert_eq!(collect(9500), Vec::<PathBuf>::new());
        assert_eq!(collect(9501), [blocks.join(folder(2000))]);
        assert_eq!(vfs.list(blocks).unwrap(), [PathBuf::from(folder(1000)), PathBuf::from("mine")]);
    }
}
