//! A consistent copy of a store, made while it is written.
//!
//! ```text
//! newest version ─▶ its blocks (linked) ─▶ log behind it (copied) ─▶ still the newest? ─▶ version ─▶ rename
//! ```

use std::{
    collections::BTreeSet,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    StoreReader,
    layout::{LOCAL_LOG, Layout},
};
use crate::{
    Error, Result,
    block::META,
    catalog::{self, Version},
    io::{DiskVfs, Vfs},
    wal,
};

/// How the files of a copy are made. Blocks never change, so that two stores can share theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CopyMode {
    /// The same files under other names, where the file system can; they take no space, and share their damage.
    #[default]
    Link,
    /// Files of their own.
    Copy,
}

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyReport {
    /// The version of the catalog; 0 where there is none.
    pub version: u64,
    /// Blocks.
    pub blocks: u64,
    /// Segments of the log.
    pub segments: u64,
    /// Bytes of all files, linked ones too.
    pub bytes: u64,
}

/// Makes a copy of the store in `from`, on the local disk, as it is at one moment, with all that is acknowledged by then, while it is written
/// or not. The copy is on stable storage and can be opened when this returns; before that nothing has its name. It is made
/// in a folder beside it, `<name>.partial`.
///
/// # Errors
/// [`Error::NotFound`] when `from` is no store; [`Error::Io`], also when `to` exists; [`Error::Corrupt`] when what was copied
/// cannot be opened.
pub fn copy_store(from: impl AsRef<Path>, to: impl AsRef<Path>, mode: CopyMode) -> Result<CopyReport> {
    let vfs: Arc<dyn Vfs> = Arc::new(DiskVfs::default());
    let (from, to) = (Layout::new(from.as_ref()), to.as_ref());
    if !from.is_store(vfs.as_ref())? {
        let reason = "no store: there is no folder `blocks` in it";
        return Err(Error::NotFound { path: from.root, reason: reason.to_owned() });
    }
    if to.exists() {
        return Err(Error::io("create", to, ErrorKind::AlreadyExists.into()));
    }
    let mut partial = to.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    vfs.remove(&partial)?;
    let copier = Copier { vfs: vfs.as_ref(), from, to: Layout::new(&partial), mode };
    let report = copier.copy()?;
    StoreReader::open_on(Arc::clone(&vfs), &partial)?;
    vfs.rename(&partial, to)?;
    match to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => vfs.sync_dir(parent)?,
        _ => vfs.sync_dir(Path::new("."))?,
    }
    Ok(report)
}

struct Copier<'a> {
    vfs: &'a dyn Vfs,
    from: Layout,
    to: Layout,
    mode: CopyMode,
}

