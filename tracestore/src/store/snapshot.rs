//! A consistent view of blocks: what queries run on.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use super::{
    join::{InMemory, Limits, join},
    split::Part,
    whole::WholeView,
};
use crate::{
    Result,
    block::{AttributeScope, AttributeType, Block},
    model::{BlockId, Trace, TraceId},
    otlp::Refusals,
};

/// Some blocks, in a fixed order. Cheap to clone.
///
/// A trace may have parts in several of them. Queries want [`Snapshot::whole`].
#[derive(Debug, Clone)]
pub struct Snapshot {
    blocks: Arc<[Arc<Block>]>,
    refusals: Arc<Refusals>,
    gathered: Gathered,
    pub(super) whole: Arc<WholeView>,
}

/// Blocks of one store of which no trace lies in two.
pub(super) type Gathered = Arc<BTreeSet<BlockId>>;

impl Snapshot {
    /// A view of these blocks. One that is given twice is there once, with the more deleted rows.
    #[must_use]
    pub fn new(mut blocks: Vec<Arc<Block>>) -> Self {
        blocks.sort_by_key(|block| (block.id(), std::cmp::Reverse(block.deleted_rows().len())));
        blocks.dedup_by(|block, before| block.meta() == before.meta());
        Self { blocks: blocks.into(), refusals: Arc::default(), gathered: Arc::default(), whole: Arc::default() }
    }

    /// The same view with other blocks, in which no trace is split.
    pub(super) fn with_whole_traces(&self, blocks: Vec<Arc<Block>>) -> Self {
        let whole = Arc::new(WholeView::itself());
        Self { blocks: blocks.into(), refusals: Arc::clone(&self.refusals), gathered: Arc::default(), whole }
    }

    /// The same view, of which it is known that no trace lies in two of some blocks: all of them of one version of one store.
    pub(super) fn with_gathered(self, gathered: Gathered) -> Self {
        Self { gathered, ..self }
    }

    /// For each block whether no trace of it lies in another for which this says so.
    pub(super) fn gathered(&self) -> Vec<bool> {
        self.blocks.iter().map(|block| self.gathered.contains(&block.id())).collect()
    }

    /// The same view, with what was refused while its blocks were made from OTLP files.
    #[must_use]
    pub(super) fn with_refusals(self, refusals: Refusals) -> Self {
        Self { refusals: Arc::new(refusals), ..self }
    }

    /// The blocks, by id; in a [whole view](Snapshot::whole) those of split traces follow.
    #[must_use]
    pub fn blocks(&self) -> &[Arc<Block>] {
        &self.blocks
    }

    /// What was refused while OTLP files were read for this view.
    #[must_use]
    pub fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// The types that an attribute has in any of the blocks, perhaps only on spans that queries do not see.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`], [`crate::Error::Io`].
    pub fn attribute_types(&self, scope: AttributeScope, key: &str) -> Result<Vec<AttributeType>> {
        let mut types = BTreeSet::new();
        for block in self.blocks.iter() {
            types.extend(block.attribute_types(scope, key)?);
        }
        Ok(types.into_iter().collect())
    }

    /// A whole trace, the same as the [whole view](Snapshot::whole) has; `None` where no block has a part of it. Makes a
    /// block in memory of its parts where there are several (some ms), and touches no other traces.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`], [`crate::Error::Io`]; [`crate::Error::Limit`] as [`Snapshot::whole`].
    pub fn find_trace(&self, id: &TraceId) -> Result<Option<Trace>> {
        let (mut parts, mut has_lost) = (Vec::new(), false);
        for (number, block) in (0..).zip(self.blocks.iter()) {
            if let Some(ordinal) = block.find(id)? {
                let ordinal = ordinal as u32;
                parts.push(Part { trace: *id, block: number, ordinal });
                has_lost |= block.is_partly_deleted(ordinal);
            }
        }
        let block = match parts.as_slice() {
            [part] if !has_lost => self.blocks.get(part.block as usize).cloned(),
            parts => join(&self.blocks, parts, Limits::default(), &mut InMemory)?.pop(),
        };
        block.map_or(Ok(None), |block| block.trace(id))
    }

    /// Bytes of all files of the blocks.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.blocks.iter().map(|block| block.size()).sum()
    }

    /// Where the blocks are.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.blocks.iter().map(|block| block.path())
    }
}
