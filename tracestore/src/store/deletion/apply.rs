//! Rows that are to go become a version: deletion files are written, blocks of which nothing is left are left out, and
//! where too many traces would have lost some of their spans, blocks are written anew.

use std::sync::Arc;

use super::{file, rows::DoomedRows};
use crate::{
    Error, Result,
    block::Block,
    catalog::{CatalogBlock, Change, PublishError},
    store::{
        Snapshot, committed::Committed, ingest::BLOCK_BYTES, join::Limits, layout::Layout, making::NewBlocks,
        merge::merge, trace_store::Core,
    },
};

/// Traces that have lost some of their spans are made whole for each new view, some 5 µs per span: they may have this
/// many spans in all blocks together.
const PARTIAL_SPANS: u64 = 16 << 10;

/// What is to go, and what the audit says of it.
#[derive(Debug)]
pub(in crate::store) struct Doomed {
    pub(in crate::store) rows: DoomedRows,
    /// Other blocks, which go with all they have.
    pub(in crate::store) blocks: Vec<Arc<Block>>,
    pub(in crate::store) action: &'static str,
    pub(in crate::store) detail: String,
}

/// What was done beside.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Outcome {
    pub(in crate::store) rewritten_blocks: u64,
}

/// A block as it is and as it will be.
struct Edited<'a> {
    entry: &'a CatalogBlock,
    block: Arc<Block>,
}

impl Core {
    /// Publishes that rows of `stored`, blocks of `committed`, are deleted, and other blocks of it.
    ///
    /// # Errors
    /// [`Error::Conflict`] when these blocks have changed meanwhile; [`Error::Io`], [`Error::Corrupt`], [`Error::Stopped`].
    pub(in crate::store) fn apply(&self, committed: &Committed, stored: &Snapshot, doomed: Doomed) -> Result<Outcome> {
        let layout = self.layout();
        let entry = |block: &Block| {
            let entry = committed.version.blocks.iter().find(|entry| layout.blocks.join(&entry.folder) == block.path());
            entry.ok_or_else(|| Error::Internal(format!("{} is in no version", block.path().display())))
        };
        let (mut change, mut edited) = (Change::default(), Vec::new());
        let mut spans = doomed.rows.stored_spans();
        for block in &doomed.blocks {
            spans += block.spans();
            change.remove.push(entry(block)?.clone());
        }
        for (number, rows) in doomed.rows.rows {
            let Some(block) = stored.blocks().get(number as usize) else { continue };
            let rows = rows | block.deleted_rows();
            match rows.len() == block.meta().spans {
                true => change.remove.push(entry(block)?.clone()),
                false => edited.push(Edited { entry: entry(block)?, block: block.with_deleted(rows)? }),
            }
        }
        let (rewritten, edited) = too_many_partial(stored, edited)?;
        let new = NewBlocks::new(self.vfs(), &layout.blocks, self.making());
        let mut written = Written { core: self, layout: &layout, new, opened: Vec::new() };
        let result = written.write(&mut change, &rewritten, edited);
        change.audit = Some((doomed.action.to_owned(), doomed.detail, spans));
        let result = result.map_err(PublishError::Unchanged);
        let result = result.and_then(|()| self.publish(change, std::mem::take(&mut written.opened)));
        if matches!(result, Err(PublishError::Unchanged(_) | PublishError::Conflict)) {
            written.new.remove();
        }
        result?;
        Ok(Outcome { rewritten_blocks: rewritten.len() as u64 })
    }
}

/// The edited blocks that are better written anew, those with the most spans of traces that have lost some first, and the
/// others.
fn too_many_partial<'a>(stored: &Snapshot, edited: Vec<Edited<'a>>) -> Result<(Vec<Edited<'a>>, Vec<Edited<'a>>)> {
    let others = stored.blocks().iter().filter(|block| !edited.iter().any(|edited| edited.block.id() == block.id()));
    let mut total = others.map(|block| partial_spans(block)).sum::<Result<u64>>()?;
    let mut counted = edited.into_iter().map(|edited| Ok((partial_spans(&edited.block)?, edited)));
    let mut counted = counted.by_ref().collect::<Result<Vec<_>>>()?;
    total += counted.iter().map(|(spans, _)| spans).sum::<u64>();
    counted.sort_by_key(|(spans, _)| std::cmp::Reverse(*spans));
    let (mut rewritten, mut kept) = (Vec::new(), Vec::new());
    for (spans, edited) in counted {
        if total > PARTIAL_SPANS && spans > 0 {
            total -= spans;
            rewritten.push(edited);
        } else {
            kept.push(edited);
        }
    }
    Ok((rewritten, kept))
}

/// How many spans are stored of the traces of a block that have lost some.
fn partial_spans(block: &Block) -> Result<u64> {
    let rows = |ordinal: u32| Ok(block.trace_table()?.span_rows(ordinal as usize)?.len() as u64);
    block.partly_deleted().map(rows).sum()
}

/// What was written and is in no version yet.
struct Written<'a> {
    core: &'a Core,
    layout: &'a Layout,
    new: NewBlocks,
    opened: Vec<Arc<Block>>,
}

impl Written<'_> {
    fn write(&mut self, change: &mut Change, rewritten: &[Edited<'_>], edited: Vec<Edited<'_>>) -> Result<()> {
        let vfs = self.core.vfs();
        for Edited { entry, block } in rewritten {
            let limits = Limits { block_bytes: BLOCK_BYTES as u64, ..Limits::default() };
            for new in merge(std::slice::from_ref(block), limits, &mut self.new, &|| Ok(()))? {
                let folder = new.id().to_string();
                let (level, gathered) = (entry.level, entry.gathered);
                change.add.push(CatalogBlock { level, gathered, ..CatalogBlock::new(folder) });
                self.opened.push(new);
            }
            change.remove.push((*entry).clone());
        }
        if edited.is_empty() {
            return Ok(());
        }
        vfs.create_dir(&self.layout.deleted)?;
        for Edited { entry, block } in edited {
            let deleted = file::write(vfs.as_ref(), &self.layout.deleted, block.deleted_rows(), &mut self.new)?;
            change.replace.push((entry.clone(), CatalogBlock { deleted: Some(deleted), ..entry.clone() }));
            self.opened.push(block);
        }
        vfs.sync_dir(&self.layout.deleted)
    }
}
