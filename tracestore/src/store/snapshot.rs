//! A consistent view of blocks: what queries run on.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use crate::{
    Result,
    block::{AttributeScope, AttributeType, Block},
    model::{Trace, TraceId},
    otlp::Refusals,
};

/// Some blocks, in a fixed order. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Snapshot {
    blocks: Arc<[Arc<Block>]>,
    refusals: Arc<Refusals>,
}

impl Snapshot {
    /// A view of these blocks.
    #[must_use]
    pub fn new(mut blocks: Vec<Arc<Block>>) -> Self {
        blocks.sort_by_key(|block| block.id());
        Self { blocks: blocks.into(), refusals: Arc::default() }
    }

    /// The same view, with what was refused while its blocks were made from OTLP files.
    #[must_use]
    pub(super) fn with_refusals(self, refusals: Refusals) -> Self {
        Self { refusals: Arc::new(refusals), ..self }
    }

    /// The blocks, by id.
    #[must_use]
    pub fn blocks(&self) -> &[Arc<Block>] {
        &self.blocks
    }

    /// What was refused while OTLP files were read for this view.
    #[must_use]
    pub fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// The types that an attribute has in any of the blocks.
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

    /// A whole trace, from all blocks that have a part of it; `None` where none has.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`], [`crate::Error::Io`].
    pub fn find_trace(&self, id: &TraceId) -> Result<Option<Trace>> {
        let mut found: Option<Trace> = None;
        for block in self.blocks.iter() {
            if let Some(part) = block.trace(id)? {
                found = Some(match found {
                    None => part,
                    Some(trace) => trace.merge(part),
                });
            }
        }
        Ok(found)
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
