//! How the table grows with the number of spans.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::{
    Result,
    ingest::ingest_generated,
    measure::Measure,
    merge::merge,
    queries::Growth,
    report::{Ingest, QueryFigures, Report},
    run::{questions_of_generated, size},
};

/// An exponent may be this much above what is allowed: half a million spans are seven row groups, and times have noise.
const TOLERANCE: f64 = 0.15;

#[derive(Debug, Args)]
pub(crate) struct Growing {
    /// The sizes of the generated workload, ascending.
    #[arg(long, value_delimiter = ',', default_value = "500000,5000000")]
    spans: Vec<u64>,
    #[command(flatten)]
    measure: Measure,
    /// A folder for the figures of each size as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// A folder where the stores are kept; one that is there already is not made again.
    #[arg(long)]
    folder: Option<PathBuf>,
}

impl Growing {
    pub(crate) fn execute(&self) -> Result<()> {
        let mut reports = Vec::new();
        for spans in &self.spans {
            // Removed when the next size begins.
            let temporary = tempfile::tempdir()?;
            let folder = match &self.folder {
                Some(folder) => folder.join(spans.to_string()),
                None => temporary.path().to_owned(),
            };
            let store = folder.join("store");
            let ingest = ingested(&folder, &store, *spans)?;
            let compaction = merge(&store)?;
            let size = size(&store, ingest.spans)?;
            let queries = self.measure.measure(&store, questions_of_generated())?;
            let report = Report { ingest, size, compaction, queries };
            if let Some(json) = &self.json {
                report.write(&json.join(format!("{spans}.json")))?;
            }
            eprintln!("{spans} spans are measured");
            reports.push(report);
        }
        print(&reports);
        Ok(())
    }
}

/// What ingest took: now, or when the store was made.
fn ingested(folder: &Path, store: &Path, spans: u64) -> Result<Ingest> {
    let kept = folder.join("ingest.json");
    if kept.exists() {
        return Ok(serde_json::from_slice(&std::fs::read(kept)?)?);
    }
    let ingest = ingest_generated(store, spans)?;
    std::fs::write(kept, serde_json::to_vec(&ingest)?)?;
    Ok(ingest)
}

/// Prints a row for each thing that was measured: its values by size, and the exponent between the first and the last.
fn print(reports: &[Report]) {
    let print_row = |name: &str, values: Vec<Option<f64>>, allowed: Option<Growth>| {
        let shown: String = values.iter().map(|value| format!(" {:>10}", crate::table::fixed(*value))).collect();
        let exponent = exponent(reports, &values);
        let is_more = allowed.zip(exponent).is_some_and(|(allowed, exponent)| exponent > limit(allowed) + TOLERANCE);
        let exponent = exponent.map_or(String::new(), |exponent| format!("{exponent:.2}"));
        println!("{name:<104}{shown} {exponent:>8} {}", if is_more { "grows faster than it may" } else { "" });
    };
    let of = |value: &dyn Fn(&Report) -> f64| reports.iter().map(|report| Some(value(report))).collect();
    print_row("spans", of(&|report| report.ingest.spans as f64), None);
    print_row("ingest, CPU seconds", of(&|report| report.ingest.cpu_s), Some(Growth::Scan));
    print_row("ingest, peak memory in MB", of(&|report| report.ingest.peak_rss_mb), None);
    print_row("bytes per span", of(&|report| report.size.bytes_per_span), Some(Growth::Flat));
    for question in reports.first().into_iter().flat_map(|report| &report.queries) {
        let of = |value: &dyn Fn(&QueryFigures) -> Option<f64>| {
            let figures = |report: &Report| report.queries.iter().find(|other| other.query == question.query).cloned();
            reports.iter().map(|report| figures(report).as_ref().and_then(value)).collect()
        };
        let allowed = questions_of_generated().find(|asked| asked.text == question.query).map(|asked| asked.growth);
        print_row(&question.query, of(&|figures| figures.median_ms), allowed);
        print_row("    cold", of(&|figures| figures.cold_ms), None);
    }
}

const fn limit(growth: Growth) -> f64 {
    match growth {
        Growth::Scan => 1.0,
        Growth::Flat => 0.0,
    }
}

/// e, if the values grow as the number of spans to the power of e.
fn exponent(reports: &[Report], values: &[Option<f64>]) -> Option<f64> {
    let (first, last) = (reports.first()?, reports.last()?);
    let spans = last.ingest.spans as f64 / first.ingest.spans as f64;
    let times = values.last().copied().flatten()? / values.first().copied().flatten()?;
    (spans > 1.0 && times.is_finite() && times > 0.0).then(|| times.ln() / spans.ln())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Size;

    #[test]
    fn exponents_are_those_of_powers() {
        let report = |spans| Report {
            ingest: Ingest { spans, spans_per_s: 1.0, cpu_s: 1.0, peak_rss_mb: 1.0 },
            size: Size { bytes_per_span: 1.0 },
            compaction: None,
            queries: Vec::new(),
        };
        let reports = [report(1_000), report(10_000), report(100_000)];
        let of = |values: [f64; 3]| exponent(&reports, &values.map(Some)).unwrap();
        assert!(of([7.0, 0.0, 7.0]).abs() < 1e-12);
        assert!((of([1.0, 10.0, 100.0]) - 1.0).abs() < 1e-12);
        assert!((of([1.0, 100.0, 10_000.0]) - 2.0).abs() < 1e-12);
        assert_eq!(exponent(&reports, &[None, None, Some(1.0)]), None);
        assert_eq!(exponent(&reports[..1], &[Some(1.0)]), None);
    }
}
