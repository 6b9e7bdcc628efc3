//! Traces that lie in several blocks, or have lost some of their spans, made whole: what there is of them is given to a
//! block in memory, and hidden where it is.
//!
//! ```text
//! blocks ─▶ split::parts_to_join ─▶ join::join ─▶ blocks in memory ─┬▶ Snapshot
//!    └────────────────────▶ the same blocks, parts hidden ─────────┘
//! ```

use std::sync::{Arc, Mutex, OnceLock, TryLockError};

use super::{
    Snapshot,
    join::{InMemory, Limits, join},
    split::parts_to_join,
};
use crate::Result;

/// The whole view of a snapshot, once it was asked for.
#[derive(Debug, Default)]
pub(super) struct WholeView {
    /// `None` within: the snapshot is its own whole view.
    view: OnceLock<Option<Snapshot>>,
    building: Mutex<()>,
}

impl WholeView {
    /// Of a snapshot in which every trace is as it is to be seen.
    pub(super) fn itself() -> Self {
        Self { view: OnceLock::from(None), building: Mutex::default() }
    }
}

impl Snapshot {
    /// The same spans with every trace in exactly one block, as if all of its spans had been given to that block: spans,
    /// parents, roots, counts and which copy of a span is seen do not depend on how the spans were cut into blocks, nor on
    /// spans that were deleted.
    ///
    /// The blocks keep their numbers; traces that lie in several of them, or have lost some of their spans, are hidden
    /// there, and are in one of the blocks that follow the others, in memory. Where there are none it is this snapshot, with the same blocks. The view
    /// is made once, and shared by the clones of this snapshot; it lives as long as they do. Who asks meanwhile waits.
    ///
    /// *Cost.* One block, or blocks of a store from which [compaction](crate::TraceStore::compact) has gathered split
    /// traces: nothing. Else the trace ids of all blocks are read and hashes of them sorted, up to 64 MiB at
    /// once: 6 ms for 20 blocks of 5,000 traces, 0.7 s for 100 blocks of 100,000. Where traces are split, the pages that
    /// their spans lie on are read in all columns, once for each 64 Ki spans of split traces, and the spans are ingested
    /// anew: about 5 µs per span on two cores, shadowed copies counted. They stay in memory as a block does,
    /// compressed, 20 to 60 bytes per span; while the view is made, up to 64 MiB of them are held as they were received,
    /// with what a block's builder needs beside, and one batch of 64 Ki spans as values. A store in which everything was
    /// ingested twice therefore costs as much as ingesting it twice more, and the memory of a third of its blocks.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::Error::Corrupt), [`Error::Io`](crate::Error::Io);
    /// [`Error::Limit`](crate::Error::Limit) for a split trace of more than 4 Mi spans. After an error the next call tries
    /// again.
    pub fn whole(&self) -> Result<Self> {
        if let Some(view) = self.whole_at_hand() {
            return Ok(view);
        }
        let _building = match self.whole.building.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(guard)) => Some(guard.into_inner()),
            // The one who builds may wait for this very thread, if it is one of rayon's: build another one then.
            Err(TryLockError::WouldBlock) if rayon::current_thread_index().is_some() => None,
            Err(TryLockError::WouldBlock) => self.whole.building.lock().ok(),
        };
        if let Some(view) = self.whole_at_hand() {
            return Ok(view);
        }
        let view = self.make_whole()?;
        Ok(self.whole.view.get_or_init(|| view).as_ref().unwrap_or(self).clone())
    }

    /// The [whole view](Snapshot::whole), if it is there already, or costs nothing. Never waits and
    /// reads nothing.
    #[must_use]
    pub fn whole_at_hand(&self) -> Option<Self> {
        match self.whole.view.get() {
            Some(view) => Some(view.as_ref().unwrap_or(self).clone()),
            None => {
                let is_unsplit = self.blocks().len() < 2 || self.gathered().iter().all(|gathered| *gathered);
                let is_whole = is_unsplit && !self.blocks().iter().any(|block| block.has_partly_deleted());
                is_whole.then(|| self.clone())
            }
        }
    }

    /// The whole view; `None` when it is this one.
    fn make_whole(&self) -> Result<Option<Self>> {
        let parts = parts_to_join(self.blocks(), &self.gathered())?;
        if parts.is_empty() {
            return Ok(None);
        }
        let joined = join(self.blocks(), &parts, Limits::default(), &mut InMemory)?;
        let mut hidden: Vec<Vec<u32>> = vec![Vec::new(); self.blocks().len()];
        for part in &parts {
            if let Some(ordinals) = hidden.get_mut(part.block as usize) {
                ordinals.push(part.ordinal);
            }
        }
        let blocks = self.blocks().iter().zip(hidden).map(|(block, ordinals)| match ordinals.as_slice() {
            [] => Ok(Arc::clone(block)),
            ordinals => block.without(ordinals),
        });
        let mut blocks = blocks.collect::<Result<Vec<_>>>()?;
        blocks.extend(joined);
        Ok(Some(self.with_whole_traces(blocks)))
    }
}
