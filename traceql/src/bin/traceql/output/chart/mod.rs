//! Answers of metrics queries as pictures of text: lines over time, heat maps of histograms, bars of instant queries, a
//! ranking for `compare`. Each is drawn at once, to be read like any other output; nothing takes over the screen.

mod axis;
mod bars;
mod canvas;
mod columns;
mod compare;
mod heat;
mod lines;
mod ticks;
mod unit;

#[cfg(test)]
mod tests;

use std::io::Write;

use traceql::{
    MetricsResponse,
    series::{Label, Series},
};
pub(crate) use unit::Units;

use crate::{
    exit::Failure,
    terminal::{self, Style, clean},
};

/// What the function is called where series have no other name.
const FUNCTION: &str = "__name__";
/// The upper end of a histogram's bucket.
const BUCKET: &str = "__bucket";

/// How to draw.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) style: Style,
    /// Nothing but ASCII.
    pub(crate) ascii: bool,
}

impl Look {
    /// A text that cannot steer the terminal, in its characters.
    pub(in crate::output) fn text(self, text: &str) -> String {
        let text = clean(text);
        match self.ascii {
            true => text
                .chars()
                .map(|c| if c == 'µ' { 'u' } else { c })
                .map(|c| if c.is_ascii() { c } else { '?' })
                .collect(),
            false => text,
        }
    }

    /// One of two texts.
    pub(in crate::output) fn either<'a>(self, unicode: &'a str, ascii: &'a str) -> &'a str {
        if self.ascii { ascii } else { unicode }
    }

    pub(in crate::output) fn dim(self, text: &str) -> String {
        self.style.dim(&self.text(text))
    }
}

/// The picture that shows an answer best.
pub(crate) fn chart(out: &mut impl Write, response: &MetricsResponse, units: Units, look: Look) -> Result<(), Failure> {
    let series = with_values(response);
    if series.is_empty() {
        return Ok(writeln!(out, "{}", look.dim("no series"))?);
    }
    if compare::is_compare(&series) {
        return compare::table(out, &series, look);
    }
    if response.intervals.len() == 1 {
        return bars::bars(out, response, &series, units, look);
    }
    if series.iter().all(|series| label(series, BUCKET).is_some()) {
        return heat::maps(out, response, &series, units, look);
    }
    lines::lines(out, response, &series, units, look)
}

/// A line for each series; of a range, what its values amount to.
pub(crate) fn table(out: &mut impl Write, response: &MetricsResponse, units: Units, look: Look) -> Result<(), Failure> {
    let series = with_values(response);
    if compare::is_compare(&series) {
        return compare::table(out, &series, look);
    }
    let instant = response.intervals.len() == 1;
    let numbers: &[&str] = if instant { &["value"] } else { &columns::SUMMARY };
    let rows = series.iter().map(|series| match instant {
        true => columns::numbers(&series.values, units.values).into_iter().take(1).collect(),
        false => columns::numbers(&series.values, units.values),
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let columns = columns::Columns::new(&series, units, look).with_numbers(numbers, rows);
    for line in columns.lines(look.style.width) {
        writeln!(out, "{}", line.trim_end())?;
    }
    let words = format!("{} series, {}", series.len(), summary(response, units));
    Ok(writeln!(out, "{}", look.dim(&words))?)
}

fn with_values(response: &MetricsResponse) -> Vec<&Series> {
    response.series.iter().filter(|series| series.has_values()).collect()
}

fn label<'a>(series: &'a Series, name: &str) -> Option<&'a Label> {
    series.labels.iter().find(|label| label.name == name)
}

/// The first line of a picture.
fn heading(response: &MetricsResponse, units: Units, look: Look) -> String {
    look.dim(columns::fit(&summary(response, units), look.style.width, look).trim_end())
}

/// What is counted, and when.
fn summary(response: &MetricsResponse, units: Units) -> String {
    let (start, end) = response.intervals.range();
    let when = match response.intervals.len() {
        1 => format!("{} to {}", terminal::time(start), terminal::time(end)),
        _ => format!("every {}", unit::tidy(&terminal::duration(response.intervals.step()))),
    };
    match units.values.words() {
        Some(words) => format!("{words}, {when}"),
        None => when,
    }
}
