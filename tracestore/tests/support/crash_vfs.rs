//! A file system in memory that keeps a journal of everything that is done to it, so that the disk can be had as a crash
//! after any operation would leave it; and that can fail.
//!
//! ```text
//! journal up to some operation ─▶ what was synced, all of it, or a random part ─▶ files ─▶ a file system to recover on
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::Bytes;
use tracestore::{
    Error, Result,
    io::{HeldFile, RandomRead, SyncHandle, Vfs, VfsFile, VfsLock},
};

/// The names and contents on a disk.
pub(crate) type Files = BTreeMap<PathBuf, Bytes>;

/// An operation, or a note of the test among them.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    Create {
        path: PathBuf,
        file: usize,
    },
    Write {
        file: usize,
        content: Vec<u8>,
    },
    Sync {
        file: usize,
    },
    /// A sync that failed: the system has forgotten what it could not write, and will not say so again.
    FailedSync {
        file: usize,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    SyncDir {
        dir: PathBuf,
    },
    Remove {
        path: PathBuf,
    },
    /// What the store is told to do from here on.
    Doing(&'static str),
    /// A request is handed to the store.
    Sent(u64),
    /// The store has acknowledged it.
    Acknowledged(u64),
    /// The store is told to delete these requests, all of them or none.
    Deleting(Vec<u64>),
    /// It has.
    Deleted(Vec<u64>),
}

impl Entry {
    /// The kind of an operation, `None` for a note.
    pub(crate) fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Create { .. } => Some("create"),
            Self::Write { .. } => Some("write"),
            Self::Sync { .. } | Self::FailedSync { .. } => Some("sync"),
            Self::Rename { .. } => Some("rename"),
            Self::SyncDir { .. } => Some("sync folder"),
            Self::Remove { .. } => Some("remove"),
            Self::Doing(_) | Self::Sent(_) | Self::Acknowledged(_) | Self::Deleting(_) | Self::Deleted(_) => None,
        }
    }
}

/// What of the unsynced state a crash leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Survives {
    /// Nothing.
    Synced,
    /// Everything: the process ended, the system did not.
    All,
    /// Some of the names, in any order, and some pieces of the contents; the others are zeros or beyond the end.
    Some(u64),
}

/// When to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    /// At the operation of this number ...
    pub(crate) at: usize,
    /// ... and at all that follow.
    pub(crate) for_ever: bool,
    /// A write leaves the first half.
    pub(crate) short: bool,
    pub(crate) kind: ErrorKind,
}

/// Random numbers from a seed.
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct CrashVfs {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug, Default)]
struct Disk {
    base: Files,
    names: BTreeMap<PathBuf, usize>,
    contents: Vec<Vec<u8>>,
    journal: Vec<Entry>,
    locks: BTreeSet<PathBuf>,
    operations: usize,
    failure: Option<Failure>,
}

impl Disk {
    /// Whether this operation goes well.
    fn check(&mut self, path: &Path) -> Result<()> {
        let number = self.operations;
        self.operations += 1;
        match self.failure {
            Some(failure) if number == failure.at || failure.for_ever && number > failure.at => {
                Err(Error::Io { operation: "do", path: path.to_owned(), source: failure.kind.into() })
            }
            _ => Ok(()),
        }
    }
}

impl CrashVfs {
    /// A disk that holds these files, all synced.
    pub(crate) fn new(base: Files) -> Self {
        let names = base.keys().cloned().zip(0..).collect();
        let contents = base.values().map(|content| content.to_vec()).collect();
        Self { disk: Arc::new(Mutex::new(Disk { base, names, contents, ..Disk::default() })) }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap()
    }

    pub(crate) fn note(&self, note: Entry) {
        self.disk().journal.push(note);
    }

    pub(crate) fn fail(&self, failure: Option<Failure>) {
        let mut disk = self.disk();
        disk.failure = failure;
    }

    /// How many operations were tried.
    pub(crate) fn operations(&self) -> usize {
        self.disk().operations
    }

    pub(crate) fn journal(&self) -> Vec<Entry> {
        self.disk().journal.clone()
    }

    /// The disk after a crash behind the first entries of the journal.
    pub(crate) fn crash(&self, entries: usize, survives: Survives) -> Files {
        let disk = self.disk();
        Crashed::replay(&disk.base, &disk.journal[..entries]).files(survives)
    }
}

/// A file as it is stored.
#[derive(Debug, Default, Clone)]
struct Stored {
    content: Vec<u8>,
    synced: usize,
    /// What a failed sync has lost.
    holes: Vec<std::ops::Range<usize>>,
}

