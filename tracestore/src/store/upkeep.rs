//! What is done to blocks after they were made: deletions when somebody asks for one, retention and merging now and then.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Instant, SystemTime},
};

use super::{
    TraceStore,
    deletion::{Deletion, DeletionReport},
    retention::{Due, RetentionPolicy, RetentionReport},
    trace_store::Core,
};
use crate::{
    Result,
    compact::{CompactionReport, CompactionStrategy, LeftAlone, TimeWindows},
};

/// When it was looked what is kept, and what came of it.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    /// Held while it is looked.
    retention: Mutex<Retention>,
    /// Held while blocks are merged.
    compacting: Mutex<()>,
    /// Blocks that cannot be merged.
    left_alone: Mutex<Vec<LeftAlone>>,
    trouble: Mutex<Option<String>>,
}

#[derive(Debug, Default)]
struct Retention {
    last: Option<Instant>,
    due: Due,
}

impl Upkeep {
    /// What the background thread met last, or what cannot be done at all.
    pub(super) fn trouble(&self) -> Option<String> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let left = || self.left_alone().last().map(|left| format!("blocks are not merged: {}", left.reason));
        trouble.or_else(left)
    }

    /// Waits until nobody else merges blocks.
    pub(super) fn compacting(&self) -> MutexGuard<'_, ()> {
        self.compacting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn left_alone(&self) -> MutexGuard<'_, Vec<LeftAlone>> {
        self.left_alone.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TraceStore {
    /// Deletes spans for good: queries of this store do not see them from the moment this returns, readers in other
    /// processes from their next refresh on. All stored copies of a span go; one that comes in later stays. Live data is
    /// made into a block first. The bytes leave the disk when the block is compacted, or when nothing else is left of it and
    /// [`StoreOptions::orphan_grace`](super::StoreOptions::orphan_grace) is over. The store's catalog tells when what was deleted.
    ///
    /// *Cost.* For a trace, some lookups; else that of the query. Memory: a bit for each span found, compressed. While it
    /// runs, others may read, write and flush.
    ///
    /// # Errors
    /// Nothing is deleted then: [`Error::Selector`](crate::Error::Selector); [`Error::Io`](crate::Error::Io), [`Error::Corrupt`](crate::Error::Corrupt), [`Error::Stopped`](crate::Error::Stopped);
    /// [`Error::Conflict`](crate::Error::Conflict) when blocks change time and again meanwhile.
    pub fn delete(&self, deletion: &Deletion) -> Result<DeletionReport> {
        self.core.delete(deletion)
    }

    /// Removes what a policy does not keep, of what is in blocks, as [`TraceStore::delete`] does. [`TraceStore::step`] and the
    /// store's own thread do it with [`StoreOptions::retention`](super::StoreOptions::retention).
    ///
    /// *Cost.* Blocks that go whole are not read. Where other blocks may have traces whose time is over, each rule's query
    /// is run over them.
    ///
    /// # Errors
    /// As [`TraceStore::delete`].
    pub fn retain(&self, policy: &RetentionPolicy, now: SystemTime) -> Result<RetentionReport> {
        self.core.retain(policy, now, &mut Due::default())
    }

    /// Merges the blocks that a strategy chooses, until it chooses none; `None` is the strategy of the store's options, or
    /// else [`TimeWindows`]. The store goes on taking spans and answering queries, and readers keep the blocks that they
    /// have. One compaction runs at a time: another one waits.
    ///
    /// *Cost.* About 5 µs per span on two cores, and the memory that the strategy's jobs allow.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io), [`Error::Stopped`](crate::Error::Stopped); what was published before stays. Blocks
    /// that are damaged, or have a trace that is too large to put together, are no error: they are left alone, and the
    /// report tells.
    pub fn compact(&self, strategy: Option<&dyn CompactionStrategy>) -> Result<CompactionReport> {
        let usual = TimeWindows::default();
        let strategy = strategy.or(self.core.options().compaction.as_deref()).unwrap_or(&usual);
        self.core.compact(strategy, usize::MAX, &|| Ok(()))
    }
}

impl Core {
    /// Removes what the store's options say is not kept, if the last time was long enough ago.
    pub(super) fn upkeep_if_due(&self) -> Result<()> {
        let Some(policy) = &self.options().retention else { return Ok(()) };
        let mut retention = self.upkeep().retention.lock().unwrap_or_else(PoisonError::into_inner);
        if retention.last.is_some_and(|last| last.elapsed() < self.options().retention_period) {
            return Ok(());
        }
        self.retain(policy, SystemTime::now(), &mut retention.due)?;
        retention.last = Some(Instant::now());
        Ok(())
    }

    /// Whether there is anything to do now and then.
    pub(super) fn has_upkeep(&self) -> bool {
        self.options().retention.is_some() || self.options().compaction.is_some()
    }

    /// Does the most urgent merge of the store's own strategy.
    pub(super) fn compact_one(&self) -> Result<()> {
        let Some(strategy) = &self.options().compaction else { return Ok(()) };
        self.compact(strategy.as_ref(), 1, &|| Ok(())).map(drop)
    }

    /// Retention and merging for the background thread: an error is kept for who asks. Tells whether all went well.
    pub(super) fn upkeep_in_background(&self, is_ending: &dyn Fn() -> bool) -> bool {
        let check = || if is_ending() { Err(self.stopped("it was closed")) } else { Ok(()) };
        let compact = || match &self.options().compaction {
            Some(strategy) => self.compact(strategy.as_ref(), usize::MAX, &check).map(drop),
            None => Ok(()),
        };
        let done = self.upkeep_if_due().and_then(|()| compact());
        let trouble = done.err().map(|error| error.to_string());
        let is_well = trouble.is_none();
        *self.upkeep().trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
        is_well
    }
}
