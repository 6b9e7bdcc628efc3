//! Prometheus series of the spans that are stored: span metrics and service graphs.

use std::ffi::c_char;

use traceql::spanmetrics::{GeneratorConfig, Processor};
use tracestore::{
    servicegraph::ServiceGraph,
    spanmetrics::{Exposition, SpanMetrics, TextFormat, TextWriter, Window},
};

use crate::{
    boundary::{Out, boundary},
    error::{Fault, TS_INVALID_OPTIONS, ts_code, ts_error},
    options::given,
    store::{store, ts_store},
    text::{new_text, optional_text, ts_text},
};

/// Prometheus' classic text.
pub const TS_PROMETHEUS_TEXT: u32 = 0;
/// OpenMetrics.
pub const TS_OPENMETRICS_TEXT: u32 = 1;

/// Series of the spans that start after `start` and up to `end` (ns since 1970; 0: all), as text for Prometheus in the
/// format `TS_PROMETHEUS_TEXT` or `TS_OPENMETRICS_TEXT`: what `traceql span-metrics` prints. `config` is YAML with the keys
/// of Tempo's metrics generator, zero-terminated; NULL for the defaults.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ts_span_metrics(
    store: *mut ts_store,
    config: *const c_char,
    start: u64,
    end: u64,
    format: u32,
    metrics: *mut *mut ts_text,
    error: *mut *mut ts_error,
) -> ts_code {
    boundary(error, || {
        let out = Out::handle(metrics, "metrics")?;
        // SAFETY: that the text ends in zero is the caller's word.
        let config = self::config(unsafe { optional_text(config, "config") }?)?;
        let format = match format {
            TS_PROMETHEUS_TEXT => TextFormat::Prometheus,
            TS_OPENMETRICS_TEXT => TextFormat::OpenMetrics,
            other => return Err(Fault::argument(format!("`format` is {other}: there is no such format"))),
        };
        let snapshot = self::store(store)?.snapshot()?;
        let window = Window::between(given(start), given(end).unwrap_or(u64::MAX));
        let mut text = TextWriter::new(Vec::new(), format).with_exemplar_label(&config.exemplar_label);
        if config.processors.contains(&Processor::SpanMetrics) {
            let mut series = SpanMetrics::over(config.span_metrics, window).map_err(tracestore::Error::from)?;
            series.add_snapshot(&snapshot, 0)?;
            series.write(&mut text).map_err(unwritten)?;
        }
        if config.processors.contains(&Processor::ServiceGraphs) {
            let graph = ServiceGraph::of_snapshot(config.service_graphs, window, &snapshot)?;
            graph.write(&mut text).map_err(unwritten)?;
        }
        text.finish().map_err(unwritten)?;
        out.put(new_text(text.into_inner()));
        Ok(())
    })
}

fn config(text: Option<&str>) -> Result<GeneratorConfig, Fault> {
    let Some(text) = text else { return Ok(GeneratorConfig::default()) };
    let report = GeneratorConfig::check(text);
    report.config.ok_or_else(|| Fault::new(TS_INVALID_OPTIONS, report.diagnostics.to_string()))
}

fn unwritten(error: impl std::fmt::Display) -> Fault {
    Fault::internal(format!("text cannot be written: {error}"))
}
