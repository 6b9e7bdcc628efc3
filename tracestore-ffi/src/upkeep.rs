//! What is done to blocks after they were made: merged, and rid of what is to go.

use std::{ffi::c_char, sync::Arc};

use traceql::QuerySelector;
use tracestore::{CompactionReport, CompactionStrategy, Deletion, DeletionReport, TimeWindows, model::TraceId};

use crate::{
    boundary::boundary,
    error::{Fault, ts_code, ts_error},
    options::flag,
    sized::{Sized, SizedOut},
    store::ts_store,
    text::text,
};

/// The spans that a search finds.
pub const TS_DELETE_SPANS: u32 = 0;
/// The whole traces of the spans that a search finds.
pub const TS_DELETE_TRACES: u32 = 1;
/// One trace: the text is its id.
pub const TS_DELETE_TRACE: u32 = 2;

/// What a compaction did.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ts_compaction_result {
    /// To be set to `sizeof(ts_compaction_result)`.
    pub size: usize,
    /// Blocks that were merged.
    pub blocks_before: u64,
    /// Blocks that they became.
    pub blocks_after: u64,
    /// Spans that were stored in them.
    pub spans_before: u64,
    /// Spans that are stored now: without copies, and without what was deleted.
    pub spans_after: u64,
    /// Bytes of the files before.
    pub bytes_before: u64,
    /// Bytes of the files after.
    pub bytes_after: u64,
    /// Jobs whose blocks cannot be merged, and stay as they are; the log says why.
    pub left_alone: u64,
}

// SAFETY: numbers of eight bytes; the size comes first.
unsafe impl Sized for ts_compaction_result {}

/// What a deletion did, or would do.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ts_deletion_result {
    /// To be set to `sizeof(ts_deletion_result)`.
    pub size: usize,
    /// Traces that lose spans.
    pub traces: u64,
    /// Spans that go, as queries count them.
    pub spans: u64,
    /// The same with all stored copies.
    pub stored_spans: u64,
    /// Blocks that hold them.
    pub blocks: u64,
}

// SAFETY: numbers of eight bytes; the size comes first.
unsafe impl Sized for ts_deletion_result {}

impl From<&CompactionReport> for ts_compaction_result {
    fn from(report: &CompactionReport) -> Self {
        Self {
            size: 0,
            blocks_before: report.inputs,
            blocks_after: report.outputs,
            spans_before: report.spans_in,
            spans_after: report.spans_out,
            bytes_before: report.bytes_in,
            bytes_after: report.bytes_out,
            left_alone: report.left_alone.len() as u64,
        }
    }
}

impl From<&DeletionReport> for ts_deletion_result {
    fn from(report: &DeletionReport) -> Self {
        let DeletionReport { traces, spans, stored_spans, blocks, .. } = *report;
        Self { size: 0, traces, spans, stored_spans, blocks }
    }
}

/// Merges small blocks into larger ones where that is due, as the store's own thread does it. With `at_once` (1) blocks of
/// hours that may not be over are merged, too, and every block with deleted spans is written anew, without them. The store
/// goes on taking spans and answering queries; of two compactions one waits. `result` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_store_compact(
    store: *mut ts_store,
    at_once: u32,
    result: *mut ts_compaction_result,
    error: *mut *mut ts_error,
) -> ts_code {
    boundary(error, || {
        // SAFETY: that the struct has the size that it names is the caller's word.
        let out = unsafe { SizedOut::optional(result, "result") }?;
        let at_once = flag(at_once, "at_once")?.then(|| TimeWindows::default().at_once());
        let strategy = at_once.as_ref().map(|strategy| -> &dyn CompactionStrategy { strategy });
        let report = crate::store::store(store)?.writer()?.compact(strategy)?;
        for left in &report.left_alone {
            log::warn!("blocks {} were not merged: {}", left.blocks.join(", "), left.reason);
        }
        if let Some(out) = out {
            out.put(&ts_compaction_result::from(&report));
        }
        Ok(())
    })
}

/// Deletes spans for good: `TS_DELETE_...` says what the text is. Queries do not see them from the moment this returns; the
/// bytes leave the disk when their blocks are compacted. What waits is made into a block first. With `dry_run` (1) nothing
/// is done, and the result tells what would be. `result` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_store_delete(
    store: *mut ts_store,
    what: u32,
    selection: *const c_char,
    selection_length: usize,
    dry_run: u32,
    result: *mut ts_deletion_result,
    error: *mut *mut ts_error,
) -> ts_code {
    boundary(error, || {
        // SAFETY: that the struct has the size that it names is the caller's word.
        let out = unsafe { SizedOut::optional(result, "result") }?;
        // SAFETY: what the argument points to is the caller's word.
        let selection = unsafe { text(selection, selection_length, "selection") }?;
        let dry_run = flag(dry_run, "dry_run")?;
        let deletion = deletion(what, selection)?;
        let store = crate::store::store(store)?;
        let report = match dry_run {
            true => deletion.preview(&store.snapshot()?)?,
            false => store.writer()?.delete(&deletion)?,
        };
        if let Some(out) = out {
            out.put(&ts_deletion_result::from(&report));
        }
        Ok(())
    })
}

fn deletion(what: u32, selection: &str) -> Result<Deletion, Fault> {
    Ok(match what {
        TS_DELETE_SPANS => Deletion::Spans(Arc::new(QuerySelector::new(selection)?)),
        TS_DELETE_TRACES => Deletion::Traces(Arc::new(QuerySelector::new(selection)?)),
        TS_DELETE_TRACE => Deletion::Trace(selection.parse::<TraceId>().map_err(tracestore::Error::from)?),
        other => return Err(Fault::argument(format!("`what` is {other}: there is no such selection"))),
    })
}
