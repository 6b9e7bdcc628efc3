//! A service graph drawn as text: from who is not called by anybody down to who calls nobody. A node's calls are drawn
//! where it comes first; later it is only named.

use std::{collections::BTreeSet, io::Write};

use tracestore::servicegraph::{Connection, Graph, GraphEdge, NodeId};
use unicode_width::UnicodeWidthStr;

use super::{HEADINGS, name, numbers};
use crate::{exit::Failure, output::Look};

/// A line of the drawing.
struct Line<'g> {
    /// Lines to the nodes above.
    prefix: String,
    id: &'g NodeId,
    /// The call; none at a top.
    edge: Option<&'g GraphEdge>,
    /// Whether its calls are drawn elsewhere.
    repeated: bool,
}

/// Deeper than this, calls are not drawn: the screen has an end.
const MAX_DEPTH: usize = 40;

pub(crate) fn graph_chart(out: &mut impl Write, graph: &Graph, look: Look) -> Result<(), Failure> {
    if graph.nodes.is_empty() {
        return Ok(writeln!(out, "{}", look.dim("no spans"))?);
    }
    let lines = draw(graph, look);
    let label = |line: &Line<'_>| {
        let repeated = if line.repeated { look.either(" ↑", " ^") } else { "" };
        format!("{}{repeated}", name(line.id, look))
    };
    let rows: Vec<_> = lines
        .iter()
        .map(|line| line.edge.map_or_else(Default::default, |edge| numbers(graph, &edge.traffic, look)))
        .collect();
    let width = lines.iter().map(|line| line.prefix.width() + label(line).width()).max().unwrap_or(0);
    let widths: Vec<usize> = HEADINGS
        .iter()
        .enumerate()
        .map(|(column, heading)| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width());
            cells.chain([heading.len()]).max().unwrap_or(0)
        })
        .collect();
    let right = |text: &str, width: usize| format!("  {}{text}", " ".repeat(width.saturating_sub(text.width())));
    let headings: String = HEADINGS.iter().zip(&widths).map(|(heading, width)| right(heading, *width)).collect();
    writeln!(out, "{}{}", " ".repeat(width), look.dim(&headings))?;
    for (line, row) in lines.iter().zip(&rows) {
        let label = label(line);
        let gap = " ".repeat(width.saturating_sub(line.prefix.width() + label.width()));
        let mut text = format!("{}{}{gap}", look.dim(&line.prefix), look.style.of_service(&line.id.name, &label));
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let cell = right(cell, *width);
            text.push_str(&if column == 2 { look.style.error(&cell) } else { cell });
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    let legend = look.either(
        "─▶ request  ╌▶ message  ═▶ database  ↑ drawn above",
        "-> request  ~> message  => database  ^ drawn above",
    );
    Ok(writeln!(out, "{}", look.dim(legend))?)
}

/// The calls of a node, the most frequent first.
fn calls<'g>(graph: &'g Graph, id: &NodeId) -> Vec<&'g GraphEdge> {
    let mut calls: Vec<_> = graph.edges.iter().filter(|edge| edge.client == *id).collect();
    calls.sort_by(|a, b| b.traffic.requests.total_cmp(&a.traffic.requests));
    calls
}

/// The lines of the drawing, by a stack of what is still to be drawn.
fn draw(graph: &Graph, look: Look) -> Vec<Line<'_>> {
    let (mut lines, mut drawn) = (Vec::new(), BTreeSet::new());
    let called = |id: &NodeId| graph.edges.iter().any(|edge| edge.server == *id && edge.client != *id);
    let tops = graph.nodes.iter().map(|node| &node.id);
    // Where all call each other, any of them is as good a top as another.
    let (first, rest): (Vec<_>, Vec<_>) = tops.partition(|id| !called(id));
    for top in first.into_iter().chain(rest) {
        if drawn.contains(top) {
            continue;
        }
        let mut stack = vec![(Line { prefix: String::new(), id: top, edge: None, repeated: false }, String::new(), 0)];
        while let Some((mut line, below, depth)) = stack.pop() {
            let calls = if depth < MAX_DEPTH { calls(graph, line.id) } else { Vec::new() };
            line.repeated = !drawn.insert(line.id) && !calls.is_empty();
            if !line.repeated {
                for (index, edge) in calls.iter().enumerate().rev() {
                    let last = index + 1 == calls.len();
                    let branch = if last { look.either("└", "`") } else { look.either("├", "|") };
                    let bar = if last { " " } else { look.either("│", "|") };
                    let prefix = format!("{below}{branch}{} ", arrow(edge.connection, look));
                    let call = Line { prefix, id: &edge.server, edge: Some(edge), repeated: false };
                    stack.push((call, format!("{below}{bar}   "), depth + 1));
                }
            }
            lines.push(line);
        }
    }
    lines
}

fn arrow(connection: Connection, look: Look) -> &'static str {
    match connection {
        Connection::Request | Connection::VirtualNode => look.either("─▶", "->"),
        Connection::Messaging => look.either("╌▶", "~>"),
        Connection::Database => look.either("═▶", "=>"),
    }
}
