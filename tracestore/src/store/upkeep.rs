//! What is done to blocks after they were made: deletions when somebody asks for one, retention now and then.

use std::{
    sync::{Mutex, PoisonError},
    time::{Instant, SystemTime},
};

use super::{
    TraceStore,
    deletion::{Deletion, DeletionReport},
    retention::{Due, RetentionPolicy, RetentionReport},
    trace_store::Core,
};
use crate::Result;

/// When it was looked what is kept, and what came of it.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    /// Held while it is looked.
    retention: Mutex<Retention>,
    trouble: Mutex<Option<String>>,
}

#[derive(Debug, Default)]
struct Retention {
    last: Option<Instant>,
    due: Due,
}

impl Upkeep {
    /// What the background thread met last.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
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

    /// [`Core::upkeep_if_due`] for the background thread: an error is kept for who asks. Tells whether all went well.
    pub(super) fn upkeep_in_background(&self) -> bool {
        let trouble = self.upkeep_if_due().err().map(|error| error.to_string());
        let is_well = trouble.is_none();
        *self.upkeep().trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
        is_well
    }
}
