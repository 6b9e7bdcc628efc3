//! The benchmark: ingest in a process of its own, then every query warm.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;
use traceql::{Engine, MetricsOptions, SearchOptions, TagOptions};
use tracestore::{Snapshot, Store};

use crate::{
    Result, process,
    queries::{Kind, QUERIES},
    report::{Ingest, QueryFigures, Report, Size},
};

/// The step of metrics queries, 15 s.
const STEP: u64 = 15_000_000_000;

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The OTLP file.
    #[arg(long)]
    data: PathBuf,
    /// Where to write the figures as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Only queries that contain this text.
    #[arg(long)]
    only: Option<String>,
    /// A Python with the package `duckdb`: asks DuckDB the same over the same files, where SQL can.
    #[arg(long, value_name = "PYTHON")]
    duckdb: Option<PathBuf>,
    /// How often each query is run.
    #[arg(long, default_value_t = 50)]
    repeat: usize,
}

impl Run {
    pub(crate) fn execute(&self) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let store = folder.path().join("store");
        let child =
            std::process::Command::new(std::env::current_exe()?).arg("ingest").arg(&store).arg(&self.data).output()?;
        if !child.status.success() {
            return Err(String::from_utf8_lossy(&child.stderr).into());
        }
        let ingest: Ingest = serde_json::from_slice(&child.stdout)?;
        let snapshot = Snapshot::open(&[store])?;
        let size = Size { bytes_per_span: snapshot.size() as f64 / ingest.spans.max(1) as f64 };
        let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
        let engine = Engine::new(snapshot.clone());
        let mut queries = Vec::new();
        let wanted = |text: &str| self.only.as_ref().is_none_or(|only| text.contains(only.as_str()));
        let (start, end) = time_range(&snapshot);
        for query in QUERIES.iter().filter(|query| wanted(query.text)) {
            let options = SearchOptions::default();
            let search = || Ok(runtime.block_on(engine.search(query.text, &options))?.traces.len());
            // Another range each time: nothing could be answered from an answer.
            let mut later = 0;
            let metrics = || {
                later += 1;
                let options = MetricsOptions::new(start - later, end + later).with_step(STEP);
                Ok(runtime.block_on(engine.query_range(query.text, &options))?.series.len())
            };
            let measured = match query.kind {
                Kind::Search => self.measure(search)?,
                Kind::Metrics => self.measure(metrics)?,
            };
            queries.push(figures(query.text, query.kind.name(), Some(measured)));
        }
        if wanted("trace by id") {
            queries.push(figures("trace by id", "trace", self.measure_lookup(&engine, &runtime)?));
        }
        for (name, query) in [("tag names", None), ("tag names of { status = error }", Some("{ status = error }"))] {
            if wanted(name) {
                let options = tags(query);
                let names = || {
                    let found = runtime.block_on(engine.tag_names(&options))?;
                    Ok(found.scopes.iter().map(|scope| scope.names.len()).sum())
                };
                queries.push(figures(name, "tags", Some(self.measure(names)?)));
            }
        }
        for (name, field, query) in [
            ("tag values of span.user.id", "span.user.id", None),
            ("tag values of resource.service.name", "resource.service.name", None),
            ("tag values of name, { status = error }", "name", Some("{ status = error }")),
        ] {
            if wanted(name) {
                let options = tags(query);
                let values = || Ok(runtime.block_on(engine.tag_values(field, &options))?.values.len());
                queries.push(figures(name, "tags", Some(self.measure(values)?)));
            }
        }
        if let (Some(python), [block]) = (&self.duckdb, snapshot.blocks()) {
            let figures = self.yardstick(python, block.path())?;
            for query in &mut queries {
                query.duckdb_ms = figures.get(&query.query).copied();
            }
        }
        let report = Report { ingest, size, queries };
        report.print();
        if let Some(path) = &self.json {
            std::fs::write(path, serde_json::to_string_pretty(&report)?)?;
        }
        Ok(())
    }

    /// DuckDB's medians in ms by query.
    fn yardstick(&self, python: &Path, block: &Path) -> Result<HashMap<String, f64>> {
        let script = ["-c", include_str!("yardstick.py")];
        let repeat = self.repeat.to_string();
        let child = std::process::Command::new(python).args(script).arg(block).arg(repeat).output()?;
        if !child.status.success() {
            return Err(String::from_utf8_lossy(&child.stderr).into());
        }
        Ok(serde_json::from_slice(&child.stdout)?)
    }

    /// Median and 99th percentile in ms, and the number of results, after two runs that do not count.
    fn measure(&self, mut run: impl FnMut() -> Result<usize>) -> Result<(f64, f64, usize)> {
        let mut results = 0;
        let mut times = Vec::with_capacity(self.repeat);
        for round in 0..self.repeat.max(1) + 2 {
            let begun = Instant::now();
            results = run()?;
            if round >= 2 {
                times.push(begun.elapsed().as_secs_f64() * 1e3);
            }
        }
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times.get(((times.len() - 1) as f64 * share).round() as usize).copied().unwrap_or(0.0);
        Ok((at(0.5), at(0.99), results))
    }

    /// Looks up a different trace each time: those of a search.
    fn measure_lookup(&self, engine: &Engine, runtime: &tokio::runtime::Runtime) -> Result<Option<(f64, f64, usize)>> {
        let found = runtime.block_on(engine.search("{ }", &SearchOptions::default().with_limit(1_000)))?;
        let mut ids = found.traces.iter().map(|trace| trace.trace_id).cycle();
        if found.traces.is_empty() {
            return Ok(None);
        }
        let lookup = || match ids.next() {
            Some(id) => Ok(usize::from(engine.snapshot().find_trace(&id)?.is_some())),
            None => Ok(0),
        };
        self.measure(lookup).map(Some)
    }
}

fn tags(query: Option<&str>) -> TagOptions {
    let mut options = TagOptions::default();
    options.query = query.map(str::to_owned);
    options
}

/// From the first trace to the last.
fn time_range(snapshot: &Snapshot) -> (u64, u64) {
    let ranges = || snapshot.blocks().iter().map(|block| block.time_range());
    (ranges().map(|(start, _)| start).min().unwrap_or(1_000), ranges().map(|(_, end)| end).max().unwrap_or(2_000))
}

fn figures(query: &str, kind: &str, measured: Option<(f64, f64, usize)>) -> QueryFigures {
    QueryFigures {
        query: query.to_owned(),
        kind: kind.to_owned(),
        cold_ms: None,
        median_ms: measured.map(|(median, _, _)| median),
        p99_ms: measured.map(|(_, p99, _)| p99),
        results: measured.map(|(_, _, results)| results),
        duckdb_ms: None,
    }
}

/// Ingests a file and prints what that took as JSON.
pub(crate) fn ingest(store: &Path, data: &Path) -> Result<()> {
    let begun = Instant::now();
    let report = Store::open_or_create(store)?.ingest([data.to_owned()], &mut |_| {})?;
    let figures = Ingest {
        spans: report.spans,
        spans_per_s: report.spans as f64 / begun.elapsed().as_secs_f64(),
        cpu_s: process::cpu_seconds(),
        peak_rss_mb: process::peak_rss_mb(),
    };
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}
