//! A configuration file: the part of Tempo's that is about its metrics generator, under the same keys.

use std::time::Duration;

use tracestore::{
    MetricsGenerator,
    servicegraph::{ServiceGraph, ServiceGraphConfig},
    spanmetrics::{ConfigError, DimensionMapping, HistogramMode, SpanMetrics, SpanMetricsConfig},
};

use super::{
    keys::{GENERATOR, INTRINSICS, MAPPING, OVERRIDES, PROCESSORS, REGISTRY, SERVICE_GRAPHS, SPAN_METRICS},
    policies::read_policies,
    values::{flag, numbers, optional_text, set, texts, word},
};
use crate::{
    syntax::{Diagnostic, Diagnostics, Span},
    yaml::{Map, Node, Reader, parse},
};

/// Which metrics to make, and how.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GeneratorConfig {
    /// What to make; both by default.
    pub processors: Vec<Processor>,
    /// Span metrics.
    pub span_metrics: SpanMetricsConfig,
    /// Service graphs.
    pub service_graphs: ServiceGraphConfig,
    /// How long a series that is not counted stays, in ns: 15 minutes.
    pub stale_duration: u64,
    /// The label that exemplars carry the trace id in: `traceID`.
    pub exemplar_label: String,
}

/// The kinds of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Processor {
    /// `traces_spanmetrics_…`
    SpanMetrics,
    /// `traces_service_graph_…`
    ServiceGraphs,
}

/// What there is to say about a configuration.
#[derive(Debug, Clone)]
pub struct ConfigReport {
    /// The configuration; `None` when there are errors.
    pub config: Option<GeneratorConfig>,
    /// Errors and warnings, in order of the file.
    pub diagnostics: Diagnostics,
}

impl GeneratorConfig {
    /// Counts what a store takes, given as its [observer](tracestore::StoreOptions::observer).
    ///
    /// # Errors
    /// None for a configuration that was checked.
    pub fn generator(&self) -> Result<MetricsGenerator, ConfigError> {
        let makes = |processor| self.processors.contains(&processor);
        let spans = makes(Processor::SpanMetrics).then(|| self.span_metrics.clone());
        let graphs = makes(Processor::ServiceGraphs).then(|| self.service_graphs.clone());
        let generator = MetricsGenerator::new(spans, graphs)?;
        Ok(generator.with_stale_duration(Duration::from_nanos(self.stale_duration)))
    }
}

impl Default for GeneratorConfig {
    fn default() -> Self {
        Self {
            processors: vec![Processor::SpanMetrics, Processor::ServiceGraphs],
            span_metrics: SpanMetricsConfig::default(),
            service_graphs: ServiceGraphConfig::default(),
            stale_duration: 15 * 60 * 1_000_000_000,
            exemplar_label: "traceID".to_owned(),
        }
    }
}

impl GeneratorConfig {
    /// Reads a file: `metrics_generator`, and `overrides.defaults.metrics_generator`. Other parts of Tempo's
    /// configuration may be there, and are not looked at.
    #[must_use]
    pub fn check(text: &str) -> ConfigReport {
        let mut reader = Reader::new(text);
        let mut config = Self::default();
        match parse(text) {
            Ok(Some(root)) => config.read(&mut reader, &root),
            Ok(None) => {
                let message = "the file is empty: it needs `metrics_generator`";
                reader.report(Diagnostic::new("TQ0604", Span::new(0, 1), message));
            }
            Err(fault) => reader.report(fault),
        }
        let diagnostics = reader.finish();
        ConfigReport { config: (!diagnostics.has_errors()).then_some(config), diagnostics }
    }

    fn read(&mut self, reader: &mut Reader<'_>, root: &Node) {
        let Some(root) = reader.open_map(root, "a configuration") else { return };
        let generator = root.get("metrics_generator");
        let overrides = root.get("overrides").and_then(|node| reader.open_map(node, "the overrides"));
        let defaults = overrides.as_ref().and_then(|map| map.get("defaults"));
        let defaults = defaults.and_then(|node| reader.open_map(node, "the defaults of the overrides"));
        let overrides = defaults.as_ref().and_then(|map| map.get("metrics_generator"));
        if generator.is_none() && overrides.is_none() {
            let message = "a configuration needs `metrics_generator`, or `overrides.defaults.metrics_generator`";
            reader.report(Diagnostic::new("TQ0604", Span { end: root.span.start + 1, ..root.span }, message));
        }
        if let Some(map) = generator.and_then(|node| GENERATOR.read(reader, node)) {
            self.processors(reader, map.get("processor"));
            if let Some(map) = map.get("registry").and_then(|node| REGISTRY.read(reader, node)) {
                self.registry(reader, &map);
            }
        }
        if let Some(map) = overrides.and_then(|node| OVERRIDES.read(reader, node)) {
            self.processors(reader, map.get("processor"));
            self.overrides(reader, &map);
        }
    }