impl Copier<'_> {
    fn copy(&self) -> Result<CopyReport> {
        self.vfs.create_dir(&self.to.blocks)?;
        let mut copied = BTreeSet::new();
        loop {
            let version = catalog::load(self.vfs, &self.from.catalog)?.unwrap_or_default();
            let result = self.copy_version(&version, &mut copied);
            // What is gone may be gone since the writer went on.
            if catalog::newest(self.vfs, &self.from.catalog)? != version.number {
                continue;
            }
            let report = result?;
            if version.number > 0 {
                catalog::publish(self.vfs, &self.to.catalog, &version)?;
            }
            self.vfs.sync_dir(&self.to.root)?;
            return Ok(report);
        }
    }

    /// Brings the copy to what a version names. Blocks that it has already are in `copied`.
    fn copy_version(&self, version: &Version, copied: &mut BTreeSet<String>) -> Result<CopyReport> {
        let mut report = CopyReport { version: version.number, ..CopyReport::default() };
        let folders = self.folders(version)?;
        for folder in copied.iter().filter(|folder| !folders.contains(folder.as_str())) {
            self.vfs.remove(&self.to.blocks.join(folder))?;
        }
        copied.retain(|folder| folders.contains(folder));
        for folder in &folders {
            let (from, to) = (self.from.blocks.join(folder), self.to.blocks.join(folder));
            if !copied.contains(folder) {
                // What an attempt before has left.
                self.vfs.remove(&to)?;
                self.vfs.create_dir(&to)?;
                for name in self.vfs.list(&from)? {
                    self.copy_file(&from.join(&name), &to.join(&name))?;
                }
                self.vfs.sync_dir(&to)?;
                copied.insert(folder.clone());
            }
            report.blocks += 1;
            report.bytes += self.bytes(&to)?;
        }
        self.vfs.sync_dir(&self.to.blocks)?;
        self.copy_deleted(version, &mut report)?;
        self.copy_derived(&mut report)?;
        self.copy_log(version, &mut report)?;
        Ok(report)
    }

    /// The folders of a version's blocks.
    fn folders(&self, version: &Version) -> Result<BTreeSet<String>> {
        if version.number > 0 {
            return Ok(version.blocks.iter().map(|block| block.folder.clone()).collect());
        }
        let mut folders = BTreeSet::new();
        for name in self.vfs.list(&self.from.blocks)? {
            if self.vfs.size(&self.from.blocks.join(&name).join(META))?.is_some() {
                folders.extend(name.to_str().map(str::to_owned));
            }
        }
        Ok(folders)
    }

    /// The lists of deleted rows.
    fn copy_deleted(&self, version: &Version, report: &mut CopyReport) -> Result<()> {
        let files = version.blocks.iter().filter_map(|block| Some(block.deleted.as_ref()?.file.as_str()));
        let (from, to) = (&self.from.deleted, &self.to.deleted);
        self.vfs.remove(to)?;
        for name in files {
            self.vfs.create_dir(to)?;
            self.copy_file(&from.join(name), &to.join(name))?;
            report.bytes += self.vfs.size(&to.join(name))?.unwrap_or(0);
            self.vfs.sync_dir(to)?;
        }
        Ok(())
    }

    /// What observers keep, before the log: it may lack what the log has, as after a crash, and never the other way round.
    fn copy_derived(&self, report: &mut CopyReport) -> Result<()> {
        let (from, to) = (&self.from.derived, &self.to.derived);
        self.vfs.remove(to)?;
        let names = self.vfs.list(from)?;
        for name in names.iter().filter(|name| name.extension().is_some_and(|end| end == "state")) {
            self.vfs.create_dir(to)?;
            self.vfs.copy(&from.join(name), &to.join(name))?;
            self.vfs.sync_dir(to)?;
        }
        report.bytes += self.bytes(to)?;
        Ok(())
    }

    /// The log as it is now: a segment that is being written is cut where it was read. What is read last was listed first,
    /// so that no segment tells of records that another one lacks.
    fn copy_log(&self, version: &Version, report: &mut CopyReport) -> Result<()> {
        self.vfs.remove(&self.to.wal)?;
        let segments = wal::segments(self.vfs, &self.from.wal, version.covered(LOCAL_LOG).first_segment)?;
        self.vfs.create_dir(&self.to.wal)?;
        for (_, path) in segments {
            let Some(name) = path.file_name() else { continue };
            self.vfs.copy(&path, &self.to.wal.join(name))?;
            report.segments += 1;
        }
        report.bytes += self.bytes(&self.to.wal)?;
        self.vfs.sync_dir(&self.to.wal)
    }

    /// A file that never changes.
    fn copy_file(&self, from: &Path, to: &Path) -> Result<()> {
        match self.mode {
            CopyMode::Link => self.vfs.link(from, to),
            CopyMode::Copy => self.vfs.copy(from, to),
        }
    }

    fn bytes(&self, dir: &Path) -> Result<u64> {
        let names = self.vfs.list(dir)?.into_iter();
        names.map(|name| Ok(self.vfs.size(&dir.join(name))?.unwrap_or(0))).sum()
    }
}
