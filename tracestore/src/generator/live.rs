//! What is counted while spans come in.

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::recent::RecentRequests;
use crate::{
    IngestObserver,
    servicegraph::{GraphCounts, ServiceGraph, ServiceGraphConfig},
    spanmetrics::{
        ConfigError, Exposition, SpanCounts, SpanMetrics, SpanMetricsConfig, StateReader, StateWriter, for_each_span,
    },
};

/// The name of the state in a store.
pub(super) const NAME: &str = "span-metrics";
/// The format of the state.
pub(super) const FORMAT: u64 = 1;
const STALE_DURATION: Duration = Duration::from_secs(15 * 60);
/// How often stale series are looked for, in ns.
const SWEEP: u64 = 60_000_000_000;

/// Counts the spans that a store takes: span metrics, a service graph, or both. Given as
/// [`StoreOptions::observer`](crate::StoreOptions::observer), it goes on over restarts where it was.
///
/// A request that comes again with the same bytes, as clients do that were not answered, counts once: the latest 16,384 are
/// remembered, also over a restart.
#[derive(Debug)]
pub struct MetricsGenerator {
    stale: u64,
    clock: Clock,
    state: Mutex<State>,
}

/// Tells the time in ns since 1970.
#[derive(Clone)]
struct Clock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

#[derive(Debug)]
struct State {
    metrics: Option<SpanMetrics>,
    graph: Option<ServiceGraph>,
    recent: RecentRequests,
    repeated: u64,
    /// When stale series were last looked for.
    swept: u64,
    /// The time that was taken for the last replayed request.
    replayed: u64,
}

/// What became of the spans that a generator was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct GeneratorCounts {
    /// In span metrics.
    pub spans: SpanCounts,
    /// In the service graph.
    pub graph: GraphCounts,
    /// Requests that had come before, in this session.
    pub repeated: u64,
}

impl MetricsGenerator {
    /// Counts from 0, what it is given a configuration for.
    ///
    /// # Errors
    /// What is wrong with a configuration.
    pub fn new(
        span_metrics: Option<SpanMetricsConfig>,
        service_graphs: Option<ServiceGraphConfig>,
    ) -> Result<Self, ConfigError> {
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
        let state = State {
            metrics: span_metrics.map(SpanMetrics::new).transpose()?,
            graph: service_graphs.map(ServiceGraph::new).transpose()?,
            recent: RecentRequests::new(),
            repeated: 0,
            swept: 0,
            replayed: 0,
        };
        let stale = STALE_DURATION.as_nanos() as u64;
        Ok(Self { stale, clock: Clock(Arc::new(clock)), state: Mutex::new(state) })
    }

    /// How long series stay that nothing is counted for; 15 minutes unless this says otherwise.
    #[must_use]
    pub fn with_stale_duration(mut self, duration: Duration) -> Self {
        self.stale = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self
    }

    /// Another clock, in ns since 1970: spans that wait and stale series go by it.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.clock = Clock(Arc::new(clock));
        self
    }

    fn now(&self) -> u64 {
        self.clock.0()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes all series, in the order of their labels. Does not end the document.
    ///
    /// # Errors
    /// What the output says.
    pub fn write(&self, out: &mut dyn Exposition) -> io::Result<()> {
        let state = self.state();
        state.metrics.as_ref().map_or(Ok(()), |metrics| metrics.write(out))?;
        state.graph.as_ref().map_or(Ok(()), |graph| graph.write(out))
    }

    /// Forgets exemplars: they stand for what was counted between two collections.
    pub fn clear_exemplars(&self) {
        let mut state = self.state();
        state.metrics.iter_mut().for_each(SpanMetrics::clear_exemplars);
        state.graph.iter_mut().for_each(ServiceGraph::clear_exemplars);
    }

    /// What became of the spans.
    #[must_use]
    pub fn counts(&self) -> GeneratorCounts {
        let state = self.state();
        GeneratorCounts {
            spans: state.metrics.as_ref().map(SpanMetrics::counts).unwrap_or_default(),
            graph: state.graph.as_ref().map(ServiceGraph::counts).unwrap_or_default(),
            repeated: state.repeated,
        }
    }

    /// How many label sets there are, of both kinds.
    #[must_use]
    pub fn entities(&self) -> usize {
        let state = self.state();
        state.metrics.as_ref().map_or(0, SpanMetrics::entities) + state.graph.as_ref().map_or(0, ServiceGraph::entities)
    }
}