    fn processors(&mut self, reader: &mut Reader<'_>, node: Option<&Node>) {
        let Some(map) = node.and_then(|node| PROCESSORS.read(reader, node)) else { return };
        if let Some(node) = map.get("span_metrics") {
            read_span_metrics(reader, node, &mut self.span_metrics);
            let key = map.key("span_metrics").unwrap_or(node.span);
            refused(reader, key, SpanMetrics::new(self.span_metrics.clone()).err());
        }
        if let Some(node) = map.get("service_graphs") {
            read_service_graphs(reader, node, &mut self.service_graphs);
            let key = map.key("service_graphs").unwrap_or(node.span);
            refused(reader, key, ServiceGraph::new(self.service_graphs.clone()).err());
        }
    }

    fn registry(&mut self, reader: &mut Reader<'_>, map: &Map<'_>) {
        if let Some(nanos) = map.get("stale_duration").and_then(|node| reader.positive_duration(node)) {
            self.stale_duration = nanos;
        }
        for (key, is_name) in [("max_label_name_length", true), ("max_label_value_length", false)] {
            let Some(length) = map.get(key).and_then(|node| reader.count(node)) else { continue };
            for labels in [&mut self.span_metrics.labels, &mut self.service_graphs.labels] {
                *(if is_name { &mut labels.max_name_length } else { &mut labels.max_value_length }) = length;
            }
        }
    }

    fn overrides(&mut self, reader: &mut Reader<'_>, map: &Map<'_>) {
        if let Some(node) = map.get("processors") {
            self.processors = read_processors(reader, node, &mut self.span_metrics);
        }
        let mut count = |key| map.get(key).and_then(|node| reader.count(node));
        if let Some(limit) = count("max_active_series") {
            (self.span_metrics.max_active_series, self.service_graphs.max_active_series) = (limit, limit);
        }
        if let Some(limit) = count("max_active_entities") {
            (self.span_metrics.max_active_entities, self.service_graphs.max_active_entities) = (limit, limit);
        }
        if let Some(limit) = count("max_cardinality_per_label") {
            self.span_metrics.labels.max_cardinality = limit;
            self.service_graphs.labels.max_cardinality = limit;
        }
        const MODES: [(&str, HistogramMode); 3] =
            [("classic", HistogramMode::Classic), ("native", HistogramMode::Native), ("both", HistogramMode::Both)];
        if let Some(mode) = map.get("generate_native_histograms").and_then(|node| word(reader, node, &MODES)) {
            (self.span_metrics.histograms, self.service_graphs.histograms) = (mode, mode);
        }
        if let Some(label) = map.get("trace_id_label_name").and_then(|node| reader.name(node, "a label")) {
            self.exemplar_label = label.to_owned();
        }
    }
}

fn refused(reader: &mut Reader<'_>, span: Span, error: Option<ConfigError>) {
    if let Some(error) = error {
        reader.report(Diagnostic::new("TQ0611", span, error.to_string()));
    }
}

