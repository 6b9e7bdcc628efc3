//! A service graph kept over a restart: its series, and the halves of edges that wait for each other.

use std::collections::VecDeque;

use super::{
    config::ServiceGraphConfig,
    half::Half,
    pairing::{GraphCounts, Pairing, Waiting},
    processor::{EdgeSeries, EdgeTable, ServiceGraph},
};
use crate::spanmetrics::{Histogram, SeriesTable, Shape, StateReader, StateWriter};

/// What of a configuration the series depend on.
struct Form {
    messaging: bool,
    shape: Shape,
}

impl Form {
    fn save(&self, state: &mut StateWriter) {
        state.flag(self.messaging);
        self.shape.save(state);
    }

    fn restore(state: &mut StateReader<'_>) -> Option<Self> {
        Some(Self { messaging: state.flag()?, shape: Shape::restore(state)? })
    }
}

impl ServiceGraph {
    /// Writes what was counted and what waits; only without intervals.
    pub(crate) fn save(&self, state: &mut StateWriter) {
        Form { messaging: self.series.messaging, shape: self.series.shape.clone() }.save(state);
        self.series.table.save(state, |series, state| {
            state.number(series.requests);
            state.number(series.failed);
            [&series.server, &series.client].into_iter().chain(&series.messaging).for_each(|seen| seen.save(state));
        });
        self.pairing.save(state);
    }

    /// Goes on where the one ended that wrote this. Where the buckets are others now, latencies begin anew. `None`, and
    /// nothing has changed, where the state is none.
    pub(crate) fn restore(&mut self, state: &[u8]) -> Option<()> {
        let state = &mut StateReader::new(state);
        let form = Form::restore(state)?;
        let table = self.series.read(&form, state)?;
        self.pairing.restore(state)?;
        self.series.table = table;
        self.series.recount_values();
        Some(())
    }

    /// The graph that a state has, to be looked at.
    pub(crate) fn saved(state: &[u8]) -> Option<Self> {
        let state = &mut StateReader::new(state);
        let form = Form::restore(state)?;
        let config = ServiceGraphConfig {
            messaging_latency: form.messaging,
            histogram_buckets: form.shape.bounds.to_vec(),
            histograms: form.shape.mode,
            ..ServiceGraphConfig::default()
        };
        let mut graph = Self::new(config).ok()?;
        graph.series.table = graph.series.read(&form, state)?;
        graph.pairing.restore(state)?;
        Some(graph)
    }
}

impl EdgeTable {
    fn read(&self, form: &Form, state: &mut StateReader<'_>) -> Option<SeriesTable<EdgeSeries>> {
        let histogram = |state: &mut StateReader<'_>| {
            let read = Histogram::restore(&form.shape, state)?;
            Some(if form.shape == self.shape { read } else { Histogram::new(&self.shape) })
        };
        SeriesTable::restore(self.table.limit(), state, |state| {
            let (requests, failed) = (state.number()?, state.number()?);
            let (server, client) = (histogram(state)?, histogram(state)?);
            let read = if form.messaging { Some(histogram(state)?) } else { None };
            let messaging = self.messaging.then(|| read.unwrap_or_else(|| Histogram::new(&self.shape)));
            Some(EdgeSeries { requests, failed, server, client, messaging })
        })
    }
}

impl Pairing {
    fn save(&self, state: &mut StateWriter) {
        let GraphCounts { edges, expired, dropped, filtered, .. } = self.counts;
        [edges, expired, dropped, filtered].into_iter().for_each(|count| state.integer(count));
        state.integer(self.waiting.len() as u64);
        for ((trace, span), waiting) in &self.waiting {
            state.ids(*trace, Some(*span));
            state.integer(waiting.due);
            state.flag(waiting.client.is_some());
            waiting.client.iter().for_each(|half| half.save(state));
            state.integer(waiting.servers.len() as u64);
            waiting.servers.iter().for_each(|half| half.save(state));
        }
    }

    fn restore(&mut self, state: &mut StateReader<'_>) -> Option<()> {
        let (edges, expired) = (state.integer()?, state.integer()?);
        let (dropped, filtered) = (state.integer()?, state.integer()?);
        let mut waiting = Vec::new();
        for _ in 0..state.count()? {
            let key = (state.trace_id()?, state.span_id()?);
            let due = state.integer()?;
            let client = if state.flag()? { Some(Half::restore(state)?) } else { None };
            let servers = (0..state.count()?).map(|_| Half::restore(state)).collect::<Option<_>>()?;
            waiting.push((key, Waiting { client, paired: false, servers, due }));
        }
        state.is_empty().then_some(())?;
        let mut queue: Vec<_> = waiting.iter().map(|(key, waiting)| (waiting.due, *key)).collect();
        queue.sort_unstable();
        self.queue = VecDeque::from(queue);
        self.waiting = waiting.into_iter().collect();
        self.counts = GraphCounts { edges, expired, dropped, filtered, ..GraphCounts::default() };
        Some(())
    }
}

impl Half {
    fn save(&self, state: &mut StateWriter) {
        state.ids(self.trace_id, None);
        state.bytes(self.service.as_bytes());
        state.integer(self.start);
        state.integer(self.end);
        state.flag(self.failed);
        state.flag(self.messaging);
        state.number(self.weight);
        state.flag(self.peer.is_some());
        self.peer.iter().for_each(|peer| state.bytes(peer.as_bytes()));
        state.integer(self.dimensions.len() as u64);
        self.dimensions.iter().for_each(|value| state.bytes(value.as_bytes()));
    }

    fn restore(state: &mut StateReader<'_>) -> Option<Self> {
        let trace_id = state.trace_id()?;
        let service = state.text()?.to_owned();
        let (start, end) = (state.integer()?, state.integer()?);
        let (failed, messaging, weight) = (state.flag()?, state.flag()?, state.number()?);
        let peer = if state.flag()? { Some(state.text()?.to_owned()) } else { None };
        let dimensions = (0..state.count()?).map(|_| state.text().map(str::to_owned)).collect::<Option<_>>()?;
        // What durations are made of.
        let end = end.max(start);
        Some(Self { trace_id, service, start, end, failed, messaging, weight, peer, dimensions })
    }
}
