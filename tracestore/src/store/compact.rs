//! Runs what a strategy chooses: merges blocks beside the store's other work, and publishes the result.
//!
//! ```text
//! newest version ─▶ summaries ─▶ choose ─▶ merge (no lock held) ─▶ publish (writer's lock) ─ conflict ─▶ choose again
//!                       └──▶ nothing: settled ─▶ gather (store/gather.rs)
//! ```
//!
//! A crash on the way leaves the version before, and folders that no version names. A job whose blocks have changed
//! meanwhile is dropped: somebody has deleted spans, or merged them already.

use std::{collections::BTreeSet, sync::Arc, time::SystemTime};

use super::{committed::Committed, join::Limits, making::NewBlocks, merge::merge, trace_store::Core};
use crate::{
    Error, Result,
    block::Block,
    catalog::{CatalogBlock, Change, PublishError},
    compact::{BlockSummary, CompactionJob, CompactionReport, CompactionStrategy, LeftAlone},
    model::BlockId,
};

/// How many bytes of spans are read back at once, about.
const BATCH_BYTES: u64 = 32 << 20;

impl Core {
    /// Does what is due, at most `jobs` jobs; `check` is asked now and then whether to go on.
    pub(super) fn compact(
        &self,
        strategy: &dyn CompactionStrategy,
        jobs: usize,
        check: &dyn Fn() -> Result<()>,
    ) -> Result<CompactionReport> {
        // One compaction at a time.
        let _compacting = self.compacting();
        let mut report = CompactionReport::default();
        while report.jobs + report.outdated + (report.left_alone.len() as u64) < jobs as u64 {
            check()?;
            let committed = self.committed()?;
            let job = match choose(strategy, &committed, &self.left_alone())? {
                Chosen::Job(job) => job,
                Chosen::Settled(settled) => match self.gather(&settled, &committed, check)? {
                    Some(done) => {
                        report.add(done);
                        continue;
                    }
                    None => break,
                },
            };
            match self.run(&job, &committed, check) {
                Ok(done) => report.add(done),
                // What is wrong is wrong with these blocks: the others are merged all the same.
                Err(error) if error.is_limit() || error.is_corruption() => {
                    let left = LeftAlone { blocks: job.blocks, reason: error.to_string() };
                    self.leave_alone(left.clone());
                    report.left_alone.push(left);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(report)
    }

    fn run(
        &self,
        job: &CompactionJob,
        committed: &Committed,
        check: &dyn Fn() -> Result<()>,
    ) -> Result<CompactionReport> {
        let inputs = inputs(job, committed)?;
        let blocks: Vec<Arc<Block>> = inputs.iter().map(|(_, block)| Arc::clone(block)).collect();
        let limits = Limits {
            block_bytes: job.max_request_bytes,
            block_spans: job.max_spans,
            batch_bytes: BATCH_BYTES,
            ..Limits::default()
        };
        let mut new = NewBlocks::new(self.vfs(), &self.layout().blocks, self.making());
        let merged = merge(&blocks, limits, &mut new, check).inspect_err(|_| new.remove())?;
        let level = inputs.iter().map(|(entry, _)| entry.level).max().unwrap_or(0).saturating_add(1);
        // Spans of traces that lie nowhere else do so still.
        let gathered = inputs.iter().all(|(entry, _)| entry.gathered);
        let entry = |block: &Arc<Block>| CatalogBlock { level, gathered, ..CatalogBlock::new(block.id().to_string()) };
        let change = Change {
            add: merged.iter().map(entry).collect(),
            remove: inputs.iter().map(|(entry, _)| (*entry).clone()).collect(),
            ..Change::default()
        };
        // Those that have moved are in another block.
        let spans_in = inputs.iter().map(|(entry, block)| block.meta().spans.saturating_sub(entry.moved)).sum();
        let report = CompactionReport {
            jobs: 1,
            inputs: inputs.len() as u64,
            outputs: merged.len() as u64,
            spans_in,
            spans_out: merged.iter().map(|block| block.spans()).sum(),
            deleted: inputs.iter().map(|(entry, _)| deleted(entry)).sum(),
            bytes_in: blocks.iter().map(|block| block.size()).sum(),
            bytes_out: merged.iter().map(|block| block.size()).sum(),
            ..CompactionReport::default()
        };
        match self.publish(change, merged) {
            Ok(()) => Ok(report),
            Err(PublishError::Conflict) => {
                new.remove();
                Ok(CompactionReport { outdated: 1, ..CompactionReport::default() })
            }
            Err(PublishError::Unchanged(error)) => {
                new.remove();
                Err(error)
            }
            Err(PublishError::Unknown(error)) => Err(error),
        }
    }
}

/// What is to be done.
enum Chosen {
    /// The most urgent job.
    Job(CompactionJob),
    /// Nothing, and these blocks will hardly be merged any more.
    Settled(BTreeSet<String>),
}

/// The most urgent job.
///
/// # Errors
/// [`Error::Internal`] for a job of a strategy that names a block that it was not given.
fn choose(strategy: &dyn CompactionStrategy, committed: &Committed, left_alone: &[LeftAlone]) -> Result<Chosen> {
    let entries = committed.version.blocks.iter().zip(&committed.blocks);
    let is_left = |folder: &String| left_alone.iter().any(|left| left.blocks.contains(folder));
    let entries = entries.filter(|(entry, _)| !is_left(&entry.folder));
    let summaries: Vec<BlockSummary> = entries.map(|(entry, block)| summary(entry, block)).collect();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
    let Some(job) = strategy.choose(&summaries, now).into_iter().find(|job| !job.blocks.is_empty()) else {
        return Ok(Chosen::Settled(strategy.settled(&summaries, now).into_iter().collect()));
    };
    let is_given = |folder: &String| summaries.iter().any(|summary| summary.folder == *folder);
    match job.blocks.iter().find(|folder| !is_given(folder)) {
        Some(folder) => Err(Error::Internal(format!("a compaction strategy has chosen {folder}, which is no block"))),
        None => Ok(Chosen::Job(job)),
    }
}

/// How many spans of it are gone for good.
fn deleted(entry: &CatalogBlock) -> u64 {
    entry.deleted.as_ref().map_or(0, |deleted| deleted.rows).saturating_sub(entry.moved)
}

fn summary(entry: &CatalogBlock, block: &Block) -> BlockSummary {
    let meta = block.meta();
    let created = entry.folder.parse::<BlockId>().ok().and_then(|id| id.created()).unwrap_or_default();
    BlockSummary {
        folder: entry.folder.clone(),
        level: entry.level,
        spans: meta.spans,
        deleted: deleted(entry),
        moved: entry.moved,
        bytes: meta.files.iter().map(|file| file.size).sum(),
        request_bytes: block.bytes_per_span().saturating_mul(meta.spans),
        start: meta.start,
        end: meta.end,
        created: u64::try_from(created.as_nanos()).unwrap_or(u64::MAX),
    }
}

/// The blocks of a job as they are in a version.
fn inputs<'a>(job: &CompactionJob, committed: &'a Committed) -> Result<Vec<(&'a CatalogBlock, &'a Arc<Block>)>> {
    let find = |folder: &String| {
        let mut entries = committed.version.blocks.iter().zip(&committed.blocks);
        let found = entries.find(|(entry, _)| entry.folder == *folder);
        found.ok_or_else(|| Error::Internal(format!("{folder} was chosen to be merged and is not there")))
    };
    job.blocks.iter().collect::<BTreeSet<_>>().into_iter().map(find).collect()
}
