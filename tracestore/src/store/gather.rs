//! Traces that lie in several of the blocks that are not merged any more, put together in blocks of their own.
//!
//! ```text
//! settled blocks ─▶ split::parts_to_join ─▶ join::join ─▶ new blocks ─┬▶ publish: the blocks are *gathered*
//!       └──────────▶ the rows of these traces, deleted as moved ──────┘
//! ```
//!
//! It changes no answer: what a view would put together for itself is there already. From then on views compare only other
//! blocks' traces with these (`store/whole.rs`). What is known holds as long as its blocks are there: merging some of them,
//! or deleting of them, splits no trace.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use roaring::RoaringBitmap;

use super::{
    committed::Committed,
    deletion,
    join::{Limits, join},
    making::NewBlocks,
    merge::Folder,
    split::{Part, parts_to_join},
    trace_store::Core,
};
use crate::{
    Error, Result,
    block::Block,
    catalog::{CatalogBlock, Change, PublishError},
    compact::{CompactionReport, LeftAlone},
};

/// A block as a version has it.
type Entry<'a> = (&'a CatalogBlock, &'a Arc<Block>);

impl Core {
    /// Puts split traces of some blocks, and of those that are gathered already, together; `None` if there is nothing to be
    /// looked at.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Stopped`], what `check` says. Blocks that are damaged, and traces that are too large, are
    /// part of the report: the blocks that were to be gathered stay as they are.
    pub(super) fn gather(
        &self,
        settled: &BTreeSet<String>,
        committed: &Committed,
        check: &dyn Fn() -> Result<()>,
    ) -> Result<Option<CompactionReport>> {
        let entries = committed.version.blocks.iter().zip(&committed.blocks);
        let entries: Vec<Entry<'_>> =
            entries.filter(|(entry, _)| entry.gathered || settled.contains(&entry.folder)).collect();
        if entries.len() < 2 || entries.iter().all(|(entry, _)| entry.gathered) {
            return Ok(None);
        }
        let mut new = NewBlocks::new(self.vfs(), &self.layout().blocks, self.making());
        let result = self.gather_into(&mut new, &entries, check);
        if matches!(result, Err(PublishError::Unchanged(_) | PublishError::Conflict)) {
            new.remove();
        }
        match result {
            Ok(report) => Ok(Some(report)),
            Err(PublishError::Conflict) => Ok(Some(CompactionReport { outdated: 1, ..CompactionReport::default() })),
            Err(PublishError::Unchanged(error)) if error.is_limit() || error.is_corruption() => {
                let others = entries.iter().filter(|(entry, _)| !entry.gathered);
                let blocks = others.map(|(entry, _)| entry.folder.clone()).collect();
                let left = LeftAlone { blocks, reason: error.to_string() };
                self.leave_alone(left.clone());
                Ok(Some(CompactionReport { left_alone: vec![left], ..CompactionReport::default() }))
            }
            Err(PublishError::Unchanged(error) | PublishError::Unknown(error)) => Err(error),
        }
    }

    fn gather_into(
        &self,
        new: &mut NewBlocks,
        entries: &[Entry<'_>],
        check: &dyn Fn() -> Result<()>,
    ) -> Result<CompactionReport, PublishError> {
        let blocks: Vec<Arc<Block>> = entries.iter().map(|(_, block)| Arc::clone(block)).collect();
        let known: Vec<bool> = entries.iter().map(|(entry, _)| entry.gathered).collect();
        let (change, opened, gathered) = (|| {
            let parts = parts_to_join(&blocks, &known)?;
            let mut opened = join(&blocks, &parts, Limits::default(), &mut Folder { new: &mut *new, check })?;
            let level = entries.iter().map(|(entry, _)| entry.level).max().unwrap_or(0);
            let entry = |block: &Arc<Block>| CatalogBlock {
                level,
                gathered: true,
                ..CatalogBlock::new(block.id().to_string())
            };
            let mut change = Change { add: opened.iter().map(entry).collect(), ..Change::default() };
            self.move_rows(new, entries, rows(&blocks, &parts)?, &mut change, &mut opened)?;
            let traces = parts.chunk_by(|one, other| one.trace == other.trace).count();
            Ok((change, opened, traces as u64))
        })()
        .map_err(PublishError::Unchanged)?;
        self.publish(change, opened)?;
        Ok(CompactionReport { jobs: 1, gathered, ..CompactionReport::default() })
    }

    /// Every block is to be gathered; those of which rows have moved get a new list of deleted rows, or go.
    fn move_rows(
        &self,
        new: &mut NewBlocks,
        entries: &[Entry<'_>],
        mut rows: BTreeMap<u32, RoaringBitmap>,
        change: &mut Change,
        opened: &mut Vec<Arc<Block>>,
    ) -> Result<()> {
        let layout = self.layout();
        let mut has_files = false;
        for (number, (entry, block)) in (0..).zip(entries) {
            let mut after = CatalogBlock { gathered: true, ..(*entry).clone() };
            let mut block = Arc::clone(block);
            if let Some(rows) = rows.remove(&number) {
                after.moved += rows.len();
                let rows = rows | block.deleted_rows();
                if rows.len() == block.meta().spans {
                    change.remove.push((*entry).clone());
                    continue;
                }
                if !has_files {
                    self.vfs().create_dir(&layout.deleted)?;
                    has_files = true;
                }
                after.deleted = Some(deletion::write(self.vfs().as_ref(), &layout.deleted, &rows, new)?);
                block = block.with_deleted(rows)?;
            }
            change.replace.push(((*entry).clone(), after));
            opened.push(block);
        }
        if has_files { self.vfs().sync_dir(&layout.deleted) } else { Ok(()) }
    }
}

/// All stored rows of parts of traces that are not deleted, by block.
fn rows(blocks: &[Arc<Block>], parts: &[Part]) -> Result<BTreeMap<u32, RoaringBitmap>> {
    let mut rows: BTreeMap<u32, RoaringBitmap> = BTreeMap::new();
    for part in parts {
        let block = blocks.get(part.block as usize);
        let block = block.ok_or_else(|| Error::Internal(format!("there is no block {}", part.block)))?;
        let range = block.trace_table()?.span_rows(part.ordinal as usize)?;
        rows.entry(part.block).or_default().insert_range(range.start as u32..range.end as u32);
    }
    for (number, rows) in &mut rows {
        if let Some(block) = blocks.get(*number as usize) {
            *rows -= block.deleted_rows();
        }
    }
    Ok(rows)
}