/// A change of a name that is not on the disk yet.
#[derive(Debug, Clone)]
enum Pending {
    Link(PathBuf, usize),
    Rename(PathBuf, PathBuf, usize),
    /// The file, and the folder in which something was removed.
    Unlink(PathBuf, PathBuf),
}

#[derive(Debug)]
struct Crashed {
    files: Vec<Stored>,
    /// As the process sees them.
    names: BTreeMap<PathBuf, usize>,
    /// As they are on the disk.
    durable: BTreeMap<PathBuf, usize>,
    pending: Vec<Pending>,
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap()
}

impl Crashed {
    fn replay(base: &Files, journal: &[Entry]) -> Self {
        let stored = |content: &Bytes| Stored { content: content.to_vec(), synced: content.len(), holes: Vec::new() };
        let names: BTreeMap<_, _> = base.keys().cloned().zip(0..).collect();
        let files = base.values().map(stored).collect();
        let mut crashed = Self { files, durable: names.clone(), names, pending: Vec::new() };
        journal.iter().for_each(|entry| crashed.apply(entry));
        crashed
    }

    fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Create { path, file } => {
                self.files.resize(self.files.len().max(file + 1), Stored::default());
                self.names.insert(path.clone(), *file);
                self.pending.push(Pending::Link(path.clone(), *file));
            }
            Entry::Write { file, content } => self.files[*file].content.extend_from_slice(content),
            Entry::Sync { file } => self.files[*file].synced = self.files[*file].content.len(),
            Entry::FailedSync { file } => {
                let file = &mut self.files[*file];
                file.holes.push(file.synced..file.content.len());
            }
            Entry::Rename { from, to } => {
                let file = self.names.remove(from).unwrap();
                self.names.insert(to.clone(), file);
                self.pending.push(Pending::Rename(from.clone(), to.clone(), file));
            }
            Entry::Remove { path } => {
                let gone: Vec<_> = self.names.keys().filter(|name| name.starts_with(path)).cloned().collect();
                for name in gone {
                    self.names.remove(&name);
                    self.pending.push(Pending::Unlink(name, parent(path).to_owned()));
                }
            }
            Entry::SyncDir { dir } => {
                let (now, later) = std::mem::take(&mut self.pending).into_iter().partition(|pending| match pending {
                    Pending::Link(path, _) | Pending::Rename(_, path, _) => parent(path) == dir,
                    Pending::Unlink(path, folder) => folder == dir || parent(path) == dir,
                });
                self.pending = later;
                change(&mut self.durable, now);
            }
            Entry::Doing(_) | Entry::Sent(_) | Entry::Acknowledged(_) | Entry::Deleting(_) | Entry::Deleted(_) => {}
        }
    }

    fn files(mut self, survives: Survives) -> Files {
        let mut random = Random(if let Survives::Some(seed) = survives { seed } else { 0 });
        let pending = std::mem::take(&mut self.pending);
        let pending = match survives {
            Survives::Synced => Vec::new(),
            Survives::All => pending,
            Survives::Some(_) => pending.into_iter().filter(|_| random.next().is_multiple_of(2)).collect(),
        };
        change(&mut self.durable, pending);
        let mut content = |file: &Stored| match survives {
            Survives::All => file.content.clone(),
            Survives::Synced => with_holes(file, file.synced),
            Survives::Some(_) => {
                let len = file.synced + random.below(file.content.len() - file.synced + 1);
                let mut content = with_holes(file, len);
                let piece = 1 << (3 + random.below(8));
                for at in (file.synced..len).step_by(piece) {
                    if random.next().is_multiple_of(3) {
                        content[at..len.min(at + piece)].fill(0);
                    }
                }
                content
            }
        };
        self.durable.iter().map(|(name, file)| (name.clone(), content(&self.files[*file]).into())).collect()
    }
}

fn with_holes(file: &Stored, len: usize) -> Vec<u8> {
    let mut content = file.content[..len].to_vec();
    for hole in &file.holes {
        content[hole.start.min(len)..hole.end.min(len)].fill(0);
    }
    content
}

fn change(names: &mut BTreeMap<PathBuf, usize>, changes: Vec<Pending>) {
    for change in changes {
        match change {
            Pending::Link(path, file) => drop(names.insert(path, file)),
            Pending::Rename(from, to, file) => {
                names.remove(&from);
                names.insert(to, file);
            }
            Pending::Unlink(path, _) => drop(names.remove(&path)),
        }
    }
}

#[derive(Debug)]
struct CrashFile {
    vfs: CrashVfs,
    path: PathBuf,
    file: usize,
}

