//! The blocks of a store as its catalog names them, or, without a catalog, as they lie in its folder.

use std::{sync::Arc, thread};

use super::{Snapshot, deletion, layout::Layout, snapshot::Gathered};
use crate::{
    Error, Result,
    block::Block,
    catalog::{self, CatalogBlock, Version},
    io::Vfs,
    model::BlockId,
};

/// So many blocks of an object store are opened at the same time.
const OPENED_AT_ONCE: usize = 16;

/// A version with its blocks open, in its order.
#[derive(Debug, Clone)]
pub(super) struct Committed {
    pub(super) version: Version,
    pub(super) blocks: Vec<Arc<Block>>,
}

impl Committed {
    /// Opens what the newest version names. Blocks that `known` has open are not opened again.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Corrupt`], [`Error::UnsupportedVersion`].
    pub(super) fn load(vfs: &Arc<dyn Vfs>, layout: &Layout, known: Option<&Self>) -> Result<Self> {
        loop {
            let Some(version) = catalog::load(vfs.as_ref(), &layout.catalog)? else {
                return Self::without_catalog(vfs, layout);
            };
            match Self::open(vfs, layout, &version, known) {
                Ok(blocks) => return Ok(Self { version, blocks }),
                // The writer may have gone on, and removed what nobody needs any more.
                Err(_) if catalog::newest(vfs.as_ref(), &layout.catalog)? != version.number => {}
                Err(Error::NotFound { path, .. }) => {
                    let reason = "the catalog names it, and it is missing, or has lost its meta.json";
                    return Err(Error::corrupt(path, 0, reason));
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn open(vfs: &Arc<dyn Vfs>, layout: &Layout, version: &Version, known: Option<&Self>) -> Result<Vec<Arc<Block>>> {
        let open = |entry: &CatalogBlock| {
            if let Some(block) = known.and_then(|known| known.block(entry)) {
                return Ok(Arc::clone(block));
            }
            let dir = layout.blocks.join(&entry.folder);
            // With other deleted rows it is the same block.
            let at_hand = known.and_then(|known| known.blocks.iter().find(|block| block.path() == dir));
            let block = at_hand.map_or_else(|| Block::open(Arc::clone(vfs), &dir), |block| Ok(Arc::clone(block)))?;
            match &entry.deleted {
                Some(deleted) => block.with_deleted(deletion::load(vfs.as_ref(), &layout.deleted, deleted)?),
                None => Ok(block),
            }
        };
        if !vfs.is_shared() {
            return version.blocks.iter().map(open).collect();
        }
        // Opening a block that is far away is waiting for a few answers.
        let share = version.blocks.len().div_ceil(OPENED_AT_ONCE).max(1);
        thread::scope(|scope| {
            let parts = version.blocks.chunks(share);
            let parts = parts.map(|part| scope.spawn(|| part.iter().map(open).collect::<Result<Vec<_>>>()));
            let panicked = |_| Err(Error::Internal("a block could not be opened".to_owned()));
            let opened = parts.collect::<Vec<_>>().into_iter().map(|part| part.join().unwrap_or_else(panicked));
            Ok(opened.collect::<Result<Vec<_>>>()?.concat())
        })
    }

    /// A view of them, and of other blocks.
    pub(super) fn snapshot(&self, others: impl IntoIterator<Item = Arc<Block>>) -> Snapshot {
        Snapshot::new(self.blocks.iter().cloned().chain(others).collect()).with_gathered(self.gathered())
    }

    /// The blocks of which no trace lies in two.
    pub(super) fn gathered(&self) -> Gathered {
        let entries = self.version.blocks.iter().zip(&self.blocks);
        Arc::new(entries.filter(|(entry, _)| entry.gathered).map(|(_, block)| block.id()).collect())
    }

    /// A block that is in this version exactly as an entry says.
    fn block(&self, entry: &CatalogBlock) -> Option<&Arc<Block>> {
        let mut blocks = self.version.blocks.iter().zip(&self.blocks);
        blocks.find(|(other, _)| *other == entry).map(|(_, block)| block)
    }

    /// Another version, whose blocks are either those of this one or among `opened`.
    ///
    /// # Errors
    /// [`Error::Internal`] for a block that is neither.
    pub(super) fn with_version(&self, layout: &Layout, version: Version, opened: &[Arc<Block>]) -> Result<Self> {
        let find = |entry: &CatalogBlock| {
            let dir = layout.blocks.join(&entry.folder);
            let block = self.block(entry).or_else(|| opened.iter().find(|block| block.path() == dir));
            block.cloned().ok_or_else(|| Error::Internal(format!("{} is to be published and not open", entry.folder)))
        };
        let blocks = version.blocks.iter().map(find).collect::<Result<_>>()?;
        Ok(Self { version, blocks })
    }

    /// Every block in the folder. Folders without meta data are blocks in the making, or what a crash left of one.
    fn without_catalog(vfs: &Arc<dyn Vfs>, layout: &Layout) -> Result<Self> {
        let mut committed = Self { version: Version::default(), blocks: Vec::new() };
        for name in vfs.list(&layout.blocks)? {
            let is_block = name.to_str().is_some_and(|name| name.parse::<BlockId>().is_ok());
            let Some(folder) = name.to_str() else { continue };
            match Block::open(Arc::clone(vfs), &layout.blocks.join(folder)) {
                Ok(block) => {
                    committed.blocks.push(block);
                    committed.version.blocks.push(CatalogBlock::new(folder));
                }
                Err(Error::NotFound { .. }) => {}
                Err(error) if is_block => return Err(error),
                Err(_) => {}
            }
        }
        Ok(committed)
    }
}
