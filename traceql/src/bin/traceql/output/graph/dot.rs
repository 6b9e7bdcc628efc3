//! A service graph for Graphviz: `dot -Tsvg`.

use std::io::Write;

use tracestore::servicegraph::{Connection, Graph, NodeId, NodeKind};

use super::{failed, short};
use crate::{
    exit::Failure,
    terminal::{clean, duration},
};

pub(crate) fn graph_dot(out: &mut impl Write, graph: &Graph) -> Result<(), Failure> {
    writeln!(
        out,
        "digraph services {{\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];"
    )?;
    for node in &graph.nodes {
        let shape = match node.id.kind {
            NodeKind::Service => "shape=box, style=rounded",
            NodeKind::Database => "shape=cylinder",
            NodeKind::Virtual => "shape=box, style=dashed",
        };
        let name = if node.id.name.is_empty() { "(no name)" } else { &node.id.name };
        writeln!(out, "  {} [label={}, {shape}];", id(&node.id), quoted(name))?;
    }
    for edge in &graph.edges {
        let rate = graph.rate(&edge.traffic).map_or(String::new(), |rate| format!(" ({}/s)", short(rate)));
        let failed = failed(&edge.traffic).map_or(String::new(), |share| format!("\n{share} failed"));
        let p95 = edge.traffic.latency.map_or(String::new(), |latency| format!("\np95 {}", duration(latency.p95)));
        let label = quoted(&format!("{}{rate}{failed}{p95}", short(edge.traffic.requests)));
        let line = match edge.connection {
            Connection::Messaging => ", style=dashed",
            _ => "",
        };
        let color = if edge.traffic.failed > 0.0 { ", color=\"#c0392b\"" } else { "" };
        writeln!(out, "  {} -> {} [label={label}{line}{color}];", id(&edge.client), id(&edge.server))?;
    }
    Ok(writeln!(out, "}}")?)
}

/// A node's name among Graphviz's: a database may be called as a service is.
fn id(id: &NodeId) -> String {
    quoted(&format!("{}:{}", super::kind(id.kind), id.name))
}

/// A text in quotes; line breaks are kept.
fn quoted(text: &str) -> String {
    let lines: Vec<String> =
        text.split('\n').map(|line| clean(line).replace('\\', "\\\\").replace('"', "\\\"")).collect();
    format!("\"{}\"", lines.join("\\n"))
}