impl State {
    fn take(&mut self, request: &[u8], now: u64) {
        if !self.recent.is_new(request) {
            self.repeated += 1;
            return;
        }
        let Self { metrics, graph, .. } = self;
        graph.iter_mut().for_each(|graph| graph.expire(now));
        for_each_span(request, &mut |span| {
            metrics.iter_mut().for_each(|metrics| metrics.observe(span, now));
            graph.iter_mut().for_each(|graph| graph.observe(span, now));
        });
    }

    fn tick(&mut self, now: u64, stale: u64) {
        self.graph.iter_mut().for_each(|graph| graph.expire(now));
        if now.saturating_sub(self.swept) >= SWEEP {
            self.swept = now;
            let before = now.saturating_sub(stale);
            self.metrics.iter_mut().for_each(|metrics| metrics.remove_stale(before));
            self.graph.iter_mut().for_each(|graph| graph.remove_stale(before));
        }
    }

    fn save(&self) -> Vec<u8> {
        let mut state = StateWriter::default();
        state.integer(FORMAT);
        part(&mut state, self.metrics.as_ref(), SpanMetrics::save);
        part(&mut state, self.graph.as_ref(), ServiceGraph::save);
        self.recent.save(&mut state);
        state.into_bytes()
    }

    /// `None`, and nothing has changed, where the state is none.
    fn restore(&mut self, parts: &Parts<'_>) -> Option<()> {
        let recent = RecentRequests::restore(parts.recent)?;
        // Looked through first: all is restored, or nothing.
        parts.graph.map_or(Some(()), |part| ServiceGraph::saved(part).map(drop))?;
        if let (Some(metrics), Some(part)) = (&mut self.metrics, parts.metrics) {
            metrics.restore(part)?;
        }
        if let (Some(graph), Some(part)) = (&mut self.graph, parts.graph) {
            graph.restore(part)?;
        }
        self.recent = recent;
        Some(())
    }
}

/// A part of a state, which who does not want it can pass over.
fn part<T>(state: &mut StateWriter, counted: Option<&T>, save: fn(&T, &mut StateWriter)) {
    state.flag(counted.is_some());
    if let Some(counted) = counted {
        let mut part = StateWriter::default();
        save(counted, &mut part);
        state.bytes(&part.into_bytes());
    }
}

/// A state, taken apart.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) metrics: Option<&'a [u8]>,
    pub(super) graph: Option<&'a [u8]>,
    recent: StateReader<'a>,
}

impl<'a> Parts<'a> {
    /// # Errors
    /// Why it is none.
    pub(super) fn of(state: &'a [u8]) -> Result<Self, String> {
        let mut state = StateReader::new(state);
        match state.integer() {
            Some(FORMAT) => {}
            Some(format) => return Err(format!("format {format} of its state is not known")),
            None => return Err("its state is empty".to_owned()),
        }
        let mut part = || match state.flag()? {
            true => Some(Some(state.bytes()?)),
            false => Some(None),
        };
        let parts = (|| Some((part()?, part()?)))();
        let (metrics, graph) = parts.ok_or_else(damaged)?;
        Ok(Self { metrics, graph, recent: state })
    }
}

pub(super) fn damaged() -> String {
    "its state is not what was written".to_owned()
}

impl IngestObserver for MetricsGenerator {
    fn name(&self) -> &str {
        NAME
    }

    fn restore(&self, state: &[u8]) -> Result<(), String> {
        self.state().restore(&Parts::of(state)?).ok_or_else(damaged)?;
        // What was due meanwhile: no counter is behind what it was before.
        self.tick();
        Ok(())
    }

    /// When it came in is not known any more: about when its last span ended. So what was given up by then is given up
    /// again.
    fn replay(&self, request: &[u8]) {
        let mut ended = 0;
        for_each_span(request, &mut |span| ended = ended.max(span.end));
        let now = self.now();
        let mut state = self.state();
        state.replayed = state.replayed.max(ended).min(now);
        let then = state.replayed;
        state.take(request, then);
    }

    fn observe(&self, request: &[u8]) {
        let now = self.now();
        self.state().take(request, now);
    }

    fn tick(&self) {
        let now = self.now();
        self.state().tick(now, self.stale);
    }

    fn save(&self) -> Vec<u8> {
        self.state().save()
    }
}
