//! Span metrics: spans in, series out.

use std::io;

use super::{
    config::{ConfigError, LabelNames, SpanMetricsConfig, check_bounds, entity_limit},
    exposition::{Exposition, Family, FamilyKind},
    filter::{Filter, kind_text, status_text},
    histogram::{Exemplar, Histogram, HistogramMode, Shape},
    history::History,
    labels::LabelBuffer,
    multiplier::Multiplier,
    span::SpanFacts,
    stored::for_each_trace,
    table::{Counted, Each, SeriesTable, Visit},
    target::Target,
    window::Window,
};
use crate::{Result, Snapshot};

const CALLS: Family =
    Family { name: "traces_spanmetrics_calls_total", help: "Number of spans.", kind: FamilyKind::Counter };
const LATENCY: Family =
    Family { name: "traces_spanmetrics_latency", help: "Duration of spans in seconds.", kind: FamilyKind::Histogram };
const SIZE: Family = Family {
    name: "traces_spanmetrics_size_total",
    help: "Size of spans as protobuf messages in bytes.",
    kind: FamilyKind::Counter,
};
const TARGET: Family =
    Family { name: "traces_target_info", help: "Attributes of the resource of spans.", kind: FamilyKind::Gauge };

/// Counts spans by their labels.
#[derive(Debug)]
pub struct SpanMetrics {
    pub(super) config: SpanMetricsConfig,
    window: Window,
    filter: Filter,
    multiplier: Multiplier,
    dimensions: Vec<Dimension>,
    pub(super) shape: Shape,
    pub(super) series: SeriesTable<SpanSeries>,
    pub(super) targets: SeriesTable<TargetSeries>,
    buffer: LabelBuffer,
    pub(super) counts: SpanCounts,
}

/// What became of the spans that were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SpanCounts {
    /// Spans that count.
    pub counted: u64,
    /// Spans that a filter policy held back.
    pub filtered: u64,
    /// Spans that lie outside of the window.
    pub outside: u64,
    /// Of those that count, how many have no series of their own.
    pub overflowed: u64,
}

/// A label made of attributes.
#[derive(Debug)]
struct Dimension {
    label: String,
    sources: Vec<String>,
    join: String,
}

/// What is counted for one label set.
#[derive(Debug)]
pub(super) struct SpanSeries {
    pub(super) calls: f64,
    pub(super) size: f64,
    pub(super) latency: Histogram,
}

impl Counted for SpanSeries {
    fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.size += other.size;
        self.latency.merge(&other.latency);
    }
}

/// A target is there or not.
#[derive(Debug)]
pub(super) struct TargetSeries;

impl Counted for TargetSeries {
    fn merge(&mut self, _: &Self) {}
}

