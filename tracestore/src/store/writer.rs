//! Who may change a store: holds its lock, and publishes versions. Where there are no locks there may be several: see
//! `publish_shared`.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{committed::Committed, layout::Layout, log_place::LogPlace};
use crate::{
    Error, Result,
    block::Block,
    catalog::{self, CatalogBlock, Change, Covered, Outcome, PublishError},
    io::{Vfs, VfsLock},
    model::BlockId,
};

/// How often a change is made for a newer version, because other writers were faster each time.
const RACES: usize = 100;
/// Where several write, a block is published within this time of its beginning, or never: it is no orphan for twice as long.
const LATE: Duration = Duration::from_secs(2 * 60 * 60);

fn is_late(created: Duration) -> bool {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() > created + LATE
}

/// A store, open for writing. The lock ends with this value.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) vfs: Arc<dyn Vfs>,
    pub(super) layout: Layout,
    pub(super) committed: Committed,
    pub(super) log: LogPlace,
    /// A block of the log that is written, and of which nobody knows whether a version names it.
    pub(super) unsettled: Option<Cut>,
    /// Folders that were removed since the last version, which the next one need not remember.
    collected: Vec<String>,
    _lock: Box<dyn VfsLock>,
}

/// A block of what is oldest in the log.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) block: Arc<Block>,
    /// The part of the log that it is.
    pub(super) covered: Covered,
    /// How many chunks of the live data.
    pub(super) chunks: usize,
}

impl Writer {
    /// Opens a store for writing; makes it, and its catalog, if there is none.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Io`], [`Error::Corrupt`], [`Error::UnsupportedVersion`]; [`Error::NotFound`] when the
    /// folder holds something else than a store.
    pub(super) fn open(vfs: Arc<dyn Vfs>, path: &Path) -> Result<Self> {
        let layout = Layout::new(path);
        layout.create(vfs.as_ref())?;
        let lock = vfs.lock(&layout.lock)?.ok_or_else(|| Error::Locked { path: path.to_owned() })?;
        if vfs.is_shared() {
            catalog::check_conditional_writes(vfs.as_ref(), &layout.catalog)?;
        }
        let committed = Committed::load(&vfs, &layout, None)?;
        let log = LogPlace::of_store(&vfs, &layout);
        let mut writer = Self { vfs, layout, committed, log, unsettled: None, collected: Vec::new(), _lock: lock };
        if writer.committed.version.number == 0 {
            // From now on a block is part of the store when a version names it, and not when its folder is whole.
            writer.publish(Change::default(), Vec::new())?;
        }
        Ok(writer)
    }

    /// As [`Writer::open`], for who has a log: in the store's folder, or where `log` says when it cannot be there.
    ///
    /// # Errors
    /// As [`Writer::open`], and [`LogPlace::open`]; [`Error::NotFound`] when the log has no place.
    pub(super) fn open_with_log(vfs: Arc<dyn Vfs>, path: &Path, log: Option<&Path>) -> Result<Self> {
        if !vfs.is_shared() {
            return Self::open(vfs, path);
        }
        let no_place = || Error::NotFound {
            path: path.to_owned(),
            reason: "a log cannot live on an object store: it needs a folder of the local disk".to_owned(),
        };
        let log = LogPlace::open(log.ok_or_else(no_place)?, path)?;
        Ok(Self { log, ..Self::open(vfs, path)? })
    }

    /// A place for a new block.
    pub(super) fn new_block(&self) -> (BlockId, std::path::PathBuf) {
        let id = BlockId::generate();
        (id, self.layout.blocks.join(id.to_string()))
    }

    /// What is in blocks of the writer's log.
    pub(super) fn covered(&self) -> Covered {
        self.committed.version.covered(&self.log.id)
    }

    /// Makes blocks part of the store, whose folders are named by their ids, and a part of the log superfluous. Both happen,
    /// or neither.
    ///
    /// # Errors
    /// [`PublishError`] says what stands.
    pub(super) fn publish_blocks(
        &mut self,
        blocks: Vec<Arc<Block>>,
        covered: Option<Covered>,
    ) -> Result<(), PublishError> {
        let add = blocks.iter().map(|block| CatalogBlock::new(block.id().to_string())).collect();
        let covered = covered.map(|covered| (self.log.id.clone(), covered));
        self.publish(Change { add, covered, ..Change::default() }, blocks)
    }

