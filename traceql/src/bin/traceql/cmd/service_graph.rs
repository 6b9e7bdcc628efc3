//! `traceql service-graph`

use std::io::Write;

use tracestore::{servicegraph::Graph, spanmetrics::Window};

use super::span_metrics::config;
use crate::{
    args::{GraphFormat, ServiceGraph},
    exit::{Failure, QUERY},
    output::{self, Look},
    terminal::{self, Style},
};

pub(super) fn run(args: &ServiceGraph, style: Style) -> Result<u8, Failure> {
    let (start, end) = super::times(args.range.start, args.range.end)?;
    let Some(config) = config(args.range.config.as_deref())? else { return Ok(QUERY) };
    let snapshot = super::open(&args.paths)?;
    let window = Window::between(start, end.unwrap_or(u64::MAX));
    let graph = Graph::of_snapshot(config.service_graphs, window, &snapshot)?;
    let look = Look { style, ascii: args.ascii || !terminal::is_utf8() };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match args.output {
        GraphFormat::Auto if terminal::is_terminal() => output::graph_chart(&mut out, &graph, look)?,
        GraphFormat::Chart => output::graph_chart(&mut out, &graph, look)?,
        GraphFormat::Table => output::graph_table(&mut out, &graph, look)?,
        GraphFormat::Auto | GraphFormat::Json => output::graph_json(&mut out, &graph)?,
        GraphFormat::Dot => output::graph_dot(&mut out, &graph)?,
    }
    out.flush()?;
    Ok(0)
}
