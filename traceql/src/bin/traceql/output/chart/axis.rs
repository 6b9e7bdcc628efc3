//! The time below a chart: round times in UTC, and the date where it changes.

use jiff::Timestamp;

use super::Look;

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;

/// Steps between a second and powers of years.
const STEPS: [u64; 24] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    5 * DAY,
    10 * DAY,
    30 * DAY,
    90 * DAY,
    YEAR,
];

/// Which time is where.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeAxis {
    /// The time of the first column.
    pub(super) start: u64,
    /// The last time there is.
    pub(super) end: u64,
    pub(super) columns: usize,
    /// Whether columns are moments, the last one the end; otherwise stretches, and the end is after the last.
    pub(super) moments: bool,
}

impl TimeAxis {
    /// The axis, its labels and, where labels are no dates, dates; with `gutter` characters before the first column.
    pub(super) fn lines(&self, gutter: usize, look: Look) -> Vec<String> {
        let mut line = vec![look.either("─", "-"); self.columns];
        let (mut labels, mut dates) = (Row::new(self.columns), Row::new(self.columns));
        let step = self.step();
        let mut date_before = String::new();
        for time in self.times(step) {
            let column = self.column(time);
            if !labels.put(column, &label(time, step)) {
                continue;
            }
            line.iter_mut().skip(column).take(1).for_each(|mark| *mark = look.either("┬", "+"));
            let date = format(time, "%Y-%m-%d");
            if step < DAY && date != date_before && dates.put(column, &date) {
                date_before = date;
            }
        }
        let pad = " ".repeat(gutter.saturating_sub(1));
        let corner = look.either("└", "+");
        let mut lines = vec![look.style.dim(&format!("{pad}{corner}{}", line.concat()))];
        lines.push(look.style.dim(format!("{:>gutter$}{}", "UTC ", labels.text).trim_end()));
        if !dates.text.trim().is_empty() {
            lines.push(look.style.dim(format!("{pad} {}", dates.text).trim_end()));
        }
        lines
    }

    /// The smallest step whose labels have room.
    fn step(&self) -> u64 {
        let fractions = (0..9_u32).flat_map(|power| [1, 2, 5].map(|factor| factor * 10_u64.pow(power)));
        let years = [1, 2, 5, 10, 20, 50, 100, 200, 500].map(|years| years * YEAR);
        let steps = fractions.chain(STEPS).chain(years);
        let fits = |step: &u64| *step as f64 / self.per_column() >= (label(self.end, *step).len() + 2) as f64;
        steps.into_iter().find(fits).unwrap_or(500 * YEAR)
    }

    fn per_column(&self) -> f64 {
        let stretches = if self.moments { self.columns.saturating_sub(1) } else { self.columns };
        self.end.saturating_sub(self.start).max(1) as f64 / stretches.max(1) as f64
    }

    /// The multiples of a step; the start where there is none.
    fn times(&self, step: u64) -> Vec<u64> {
        let first = self.start.checked_next_multiple_of(step).filter(|first| *first <= self.end).unwrap_or(self.start);
        let times = std::iter::successors(Some(first), |time| time.checked_add(step).filter(|time| *time <= self.end));
        times.take(self.columns.max(1)).collect()
    }

    fn column(&self, time: u64) -> usize {
        let half = if self.moments { 0.5 } else { 0.0 };
        let column = (time.saturating_sub(self.start) as f64 / self.per_column() + half) as usize;
        column.min(self.columns.saturating_sub(1))
    }
}

/// A row of labels that do not touch.
struct Row {
    text: String,
    columns: usize,
}

impl Row {
    fn new(columns: usize) -> Self {
        Self { text: String::new(), columns }
    }

    /// Puts a label at a column, or before the end of the row, if there is room.
    fn put(&mut self, column: usize, label: &str) -> bool {
        let from = column.min(self.columns.saturating_sub(label.len()));
        let used = self.text.len();
        if (used > 0 && from <= used) || from + label.len() > self.columns {
            return false;
        }
        self.text.push_str(&" ".repeat(from - used));
        self.text.push_str(label);
        true
    }
}

/// A time as exactly as the step needs it.
fn label(time: u64, step: u64) -> String {
    match step {
        DAY.. => format(time, "%Y-%m-%d"),
        MINUTE.. => format(time, "%H:%M"),
        SECOND.. => format(time, "%H:%M:%S"),
        _ => {
            let digits = step.to_string().len();
            let fraction = format!("{:09}", time % SECOND);
            format!("{}.{}", format(time, "%H:%M:%S"), fraction.get(..10 - digits).unwrap_or(&fraction))
        }
    }
}

fn format(time: u64, pattern: &str) -> String {
    match Timestamp::from_nanosecond(i128::from(time)) {
        Ok(time) => time.strftime(pattern).to_string(),
        Err(_) => time.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Style;

    fn axis(start: u64, end: u64, columns: usize) -> String {
        let look = Look { style: Style { color: false, width: 80 }, ascii: true };
        TimeAxis { start, end, columns, moments: true }.lines(5, look).join("\n")
    }

    /// 2026-11-21T22:00:00Z.
    const LATE: u64 = 1_795_298_400 * SECOND;

    #[test]
    fn times_are_round_and_dates_are_told_where_they_change() {
        let expected = "    ++--------+-------+--------+--------+--------+-------+--\n \
                        UTC 22:00    22:30   23:00    23:30    00:00    00:30 01:00\n     \
                            2026-11-21                         2026-11-22";
        let found = axis(LATE, LATE + 3 * HOUR + HOUR / 10, 55);
        assert_eq!(found, expected, "\n{found}");
    }

    #[test]
    fn axes_of_all_lengths() {
        for (length, label) in [
            (1, "22:00:00.000000000"),
            (1_000, "22:00:00.0000000"),
            (SECOND / 2, "22:00:00.2"),
            (10 * SECOND, "22:00:02"),
            (10 * MINUTE, "22:02"),
            (10 * DAY, "2026-11-2"),
            (10 * YEAR, "20"),
            (500 * YEAR, "2"),
        ] {
            for columns in [20, 40, 60, 200] {
                let found = axis(LATE, LATE + length, columns);
                assert!(columns < 60 || found.contains(label), "{length} ns in {columns}:\n{found}");
                assert!(found.lines().all(|line| line.len() <= columns + 5), "{found}");
            }
        }
        axis(u64::MAX - 1, u64::MAX, 40);
        axis(0, u64::MAX, 40);
        axis(0, 0, 0);
    }
}
