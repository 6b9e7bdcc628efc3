//! Service graphs as series: spans in, counters and histograms by client and server out.

use std::io;

use super::{
    config::ServiceGraphConfig,
    edge::{Connection, Edge},
    pairing::{GraphCounts, Pairing},
    walk::walk,
};
use crate::{
    Result, Snapshot,
    spanmetrics::{
        ConfigError, Counted, Each, Exemplar, Exposition, Family, FamilyKind, Histogram, HistogramMode, History,
        LabelBuffer, LabelNames, Labels, SeriesTable, Shape, SpanFacts, Window, check_bounds, entity_limit,
    },
};

const TOTAL: Family = Family {
    name: "traces_service_graph_request_total",
    help: "Number of requests between two nodes.",
    kind: FamilyKind::Counter,
};
const FAILED: Family = Family {
    name: "traces_service_graph_request_failed_total",
    help: "Number of failed requests between two nodes.",
    kind: FamilyKind::Counter,
};
const SERVER: Family = Family {
    name: "traces_service_graph_request_server_seconds",
    help: "Duration of requests as the server sees it.",
    kind: FamilyKind::Histogram,
};
const CLIENT: Family = Family {
    name: "traces_service_graph_request_client_seconds",
    help: "Duration of requests as the client sees it.",
    kind: FamilyKind::Histogram,
};
const MESSAGING: Family = Family {
    name: "traces_service_graph_request_messaging_system_seconds",
    help: "Time from the end of sending a message to the start of receiving it.",
    kind: FamilyKind::Histogram,
};

/// Counts requests between services.
#[derive(Debug)]
pub struct ServiceGraph {
    pub(super) pairing: Pairing,
    pub(super) series: EdgeTable,
}

/// The series. Apart from the pairing, which gives the edges.
#[derive(Debug)]
pub(super) struct EdgeTable {
    window: Window,
    pub(super) shape: Shape,
    /// A label for each dimension, or one for each side.
    dimensions: Vec<[String; 2]>,
    prefixed: bool,
    virtual_node: bool,
    pub(super) messaging: bool,
    buffer: LabelBuffer,
    pub(super) table: SeriesTable<EdgeSeries>,
}

#[derive(Debug)]
pub(super) struct EdgeSeries {
    pub(super) requests: f64,
    pub(super) failed: f64,
    pub(super) server: Histogram,
    pub(super) client: Histogram,
    pub(super) messaging: Option<Histogram>,
}

impl Counted for EdgeSeries {
    fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.failed += other.failed;
        self.server.merge(&other.server);
        self.client.merge(&other.client);
        if let (Some(messaging), Some(other)) = (&mut self.messaging, &other.messaging) {
            messaging.merge(other);
        }
    }
}

impl ServiceGraph {
    /// A graph of spans as they are received.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn new(config: ServiceGraphConfig) -> Result<Self, ConfigError> {
        let series = EdgeTable::new(&config, Window::all())?;
        Ok(Self { pairing: Pairing::new(config, false)?, series })
    }

    /// The graph of what a snapshot has in a window, with times where that has intervals. Paired exactly: see
    /// SPANMETRICS.md. A request is counted at the start of its server's span, or else of its client's.
    ///
    /// # Errors
    /// As [`Snapshot::whole`].
    pub fn of_snapshot(config: ServiceGraphConfig, window: Window, snapshot: &Snapshot) -> Result<Self> {
        let mut series = EdgeTable::new(&config, window)?;
        let mut pairing = Pairing::new(config, true)?;
        walk(&mut pairing, snapshot, &window, &mut |_| {}, &mut |edge| series.count(edge, 0))?;
        Ok(Self { pairing, series })
    }

    /// Takes a received span. `now` is the time of the clock, ns since 1970.
    pub fn observe(&mut self, span: &SpanFacts<'_>, now: u64) {
        let series = &mut self.series;
        self.pairing.push(span, now, &mut |edge| series.count(edge, now));
    }

    /// Gives up spans that have waited long enough: virtual nodes are made of them. To be called every second or two.
    pub fn expire(&mut self, now: u64) {
        let series = &mut self.series;
        self.pairing.expire(now, &mut |edge| series.count(edge, now));
    }

    /// Removes series that nothing was counted for since a time.
    pub fn remove_stale(&mut self, before: u64) {
        self.series.table.remove_before(before);
        self.series.recount_values();
    }

    /// Forgets exemplars: they stand for what was counted between two collections.
    pub fn clear_exemplars(&mut self) {
        for series in self.series.table.values_mut() {
            let histograms = [&mut series.server, &mut series.client].into_iter().chain(&mut series.messaging);
            histograms.for_each(Histogram::clear_exemplars);
        }
    }

    /// What became of the spans.
    #[must_use]
    pub fn counts(&self) -> GraphCounts {
        GraphCounts { overflowed: self.series.table.overflows(), ..self.pairing.counts }
    }

    /// How many label sets there are.
    #[must_use]
    pub fn entities(&self) -> usize {
        self.series.table.len()
    }

    /// Writes all series, in the order of their labels. Does not end the document.
    ///
    /// # Errors
    /// What the output says.
    pub fn write(&self, out: &mut dyn Exposition) -> io::Result<()> {
        let series = &self.series;
        write_families(out, &|visit| series.table.write(&series.window, || series.zero(), true, visit))
    }

    /// The same of a window with intervals, time by time.
    #[must_use]
    pub fn history(&self) -> History<'_> {
        let mut series = self.series.table.by_time(self.series.window, || self.series.zero(), true);
        History::new(move |out| {
            if !series.advance() {
                return Ok(false);
            }
            write_families(out, &|visit| series.each(visit))?;
            Ok(true)
        })
    }
}

