//! `traceql query`: searches; metrics queries are passed on.

use std::{io::Write, time::Duration};

use traceql::{
    Engine, SearchKey, SearchOrder, SearchResponse,
    ir::Body,
    output::{search_to_json, search_to_tempo, trace_match_to_json},
};

use crate::{
    args::{Format, Query, Sort},
    exit::{Failure, NOTHING_FOUND},
    output,
    terminal::{self, Style},
};

pub(super) async fn run(args: &Query, style: Style) -> Result<u8, Failure> {
    // A wrong query is told before data is read.
    let query = traceql::compile(&args.query).map_err(traceql::Error::from)?;
    match query.body {
        Body::Metrics(metrics) => super::metrics::run(args, &metrics, style).await,
        Body::Search(_) => search(args, style).await,
    }
}

/// How long a query may take.
pub(super) fn timeout(args: &Query) -> Result<Option<Duration>, Failure> {
    let timeout = args.timeout.map(Duration::try_from_secs_f64).transpose();
    timeout.map_err(|error| Failure::Usage(format!("--timeout: {error}")))
}

async fn search(args: &Query, style: Style) -> Result<u8, Failure> {
    let only_metrics = [
        ("-o chart", args.output == Format::Chart),
        ("-o prometheus", args.output == Format::Prometheus),
        ("--step", args.metrics.step.is_some()),
        ("--instant", args.metrics.instant),
        ("--max-series", args.metrics.max_series.is_some()),
        ("--exemplars", args.metrics.exemplars.is_some()),
        ("--watch", args.metrics.watch.is_some()),
        ("--ascii", args.metrics.ascii),
    ];
    super::refuse(&only_metrics, "is for metrics queries, such as `{ … } | rate()`: this is a search")?;
    let key = match args.sort {
        Sort::Start => SearchKey::Start,
        Sort::Duration => SearchKey::Duration,
    };
    let options = super::options(&args.selection)?
        .with_order(SearchOrder { key, ascending: args.ascending })
        .with_after(args.after)
        .with_limits(timeout(args)?, args.max_bytes, args.partial)
        .with_max_memory(args.max_memory);
    let engine = Engine::new(super::open(&args.paths)?);
    let response = engine.search(&args.query, &options).await?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    write(&mut out, &response, args.output, style)?;
    out.flush()?;
    if response.partial {
        eprintln!("traceql: a limit ended the search: there may be more");
    }
    if let Some(next) = response.next.filter(|_| args.stats) {
        eprintln!("next page: --after {next}");
    }
    if args.stats {
        let stats = &response.stats;
        eprintln!(
            "{} traces in {:.2?}: {} of {} spans tested, {} read",
            response.traces.len(),
            stats.elapsed,
            stats.rows_read,
            stats.spans,
            terminal::bytes(stats.bytes_read),
        );
    }
    Ok(if args.fail_empty && response.traces.is_empty() { NOTHING_FOUND } else { 0 })
}

fn write(out: &mut impl Write, response: &SearchResponse, format: Format, style: Style) -> Result<(), Failure> {
    match format {
        Format::Auto if terminal::is_terminal() => output::table(out, response, style),
        Format::Table => output::table(out, response, style),
        Format::Auto | Format::Ndjson | Format::Chart | Format::Prometheus => {
            output::lines(out, response.traces.iter().map(trace_match_to_json))
        }
        Format::Json => output::document(out, &search_to_json(response)),
        Format::Csv => output::csv(out, response),
        Format::Tempo => {
            serde_json::to_writer(&mut *out, &search_to_tempo(response))?;
            Ok(writeln!(out)?)
        }
    }
}
