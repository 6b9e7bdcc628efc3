//! Spans that go before their block does: a trace, or what a query finds.
//!
//! ```text
//! Deletion ─ a view of the blocks ─▶ found: rows of the view ─▶ rows: rows of the blocks, all copies ─▶ apply: files, a version
//! ```
//!
//! The rows stay in their block until compaction rewrites it; nobody sees them from the version on that names them.

mod apply;
mod file;
mod found;
mod rows;

use std::{fmt, sync::Arc};

pub(super) use apply::{Doomed, Outcome};
pub(super) use file::{collect_files, load, write};
pub(super) use found::FoundTraces;
pub use found::{FoundSpans, SpanSelector};
pub(super) use rows::{DoomedRows, rows_of_traces};

use self::rows::{rows_of_spans, rows_of_trace};
use super::{Snapshot, trace_store::Core};
use crate::{Error, Result, model::TraceId};

/// How often a deletion begins again because blocks were changed meanwhile.
const ATTEMPTS: usize = 10;

/// What is to be deleted.
#[derive(Debug, Clone)]
pub enum Deletion {
    /// A trace.
    Trace(TraceId),
    /// Every trace of which a span is found.
    Traces(Arc<dyn SpanSelector>),
    /// Every span that is found.
    Spans(Arc<dyn SpanSelector>),
}

/// What a deletion did, or [would do](Deletion::preview).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletionReport {
    /// Traces that lose spans.
    pub traces: u64,
    /// Spans that go, as queries count them.
    pub spans: u64,
    /// The same with all stored copies.
    pub stored_spans: u64,
    /// Blocks that hold them.
    pub blocks: u64,
    /// Those of which nothing is left: they are removed.
    pub removed_blocks: u64,
    /// Those that were written anew without the spans: the traces that lost some would have been too many to be made whole
    /// for each view. 0 in a preview.
    pub rewritten_blocks: u64,
}

impl fmt::Display for Deletion {
    /// As the audit has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trace(id) => write!(f, "trace {id}"),
            Self::Traces(selector) => write!(f, "traces {selector}"),
            Self::Spans(selector) => write!(f, "spans {selector}"),
        }
    }
}

impl Deletion {
    /// What deleting it would do to a store that is as a view of it. Changes nothing.
    ///
    /// # Errors
    /// [`Error::Selector`], [`Error::Io`], [`Error::Corrupt`].
    pub fn preview(&self, snapshot: &Snapshot) -> Result<DeletionReport> {
        Ok(self.rows(snapshot)?.report(snapshot))
    }

    /// The rows that are to go.
    fn rows(&self, stored: &Snapshot) -> Result<DoomedRows> {
        match self {
            Self::Trace(id) => rows_of_trace(stored, id),
            Self::Traces(selector) => {
                let view = stored.whole()?;
                rows_of_traces(stored, &view, &FoundSpans::find(selector.as_ref(), &view)?.traces(&view)?)
            }
            Self::Spans(selector) => {
                let view = stored.whole()?;
                rows_of_spans(stored, &view, &FoundSpans::find(selector.as_ref(), &view)?)
            }
        }
    }
}

impl Core {
    /// Deletes.
    pub(super) fn delete(&self, deletion: &Deletion) -> Result<DeletionReport> {
        self.flush()?;
        for _ in 0..ATTEMPTS {
            let committed = self.committed()?;
            let stored = committed.snapshot([]);
            let rows = deletion.rows(&stored)?;
            let mut report = rows.report(&stored);
            if rows.is_empty() {
                return Ok(report);
            }
            let doomed = Doomed { rows, blocks: Vec::new(), action: "delete", detail: deletion.to_string() };
            match self.apply(&committed, &stored, doomed) {
                Ok(Outcome { rewritten_blocks }) => {
                    report.rewritten_blocks = rewritten_blocks;
                    return Ok(report);
                }
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict)
    }
}
