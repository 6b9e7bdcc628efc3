//! The service graph of stored traces, exact: how many requests, how many failed, and percentiles of how long they took.

use std::collections::BTreeMap;

use super::{
    config::ServiceGraphConfig,
    edge::{Connection, Edge},
    pairing::Pairing,
    walk::walk,
};
use crate::{Result, Snapshot, spanmetrics::Window};

/// Who calls whom.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Graph {
    /// The time that rates are of, in ns: the window's, or from the first request to the last.
    pub nanos: u64,
    /// By kind, then name.
    pub nodes: Vec<GraphNode>,
    /// By client, then server.
    pub edges: Vec<GraphEdge>,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// Something that sends spans.
    Service,
    /// A database, known from its clients.
    Database,
    /// Anything else that is known from the other side only.
    Virtual,
}

/// A node's name and kind: a database may be called as a service is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    /// What it is.
    pub kind: NodeKind,
    /// Its name; that of a service may be empty.
    pub name: String,
}

/// A node, and the requests that it got.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct GraphNode {
    /// Which one it is.
    pub id: NodeId,
    /// The requests it got, durations as the server sees them.
    pub traffic: Traffic,
}

/// Requests between two nodes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct GraphEdge {
    /// Who asks.
    pub client: NodeId,
    /// Who answers.
    pub server: NodeId,
    /// Over what.
    pub connection: Connection,
    /// The requests, durations as the server sees them, or else the client.
    pub traffic: Traffic,
    /// How long they took as the client sees it.
    pub client_latency: Option<Latency>,
}

/// How many requests there were, and how long they took.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct Traffic {
    /// How many; a fraction where spans have weights.
    pub requests: f64,
    /// How many of them failed.
    pub failed: f64,
    /// How long they took; `None` without requests.
    pub latency: Option<Latency>,
}

/// Percentiles in ns: the smallest duration that at least so many percent of the requests do not exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as everywhere")]
pub struct Latency {
    pub p50: u64,
    pub p90: u64,
    pub p95: u64,
    pub p99: u64,
    pub max: u64,
}

/// Durations with their weights.
#[derive(Debug, Default)]
struct Durations(Vec<(u64, f64)>);

#[derive(Debug, Default)]
struct Sum {
    requests: f64,
    failed: f64,
    durations: Durations,
    client: Durations,
}

type EdgeId = (NodeId, NodeId, Connection);

impl Graph {
    /// The graph of what a snapshot has in a window. A request is counted at the start of its server's span, or else of
    /// its client's; what histograms and labels are configured is of no matter.
    ///
    /// *Cost.* Decodes every span of the window, and holds 32 bytes for each request.
    ///
    /// # Errors
    /// As [`Snapshot::whole`]; [`crate::Error::Config`].
    pub fn of_snapshot(config: ServiceGraphConfig, window: Window, snapshot: &Snapshot) -> Result<Self> {
        let mut pairing = Pairing::new(config, true)?;
        let mut edges: BTreeMap<EdgeId, Sum> = BTreeMap::new();
        let mut services: BTreeMap<String, ()> = BTreeMap::new();
        let mut times: Option<(u64, u64)> = None;
        let mut see = |span: &crate::spanmetrics::SpanFacts<'_>| {
            if window.interval_of(span.start).is_some() && !services.contains_key(span.resource.service) {
                services.insert(span.resource.service.to_owned(), ());
            }
        };
        walk(&mut pairing, snapshot, &window, &mut see, &mut |edge| {
            if window.interval_of(edge.time()).is_none() {
                return;
            }
            let (first, last) = times.unwrap_or((u64::MAX, 0));
            times = Some((first.min(edge.time()), last.max(edge.time())));
            edges.entry(ids(edge)).or_default().add(edge);
        })?;
        let found = times.map_or(0, |(first, last)| last - first);
        Ok(Self::new(window.length().unwrap_or(found), edges, services.into_keys()))
    }

    fn new(nanos: u64, edges: BTreeMap<EdgeId, Sum>, services: impl Iterator<Item = String>) -> Self {
        let service = |name| NodeId { kind: NodeKind::Service, name };
        let mut nodes: BTreeMap<NodeId, Sum> = services.map(|name| (service(name), Sum::default())).collect();
        // What sends spans elsewhere is a service, also where it is known from the other side.
        let known = |id: NodeId, nodes: &BTreeMap<NodeId, Sum>| match id.kind {
            NodeKind::Virtual if nodes.contains_key(&service(id.name.clone())) => service(id.name),
            _ => id,
        };
        let mut listed = Vec::new();
        for ((client, server, connection), mut sum) in edges {
            let (client, server) = (known(client, &nodes), known(server, &nodes));
            nodes.entry(client.clone()).or_default();
            let node = nodes.entry(server.clone()).or_default();
            node.requests += sum.requests;
            node.failed += sum.failed;
            node.durations.0.extend_from_slice(&sum.durations.0);
            let (traffic, client_latency) = (sum.traffic(), sum.client.latency());
            listed.push(GraphEdge { client, server, connection, traffic, client_latency });
        }
        listed.sort_by(|a, b| (&a.client, &a.server, a.connection).cmp(&(&b.client, &b.server, b.connection)));
        let nodes = nodes.into_iter().map(|(id, mut sum)| GraphNode { id, traffic: sum.traffic() });
        Self { nanos, nodes: nodes.collect(), edges: listed }
    }

    /// Requests per second of the graph's time; `None` where that is none.
    #[must_use]
    pub fn rate(&self, traffic: &Traffic) -> Option<f64> {
        (self.nanos > 0).then(|| traffic.requests / (self.nanos as f64 / 1e9))
    }
}

