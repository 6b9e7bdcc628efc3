//! Two reports side by side.

use std::path::PathBuf;

use clap::Args;

use crate::{
    Result,
    report::{QueryFigures, Report},
    table::fixed,
};

#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// The figures before, as `run --json` wrote them.
    before: PathBuf,
    /// The figures after.
    after: PathBuf,
}

impl Compare {
    pub(crate) fn execute(&self) -> Result<()> {
        let (before, after) = (Report::read(&self.before)?, Report::read(&self.after)?);
        print!("{}", compared(&before, &after));
        Ok(())
    }
}

/// The table of two reports. A ratio below 1 is an improvement, except for spans per second.
fn compared(before: &Report, after: &Report) -> String {
    let mut table = format!("{:<104} {:>10} {:>10} {:>7}\n", "", "before", "after", "ratio");
    let mut row = |name: &str, before: Option<f64>, after: Option<f64>| {
        let ratio = before.zip(after).filter(|(before, _)| *before > 0.0).map(|(before, after)| after / before);
        table += &format!("{name:<104} {:>10} {:>10} {:>7}\n", fixed(before), fixed(after), fixed(ratio));
    };
    let mut both = |name, of: &dyn Fn(&Report) -> f64| row(name, Some(of(before)), Some(of(after)));
    both("spans per second", &|report| report.ingest.spans_per_s);
    both("ingest, CPU seconds", &|report| report.ingest.cpu_s);
    both("ingest, peak memory in MB", &|report| report.ingest.peak_rss_mb);
    both("bytes per span", &|report| report.size.bytes_per_span);
    let of = |report: &'_ Report, query: &str| report.queries.iter().find(|figures| figures.query == query).cloned();
    let gone = before.queries.iter().filter(|figures| of(after, &figures.query).is_none());
    for figures in after.queries.iter().chain(gone) {
        let (before, after) = (of(before, &figures.query), of(after, &figures.query));
        let mut of_query = |name: &str, value: &dyn Fn(&QueryFigures) -> Option<f64>| {
            let values = (before.as_ref().and_then(value), after.as_ref().and_then(value));
            if values != (None, None) {
                row(name, values.0, values.1);
            }
        };
        of_query(&figures.query, &|figures| figures.median_ms);
        of_query("    cold", &|figures| figures.cold_ms);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Ingest, Size};

    fn report(cpu_s: f64, queries: &[(&str, f64)]) -> Report {
        let figures = |(query, median): &(&str, f64)| QueryFigures {
            query: (*query).to_owned(),
            median_ms: Some(*median),
            ..QueryFigures::default()
        };
        Report {
            ingest: Ingest { spans: 1, spans_per_s: 2.0, cpu_s, peak_rss_mb: 0.0 },
            size: Size { bytes_per_span: 28.0 },
            compaction: None,
            queries: queries.iter().map(figures).collect(),
        }
    }

    #[test]
    fn rows_are_matched_by_their_query() {
        let before = report(4.0, &[("{ a }", 2.0), ("{ gone }", 1.0)]);
        let after = report(3.0, &[("{ new }", 1.0), ("{ a }", 3.0)]);
        let table = compared(&before, &after);
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        let expected = [
            "before after ratio",
            "spans per second 2.00 2.00 1.00",
            "ingest, CPU seconds 4.00 3.00 0.75",
            // Nothing to divide by.
            "ingest, peak memory in MB 0.00 0.00",
            "bytes per span 28.00 28.00 1.00",
            "{ new } 1.00",
            "{ a } 2.00 3.00 1.50",
            "{ gone } 1.00",
        ];
        assert_eq!(lines, expected.map(|line| line.split_whitespace().collect::<Vec<_>>()));
    }
}
