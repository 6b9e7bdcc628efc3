//! A report as a table on standard output.

use crate::{
    queries::{BYTES_PER_SPAN, INGEST_CPU_S, PEAK_RSS_MB},
    report::{QueryFigures, Report},
};

/// How wide the first column is.
const WIDE: usize = 104;

/// Prints the table; a row that meets its target is marked.
pub(crate) fn print(report: &Report) {
    println!("{:<WIDE$} {:>9} {:>9} {:>9}", "", "Tempo v3", "target", "here");
    let row = |name: &str, (tempo, target): (f64, f64), value: f64, unit: &str| {
        println!("{name:<WIDE$} {tempo:>9} {target:>9} {value:>9.2} {} {unit}", mark(value, Some(target)));
    };
    row("ingest, CPU seconds", INGEST_CPU_S, report.ingest.cpu_s, "s");
    row("ingest, peak memory", PEAK_RSS_MB, report.ingest.peak_rss_mb, "MB");
    row("bytes per span", BYTES_PER_SPAN, report.size.bytes_per_span, "B");
    println!("{:<WIDE$} {:>29.0}", "spans per second, file to synced block", report.ingest.spans_per_s);
    if let Some(compaction) = &report.compaction {
        println!(
            "compaction of {} blocks into {}: {:.1} MB read, {:.1} MB written, {:.2} s, {:.2} CPU s, peak {:.0} MB",
            compaction.blocks_before,
            compaction.blocks_after,
            compaction.bytes_read as f64 / 1e6,
            compaction.bytes_written as f64 / 1e6,
            compaction.seconds,
            compaction.cpu_s,
            compaction.peak_rss_mb
        );
    }
    println!();
    println!(
        "{:<WIDE$} {:>9} {:>7} {:>8} {:>8}   {:>8} {:>8} {:>8} {:>7} {:>8} {:>8} {:>8} {:>8}  results",
        "ms",
        "Tempo v3",
        "target",
        "median",
        "p99",
        "CPU ms",
        "k rows",
        "kB",
        "pruned",
        "cold",
        "cold MB",
        "DuckDB",
        "endpoint",
    );
    report.queries.iter().for_each(print_query);
}

fn print_query(figures: &QueryFigures) {
    let question = figures.question();
    let target = question.and_then(|question| question.target_ms);
    let pruned = match (figures.row_groups_pruned, figures.row_groups) {
        (Some(pruned), Some(all)) => format!("{pruned}/{all}"),
        _ => String::new(),
    };
    let results = figures.results.map_or(String::new(), |results| {
        let other = figures.endpoint_results.filter(|other| *other != results);
        let other = other.map_or(String::new(), |other| format!("; the endpoint has {other}"));
        format!("{results} {}{other}", noun(&figures.kind))
    });
    println!(
        "{:<WIDE$} {:>9} {:>7} {:>8} {:>8} {} {:>8} {:>8} {:>8} {pruned:>7} {:>8} {:>8} {:>8} {:>8}  {results}",
        figures.query,
        plain(question.and_then(|question| question.tempo_ms)),
        plain(target),
        fixed(figures.median_ms),
        fixed(figures.p99_ms),
        mark(figures.median_ms.unwrap_or(f64::MAX), target),
        fixed(figures.cpu_ms),
        thousands(figures.rows_read),
        thousands(figures.bytes_read),
        fixed(figures.cold_ms),
        fixed(figures.peak_rss_mb),
        fixed(figures.duckdb_ms),
        fixed(figures.endpoint_ms),
    );
}

fn mark(value: f64, target: Option<f64>) -> &'static str {
    if target.is_some_and(|target| value <= target) { "✓" } else { " " }
}

fn noun(kind: &str) -> &'static str {
    match kind {
        "metrics" => "series",
        "tags" => "texts",
        _ => "traces",
    }
}

fn plain(value: Option<f64>) -> String {
    value.map_or(String::new(), |value| value.to_string())
}

/// With two digits behind the point.
pub(crate) fn fixed(value: Option<f64>) -> String {
    value.map_or(String::new(), |value| format!("{value:.2}"))
}

fn thousands(value: Option<u64>) -> String {
    value.map_or(String::new(), |value| format!("{:.1}", value as f64 / 1e3))
}
