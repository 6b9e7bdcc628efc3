//! Configurations with Tempo's keys.

use traceql::spanmetrics::{GeneratorConfig, Processor};
use tracestore::spanmetrics::{HistogramMode, PolicyMatch, PolicyValue};

use super::support::testdata;

/// Line, column and code of what is said.
fn said(text: &str) -> Vec<(usize, usize, &'static str)> {
    let report = GeneratorConfig::check(text);
    assert_eq!(report.config.is_none(), report.diagnostics.has_errors());
    let place = |found| report.diagnostics.line_and_column(found);
    report.diagnostics.list().iter().map(|found| (place(found).0, place(found).1, found.code)).collect()
}

#[test]
fn every_key_is_read() {
    let text = std::fs::read_to_string(testdata("span_metrics/tempo.yaml")).unwrap();
    assert_eq!(said(&text).into_iter().map(|(.., code)| code).collect::<Vec<_>>(), ["TQ0525", "TQ0525"]);
    let config = GeneratorConfig::check(&text).config.unwrap();
    assert_eq!(config.processors, [Processor::ServiceGraphs, Processor::SpanMetrics]);
    assert_eq!((config.stale_duration, config.exemplar_label.as_str()), (300_000_000_000, "trace_id"));

    let spans = config.span_metrics;
    assert_eq!((spans.calls, spans.latency, spans.size), (true, true, false));
    assert_eq!(spans.histogram_buckets, [0.1, 0.5, 2.0]);
    assert!(spans.intrinsics.status_message && spans.target_info && !spans.instance_label);
    assert_eq!(
        (spans.dimensions, spans.target_info_excluded),
        (vec!["http.method".to_owned()], vec!["process.pid".to_owned()])
    );
    let mapping = &spans.dimension_mappings[0];
    assert_eq!((mapping.name.as_str(), mapping.source_labels.len(), mapping.join.as_str()), ("at", 2, ":"));
    assert_eq!((spans.span_multiplier_key.as_deref(), spans.tracestate_multiplier), (Some("sampling.ratio"), true));
    assert_eq!((spans.max_active_series, spans.max_active_entities), (10_000, 500));
    assert_eq!(
        (spans.labels.max_name_length, spans.labels.max_value_length, spans.labels.max_cardinality),
        (100, 200, 100)
    );
    assert_eq!(spans.histograms, HistogramMode::Both);
    let policies = &spans.filter_policies;
    assert_eq!(policies.len(), 3);
    assert!(matches!(policies[0].include, Some(PolicyMatch::Strict(_))));
    assert!(matches!(policies[0].exclude, Some(PolicyMatch::Regex(_))));
    let Some(PolicyMatch::Strict(values)) = &policies[1].include_any else { panic!("{policies:?}") };
    assert_eq!(values[0].value, PolicyValue::Int(200));
    assert_eq!(values[1].value, PolicyValue::String("200".to_owned()));
    assert!(matches!(policies[2].exclude, Some(PolicyMatch::Predicate(_))));

    let graphs = config.service_graphs;
    assert_eq!((graphs.wait, graphs.max_items), (5_000_000_000, 500));
    assert_eq!(
        (graphs.histogram_buckets, graphs.dimensions),
        (vec![1.0, 2.0], vec!["deployment.environment".to_owned()])
    );
    assert!(graphs.client_server_prefix && graphs.messaging_latency && graphs.virtual_node_label && !graphs.links);
    assert_eq!(graphs.peer_attributes, ["peer.service"]);
    assert_eq!(graphs.database_name_attributes, ["db.system"]);
    assert_eq!((graphs.span_multiplier_key.as_deref(), graphs.tracestate_multiplier), (Some("sampling.ratio"), true));
    assert_eq!((graphs.max_active_series, graphs.max_active_entities), (10_000, 500));
    assert_eq!(graphs.histograms, HistogramMode::Both);
}

#[test]
fn what_is_not_said_is_as_in_tempo() {
    let config = GeneratorConfig::check("metrics_generator: {}\n").config;
    // `{}` is a mapping without keys.
    let config = config.unwrap();
    assert_eq!(format!("{config:?}"), format!("{:?}", GeneratorConfig::default()));
    assert_eq!(config.service_graphs.peer_attributes, ["peer.service", "db.name", "db.system", "db.system.name"]);
    assert_eq!(config.span_metrics.histogram_buckets.len(), 14);
}

#[test]
fn faults_have_places() {
    let spans = |rest: &str| format!("metrics_generator:\n  processor:\n    span_metrics:\n      {rest}\n");
    for (text, expected) in [
        (String::new(), (1, 1, "TQ0604")),
        ("server: {}\n".to_owned(), (1, 1, "TQ0604")),
        ("metrics_generator: text\n".to_owned(), (1, 20, "TQ0605")),
        ("metrics_generator: {processors: {}}\n".to_owned(), (1, 21, "TQ0602")),
        (spans("dimension: [a]"), (4, 7, "TQ0602")),
        (spans("enable_target_info: yes"), (4, 27, "TQ0605")),
        (spans("histogram_buckets: [2, 1]"), (3, 5, "TQ0611")),
        (spans("histogram_buckets: [x]"), (4, 27, "TQ0610")),
        (spans("dimension_mappings: [{name: a}]"), (4, 28, "TQ0604")),
        (spans("dimensions: [a.b, a_b]"), (3, 5, "TQ0611")),
        (spans("filter_policies: [{include: {match_type: exact, attributes: []}}]"), (4, 48, "TQ0605")),
        (spans("filter_policies: [{include: {attributes: [{key: nothing, value: 1}]}}]"), (3, 5, "TQ0611")),
        (spans("filter_policies: [{include: {traceql: '{ } | rate()'}}]"), (4, 45, "TQ0608")),
        (spans("filter_policies: [{include: {traceql: '{ kind == server }'}}]"), (4, 53, "TQ0202")),
        ("overrides: {defaults: {metrics_generator: {processors: [local-blocks]}}}\n".to_owned(), (1, 57, "TQ0605")),
        ("metrics_generator: [\n".to_owned(), (2, 1, "TQ0601")),
    ] {
        assert_eq!(said(&text), [expected], "{text}");
    }
}
