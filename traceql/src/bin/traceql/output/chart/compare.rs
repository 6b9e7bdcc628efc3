//! The answer of `compare` as a ranking: the values of attributes that the selected spans have more often, or less often,
//! than the others.

use std::{collections::BTreeMap, io::Write};

use traceql::{Value, series::Series};

use super::{Look, columns::fit, label, unit::Unit};
use crate::exit::Failure;

const META: &str = "__meta_type";
/// How many values are shown.
const ROWS: usize = 20;
/// The width of the longest bar.
const BAR: usize = 20;

/// How many spans of each side there are of something.
#[derive(Debug, Clone, Copy, Default)]
struct Sides {
    selection: f64,
    baseline: f64,
}

/// A value of an attribute.
#[derive(Debug)]
struct Row {
    attribute: String,
    value: String,
    /// Shares of all spans of each side, between 0 and 1. What a side does not list is its most, where it may be more than 0.
    shares: Sides,
    uncertain: [bool; 2],
}

pub(super) fn is_compare(series: &[&Series]) -> bool {
    series.iter().any(|series| label(series, META).is_some())
}

pub(super) fn table(out: &mut impl Write, series: &[&Series], look: Look) -> Result<(), Failure> {
    let (rows, spans) = rank(series, look);
    let count = |spans: f64| match spans {
        1.0 => "1 span".to_owned(),
        _ if spans < 1e15 && spans.fract() == 0.0 => format!("{spans} spans"),
        _ => format!("{} spans", Unit::Count.show(spans)),
    };
    let heading = format!("selection: {}, baseline: {}", count(spans.selection), count(spans.baseline));
    writeln!(out, "{}", look.dim(&heading))?;
    let hidden = rows.len().saturating_sub(ROWS);
    let shown = rows.get(..rows.len().min(ROWS)).unwrap_or_default();
    let widest = |text: fn(&Row) -> &str, name: &str| {
        shown.iter().map(|row| unicode_width::UnicodeWidthStr::width(text(row))).chain([name.len()]).max().unwrap_or(0)
    };
    let (attributes, values) = (widest(|row| &row.attribute, "attribute"), widest(|row| &row.value, "value"));
    // Numbers and bars take 36 characters, the gaps between columns are 2.
    let room = look.style.width.saturating_sub(36 + BAR / 2 + 4).max(20);
    let attributes = attributes.min(room.saturating_sub(values.min(room / 2)));
    let values = values.min(room - attributes.min(room));
    let bars = look.style.width.saturating_sub(attributes + values + 41).clamp(1, BAR);
    let cell = |text: &str, width: usize| fit(text, width, look);
    let names = format!(
        "{}  {}  {:>9}  {:>9}  {:>10}",
        cell("attribute", attributes),
        cell("value", values),
        "selection",
        "baseline",
        "difference"
    );
    writeln!(out, "{}", look.style.dim(&names))?;
    for row in shown {
        let share = |share: f64, uncertain: bool| format!("{}{:.1}%", if uncertain { "<=" } else { "" }, share * 100.0);
        let difference = row.difference();
        let bar = look.either("█", "#").repeat((difference.abs() * bars as f64).round() as usize);
        let bar = look.style.paint(if difference < 0.0 { "35" } else { "36" }, &bar);
        let [selection, baseline] = row.uncertain;
        let line = format!(
            "{}  {}  {:>9}  {:>9}  {:>+9.1}%  {bar}",
            cell(&row.attribute, attributes),
            cell(&row.value, values),
            share(row.shares.selection, selection),
            share(row.shares.baseline, baseline),
            difference * 100.0,
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    if hidden > 0 {
        writeln!(out, "{}", look.dim(&format!("and {hidden} more values with smaller differences")))?;
    }
    Ok(())
}

impl Row {
    /// How much larger the share among the selection is; no more than is certain.
    fn difference(&self) -> f64 {
        let difference = self.shares.selection - self.shares.baseline;
        match self.uncertain {
            [true, _] => difference.min(0.0),
            [_, true] => difference.max(0.0),
            _ => difference,
        }
    }
}

/// The counts of an attribute: of each value, by its text and itself, and of all.
#[derive(Debug, Default)]
struct Attribute {
    values: BTreeMap<(String, String), Sides>,
    total: Sides,
}

/// Values by how much their shares differ, and how many spans there are on each side.
fn rank(series: &[&Series], look: Look) -> (Vec<Row>, Sides) {
    let attributes = count(series, look);
    // Some attributes, as the kind, are on every span.
    let spans = attributes.values().fold(Sides::default(), |most, attribute| Sides {
        selection: most.selection.max(attribute.total.selection),
        baseline: most.baseline.max(attribute.total.baseline),
    });
    let share = |count: f64, all: f64| if all > 0.0 { (count / all).min(1.0) } else { 0.0 };
    let mut rows = Vec::new();
    for (name, attribute) in &attributes {
        let selection = Unlisted::of(attribute.total.selection, attribute.values.values().map(|sides| sides.selection));
        let baseline = Unlisted::of(attribute.total.baseline, attribute.values.values().map(|sides| sides.baseline));
        for ((value, _), counts) in &attribute.values {
            let (selected, selection_uncertain) = selection.count(counts.selection);
            let (rest, baseline_uncertain) = baseline.count(counts.baseline);
            rows.push(Row {
                attribute: name.clone(),
                value: value.clone(),
                shares: Sides { selection: share(selected, spans.selection), baseline: share(rest, spans.baseline) },
                uncertain: [selection_uncertain, baseline_uncertain],
            });
        }
    }
    rows.sort_by(|a, b| b.difference().abs().total_cmp(&a.difference().abs()));
    (rows, spans)
}

/// The counts over the whole time.
fn count(series: &[&Series], look: Look) -> BTreeMap<String, Attribute> {
    let mut attributes: BTreeMap<String, Attribute> = BTreeMap::new();
    for series in series {
        let Some(Value::String(meta)) = label(series, META).map(|label| &label.value) else { continue };
        let Some(found) = series.labels.iter().find(|label| label.name != META) else { continue };
        let attribute = attributes.entry(look.text(&found.name)).or_default();
        let (side, total) = match meta.strip_suffix("_total") {
            Some(side) => (side, true),
            None => (meta.as_str(), false),
        };
        let sides = match total {
            true => &mut attribute.total,
            false => {
                let text = super::columns::text(found, super::Units::PLAIN, look);
                attribute.values.entry((text, format!("{:?}", found.value))).or_default()
            }
        };
        let count: f64 = series.values.iter().filter(|value| value.is_finite() && **value > 0.0).sum();
        match side {
            "selection" => sides.selection += count,
            "baseline" => sides.baseline += count,
            _ => {}
        }
    }
    attributes
}

/// The most that a value can have that a side does not list: each side lists only its most frequent ones.
struct Unlisted(f64);

impl Unlisted {
    fn of(total: f64, listed: impl Iterator<Item = f64>) -> Self {
        let (sum, least) = listed
            .filter(|count| *count > 0.0)
            .fold((0.0, f64::INFINITY), |(sum, least): (f64, f64), count| (sum + count, least.min(count)));
        // Lists of arrays and events have more than one value each: what is left over says nothing.
        let rest = if sum > total { f64::INFINITY } else { total - sum };
        Self(if least.is_finite() { rest.min(least) } else { 0.0 })
    }

    /// The count, or its most, and whether it is that.
    fn count(&self, listed: f64) -> (f64, bool) {
        if listed > 0.0 { (listed, false) } else { (self.0, self.0 > 0.0) }
    }
}