impl SpanMetrics {
    /// Metrics without times, of all spans that are given.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn new(config: SpanMetricsConfig) -> Result<Self, ConfigError> {
        Self::over(config, Window::all())
    }

    /// Metrics of the spans that start in a window; with times where that has intervals.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn over(config: SpanMetricsConfig, window: Window) -> Result<Self, ConfigError> {
        check_bounds(&config.histogram_buckets)?;
        let shape = Shape { bounds: config.histogram_buckets.as_slice().into(), mode: config.histograms };
        let classic = if config.histograms == HistogramMode::Native { 0 } else { shape.bounds.len() + 3 };
        let native = usize::from(config.histograms != HistogramMode::Classic);
        let latency = if config.latency { classic + native } else { 0 };
        let per_entity = usize::from(config.calls) + usize::from(config.size) + latency;
        let limit = entity_limit(config.max_active_series, config.max_active_entities, per_entity);
        Ok(Self {
            filter: Filter::new(&config.filter_policies)?,
            multiplier: Multiplier::new(config.span_multiplier_key.as_deref(), config.tracestate_multiplier),
            dimensions: dimensions(&config)?,
            shape,
            series: SeriesTable::new(limit),
            targets: SeriesTable::new(entity_limit(config.max_active_series, config.max_active_entities, 1)),
            buffer: LabelBuffer::new(config.labels),
            counts: SpanCounts::default(),
            window,
            config,
        })
    }

    /// Counts a span. `now` is the time of the clock, ns since 1970: when a series was counted last.
    pub fn observe(&mut self, span: &SpanFacts<'_>, now: u64) {
        let Some(interval) = self.window.interval_of(span.start) else {
            self.counts.outside += 1;
            return;
        };
        if !self.filter.lets(span) {
            self.counts.filtered += 1;
            return;
        }
        self.counts.counted += 1;
        let target = self.config.target_info.then(|| Target::of(&span.resource, &self.config));
        self.labels(span, target.as_ref());
        let shape = &self.shape;
        let new = || SpanSeries { calls: 0.0, size: 0.0, latency: Histogram::new(shape) };
        let series = self.series.at(self.buffer.bytes(), interval, now, new);
        let weight = self.multiplier.of(span);
        series.calls += weight;
        if self.config.size {
            series.size += span.size() as f64;
        }
        if self.config.latency {
            let seconds = span.duration_nanos() as f64 / 1e9;
            let exemplar = Exemplar { trace_id: span.trace_id, value: seconds, time: span.end.max(span.start) };
            series.latency.observe(seconds, weight, Some(exemplar));
        }
        if let Some(target) = target
            && target.labels(&span.resource, &self.config, &mut self.buffer)
        {
            self.targets.at(self.buffer.bytes(), interval, now, || TargetSeries);
        }
    }

    /// Counts what a snapshot has in the window; copies of a span that queries do not see are left out.
    ///
    /// # Errors
    /// As [`Snapshot::whole`].
    pub fn add_snapshot(&mut self, snapshot: &Snapshot, now: u64) -> Result<()> {
        let window = self.window;
        for_each_trace(snapshot, &window, &mut |trace| {
            let seen = trace.spans.iter().filter(|span| !span.shadowed);
            seen.for_each(|span| self.observe(&SpanFacts::stored(span), now));
        })
    }

    fn labels(&mut self, span: &SpanFacts<'_>, target: Option<&Target>) {
        let (buffer, on) = (&mut self.buffer, self.config.intrinsics);
        buffer.clear();
        let intrinsics = [(on.service, "service", span.resource.service), (on.span_name, "span_name", span.name)];
        for (_, label, value) in intrinsics.into_iter().filter(|(on, ..)| *on) {
            buffer.push(label, value);
        }
        if on.span_kind {
            buffer.push("span_kind", &kind_text(span.kind));
        }
        if on.status_code {
            buffer.push("status_code", &status_text(span.status_code));
        }
        if on.status_message {
            buffer.push("status_message", span.status_message);
        }
        for dimension in &self.dimensions {
            let mut values = dimension.sources.iter().filter_map(|key| span.resource_or_span(key));
            let Some(first) = values.next() else { continue };
            let mut text = first.text();
            for value in values {
                let joined = text.to_mut();
                joined.push_str(&dimension.join);
                joined.push_str(&value.text());
            }
            buffer.push(&dimension.label, &text);
        }
        if let Some(target) = target {
            buffer.push("job", &target.job);
            buffer.push("instance", &target.instance);
        }
    }

    /// Removes series that nothing was counted for since a time: Tempo's `stale_duration` before now is 15 minutes.
    pub fn remove_stale(&mut self, before: u64) {
        self.series.remove_before(before);
        self.targets.remove_before(before);
        self.recount_values();
    }

    /// The values that labels have now are those that count against their limit.
    pub(super) fn recount_values(&mut self) {
        self.buffer.keep_values_of(self.series.label_sets().chain(self.targets.label_sets()));
    }

    /// Forgets exemplars: they stand for what was counted between two collections.
    pub fn clear_exemplars(&mut self) {
        self.series.values_mut().for_each(|series| series.latency.clear_exemplars());
    }

    /// What became of the spans.
    #[must_use]
    pub fn counts(&self) -> SpanCounts {
        SpanCounts { overflowed: self.series.overflows(), ..self.counts }
    }

    /// How many label sets there are.
    #[must_use]
    pub fn entities(&self) -> usize {
        self.series.len()
    }

    /// Writes all series, in the order of their labels. Does not end the document.
    ///
    /// # Errors
    /// What the output says.
    pub fn write(&self, out: &mut dyn Exposition) -> io::Result<()> {
        let series = |visit: &mut Visit<'_, _>| self.series.write(&self.window, || self.zero(), true, visit);
        let targets = |visit: &mut Visit<'_, _>| self.targets.write(&self.window, || TargetSeries, false, visit);
        self.write_families(out, &series, &targets)
    }

    /// The same of a window with intervals, time by time.
    #[must_use]
    pub fn history(&self) -> History<'_> {
        let mut series = self.series.by_time(self.window, || self.zero(), true);
        let mut targets = self.targets.by_time(self.window, || TargetSeries, false);
        History::new(move |out| {
            let (true, true) = (series.advance(), targets.advance()) else { return Ok(false) };
            self.write_families(out, &|visit| series.each(visit), &|visit| targets.each(visit))?;
            Ok(true)
        })
    }

    fn write_families(
        &self,
        out: &mut dyn Exposition,
        series: &Each<'_, SpanSeries>,
        targets: &Each<'_, TargetSeries>,
    ) -> io::Result<()> {
        if self.config.calls {
            out.family(&CALLS)?;
            series(&mut |labels, time, series| out.number(labels, time, series.calls))?;
        }
        if self.config.latency {
            out.family(&LATENCY)?;
            series(&mut |labels, time, series| out.histogram(labels, time, &series.latency))?;
        }
        if self.config.size {
            out.family(&SIZE)?;
            series(&mut |labels, time, series| out.number(labels, time, series.size))?;
        }
        out.family(&TARGET)?;
        targets(&mut |labels, time, _| out.number(labels, time, 1.0))
    }

    /// A series that nothing was counted for.
    fn zero(&self) -> SpanSeries {
        SpanSeries { calls: 0.0, size: 0.0, latency: Histogram::new(&self.shape) }
    }
}

/// The labels of a configuration, with names that differ from each other.
fn dimensions(config: &SpanMetricsConfig) -> Result<Vec<Dimension>, ConfigError> {
    let on = config.intrinsics;
    let own = [
        (on.service, "service"),
        (on.span_name, "span_name"),
        (on.span_kind, "span_kind"),
        (on.status_code, "status_code"),
        (on.status_message, "status_message"),
        (config.target_info, "job"),
        (config.target_info, "instance"),
        (true, "le"),
        (true, "metric_overflow"),
    ];
    let own: Vec<&str> = own.into_iter().filter_map(|(on, name)| on.then_some(name)).collect();
    let mut names = LabelNames::own(&own);
    let mut dimensions = Vec::new();
    for key in &config.dimensions {
        let label = names.take(key, format!("the dimension `{key}`"))?;
        dimensions.push(Dimension { label, sources: vec![key.clone()], join: String::new() });
    }
    for mapping in &config.dimension_mappings {
        if mapping.source_labels.is_empty() {
            return Err(ConfigError::EmptyMapping { name: mapping.name.clone() });
        }
        let label = names.take(&mapping.name, format!("the dimension mapping `{}`", mapping.name))?;
        let (sources, join) = (mapping.source_labels.clone(), mapping.join.clone());
        dimensions.push(Dimension { label, sources, join });
    }
    Ok(dimensions)
}
