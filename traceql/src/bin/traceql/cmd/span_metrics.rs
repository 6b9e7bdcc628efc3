//! `traceql span-metrics`

use std::{
    io::BufWriter,
    path::{Path, PathBuf},
};

use traceql::spanmetrics::{GeneratorConfig, Processor};
use tracestore::{
    Snapshot,
    servicegraph::ServiceGraph,
    spanmetrics::{Exposition, SpanMetrics, TextFormat, TextWriter, Window},
};

use crate::{
    args::{self, SeriesFormat},
    exit::{Failure, QUERY},
    terminal,
};

/// More samples of a series are a mistake.
const MAX_STEPS: u64 = 1_000_000;

pub(super) fn run(args: &args::SpanMetrics) -> Result<u8, Failure> {
    let (start, end) = super::times(args.range.start, args.range.end)?;
    let Some(config) = config(args.range.config.as_deref())? else { return Ok(QUERY) };
    let paths: Vec<PathBuf> = args.store.iter().chain(&args.paths).cloned().collect();
    let snapshot = super::open(&paths)?;
    let window = match args.step {
        Some(step) => steps(&snapshot, start, end, step.0)?,
        None => Window::between(start, end.unwrap_or(u64::MAX)),
    };
    let format = match args.format {
        SeriesFormat::Auto if args.step.is_some() => TextFormat::OpenMetrics,
        SeriesFormat::Auto | SeriesFormat::Prometheus => TextFormat::Prometheus,
        SeriesFormat::Openmetrics => TextFormat::OpenMetrics,
    };
    let chosen = |processor: Processor, named: args::Processor| match args.processors.as_slice() {
        [] => config.processors.contains(&processor),
        names => names.contains(&named),
    };
    let label = &config.exemplar_label;
    let mut out = TextWriter::new(BufWriter::new(std::io::stdout().lock()), format).with_exemplar_label(label);
    if chosen(Processor::SpanMetrics, args::Processor::SpanMetrics) {
        let mut metrics = SpanMetrics::over(config.span_metrics.clone(), window).map_err(tracestore::Error::from)?;
        metrics.add_snapshot(&snapshot, 0)?;
        metrics.write(&mut out)?;
        overflowed("spans", metrics.counts().overflowed);
    }
    if chosen(Processor::ServiceGraphs, args::Processor::ServiceGraphs) {
        let graph = ServiceGraph::of_snapshot(config.service_graphs.clone(), window, &snapshot)?;
        graph.write(&mut out)?;
        overflowed("requests", graph.counts().overflowed);
    }
    out.finish()?;
    Ok(0)
}

fn overflowed(what: &str, count: u64) {
    if count > 0 {
        eprintln!(
            "traceql: {count} {what} are in the overflow series: there are more label sets than max_active_series allows"
        );
    }
}

/// The configuration of a file, or the defaults; `None` when it is wrong, which is then said.
pub(super) fn config(path: Option<&Path>) -> Result<Option<GeneratorConfig>, Failure> {
    let Some(path) = path else { return Ok(Some(GeneratorConfig::default())) };
    let text = std::fs::read_to_string(path).map_err(|error| Failure::Input(path.to_owned(), error))?;
    let report = GeneratorConfig::check(&text);
    super::rules::write_diagnostics(&mut std::io::stderr().lock(), path, &report.diagnostics)?;
    Ok(report.config)
}

/// Steps at whole multiples of their length, from before the first span to after the last one, as far as nothing else is
/// asked for.
fn steps(snapshot: &Snapshot, start: Option<u64>, end: Option<u64>, step: u64) -> Result<Window, Failure> {
    let ranges = snapshot.blocks().iter().map(|block| block.time_range());
    let (first, last) = ranges.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1))).unwrap_or((1, 1));
    let start = start.unwrap_or_else(|| first.saturating_sub(1) / step * step);
    let end = end.unwrap_or_else(|| last.div_ceil(step).saturating_mul(step));
    if end.saturating_sub(start).div_ceil(step) > MAX_STEPS {
        let (from, to) = (terminal::time(start), terminal::time(end));
        return Err(Failure::Usage(format!("--step gives more than {MAX_STEPS} samples from {from} to {to}")));
    }
    Ok(Window::in_steps(start, end, step))
}
