//! Several writers of one store, on an object store: there is no lock, and whoever publishes first is right.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{committed::Committed, writer::Writer};
use crate::{
    Error, Result,
    block::Block,
    catalog::{self, Change, Outcome, PublishError},
    model::BlockId,
};

/// How often a change is made for a newer version, because other writers were faster each time.
const RACES: usize = 100;
/// A block is published within this time of its beginning, or never.
const LATE: Duration = Duration::from_secs(2 * 60 * 60);
/// What is in no version for this long is an orphan, whoever wrote it.
pub(super) const SHARED_GRACE: Duration = Duration::from_secs(2 * LATE.as_secs());

impl Writer {
    /// Makes the store what a change makes of it: whoever is not the first applies the change to what the first has made of
    /// the store. Whether the change is done is told by looking, so that one whose fate is not known can be tried again.
    ///
    /// # Errors
    /// As [`Writer::publish`].
    pub(super) fn publish_shared(&mut self, change: &Change, opened: &[Arc<Block>]) -> Result<(), PublishError> {
        // One that was tried before may have been done.
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
                    self.go_to(next);
                    return Ok(());
                }
                Outcome::Overtaken => {
                    let newest = Committed::load(&self.vfs, &self.layout, Some(&next));
                    self.go_to(newest.map_err(PublishError::Unknown)?);
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
            let newest = Committed::load(&self.vfs, &self.layout, Some(&self.committed))?;
            self.go_to(newest);
        }
        Ok(())
    }
}

fn is_late(created: Duration) -> bool {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() > created + LATE
}