    /// Makes the store what a change makes of it. `opened` are the blocks that the change adds, or puts in the place of
    /// others, as they are in the new version.
    ///
    /// # Errors
    /// [`PublishError`] says what stands.
    pub(super) fn publish(&mut self, mut change: Change, opened: Vec<Arc<Block>>) -> Result<(), PublishError> {
        if self.unsettled.is_some() {
            // Its spans would be in a block and in the live data.
            let what = "a block whose publication is to be settled by the next flush".to_owned();
            return Err(PublishError::Unchanged(Error::Overloaded { what, budget: "one".to_owned() }));
        }
        change.forget.append(&mut self.collected.clone());
        if self.vfs.is_shared() {
            self.publish_shared(&change, &opened)?;
            self.collected.clear();
            return Ok(());
        }
        let committed = self.next(&change, &opened)?;
        catalog::publish(self.vfs.as_ref(), &self.layout.catalog, &committed.version)?;
        self.committed = committed;
        self.collected.clear();
        Ok(())
    }

    /// What the store is after a change.
    fn next(&self, change: &Change, opened: &[Arc<Block>]) -> Result<Committed, PublishError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let next = change.apply(&self.committed.version, now).ok_or(PublishError::Conflict)?;
        self.committed.with_version(&self.layout, next, opened).map_err(PublishError::Unchanged)
    }

    /// [`Writer::publish`] among several writers: whoever is not the first applies the change to what the first has made of
    /// the store. Whether the change is done is told by looking, so that one whose fate is not known can be tried again.
    fn publish_shared(&mut self, change: &Change, opened: &[Arc<Block>]) -> Result<(), PublishError> {
        self.refresh().map_err(PublishError::Unknown)?;
        for _ in 0..RACES {
            if change.is_in(&self.committed.version) {
                return Ok(());
            }
            let mut added = change.add.iter().filter_map(|block| block.folder.parse::<BlockId>().ok()?.created());
            if added.any(is_late) {
                let reason = "it took too long to write a block: others may take it for an orphan";
                return Err(PublishError::Unchanged(Error::Internal(reason.to_owned())));
            }
            let next = self.next(change, opened)?;
            let outcome = catalog::publish_shared(self.vfs.as_ref(), &self.layout.catalog, &next.version);
            match outcome.map_err(PublishError::Unknown)? {
                Outcome::Newest => {
                    self.committed = next;
                    return Ok(());
                }
                Outcome::Overtaken => {
                    let newest = Committed::load(&self.vfs, &self.layout, Some(&next));
                    self.committed = newest.map_err(PublishError::Unknown)?;
                }
            }
        }
        let what = format!("the number of writers of {}", self.layout.root.display());
        Err(PublishError::Unknown(Error::Overloaded { what, budget: format!("{RACES} lost races") }))
    }

    /// Looks what other writers have made of the store.
    ///
    /// # Errors
    /// As [`Writer::open`]; what was known before stays.
    pub(super) fn refresh(&mut self) -> Result<()> {
        if self.vfs.is_shared()
            && catalog::newest(self.vfs.as_ref(), &self.layout.catalog)? != self.committed.version.number
        {
            self.committed = Committed::load(&self.vfs, &self.layout, Some(&self.committed))?;
        }
        Ok(())
    }

    /// Removes folders that are no part of the store any more, or never became one, longer than this ago. What cannot be
    /// removed now is removed later.
    pub(super) fn collect_orphans(&mut self, grace: Duration) {
        // What others have added is no orphan. They publish a block soon after they began it.
        if self.refresh().is_err() {
            return;
        }
        let grace = if self.vfs.is_shared() { grace.max(2 * LATE) } else { grace };
        let (vfs, version) = (self.vfs.as_ref(), &self.committed.version);
        let collected = catalog::collect_orphans(vfs, &self.layout.blocks, version, SystemTime::now(), grace);
        let names =
            collected.unwrap_or_default().into_iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
        self.collected.extend(names);
    }
}
