//! Labels and numbers of series in columns: the legend of a chart, the labels of bars, the plain table.

use std::borrow::Cow;

use traceql::{
    Value,
    series::{Label, Series},
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{
    BUCKET, FUNCTION, Look,
    unit::{Unit, Units},
};

/// What the values of a series over time amount to.
pub(super) const SUMMARY: [&str; 4] = ["last", "min", "max", "avg"];

const GAP: usize = 2;
/// No column of labels is narrower, if it has something to show.
const NARROWEST: usize = 6;

/// A row for each series.
#[derive(Debug)]
pub(super) struct Columns {
    look: Look,
    /// What stands before each row: one character, or none.
    marks: Option<Vec<String>>,
    /// For each label its name and its texts.
    labels: Vec<(String, Vec<String>)>,
    /// For each number its name and its texts.
    numbers: Vec<(String, Vec<String>)>,
}

impl Columns {
    /// The labels of some series.
    pub(super) fn new(series: &[&Series], units: Units, look: Look) -> Self {
        let mut names: Vec<&str> = Vec::new();
        for label in series.iter().flat_map(|series| &series.labels) {
            if !names.contains(&label.name.as_str()) {
                names.push(&label.name);
            }
        }
        let texts = |name: &str| {
            let label =
                |series: &&Series| super::label(series, name).map_or(String::new(), |label| text(label, units, look));
            series.iter().map(label).collect()
        };
        let labels = names.iter().map(|name| (look.text(heading(name)), texts(name))).collect();
        Self { look, marks: None, labels, numbers: Vec::new() }
    }

    pub(super) fn with_marks(self, marks: Vec<String>) -> Self {
        Self { marks: Some(marks), ..self }
    }

    /// Numbers for each row, by name.
    pub(super) fn with_numbers(self, names: &[&str], rows: Vec<Vec<String>>) -> Self {
        let column = |(place, name): (usize, &&str)| {
            let texts = rows.iter().map(|row| row.get(place).map(|text| self.look.text(text)).unwrap_or_default());
            ((*name).to_owned(), texts.collect())
        };
        Self { numbers: names.iter().enumerate().map(column).collect(), ..self }
    }

    /// The heading and the rows, as wide as they need to be and, if it can be, no wider than `width`.
    pub(super) fn lines(&self, width: usize) -> Vec<String> {
        let widest = |(name, texts): &(String, Vec<String>)| {
            texts.iter().chain([name]).map(|text| text.width()).max().unwrap_or(0)
        };
        let numbers: Vec<usize> = self.numbers.iter().map(widest).collect();
        let marks = if self.marks.is_some() { 1 + GAP } else { 0 };
        let taken = marks + numbers.iter().map(|width| width + GAP).sum::<usize>();
        let wanted = self.labels.iter().map(widest).collect();
        let labels = share(wanted, width.saturating_sub(taken + GAP * self.labels.len().saturating_sub(1)));
        let line = |row: Option<usize>| {
            let mark = self.marks.as_ref().map(|marks| row.and_then(|row| marks.get(row)).map_or(" ", String::as_str));
            let text = |column: &'_ (String, Vec<String>)| match row {
                Some(row) => column.1.get(row).cloned().unwrap_or_default(),
                None => column.0.clone(),
            };
            let labels = self.labels.iter().zip(&labels).map(|(column, width)| fit(&text(column), *width, self.look));
            let numbers = self.numbers.iter().zip(&numbers).map(|(column, width)| format!("{:>width$}", text(column)));
            let cells: Vec<String> = mark.map(str::to_owned).into_iter().chain(labels).chain(numbers).collect();
            let line = cells.join(&" ".repeat(GAP));
            if row.is_none() { self.look.style.dim(&line) } else { line }
        };
        let rows = self.labels.iter().chain(&self.numbers).map(|(_, texts)| texts.len()).max().unwrap_or(0);
        std::iter::once(None).chain((0..rows).map(Some)).map(line).collect()
    }
}

/// The last, smallest, largest value, and their average; nothing for a series without values.
pub(super) fn numbers(values: &[f64], unit: Unit) -> Vec<String> {
    let found: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    let Some(last) = found.last() else { return Vec::new() };
    let (least, most) = found.iter().fold((*last, *last), |(least, most), value| (least.min(*value), most.max(*value)));
    let mean = mean(&found);
    [*last, least, most]
        .into_iter()
        .map(|value| unit.show(value))
        .chain([if mean.is_nan() { "-".to_owned() } else { unit.show(mean) }])
        .collect()
}

/// The average of the values there are. Parts are added, so that large values have one.
pub(super) fn mean(values: &[f64]) -> f64 {
    let count = values.iter().filter(|value| !value.is_nan()).count() as f64;
    values.iter().filter(|value| !value.is_nan()).map(|value| value / count).sum()
}

/// A function's name needs no heading.
fn heading(name: &str) -> &str {
    match name {
        FUNCTION => "",
        BUCKET => "up to",
        name => name,
    }
}

pub(super) fn text(label: &Label, units: Units, look: Look) -> String {
    let text = match &label.value {
        Value::Float(end) if label.name == BUCKET => units.buckets.show(*end),
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        _ => label.value_text(),
    };
    look.text(&text)
}

/// Widths for columns: what they want, if there is room; else the narrow get it, and the others equal parts of the rest.
fn share(wanted: Vec<usize>, room: usize) -> Vec<usize> {
    if wanted.iter().sum::<usize>() <= room {
        return wanted;
    }
    let mut sorted = wanted.clone();
    sorted.sort_unstable();
    let (mut left, mut columns) = (room, sorted.len());
    let mut most = room;
    for width in sorted {
        most = left / columns.max(1);
        if width > most {
            break;
        }
        (left, columns) = (left - width, columns - 1);
    }
    wanted.into_iter().map(|width| width.min(most.max(NARROWEST))).collect()
}

/// A text at some width: filled up, or cut and marked so.
pub(super) fn fit(text: &str, width: usize, look: Look) -> String {
    let shown: Cow<'_, str> = if text.width() <= width {
        text.into()
    } else {
        let mark = look.either("…", "~");
        let mut used = mark.width();
        let fits = |c: &char| {
            used += c.width().unwrap_or(0);
            used <= width
        };
        (text.chars().take_while(fits).collect::<String>() + mark).into()
    };
    format!("{shown}{}", " ".repeat(width.saturating_sub(shown.width())))
}