impl Write for CrashFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let mut disk = self.vfs.disk();
        let outcome = disk.check(&self.path);
        let is_short = disk.failure.is_some_and(|failure| failure.short);
        let written = match &outcome {
            Ok(()) => buffer.len(),
            Err(_) if is_short => buffer.len() / 2,
            Err(_) => 0,
        };
        disk.contents[self.file].extend_from_slice(&buffer[..written]);
        disk.journal.push(Entry::Write { file: self.file, content: buffer[..written].to_vec() });
        match outcome {
            Err(Error::Io { source, .. }) => Err(source),
            _ => Ok(written),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl VfsFile for CrashFile {
    fn sync(&mut self) -> Result<()> {
        SyncHandle::sync(self)
    }

    fn sync_handle(&self) -> Result<Arc<dyn SyncHandle>> {
        Ok(Arc::new(Self { vfs: self.vfs.clone(), path: self.path.clone(), file: self.file }))
    }
}

impl SyncHandle for CrashFile {
    fn sync(&self) -> Result<()> {
        let mut disk = self.vfs.disk();
        let outcome = disk.check(&self.path);
        let file = self.file;
        disk.journal.push(if outcome.is_ok() { Entry::Sync { file } } else { Entry::FailedSync { file } });
        outcome
    }
}

#[derive(Debug)]
struct CrashLock(CrashVfs, PathBuf);

impl VfsLock for CrashLock {}

impl Drop for CrashLock {
    fn drop(&mut self) {
        self.0.disk().locks.remove(&self.1);
    }
}

impl Vfs for CrashVfs {
    fn create(&self, path: &Path) -> Result<Box<dyn VfsFile>> {
        let mut disk = self.disk();
        disk.check(path)?;
        assert!(!disk.names.contains_key(path), "{} exists", path.display());
        let file = disk.contents.len();
        disk.contents.push(Vec::new());
        disk.names.insert(path.to_owned(), file);
        disk.journal.push(Entry::Create { path: path.to_owned(), file });
        Ok(Box::new(CrashFile { vfs: self.clone(), path: path.to_owned(), file }))
    }

    fn append(&self, path: &Path) -> Result<Box<dyn VfsFile>> {
        // Nothing is appended to: files are opened for it to be synced.
        let disk = self.disk();
        let missing = || Error::Io { operation: "open", path: path.to_owned(), source: ErrorKind::NotFound.into() };
        let file = *disk.names.get(path).ok_or_else(missing)?;
        Ok(Box::new(CrashFile { vfs: self.clone(), path: path.to_owned(), file }))
    }

    fn create_dir(&self, _path: &Path) -> Result<()> {
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let mut disk = self.disk();
        disk.check(from)?;
        let file = disk.names.remove(from).unwrap();
        disk.names.insert(to.to_owned(), file);
        disk.journal.push(Entry::Rename { from: from.to_owned(), to: to.to_owned() });
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        let mut disk = self.disk();
        disk.check(path)?;
        disk.journal.push(Entry::SyncDir { dir: path.to_owned() });
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<()> {
        let mut disk = self.disk();
        if !disk.names.keys().any(|name| name.starts_with(path)) {
            return Ok(());
        }
        disk.check(path)?;
        disk.names.retain(|name, _| !name.starts_with(path));
        disk.journal.push(Entry::Remove { path: path.to_owned() });
        Ok(())
    }

    fn list(&self, path: &Path) -> Result<Vec<PathBuf>> {
        let disk = self.disk();
        let below = disk.names.keys().filter_map(|name| name.strip_prefix(path).ok());
        let mut names: Vec<PathBuf> = below.filter_map(|rest| rest.iter().next()).map(PathBuf::from).collect();
        names.dedup();
        Ok(names)
    }

    fn size(&self, path: &Path) -> Result<Option<u64>> {
        let disk = self.disk();
        Ok(disk.names.get(path).map(|file| disk.contents[*file].len() as u64))
    }

    fn read(&self, path: &Path) -> Result<Bytes> {
        let disk = self.disk();
        let missing = || Error::Io { operation: "open", path: path.to_owned(), source: ErrorKind::NotFound.into() };
        let file = disk.names.get(path).ok_or_else(missing)?;
        Ok(Bytes::copy_from_slice(&disk.contents[*file]))
    }

    fn open(&self, path: &Path, size: u64) -> Result<Arc<dyn RandomRead>> {
        Ok(Arc::new(HeldFile::new(path, self.read(path)?, size)?))
    }

    fn lock(&self, path: &Path) -> Result<Option<Box<dyn VfsLock>>> {
        let free = self.disk().locks.insert(path.to_owned());
        Ok(free.then(|| Box::new(CrashLock(self.clone(), path.to_owned())) as Box<dyn VfsLock>))
    }
}
