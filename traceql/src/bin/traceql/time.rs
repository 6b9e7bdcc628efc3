//! Times on the command line: absolute in the usual forms, or relative to now.

use std::{
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// A time, ns since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    nanos: u64,
    /// Whether it goes with the clock.
    relative: bool,
}

impl Moment {
    /// The time as it was when the command began.
    pub(crate) fn nanos(self) -> u64 {
        self.nanos
    }

    /// The time some time after.
    pub(crate) fn after(self, elapsed: Duration) -> Self {
        let elapsed = if self.relative { u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX) } else { 0 };
        Self { nanos: self.nanos.saturating_add(elapsed), ..self }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let text = text.trim();
        let nanos = parse(text, u64::try_from(now.as_nanos()).unwrap_or(u64::MAX))?;
        Ok(Self { nanos, relative: text.starts_with("now") || text.starts_with('-') })
    }
}

fn parse(text: &str, now: u64) -> Result<u64, String> {
    let relative = text.strip_prefix("now").unwrap_or(text);
    if relative.is_empty() && text == "now" {
        return Ok(now);
    }
    if let Some(span) = relative.strip_prefix('-').filter(|span| !span.is_empty()) {
        return duration(span).map(|span| now.saturating_sub(span)).ok_or_else(|| hint(text));
    }
    if let Some(span) = relative.strip_prefix('+').filter(|_| text.starts_with("now")) {
        return duration(span).map(|span| now.saturating_add(span)).ok_or_else(|| hint(text));
    }
    if let Some(nanos) = unix(text) {
        return Ok(nanos);
    }
    let nanos = |timestamp: Timestamp| u64::try_from(timestamp.as_nanosecond()).ok();
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return nanos(timestamp).ok_or_else(|| format!("`{text}` lies before 1970"));
    }
    if let Ok(time) = text.parse::<jiff::civil::DateTime>() {
        let zoned = time.to_zoned(TimeZone::system()).ok();
        return zoned.and_then(|zoned| nanos(zoned.timestamp())).ok_or_else(|| hint(text));
    }
    match text.parse::<Date>().ok().and_then(|date| date.to_zoned(TimeZone::system()).ok()) {
        Some(zoned) => nanos(zoned.timestamp()).ok_or_else(|| hint(text)),
        None => Err(hint(text)),
    }
}

fn hint(text: &str) -> String {
    format!(
        "`{text}` is no time: write 2026-11-21T10:00:00Z, 2026-11-21, unix seconds (or ms, us, ns), now, now-1h or -15m"
    )
}

/// Unix time: the number of digits tells the unit; seconds may have a fraction.
fn unix(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let unit = match whole.len() {
        ..=11 => 1_000_000_000,
        12..=14 => 1_000_000,
        15..=17 => 1_000,
        _ => 1,
    };
    let part: u64 = format!("{fraction:0<9.9}").parse().ok()?;
    let whole: u64 = whole.parse().ok()?;
    whole.checked_mul(unit)?.checked_add(if unit == 1_000_000_000 { part } else { 0 })
}

/// A length of time on the command line: `15s`, `1h30m`, or a number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) u64);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds =
            || text.parse::<f64>().ok().filter(|seconds| *seconds >= 0.0).map(|seconds| (seconds * 1e9) as u64);
        let nanos = seconds().or_else(|| duration(text)).filter(|nanos| (1..u64::MAX).contains(nanos));
        nanos.map(Self).ok_or_else(|| format!("`{text}` is no length of time: write 15s, 1m30s, 500ms, or seconds"))
    }
}

/// Amounts with units: `1h30m`, `2d`, `1.5s`.
fn duration(text: &str) -> Option<u64> {
    const UNITS: [(&str, f64); 9] = [
        ("ns", 1.0),
        ("us", 1e3),
        ("ms", 1e6),
        ("s", 1e9),
        ("m", 60e9),
        ("h", 3_600e9),
        ("d", 86_400e9),
        ("w", 604_800e9),
        ("y", 31_536_000e9),
    ];
    let (mut rest, mut total) = (text, 0.0);
    while !rest.is_empty() {
        let letters = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let (amount, tail) = rest.split_at(letters);
        let end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, next) = tail.split_at(end);
        total += amount.parse::<f64>().ok()? * UNITS.iter().find(|(name, _)| *name == unit)?.1;
        rest = next;
    }
    (total >= 0.0 && !text.is_empty()).then_some(total as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_times_go_with_the_clock() {
        let hour = Duration::from_secs(3_600);
        let moved = |text: &str| {
            let moment: Moment = text.parse().unwrap();
            moment.after(hour).nanos() - moment.nanos()
        };
        assert_eq!(
            ["now", "-15m", "now-1d", "1795000000"].map(moved),
            [3_600_000_000_000, 3_600_000_000_000, 3_600_000_000_000, 0]
        );
    }

    #[test]
    fn lengths_in_all_forms() {
        let second = 1_000_000_000;
        for (text, expected) in [
            ("15s", Some(15 * second)),
            ("1m30s", Some(90 * second)),
            ("0.5", Some(second / 2)),
            ("60", Some(60 * second)),
            ("50ms", Some(second / 20)),
            ("0", None),
            ("-5s", None),
            ("NaN", None),
            ("inf", None),
            ("1e30", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<Span>().ok().map(|span| span.0), expected, "{text}");
        }
    }

    #[test]
    fn times_in_all_forms() {
        let now = 1_795_000_000_000_000_000;
        let second = 1_000_000_000;
        for (text, expected) in [
            ("now", Some(now)),
            ("now-1h", Some(now - 3_600 * second)),
            ("-15m", Some(now - 900 * second)),
            ("now+1.5s", Some(now + 1_500_000_000)),
            ("-1d12h", Some(now - 36 * 3_600 * second)),
            ("1795000000", Some(now)),
            ("1795000000.5", Some(now + second / 2)),
            ("1795000000000", Some(now)),
            ("1795000000000000", Some(now)),
            ("1795000000000000000", Some(now)),
            ("1970-01-01T00:00:01Z", Some(second)),
            ("1970-01-01T01:00:01.5+01:00", Some(1_500_000_000)),
            ("yesterday", None),
            ("-", None),
            ("-5x", None),
            ("1969-12-31T00:00:00Z", None),
            ("", None),
        ] {
            assert_eq!(parse(text, now).ok(), expected, "{text}");
        }
    }
}
