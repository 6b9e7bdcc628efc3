//! One question to an engine: the same way in each measurement.

use std::cell::Cell;

use traceql::{Engine, MetricsOptions, SearchOptions, SearchStats, TagOptions};
use tracestore::{Snapshot, model::TraceId};

use crate::{
    Result,
    queries::{Kind, Question},
};

/// The step of metrics queries, 15 s.
pub(crate) const STEP: u64 = 15_000_000_000;

/// What an answer is told of.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Answer {
    /// Traces, series, or texts.
    pub(crate) results: usize,
    /// What it took, where the engine tells.
    pub(crate) stats: Option<SearchStats>,
}

/// An engine, and what it takes to ask it.
#[derive(Debug)]
pub(crate) struct Asker {
    runtime: tokio::runtime::Runtime,
    engine: Engine,
    /// From the first trace to the last, ns.
    range: (u64, u64),
    /// Traces to be looked up, one after the other.
    traces: Vec<TraceId>,
    asked: Cell<usize>,
}

impl Asker {
    pub(crate) fn new(engine: Engine, traces: Vec<TraceId>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
        let range = time_range(engine.snapshot());
        Ok(Self { runtime, engine, range, traces, asked: Cell::new(0) })
    }

    /// The answer to a question. No two metrics queries are about the same range: nothing could be answered from an
    /// answer.
    pub(crate) fn ask(&self, question: &Question) -> Result<Answer> {
        let asked = self.asked.replace(self.asked.get() + 1);
        match question.kind {
            Kind::Search => {
                let found = self.runtime.block_on(self.engine.search(question.text, &SearchOptions::default()))?;
                Ok(Answer { results: found.traces.len(), stats: Some(found.stats) })
            }
            Kind::Metrics => {
                let (start, end) = self.range;
                let options = MetricsOptions::new(start - 1 - asked as u64, end + asked as u64).with_step(STEP);
                let found = self.runtime.block_on(self.engine.query_range(question.text, &options))?;
                Ok(Answer { results: found.series.len(), stats: Some(found.stats) })
            }
            Kind::Trace => {
                let id = self.traces.get(asked % self.traces.len().max(1)).ok_or("there is no trace")?;
                let trace = self.engine.snapshot().find_trace(id)?;
                Ok(Answer { results: trace.map_or(0, |_| 1), stats: None })
            }
            Kind::TagNames(query) => {
                let found = self.runtime.block_on(self.engine.tag_names(&tags(query)))?;
                Ok(Answer { results: found.scopes.iter().map(|scope| scope.names.len()).sum(), stats: None })
            }
            Kind::TagValues(field, query) => {
                let found = self.runtime.block_on(self.engine.tag_values(field, &tags(query)))?;
                Ok(Answer { results: found.values.len(), stats: None })
            }
        }
    }

    /// Some traces, for lookups.
    pub(crate) fn sample_traces(&self) -> Result<Vec<TraceId>> {
        let options = SearchOptions::default().with_limit(1_000);
        let found = self.runtime.block_on(self.engine.search("{ }", &options))?;
        Ok(found.traces.iter().map(|trace| trace.trace_id).collect())
    }
}

fn tags(query: Option<&str>) -> TagOptions {
    let mut options = TagOptions::default();
    options.query = query.map(str::to_owned);
    options
}

/// From the first trace to the last.
pub(crate) fn time_range(snapshot: &Snapshot) -> (u64, u64) {
    let ranges = || snapshot.blocks().iter().map(|block| block.time_range());
    (ranges().map(|(start, _)| start).min().unwrap_or(1_000), ranges().map(|(_, end)| end).max().unwrap_or(2_000))
}
