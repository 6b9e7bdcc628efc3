//! Series as lines over time, the largest on top of each other's, with a legend.

use std::io::Write;

use traceql::{MetricsResponse, series::Series};

use super::{
    Look,
    axis::TimeAxis,
    canvas::{COLORS, Canvas, Pen},
    columns::{Columns, SUMMARY, mean, numbers},
    ticks::Ticks,
    unit::Units,
};
use crate::exit::Failure;

/// How many rows of text the lines take.
const ROWS: usize = 16;
/// Every fourth row or so has a number.
const TICKS: usize = 4;

pub(super) fn lines(
    out: &mut impl Write,
    response: &MetricsResponse,
    series: &[&Series],
    units: Units,
    look: Look,
) -> Result<(), Failure> {
    let mut series = series.to_vec();
    // The sort is stable: of equal ones the first of the answer.
    series.sort_by(|a, b| mean(&b.values).total_cmp(&mean(&a.values)));
    let hidden = series.len().saturating_sub(COLORS.len());
    series.truncate(COLORS.len());

    let ticks = Ticks::around(series.iter().flat_map(|series| series.values.iter().copied()), TICKS, units.values);
    let labels: Vec<(usize, String)> =
        ticks.labels().into_iter().map(|(value, label)| (ticks.place(value, ROWS), look.text(&label))).collect();
    let gutter = labels.iter().map(|(_, label)| label.chars().count()).max().unwrap_or(0).max(3) + 2;
    let columns = look.style.width.saturating_sub(gutter + 1).max(10);

    let pen = Pen::new(look, series.len());
    let mut canvas = Canvas::new(columns, ROWS, pen);
    for (place, series) in series.iter().enumerate().rev() {
        draw(&mut canvas, &ticks, &series.values, place);
    }
    writeln!(out, "{}", super::heading(response, units, look))?;
    for (row, line) in canvas.rows().enumerate() {
        let label = labels.iter().find(|(place, _)| *place == row).map(|(_, label)| label.as_str());
        let axis = if label.is_some() { look.either("┤", "+") } else { look.either("│", "|") };
        let label = format!("{:>width$} {axis}", label.unwrap_or_default(), width = gutter - 2);
        writeln!(out, "{}", format!("{}{line}", look.style.dim(&label)).trim_end())?;
    }
    let start = response.intervals.ends().next().unwrap_or_default();
    let axis = TimeAxis { start, end: response.intervals.range().1, columns, moments: true };
    for line in axis.lines(gutter, look) {
        writeln!(out, "{line}")?;
    }
    let marks = (0..series.len()).map(|place| pen.sample(place)).collect();
    let rows = series.iter().map(|series| numbers(&series.values, units.values)).collect();
    let legend = Columns::new(&series, units, look).with_marks(marks).with_numbers(&SUMMARY, rows);
    for line in legend.lines(look.style.width) {
        writeln!(out, "{}", line.trim_end())?;
    }
    if hidden > 0 {
        writeln!(out, "{}", look.dim(&format!("and {hidden} more series with smaller averages")))?;
    }
    Ok(())
}

/// A line from value to value, with gaps where there is none.
fn draw(canvas: &mut Canvas, ticks: &Ticks, values: &[f64], series: usize) {
    let (across, down) = canvas.places();
    let last = values.len().saturating_sub(1).max(1);
    let mut before = None;
    for (place, value) in values.iter().enumerate() {
        let here = (!value.is_nan()).then(|| {
            let column = place as f64 / last as f64 * across.saturating_sub(1) as f64;
            (column.round() as usize, ticks.place(*value, down))
        });
        if let Some(here) = here {
            canvas.line(before.unwrap_or(here), here, series);
        }
        before = here;
    }
}