fn read_span_metrics(reader: &mut Reader<'_>, node: &Node, config: &mut SpanMetricsConfig) {
    let Some(map) = SPAN_METRICS.read(reader, node) else { return };
    set(&mut config.histogram_buckets, map.get("histogram_buckets").map(|node| numbers(reader, node)));
    if let Some(map) = map.get("intrinsic_dimensions").and_then(|node| INTRINSICS.read(reader, node)) {
        let on = &mut config.intrinsics;
        set(&mut on.service, flag(reader, &map, "service"));
        set(&mut on.span_name, flag(reader, &map, "span_name"));
        set(&mut on.span_kind, flag(reader, &map, "span_kind"));
        set(&mut on.status_code, flag(reader, &map, "status_code"));
        set(&mut on.status_message, flag(reader, &map, "status_message"));
    }
    set(&mut config.dimensions, map.get("dimensions").map(|node| texts(reader, node)));
    if let Some(node) = map.get("dimension_mappings") {
        let list = reader.list(node, "a list of mappings").iter();
        config.dimension_mappings = list.filter_map(|node| read_mapping(reader, node)).collect();
    }
    set(&mut config.target_info, flag(reader, &map, "enable_target_info"));
    set(&mut config.instance_label, flag(reader, &map, "enable_instance_label"));
    let excluded = map.get("target_info_excluded_dimensions").map(|node| texts(reader, node));
    set(&mut config.target_info_excluded, excluded);
    set(&mut config.span_multiplier_key, optional_text(reader, &map, "span_multiplier_key"));
    set(&mut config.tracestate_multiplier, flag(reader, &map, "enable_tracestate_span_multiplier"));
    set(&mut config.filter_policies, map.get("filter_policies").map(|node| read_policies(reader, node)));
}

fn read_service_graphs(reader: &mut Reader<'_>, node: &Node, config: &mut ServiceGraphConfig) {
    let Some(map) = SERVICE_GRAPHS.read(reader, node) else { return };
    set(&mut config.wait, map.get("wait").and_then(|node| reader.positive_duration(node)));
    set(&mut config.max_items, map.get("max_items").and_then(|node| reader.count(node)));
    set(&mut config.histogram_buckets, map.get("histogram_buckets").map(|node| numbers(reader, node)));
    set(&mut config.dimensions, map.get("dimensions").map(|node| texts(reader, node)));
    set(&mut config.client_server_prefix, flag(reader, &map, "enable_client_server_prefix"));
    set(&mut config.messaging_latency, flag(reader, &map, "enable_messaging_system_latency_histogram"));
    set(&mut config.virtual_node_label, flag(reader, &map, "enable_virtual_node_label"));
    set(&mut config.peer_attributes, map.get("peer_attributes").map(|node| texts(reader, node)));
    let names = map.get("database_name_attributes").map(|node| texts(reader, node));
    set(&mut config.database_name_attributes, names);
    set(&mut config.span_multiplier_key, optional_text(reader, &map, "span_multiplier_key"));
    set(&mut config.tracestate_multiplier, flag(reader, &map, "enable_tracestate_span_multiplier"));
    set(&mut config.filter_policies, map.get("filter_policies").map(|node| read_policies(reader, node)));
    set(&mut config.links, flag(reader, &map, "span_links"));
}

/// The processors of a list. Parts of span metrics may be named alone.
fn read_processors(reader: &mut Reader<'_>, node: &Node, spans: &mut SpanMetricsConfig) -> Vec<Processor> {
    const NAMES: [(&str, (Processor, [bool; 3])); 7] = [
        ("span-metrics", (Processor::SpanMetrics, [true, true, true])),
        ("span-metrics-count", (Processor::SpanMetrics, [true, false, false])),
        ("span-metrics-latency", (Processor::SpanMetrics, [false, true, false])),
        ("span-metrics-size", (Processor::SpanMetrics, [false, false, true])),
        ("service-graphs", (Processor::ServiceGraphs, [false; 3])),
        ("service-graphs-request", (Processor::ServiceGraphs, [false; 3])),
        ("service-graphs-latency", (Processor::ServiceGraphs, [false; 3])),
    ];
    let (mut found, mut on) = (Vec::new(), [false; 3]);
    for node in reader.list(node, "a list of processors") {
        let Some((processor, parts)) = word(reader, node, &NAMES) else { continue };
        on.iter_mut().zip(parts).for_each(|(on, more)| *on |= more);
        if !found.contains(&processor) {
            found.push(processor);
        }
    }
    [spans.calls, spans.latency, spans.size] = on;
    found
}

fn read_mapping(reader: &mut Reader<'_>, node: &Node) -> Option<DimensionMapping> {
    let map = MAPPING.read(reader, node)?;
    let name = reader.required(&map, MAPPING.what, "name").and_then(|node| reader.name(node, "a label"))?.to_owned();
    let source_labels = reader.required(&map, MAPPING.what, "source_labels").map(|node| texts(reader, node))?;
    let join = map.get("join").and_then(|node| reader.text(node, "a text")).unwrap_or("").to_owned();
    Some(DimensionMapping { name, source_labels, join })
}
