//! Histograms as heat maps: a row for each bucket, a column for each interval or so, shaded by count. One map for each
//! group, all with the same shades.

use std::{collections::BTreeMap, io::Write};

use traceql::{MetricsResponse, Value, series::Series};

use super::{BUCKET, Look, axis::TimeAxis, columns, label, unit::Units};
use crate::exit::Failure;

/// How many groups are drawn, and how many rows each takes at most.
const MAPS: usize = 4;
const ROWS: usize = 20;

const SHADES: [&str; 4] = ["░", "▒", "▓", "█"];
const ASCII_SHADES: [&str; 4] = [".", "+", "x", "#"];
/// From cold to hot, for characters that are full.
const HEAT: [&str; 8] = ["38;5;23", "38;5;30", "38;5;36", "38;5;71", "38;5;107", "38;5;143", "38;5;178", "38;5;220"];

/// The series of one group: counts by bucket, the smallest first.
struct Map<'a> {
    title: String,
    total: f64,
    buckets: Vec<(f64, &'a [f64])>,
}

/// What all maps have in common.
struct Layout {
    /// The upper ends of the buckets of each row, the smallest first.
    rows: Vec<Vec<f64>>,
    /// How many intervals are in a column of the data, and how many characters wide it is.
    intervals: usize,
    width: usize,
    columns: usize,
    /// The largest count of a place.
    most: f64,
}

pub(super) fn maps(
    out: &mut impl Write,
    response: &MetricsResponse,
    series: &[&Series],
    units: Units,
    look: Look,
) -> Result<(), Failure> {
    let mut maps = groups(series, units, look);
    maps.sort_by(|a, b| b.total.total_cmp(&a.total));
    let hidden = maps.len().saturating_sub(MAPS);
    maps.truncate(MAPS);

    let rows = rows(&maps);
    let label = |row: &Vec<f64>| look.text(&row.last().map_or(String::new(), |end| units.buckets.show(*end)));
    let labels: Vec<String> = rows.iter().map(label).collect();
    let gutter = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0).max(3) + 2;
    let room = look.style.width.saturating_sub(gutter + 1).max(10);
    let count = response.intervals.len();
    let intervals = count.div_ceil(room).max(1);
    let columns = count.div_ceil(intervals);
    let mut layout = Layout { rows, intervals, width: (room / columns.max(1)).max(1), columns, most: 0.0 };
    let counts: Vec<Vec<Vec<f64>>> = maps.iter().map(|map| layout.counts(map)).collect();
    layout.most = counts.iter().flatten().flatten().copied().filter(|count| count.is_finite()).fold(0.0, f64::max);

    writeln!(out, "{}", super::heading(response, units, look))?;
    for (map, counts) in maps.iter().zip(&counts) {
        if !map.title.is_empty() {
            let total = units.values.show(map.total);
            let title = columns::fit(&map.title, look.style.width.saturating_sub(total.len() + 2), look);
            writeln!(out, "{}  {}", look.style.bold(title.trim_end()), look.dim(&total))?;
        }
        for (counts, label) in counts.iter().zip(&labels).rev() {
            let axis = look.style.dim(&format!("{label:>width$} {}", look.either("│", "|"), width = gutter - 2));
            writeln!(out, "{}", format!("{axis}{}", layout.row(counts, look)).trim_end())?;
        }
    }
    let (start, end) = response.intervals.range();
    let covered = (columns * intervals) as u64 * response.intervals.step();
    let axis = TimeAxis {
        start,
        end: end.max(start.saturating_add(covered)),
        columns: columns * layout.width,
        moments: false,
    };
    for line in axis.lines(gutter, look) {
        writeln!(out, "{line}")?;
    }
    for line in layout.scale(units, look) {
        writeln!(out, "{line}")?;
    }
    if hidden > 0 {
        writeln!(out, "{}", look.dim(&format!("and {hidden} more groups with fewer spans")))?;
    }
    Ok(())
}

/// Series by their labels but for the bucket.
fn groups<'a>(series: &[&'a Series], units: Units, look: Look) -> Vec<Map<'a>> {
    let mut groups: BTreeMap<String, Map<'a>> = BTreeMap::new();
    for series in series {
        let others = series.labels.iter().filter(|label| label.name != BUCKET);
        let title = others.map(|label| format!("{}={}", look.text(&label.name), columns::text(label, units, look)));
        let title = title.collect::<Vec<_>>().join("  ");
        let key = format!("{:?}", series.labels.iter().filter(|label| label.name != BUCKET).collect::<Vec<_>>());
        let map = groups.entry(key).or_insert_with(|| Map { title, total: 0.0, buckets: Vec::new() });
        map.total += series.values.iter().copied().filter(|value| value.is_finite()).sum::<f64>();
        let end = match label(series, BUCKET).map(|label| &label.value) {
            Some(Value::Float(end)) => *end,
            Some(Value::Int(end)) => *end as f64,
            _ => f64::INFINITY,
        };
        map.buckets.push((end, &series.values));
    }
    groups.into_values().collect()
}

