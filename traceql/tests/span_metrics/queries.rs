//! What is counted is what queries count.

use std::collections::BTreeMap;

use traceql::{Engine, MetricsOptions};
use tracestore::{
    Snapshot,
    servicegraph::{Connection, Graph, ServiceGraphConfig},
    spanmetrics::{SpanMetrics, SpanMetricsConfig, TextFormat, TextWriter, Window},
};

use super::support;

const SECOND: u64 = 1_000_000_000;

fn everything() -> MetricsOptions {
    MetricsOptions::new(1, 10_000_000_000 * SECOND)
}

/// Requests and messages by client and server, without what is known from one side only.
fn edges(snapshot: &Snapshot) -> BTreeMap<(String, String), f64> {
    let mut config = ServiceGraphConfig::default();
    config.links = false;
    config.database_name_attributes.clear();
    let graph = Graph::of_snapshot(config, Window::all(), snapshot).unwrap();
    let mut edges = BTreeMap::new();
    for edge in graph.edges {
        if matches!(edge.connection, Connection::Request | Connection::Messaging) {
            *edges.entry((edge.client.name, edge.server.name)).or_default() += edge.traffic.requests;
        }
    }
    edges
}

#[tokio::test]
async fn service_edges_are_what_structural_queries_count() {
    for name in support::RECORDINGS {
        let snapshot = Snapshot::open(&[support::recording(name)]).unwrap();
        let edges = edges(&snapshot);
        let engine = Engine::new(snapshot);
        let client = "kind = client || kind = producer";
        let server = "kind = server || kind = consumer";
        let mut compared = 0;
        for ((from, to), count) in &edges {
            let of = |kinds: &str, service: &str| format!("{{ ({kinds}) && resource.service.name = {service:?} }}");
            let query = format!("{} > {} | count_over_time()", of(client, from), of(server, to));
            let answer = engine.query_instant(&query, &everything()).await.unwrap();
            assert_eq!(answer.series[0].values, [*count], "{name}: {from} to {to}");
            compared += 1;
        }
        // And there are no others.
        let query = format!("{{ {client} }} > {{ {server} }} | count_over_time()");
        let answer = engine.query_instant(&query, &everything()).await.unwrap();
        assert_eq!(answer.series[0].values, [edges.values().sum::<f64>()], "{name}");
        assert!(compared >= 5, "{name} has {compared} edges");
    }
}

#[tokio::test]
async fn backfilled_calls_are_what_count_over_time_counts() {
    let snapshot = Snapshot::open(&[support::recording("shop")]).unwrap();
    let (first, last) = snapshot.blocks()[0].time_range();
    let step = SECOND / 2;
    let (start, end) = ((first - 1) / step * step, last.div_ceil(step) * step);
    let mut metrics = SpanMetrics::over(SpanMetricsConfig::default(), Window::in_steps(start, end, step)).unwrap();
    metrics.add_snapshot(&snapshot, 0).unwrap();
    let mut out = TextWriter::new(Vec::new(), TextFormat::Prometheus);
    metrics.write(&mut out).unwrap();
    let text = String::from_utf8(out.into_inner()).unwrap();
    let mut sums: BTreeMap<u64, f64> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("traces_spanmetrics_calls_total{")) {
        let mut words = line.rsplit(' ');
        let millis: u64 = words.next().unwrap().parse().unwrap();
        *sums.entry(millis * 1_000_000).or_default() += words.next().unwrap().parse::<f64>().unwrap();
    }
    let engine = Engine::new(snapshot);
    let mut compared = 0;
    for (time, calls) in sums.into_iter().skip(1) {
        let answer = engine.query_instant("{ } | count_over_time()", &MetricsOptions::new(start, time)).await.unwrap();
        assert_eq!(answer.series[0].values, [calls], "until {time}");
        compared += 1;
    }
    assert!(compared > 20, "{compared}");
}
