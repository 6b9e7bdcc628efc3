//! `traceql span-metrics`

use std::{
    io::{self, BufWriter},
    path::{Path, PathBuf},
    time::SystemTime,
};

use traceql::spanmetrics::{GeneratorConfig, Processor};
use tracestore::{
    SavedMetrics, Snapshot, StoreReader,
    servicegraph::ServiceGraph,
    spanmetrics::{Exposition, History, ProtobufWriter, SpanMetrics, TextFormat, TextWriter, Window},
};

use super::remote_write;
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
    let made = match Made::kept(args)? {
        Some(made) => made,
        None => Made::of_spans(args, &config, start, end)?,
    };
    let label = &config.exemplar_label;
    if let Some(url) = &args.remote.url {
        let time = end.map_or_else(now, Ok)?;
        return remote_write::send(url, &args.remote, label, &made, time);
    }
    let out = BufWriter::new(io::stdout().lock());
    let format = match args.format {
        SeriesFormat::Auto if args.step.is_some() => TextFormat::OpenMetrics,
        SeriesFormat::Auto | SeriesFormat::Prometheus => TextFormat::Prometheus,
        SeriesFormat::Openmetrics => TextFormat::OpenMetrics,
        SeriesFormat::Protobuf => {
            made.write(&mut ProtobufWriter::new(out).with_exemplar_label(label))?;
            return Ok(0);
        }
    };
    made.write(&mut TextWriter::new(out, format).with_exemplar_label(label))?;
    Ok(0)
}

/// What was made.
pub(super) struct Made {
    metrics: Option<SpanMetrics>,
    graph: Option<ServiceGraph>,
    has_steps: bool,
}

impl Made {
    /// What the store has counted itself, where nothing else is asked for; `None` where it does not count.
    fn kept(args: &args::SpanMetrics) -> Result<Option<Self>, Failure> {
        let range = &args.range;
        let is_all = range.start.is_none() && range.end.is_none() && range.config.is_none() && args.step.is_none();
        let Some(store) = args.store.as_ref().filter(|_| is_all && args.paths.is_empty()) else { return Ok(None) };
        let Some(saved) = SavedMetrics::of_store(&StoreReader::open(store)?)? else { return Ok(None) };
        let chosen = |named: args::Processor| args.processors.is_empty() || args.processors.contains(&named);
        let metrics = saved.span_metrics.filter(|_| chosen(args::Processor::SpanMetrics));
        let graph = saved.service_graph.filter(|_| chosen(args::Processor::ServiceGraphs));
        Ok(Some(Self { metrics, graph, has_steps: false }))
    }

    fn of_spans(
        args: &args::SpanMetrics,
        config: &GeneratorConfig,
        start: Option<u64>,
        end: Option<u64>,
    ) -> Result<Self, Failure> {
        let paths: Vec<PathBuf> = args.store.iter().chain(&args.paths).cloned().collect();
        let snapshot = &super::open(&paths)?;
        let window = match args.step {
            Some(step) => steps(snapshot, start, end, step.0)?,
            None => Window::between(start, end.unwrap_or(u64::MAX)),
        };
        let chosen = |processor: Processor, named: args::Processor| match args.processors.as_slice() {
            [] => config.processors.contains(&processor),
            names => names.contains(&named),
        };
        let mut made = Self { metrics: None, graph: None, has_steps: args.step.is_some() };
        if chosen(Processor::SpanMetrics, args::Processor::SpanMetrics) {
            let mut metrics =
                SpanMetrics::over(config.span_metrics.clone(), window).map_err(tracestore::Error::from)?;
            metrics.add_snapshot(snapshot, 0)?;
            overflowed("spans", metrics.counts().overflowed);
            made.metrics = Some(metrics);
        }
        if chosen(Processor::ServiceGraphs, args::Processor::ServiceGraphs) {
            let graph = ServiceGraph::of_snapshot(config.service_graphs.clone(), window, snapshot)?;
            overflowed("requests", graph.counts().overflowed);
            made.graph = Some(graph);
        }
        Ok(made)
    }

    /// Writes all series, and ends the document.
    pub(super) fn write(&self, out: &mut dyn Exposition) -> io::Result<()> {
        if let Some(metrics) = &self.metrics {
            metrics.write(out)?;
        }
        if let Some(graph) = &self.graph {
            graph.write(out)?;
        }
        out.finish()
    }

    /// The same, time by time; `None` where there are no times.
    pub(super) fn histories(&self) -> Option<Vec<History<'_>>> {
        let metrics = self.metrics.iter().map(SpanMetrics::history);
        self.has_steps.then(|| metrics.chain(self.graph.iter().map(ServiceGraph::history)).collect())
    }
}

/// ns since 1970.
fn now() -> Result<u64, Failure> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
    let now = since.and_then(|since| u64::try_from(since.as_nanos()).ok());
    now.ok_or_else(|| Failure::Usage("the clock is not set: give --end".to_owned()))
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
    super::rules::write_diagnostics(&mut io::stderr().lock(), path, &report.diagnostics)?;
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
