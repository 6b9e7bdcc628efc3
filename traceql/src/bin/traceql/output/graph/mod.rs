//! Service graphs: as a drawing, as a table, as JSON, and for Graphviz.

mod dot;
mod tree;

use std::io::Write;

use serde_json::{Value as Json, json};
use tracestore::servicegraph::{Connection, Graph, Latency, NodeId, NodeKind, Traffic};

pub(crate) use dot::graph_dot;
pub(crate) use tree::graph_chart;

use super::Look;
use crate::{exit::Failure, terminal::duration};

/// What the numbers of a line are.
const HEADINGS: [&str; 6] = ["requests", "per s", "failed", "p50", "p95", "p99"];

/// The numbers of a line.
fn numbers(graph: &Graph, traffic: &Traffic, look: Look) -> [String; 6] {
    let latency = |of: fn(&Latency) -> u64| {
        traffic.latency.as_ref().map_or(String::new(), |latency| look.text(&duration(of(latency))))
    };
    [
        short(traffic.requests),
        graph.rate(traffic).map_or(String::new(), short),
        failed(traffic).unwrap_or_default(),
        latency(|latency| latency.p50),
        latency(|latency| latency.p95),
        latency(|latency| latency.p99),
    ]
}

/// The share of requests that failed; `None` where none did.
fn failed(traffic: &Traffic) -> Option<String> {
    let percent = traffic.failed / traffic.requests * 100.0;
    (traffic.failed > 0.0).then(|| if percent < 0.1 { "<0.1%".to_owned() } else { format!("{percent:.1}%") })
}

/// A number to three digits that count, whole numbers as they are.
fn short(value: f64) -> String {
    match value {
        _ if value.fract() == 0.0 => value.to_string(),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A node's name, and what it is where it is no service.
fn name(id: &NodeId, look: Look) -> String {
    let name = if id.name.is_empty() { "(no name)" } else { &id.name };
    match id.kind {
        NodeKind::Database => format!("{} (database)", look.text(name)),
        NodeKind::Service | NodeKind::Virtual => look.text(name),
    }
}

/// A line for each edge.
pub(crate) fn graph_table(out: &mut impl Write, graph: &Graph, look: Look) -> Result<(), Failure> {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(comfy_table::ContentArrangement::Disabled);
    table.set_header(["client", "server", "connection"].iter().chain(&HEADINGS));
    for edge in &graph.edges {
        let names = [name(&edge.client, look), name(&edge.server, look), connection(edge.connection).to_owned()];
        table.add_row(names.into_iter().chain(numbers(graph, &edge.traffic, look)));
    }
    for column in table.column_iter_mut().skip(3) {
        column.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim())?;
    }
    Ok(())
}

const fn connection(connection: Connection) -> &'static str {
    match connection {
        Connection::Request => "request",
        other => other.text(),
    }
}

/// One document. Times are texts of ns, as in our other JSON.
pub(crate) fn graph_json(out: &mut impl Write, graph: &Graph) -> Result<(), Failure> {
    let nodes = graph.nodes.iter().map(|node| {
        let mut json = json!({ "name": node.id.name, "kind": kind(node.id.kind) });
        add_traffic(&mut json, graph, &node.traffic);
        json
    });
    let edges = graph.edges.iter().map(|edge| {
        let end = |id: &NodeId| json!({ "name": id.name, "kind": kind(id.kind) });
        let mut json = json!({ "client": end(&edge.client), "server": end(&edge.server) });
        add(&mut json, "connection", connection(edge.connection).into());
        add_traffic(&mut json, graph, &edge.traffic);
        if let Some(latency) = &edge.client_latency {
            add(&mut json, "clientLatencyNanos", percentiles(latency));
        }
        json
    });
    let document = json!({
        "durationNanos": graph.nanos.to_string(),
        "nodes": nodes.collect::<Vec<_>>(),
        "edges": edges.collect::<Vec<_>>(),
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    Ok(writeln!(out)?)
}

const fn kind(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Service => "service",
        NodeKind::Database => "database",
        NodeKind::Virtual => "virtual",
    }
}

fn add(json: &mut Json, key: &str, value: Json) {
    if let Some(object) = json.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

fn add_traffic(json: &mut Json, graph: &Graph, traffic: &Traffic) {
    add(json, "requests", traffic.requests.into());
    add(json, "failed", traffic.failed.into());
    if let Some(rate) = graph.rate(traffic) {
        add(json, "requestsPerSecond", rate.into());
    }
    if let Some(latency) = &traffic.latency {
        add(json, "latencyNanos", percentiles(latency));
    }
}

fn percentiles(latency: &Latency) -> Json {
    let Latency { p50, p90, p95, p99, max } = latency;
    let text = |nanos: &u64| nanos.to_string();
    json!({ "p50": text(p50), "p90": text(p90), "p95": text(p95), "p99": text(p99), "max": text(max) })
}