fn write_families(out: &mut dyn Exposition, series: &Each<'_, EdgeSeries>) -> io::Result<()> {
    out.family(&TOTAL)?;
    series(&mut |labels, time, series| out.number(labels, time, series.requests))?;
    out.family(&FAILED)?;
    series(&mut |labels, time, series| out.number(labels, time, series.failed))?;
    out.family(&SERVER)?;
    series(&mut |labels, time, series| histogram(out, labels, time, Some(&series.server)))?;
    out.family(&CLIENT)?;
    series(&mut |labels, time, series| histogram(out, labels, time, Some(&series.client)))?;
    out.family(&MESSAGING)?;
    series(&mut |labels, time, series| histogram(out, labels, time, series.messaging.as_ref()))
}

/// Writes a histogram; one without observations only over time, where it may get some later.
fn histogram(
    out: &mut dyn Exposition,
    labels: Labels<'_>,
    time: Option<u64>,
    histogram: Option<&Histogram>,
) -> io::Result<()> {
    match histogram.filter(|histogram| time.is_some() || histogram.count() > 0.0) {
        Some(histogram) => out.histogram(labels, time, histogram),
        None => Ok(()),
    }
}

impl EdgeTable {
    fn new(config: &ServiceGraphConfig, window: Window) -> Result<Self, ConfigError> {
        check_bounds(&config.histogram_buckets)?;
        let shape = Shape { bounds: config.histogram_buckets.as_slice().into(), mode: config.histograms };
        let mut names =
            LabelNames::own(&["client", "server", "connection_type", "virtual_node", "le", "metric_overflow"]);
        let mut dimensions = Vec::new();
        for key in &config.dimensions {
            let source = format!("the dimension `{key}`");
            dimensions.push(match config.client_server_prefix {
                true => [
                    names.take(&format!("client_{key}"), source.clone())?,
                    names.take(&format!("server_{key}"), source)?,
                ],
                false => [names.take(key, source)?, String::new()],
            });
        }
        let buckets = if config.histograms == HistogramMode::Native { 1 } else { shape.bounds.len() + 3 };
        let per_entity = 2 + buckets * if config.messaging_latency { 3 } else { 2 };
        Ok(Self {
            window,
            shape,
            dimensions,
            prefixed: config.client_server_prefix,
            virtual_node: config.virtual_node_label,
            messaging: config.messaging_latency,
            buffer: LabelBuffer::new(config.labels),
            table: SeriesTable::new(entity_limit(config.max_active_series, config.max_active_entities, per_entity)),
        })
    }

    fn series(shape: &Shape, messaging: bool) -> EdgeSeries {
        let histogram = || Histogram::new(shape);
        let messaging = messaging.then(histogram);
        EdgeSeries { requests: 0.0, failed: 0.0, server: histogram(), client: histogram(), messaging }
    }

    /// The values that labels have now are those that count against their limit.
    pub(super) fn recount_values(&mut self) {
        self.buffer.keep_values_of(self.table.label_sets());
    }

    fn count(&mut self, edge: &Edge<'_>, now: u64) {
        let Some(interval) = self.window.interval_of(edge.time()) else { return };
        self.labels(edge);
        let (shape, messaging) = (&self.shape, self.messaging);
        let series = self.table.at(self.buffer.bytes(), interval, now, || Self::series(shape, messaging));
        let weight = edge.weight();
        series.requests += weight;
        if edge.failed() {
            series.failed += weight;
        }
        let exemplar = |value| {
            let half = edge.server_half.or(edge.client_half);
            half.map(|half| Exemplar { trace_id: half.trace_id, value, time: half.end })
        };
        let observe = |histogram: &mut Histogram, nanos: Option<u64>| {
            if let Some(seconds) = nanos.map(|nanos| nanos as f64 / 1e9) {
                histogram.observe(seconds, weight, exemplar(seconds));
            }
        };
        observe(&mut series.server, edge.server_duration());
        observe(&mut series.client, edge.client_duration());
        if let Some(messaging) = &mut series.messaging {
            observe(messaging, edge.messaging_duration());
        }
    }

    fn labels(&mut self, edge: &Edge<'_>) {
        self.buffer.clear();
        self.buffer.push("client", edge.client);
        self.buffer.push("server", edge.server);
        self.buffer.push("connection_type", edge.connection.text());
        if self.virtual_node && edge.connection == Connection::VirtualNode {
            self.buffer.push("virtual_node", if edge.client_half.is_none() { "client" } else { "server" });
        }
        for (index, [client, server]) in self.dimensions.iter().enumerate() {
            let value = |half: Option<&super::half::Half>| {
                half.and_then(|half| half.dimensions.get(index)).cloned().filter(|value| !value.is_empty())
            };
            let (of_client, of_server) = (value(edge.client_half), value(edge.server_half));
            if self.prefixed {
                self.buffer.push(client, &of_client.unwrap_or_default());
                self.buffer.push(server, &of_server.unwrap_or_default());
            } else {
                self.buffer.push(client, &of_server.or(of_client).unwrap_or_default());
            }
        }
    }

    /// A series that nothing was counted for.
    fn zero(&self) -> EdgeSeries {
        Self::series(&self.shape, self.messaging)
    }
}