/// The ends of buckets from the smallest to the largest, those between them included; several in a row where there are many.
fn rows(maps: &[Map<'_>]) -> Vec<Vec<f64>> {
    /// More doublings than that between neighbours are left out.
    const LONGEST_GAP: f64 = 64.0;
    let mut ends: Vec<f64> = maps.iter().flat_map(|map| &map.buckets).map(|(end, _)| *end).collect();
    ends.sort_by(f64::total_cmp);
    ends.dedup();
    let mut all: Vec<f64> = Vec::new();
    for end in ends {
        if let Some(before) = all.last().copied().filter(|before| *before > 0.0 && (end / before).log2() < LONGEST_GAP)
        {
            all.extend(
                std::iter::successors(Some(before * 2.0), |end| Some(end * 2.0))
                    .take_while(|between| *between < end * 0.999),
            );
        }
        all.push(end);
    }
    all.chunks(all.len().div_ceil(ROWS).max(1)).map(<[f64]>::to_vec).collect()
}

impl Layout {
    /// A map's counts by row and column.
    fn counts(&self, map: &Map<'_>) -> Vec<Vec<f64>> {
        let mut counts = vec![vec![0.0; self.columns]; self.rows.len()];
        for (end, values) in &map.buckets {
            let row = self.rows.iter().position(|row| row.iter().any(|other| other.total_cmp(end).is_eq()));
            let Some(row) = row.and_then(|row| counts.get_mut(row)) else { continue };
            for (count, values) in row.iter_mut().zip(values.chunks(self.intervals)) {
                *count += values.iter().filter(|value| !value.is_nan()).sum::<f64>();
            }
        }
        counts
    }

    fn row(&self, counts: &[f64], look: Look) -> String {
        let runs = counts.chunk_by(|one, other| self.level(*one, look) == self.level(*other, look));
        let run = |run: &[f64]| {
            let length = run.len() * self.width;
            match run.first().and_then(|count| self.level(*count, look)) {
                None => " ".repeat(length),
                Some(level) => paint(level, length, look),
            }
        };
        runs.map(run).collect()
    }

    /// The shade of a count; none for nothing. Shades are equally far apart for square roots: small counts show, too.
    fn level(&self, count: f64, look: Look) -> Option<usize> {
        if count.is_nan() || count <= 0.0 {
            return None;
        }
        let levels = levels(look);
        let part = (count / self.most).sqrt() * levels as f64;
        Some((part.ceil() as usize).clamp(1, levels) - 1)
    }

    /// The counts that each shade stands for. Between counts of spans there is nothing: shades that no count has are left
    /// out.
    fn scale(&self, units: Units, look: Look) -> Vec<String> {
        let levels = levels(look);
        let whole = self.most.fract() == 0.0;
        let most = |level: usize| {
            let most = self.most * (level as f64 / levels as f64).powi(2);
            if whole { (most + 1e-9).floor() } else { most }
        };
        let mut words = Vec::new();
        for level in (0..levels).filter(|level| most(level + 1) > most(*level)) {
            words.push((Some(level), format!("to {}", units.values.show(most(level + 1)))));
        }
        if self.intervals > 1 {
            words.push((None, format!("({} intervals a column)", self.intervals)));
        }
        let (mut lines, mut room): (Vec<String>, usize) = (Vec::new(), 0);
        for (level, words) in words {
            let text = match level {
                Some(level) => format!("{} {}", paint(level, 2, look), look.dim(&words)),
                None => look.dim(&words),
            };
            let length = words.len() + if level.is_some() { 3 } else { 0 };
            match lines.last_mut().filter(|_| length + 2 <= room) {
                Some(line) => {
                    *line = format!("{line}  {text}");
                    room -= length + 2;
                }
                None => {
                    lines.push(text);
                    room = look.style.width.saturating_sub(length);
                }
            }
        }
        lines
    }
}

fn levels(look: Look) -> usize {
    if look.style.color { HEAT.len() } else { SHADES.len() }
}

fn paint(level: usize, length: usize, look: Look) -> String {
    let shades = if look.ascii { ASCII_SHADES } else { SHADES };
    match look.style.color {
        true => {
            let shade = if look.ascii { "#" } else { "█" };
            look.style.paint(HEAT.get(level).copied().unwrap_or("0"), &shade.repeat(length))
        }
        false => shades.get(level).copied().unwrap_or("#").repeat(length),
    }
}
