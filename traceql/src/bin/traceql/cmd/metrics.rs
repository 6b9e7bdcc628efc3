//! `traceql query` for metrics queries: the series, once or again and again.

use std::{
    io::{BufWriter, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use traceql::{
    Engine, MetricsOptions, MetricsResponse,
    ir::Metrics,
    output::{metrics_to_json, metrics_to_prometheus, metrics_to_tempo, series_to_json},
};

use crate::{
    args::{Format, Query, Sort},
    exit::{Failure, NOTHING_FOUND},
    output::{self, Look, Units},
    terminal::{self, Style},
};

/// From the top of an empty screen.
const CLEAR: &str = "\x1b[2J\x1b[3J\x1b[H";

pub(super) async fn run(args: &Query, metrics: &Metrics, style: Style) -> Result<u8, Failure> {
    let only_search = [
        ("--sort", args.sort != Sort::Start),
        ("--ascending", args.ascending),
        ("--after", args.after.is_some()),
        ("--partial", args.partial),
    ];
    super::refuse(&only_search, "is for searches: this is a metrics query")?;
    let from_stdin = args.paths.iter().any(|path| path == &PathBuf::from("-"));
    super::refuse(&[("--watch", args.metrics.watch.is_some() && from_stdin)], "cannot read standard input again")?;

    let begun = Instant::now();
    let units = Units::of(metrics);
    let look = Look { style, ascii: args.metrics.ascii || !terminal::is_utf8() };
    loop {
        let response = ask(args, begun.elapsed()).await?;
        let mut out = BufWriter::new(std::io::stdout().lock());
        if args.metrics.watch.is_some() && terminal::is_terminal() {
            write!(out, "{CLEAR}")?;
        }
        write(&mut out, &response, units, args.output, look)?;
        out.flush()?;
        drop(out);
        remarks(args, &response);
        let Some(pause) = args.metrics.watch else {
            return Ok(if args.fail_empty && response.series.is_empty() { NOTHING_FOUND } else { 0 });
        };
        tokio::time::sleep(Duration::from_nanos(pause.0)).await;
    }
}

/// Asks what the paths hold now. Times that go with the clock have moved since the command began.
async fn ask(args: &Query, elapsed: Duration) -> Result<MetricsResponse, Failure> {
    let snapshot = super::open(&args.paths)?;
    let moved = |moment: Option<crate::time::Moment>| moment.map(|moment| moment.after(elapsed));
    let (start, end) = super::times(moved(args.selection.start), moved(args.selection.end))?;
    let mut options = MetricsOptions::over(&snapshot, start, end, args.metrics.instant)
        .with_max_series(args.metrics.max_series.unwrap_or(0))
        .with_exemplars(args.metrics.exemplars.unwrap_or(0))
        .with_limits(super::query::timeout(args)?, args.max_bytes);
    options.step = args.metrics.step.map(|step| step.0);
    if let Some(max_memory) = args.max_memory {
        options.max_memory = max_memory;
    }
    let engine = Engine::new(snapshot);
    Ok(match args.metrics.instant {
        true => engine.query_instant(&args.query, &options).await?,
        false => engine.query_range(&args.query, &options).await?,
    })
}

fn write(
    out: &mut impl Write,
    response: &MetricsResponse,
    units: Units,
    format: Format,
    look: Look,
) -> Result<(), Failure> {
    let document = match format {
        Format::Auto if terminal::is_terminal() => return output::chart(out, response, units, look),
        Format::Chart => return output::chart(out, response, units, look),
        Format::Table => return output::metrics_table(out, response, units, look),
        Format::Auto | Format::Ndjson => {
            return output::lines(out, response.series.iter().map(|series| series_to_json(response, series)));
        }
        Format::Json => return output::document(out, &metrics_to_json(response)),
        Format::Csv => return output::metrics_csv(out, response),
        Format::Tempo => metrics_to_tempo(response),
        Format::Prometheus => metrics_to_prometheus(response),
    };
    serde_json::to_writer(&mut *out, &document)?;
    Ok(writeln!(out)?)
}

/// What there is to say beside the answer.
fn remarks(args: &Query, response: &MetricsResponse) {
    for note in &response.notes {
        eprintln!("traceql: {}", terminal::clean(note));
    }
    if args.stats {
        let stats = &response.stats;
        eprintln!(
            "{} series of {} values in {:.2?}: {} of {} spans tested, {} read",
            response.series.len(),
            response.intervals.len(),
            stats.elapsed,
            stats.rows_read,
            stats.spans,
            terminal::bytes(stats.bytes_read),
        );
    }
}
