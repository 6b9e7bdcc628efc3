//! The one value of each series as a bar: the answer of an instant query.

use std::{cmp::Ordering, io::Write};

use traceql::{MetricsResponse, Value, series::Series};

use super::{
    BUCKET, Look,
    columns::{Columns, numbers},
    label,
    unit::Units,
};
use crate::{exit::Failure, terminal::Style};

/// How many bars are drawn.
const BARS: usize = 40;
/// The shortest longest bar.
const SHORTEST: usize = 10;

pub(super) fn bars(
    out: &mut impl Write,
    response: &MetricsResponse,
    series: &[&Series],
    units: Units,
    look: Look,
) -> Result<(), Failure> {
    let mut series = series.to_vec();
    series.sort_by(|a, b| order(a, b));
    let hidden = series.len().saturating_sub(BARS);
    series.truncate(BARS);
    let value = |series: &Series| series.values.first().copied().unwrap_or_default();
    let most = series.iter().map(|series| value(series).abs()).filter(|size| size.is_finite()).fold(0.0, f64::max);

    let rows = series.iter().map(|series| numbers(&series.values, units.values).into_iter().take(1).collect());
    let columns = Columns::new(&series, units, look).with_numbers(&["value"], rows.collect());
    let labels = columns.lines(look.style.width.saturating_sub(SHORTEST + 2).max(SHORTEST));
    let mut lines = labels.into_iter();
    writeln!(out, "{}", super::heading(response, units, look))?;
    let heading = lines.next().unwrap_or_default();
    writeln!(out, "{}", heading.trim_end())?;
    let taken = lines.as_slice().first().map_or(0, |line| unicode_width::UnicodeWidthStr::width(line.as_str()));
    let room = look.style.width.saturating_sub(taken + 3).max(SHORTEST);
    for (series, line) in series.iter().zip(lines) {
        let bar = bar(value(series), most, room, look);
        writeln!(out, "{}", format!("{line}  {}", painted(look.style, value(series), &bar)).trim_end())?;
    }
    if hidden > 0 {
        writeln!(out, "{}", look.dim(&format!("and {hidden} more series with smaller values")))?;
    }
    Ok(())
}

/// The largest first; buckets by group and size.
fn order(a: &Series, b: &Series) -> Ordering {
    let end = |series: &Series| match label(series, BUCKET).map(|label| &label.value) {
        Some(Value::Float(end)) => Some(*end),
        _ => None,
    };
    let value = |series: &Series| series.values.first().copied().unwrap_or_default();
    match (end(a), end(b)) {
        (Some(one), Some(other)) => {
            let group = |series: &Series| {
                let others = series.labels.iter().filter(|label| label.name != BUCKET);
                others.map(|label| label.value_text()).collect::<Vec<_>>()
            };
            group(a).cmp(&group(b)).then(one.total_cmp(&other))
        }
        _ => value(b).total_cmp(&value(a)),
    }
}

fn painted(style: Style, value: f64, bar: &str) -> String {
    if value < 0.0 { style.paint("35", bar) } else { style.paint("36", bar) }
}

/// A bar in eighths of a character; less than nothing is shown by other marks.
fn bar(value: f64, most: f64, room: usize, look: Look) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let part = if value.is_infinite() || most <= 0.0 { f64::from(u8::from(value != 0.0)) } else { value.abs() / most };
    let length = part.clamp(0.0, 1.0) * room as f64;
    if look.ascii {
        return if value < 0.0 { "-" } else { "#" }.repeat(length.round() as usize);
    }
    if value < 0.0 {
        return "▒".repeat(length.round() as usize);
    }
    let eighths = (length * 8.0).round() as usize;
    let rest = EIGHTHS.get(eighths % 8).copied().unwrap_or_default();
    format!("{}{rest}", "█".repeat(eighths / 8))
}