/// The nodes of an edge.
fn ids(edge: &Edge<'_>) -> EdgeId {
    let id = |kind, name: &str| NodeId { kind, name: name.to_owned() };
    let client = if edge.client_half.is_some() { NodeKind::Service } else { NodeKind::Virtual };
    let server = match edge.connection {
        Connection::Database => NodeKind::Database,
        _ if edge.server_half.is_none() => NodeKind::Virtual,
        _ => NodeKind::Service,
    };
    (id(client, edge.client), id(server, edge.server), edge.connection)
}

impl Sum {
    fn add(&mut self, edge: &Edge<'_>) {
        let weight = edge.weight();
        self.requests += weight;
        self.failed += if edge.failed() { weight } else { 0.0 };
        let duration = edge.server_duration().or(edge.client_duration());
        self.durations.0.extend(duration.map(|duration| (duration, weight)));
        self.client.0.extend(edge.client_duration().map(|duration| (duration, weight)));
    }

    fn traffic(&mut self) -> Traffic {
        Traffic { requests: self.requests, failed: self.failed, latency: self.durations.latency() }
    }
}

impl Durations {
    fn latency(&mut self) -> Option<Latency> {
        self.0.sort_unstable_by_key(|(duration, _)| *duration);
        let total: f64 = self.0.iter().map(|(_, weight)| weight).sum();
        let last = self.0.last()?.0;
        let mut sums = self.0.iter().scan(0.0, |sum, (duration, weight)| {
            *sum += weight;
            Some((*duration, *sum))
        });
        let mut current = sums.next();
        let mut percentile = |percent: f64| {
            // A sum of weights is not exact.
            let wanted = total * percent / 100.0 * (1.0 - 1e-12);
            while current.is_some_and(|(_, sum)| sum < wanted) {
                current = sums.next();
            }
            current.map_or(last, |(duration, _)| duration)
        };
        let [p50, p90, p95, p99] = [50.0, 90.0, 95.0, 99.0].map(&mut percentile);
        Some(Latency { p50, p90, p95, p99, max: last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_durations_that_there_are() {
        let of = |list: &[(u64, f64)]| Durations(list.to_vec()).latency();
        let hundred: Vec<_> = (1..=100).rev().map(|duration| (duration, 1.0)).collect();
        assert_eq!(of(&hundred), Some(Latency { p50: 50, p90: 90, p95: 95, p99: 99, max: 100 }));
        assert_eq!(of(&[(7, 1.0)]), Some(Latency { p50: 7, p90: 7, p95: 7, p99: 7, max: 7 }));
        assert_eq!(of(&[(1, 9.0), (5, 1.0)]), Some(Latency { p50: 1, p90: 1, p95: 5, p99: 5, max: 5 }));
        assert_eq!(of(&[]), None);
    }
}
