//! A plan that is run under watch: progress is told, limits are kept. A search that is to stop raises the watermark
//! beyond all traces: the scan then leaves out what it has not begun, and what is found by then comes out.

use std::{
    ops::ControlFlow,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use datafusion::{
    arrow::array::RecordBatch,
    execution::TaskContext,
    physical_plan::{ExecutionPlan, collect, metrics::MetricsSet},
};
use tokio::sync::mpsc;
use tracestore::table::Watermark;

use super::{SearchOptions, SearchStats};
use crate::{Error, Result};

/// How often a running search is looked at.
const TICK: Duration = Duration::from_millis(5);

/// How far a search is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Parts of blocks (row groups, or parts of one) that are done or left out.
    pub units: u64,
    /// Rows for which a condition was tested.
    pub rows: u64,
    /// Bytes of columns that were decoded.
    pub bytes: u64,
    /// Traces found so far, some of which later ones may push out.
    pub traces: u64,
    /// Since the search began.
    pub elapsed: Duration,
}

/// Whoever wants to know how far a search is, and may end it.
pub(super) type Watch<'w> = &'w mut (dyn FnMut(&Progress) -> ControlFlow<()> + Send);

/// Runs a plan to its end, or until a limit is met or `watch` says to stop. Gives the rows, and whether they are all.
pub(super) async fn run_watched(
    plan: &Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
    watermark: &Watermark,
    options: &SearchOptions,
    mut watch: Option<Watch<'_>>,
) -> Result<(Vec<RecordBatch>, bool)> {
    let mut run = pin!(collect(Arc::clone(plan), task));
    if watch.is_none() && options.timeout.is_none() && options.max_bytes.is_none() {
        let found = run.await.map_err(|error| explain_limit(error.into(), options))?;
        return Ok((found, true));
    }
    let begun = Instant::now();
    // Whether to stop now.
    let mut look = || -> Result<bool> {
        let progress = progress(plan, begun);
        match exceeded(&progress, options) {
            Some(limit) if !options.allow_partial => Err(Error::Limit(limit)),
            Some(_) => Ok(true),
            None => Ok(watch.as_mut().is_some_and(|watch| watch(&progress).is_break())),
        }
    };
    // The first look comes before anything is read: a search that has no time ends at once.
    let mut stopped = look()?;
    if stopped {
        watermark.raise(u64::MAX);
    }
    let mut ticks = ticks();
    loop {
        tokio::select! {
            biased;
            Some(()) = ticks.recv(), if !stopped => {
                stopped = look()?;
                if stopped {
                    watermark.raise(u64::MAX);
                }
            }
            found = &mut run => {
                let found = found.map_err(|error| explain_limit(error.into(), options))?;
                // A short search is done before the next look. That it took long does not matter any more.
                match bytes_exceeded(&progress(plan, begun), options) {
                    Some(limit) if !options.allow_partial => return Err(Error::Limit(limit)),
                    _ => return Ok((found, !stopped)),
                }
            }
        }
    }
}

/// A tick every few milliseconds, as long as somebody listens. From a thread of its own: the caller's runtime may have
/// no timer.
fn ticks() -> mpsc::Receiver<()> {
    let (sender, receiver) = mpsc::channel(1);
    let tick = move || {
        loop {
            std::thread::sleep(TICK);
            if let Err(mpsc::error::TrySendError::Closed(())) = sender.try_send(()) {
                return;
            }
        }
    };
    // Without the thread limits are kept only as far as the first look goes; there is no memory for anything then.
    let _ = std::thread::Builder::new().name("traceql-watch".to_owned()).spawn(tick);
    receiver
}

fn progress(plan: &Arc<dyn ExecutionPlan>, begun: Instant) -> Progress {
    Progress {
        units: sum(plan, "row_groups"),
        rows: sum(plan, "rows_scanned"),
        bytes: sum(plan, "bytes_scanned"),
        traces: sum(plan, "traces_matched"),
        elapsed: begun.elapsed(),
    }
}

/// The limit that is met, as a sentence.
fn exceeded(progress: &Progress, options: &SearchOptions) -> Option<String> {
    if let Some(timeout) = options.timeout.filter(|timeout| progress.elapsed >= *timeout) {
        return Some(format!("the search took longer than {timeout:.2?}"));
    }
    bytes_exceeded(progress, options)
}

fn bytes_exceeded(progress: &Progress, options: &SearchOptions) -> Option<String> {
    let limit = options.max_bytes.filter(|limit| progress.bytes > *limit)?;
    Some(format!("the search decoded more than {limit} bytes"))
}

/// The error of a search, the limit that it met, if it is one, put as a sentence.
pub(super) fn explain_limit(error: Error, options: &SearchOptions) -> Error {
    match (error, options.max_memory) {
        (Error::Limit(_), Some(limit)) => Error::Limit(format!("the search needs more than {limit} bytes of memory")),
        (error, _) => error,
    }
}

/// Adds what the scans of a plan that was run have counted.
pub(super) fn add_scans(stats: &mut SearchStats, plan: &Arc<dyn ExecutionPlan>) {
    stats.rows_read += sum(plan, "rows_scanned");
    stats.bytes_read += sum(plan, "bytes_scanned");
    stats.row_groups += sum(plan, "row_groups");
    let reasons = ["time", "limit", "key", "statistics", "dictionary"];
    stats.row_groups_pruned +=
        reasons.map(|reason| sum(plan, &format!("row_groups_pruned_{reason}"))).iter().sum::<u64>();
}

/// The sum of a metric over all operators of a plan.
fn sum(plan: &Arc<dyn ExecutionPlan>, name: &str) -> u64 {
    let own = plan.metrics().as_ref().and_then(|metrics: &MetricsSet| metrics.sum_by_name(name));
    let below: u64 = plan.children().into_iter().map(|child| sum(child, name)).sum();
    own.map_or(0, |value| value.as_usize() as u64) + below
}
