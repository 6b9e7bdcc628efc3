//! Series as CSV: a value per line.

use std::io::Write;

use traceql::{MetricsResponse, series::Label};

use super::csv::line;
use crate::exit::Failure;

/// A line per value: its time, the series' labels (empty where it lacks one), the value.
pub(crate) fn metrics_csv(out: &mut impl Write, response: &MetricsResponse) -> Result<(), Failure> {
    let mut names: Vec<&str> = Vec::new();
    for label in response.series.iter().flat_map(|series| &series.labels) {
        if !names.contains(&label.name.as_str()) {
            names.push(&label.name);
        }
    }
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    line(out, [texts(&["time_unix_nano"]), texts(&names), texts(&["value"])].into_iter().flatten())?;
    for series in &response.series {
        let label = |name: &&str| series.labels.iter().find(|label| label.name == **name);
        let labels: Vec<String> =
            names.iter().map(|name| label(name).map_or(String::new(), Label::value_text)).collect();
        for (time, value) in response.intervals.ends().zip(&series.values).filter(|(_, value)| !value.is_nan()) {
            line(out, std::iter::once(time.to_string()).chain(labels.iter().cloned()).chain([value.to_string()]))?;
        }
    }
    Ok(())
}
