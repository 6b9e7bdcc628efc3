//! How long what is kept: by age, by size, and by what a trace is.
//!
//! ```text
//! policy, blocks, time ─ decide ─▶ blocks that go whole, unread
//! policy, whole view   ─ traces ─▶ traces whose time is over ─▶ deletion::rows ─▶ deletion::apply
//! ```

mod decide;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests;
mod traces;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

pub(super) use self::traces::Due;
use self::{
    decide::{BlockAge, blocks_to_drop},
    traces::traces_to_drop,
};
use super::{
    Snapshot, SpanSelector,
    deletion::{Doomed, DoomedRows, rows_of_traces},
    trace_store::Core,
};
use crate::{Error, Result, block::Block};

/// How often a run begins again because blocks were changed meanwhile.
const ATTEMPTS: usize = 10;

/// What a store keeps. The default keeps everything.
///
/// For each trace the first rule that matches it decides; one that no rule matches is kept. A trace's age counts from its
/// latest end, over all of its parts that are in blocks; one without any times goes with its block. Blocks in which everything is older than any rule keeps go without
/// a look into them: what of their traces lies in younger blocks stays until its own time.
#[derive(Debug, Clone, Default)]
pub struct RetentionPolicy {
    /// In the order of their precedence.
    pub rules: Vec<RetentionRule>,
    /// All blocks together may have this many bytes; beyond, those go whose traces ended first, whole, whatever the rules
    /// say.
    pub max_bytes: Option<u64>,
}

/// How long some traces are kept.
#[derive(Debug, Clone)]
pub struct RetentionRule {
    /// Those of which a span is found; `None`: all.
    pub traces: Option<Arc<dyn SpanSelector>>,
    /// This share of them, 0 to 1: decided by their ids alone, so always the same ones. The others are left to the rules
    /// that follow.
    pub share: f64,
    /// From the trace's end on; `None`: for ever.
    pub keep: Option<Duration>,
}

/// What a run of retention did, or [would do](RetentionPolicy::preview).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetentionReport {
    /// Traces whose time is over; one that lies in several blocks which go whole counts in each.
    pub traces: u64,
    /// Their stored spans, copies counted.
    pub stored_spans: u64,
    /// Blocks that are removed.
    pub removed_blocks: u64,
    /// Their bytes. Those of traces in other blocks are gone when these are compacted.
    pub removed_bytes: u64,
}

impl RetentionRule {
    /// All traces.
    #[must_use]
    pub fn all(keep: Option<Duration>) -> Self {
        Self { traces: None, share: 1.0, keep }
    }

    fn matches_all(&self) -> bool {
        self.traces.is_none() && self.share >= 1.0
    }
}

impl fmt::Display for RetentionPolicy {
    /// As the audit has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.rules.iter().map(RetentionRule::to_string);
        let size = self.max_bytes.map(|bytes| format!("{bytes} bytes"));
        f.write_str(&rules.chain(size).collect::<Vec<_>>().join("; "))
    }
}

impl fmt::Display for RetentionRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.share < 1.0 {
            write!(f, "{} % of ", self.share * 100.0)?;
        }
        match &self.traces {
            Some(selector) => write!(f, "{selector}: ")?,
            None => f.write_str("all: ")?,
        }
        match self.keep {
            Some(keep) => write!(f, "{keep:?}"),
            None => f.write_str("for ever"),
        }
    }
}

/// What is to go.
#[derive(Debug, Default)]
struct Expired {
    blocks: Vec<Arc<Block>>,
    /// What is left, and rows of it.
    others: Option<Snapshot>,
    rows: DoomedRows,
}

impl Expired {
    fn report(&self) -> RetentionReport {
        let emptied = self.others.iter().flat_map(|others| self.rows.emptied(others));
        let removed: Vec<&Arc<Block>> = self.blocks.iter().chain(emptied).collect();
        RetentionReport {
            traces: self.rows.traces + self.blocks.iter().map(|block| block.traces()).sum::<u64>(),
            stored_spans: self.rows.stored_spans() + self.blocks.iter().map(|block| block.spans()).sum::<u64>(),
            removed_blocks: removed.len() as u64,
            removed_bytes: removed.iter().map(|block| block.size()).sum(),
        }
    }
}

impl RetentionPolicy {
    /// What it would remove from a store that is as a view of it, live data included. Changes nothing.
    ///
    /// # Errors
    /// [`Error::Selector`], [`Error::Io`], [`Error::Corrupt`].
    pub fn preview(&self, snapshot: &Snapshot, now: SystemTime) -> Result<RetentionReport> {
        Ok(self.expired(snapshot.blocks(), nanos(now), &mut Due::default())?.report())
    }

    /// What of some blocks is to go. `due` remembers what need not be looked at before some time.
    fn expired(&self, blocks: &[Arc<Block>], now: u64, due: &mut Due) -> Result<Expired> {
        let ages: Vec<_> =
            blocks.iter().map(|block| BlockAge { end: block.time_range().1, bytes: block.size() }).collect();
        let gone = blocks_to_drop(self, &ages, now);
        let (mut dropped, mut others) = (Vec::new(), Vec::new());
        for (number, block) in blocks.iter().enumerate() {
            let list = if gone.contains(&number) { &mut dropped } else { &mut others };
            list.push(Arc::clone(block));
        }
        let others = Snapshot::new(others);
        let rows = match traces_to_drop(self, &others, now, due)? {
            Some((view, traces)) => rows_of_traces(&others, &view, &traces)?,
            None => DoomedRows::default(),
        };
        Ok(Expired { blocks: dropped, others: Some(others), rows })
    }
}

impl Core {
    /// Removes what a policy does not keep.
    pub(super) fn retain(&self, policy: &RetentionPolicy, now: SystemTime, due: &mut Due) -> Result<RetentionReport> {
        for _ in 0..ATTEMPTS {
            let committed = self.committed()?;
            let expired = policy.expired(&committed.blocks, nanos(now), due)?;
            let report = expired.report();
            let Expired { blocks, others: Some(others), rows } = expired else { return Ok(report) };
            if blocks.is_empty() && rows.is_empty() {
                return Ok(report);
            }
            let doomed = Doomed { rows, blocks, action: "retention", detail: policy.to_string() };
            match self.apply(&committed, &others, doomed) {
                Ok(_) => return Ok(report),
                // What is due was found out for what is gone now.
                Err(Error::Conflict) => *due = Due::default(),
                Err(error) => {
                    *due = Due::default();
                    return Err(error);
                }
            }
        }
        Err(Error::Conflict)
    }
}

fn nanos(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}
