//! Durations as Prometheus writes them: whole numbers with units, the largest first.

const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 24 * 3_600_000),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];
const NANOS_PER_MILLI: u64 = 1_000_000;

/// `1h30m` in ns. A year has 365 days.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_duration(text: &str) -> Result<u64, String> {
    if text == "0" {
        return Ok(0);
    }
    let no_duration = || format!("`{text}` is no duration");
    let (mut rest, mut units, mut millis) = (text, UNITS.as_slice(), 0_u64);
    if rest.is_empty() {
        return Err("a duration is not empty".to_owned());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(|| format!("`{text}` lacks a unit"))?;
        let (amount, tail) = rest.split_at(digits);
        let end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, next) = tail.split_at(end);
        let amount: u64 = amount.parse().map_err(|_| no_duration())?;
        let place = units.iter().position(|(name, _)| *name == unit);
        let Some((_, length)) = place.and_then(|place| units.get(place)) else {
            return Err(match UNITS.iter().any(|(name, _)| *name == unit) {
                true => format!("in `{text}` the units do not go from large to small"),
                false => no_duration(),
            });
        };
        let sum = amount.checked_mul(*length).and_then(|more| millis.checked_add(more));
        // 290 years are what a signed number of ns can hold.
        millis = sum.filter(|sum| *sum < 290 * 365 * 24 * 3_600_000).ok_or_else(|| format!("`{text}` is too long"))?;
        units = place.and_then(|place| units.get(place + 1..)).unwrap_or(&[]);
        rest = next;
    }
    Ok(millis * NANOS_PER_MILLI)
}

/// The same backwards, to the millisecond.
#[must_use]
pub fn format_duration(nanos: u64) -> String {
    let mut millis = nanos / NANOS_PER_MILLI;
    let mut text = String::new();
    for (unit, length) in UNITS {
        // As Prometheus: years and weeks only where nothing is left.
        if matches!(unit, "y" | "w") && !millis.is_multiple_of(length) {
            continue;
        }
        if millis >= length {
            text.push_str(&format!("{}{unit}", millis / length));
            millis %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_both_ways() {
        const SECOND: u64 = 1_000_000_000;
        for (text, nanos) in [
            ("0s", 0),
            ("15s", 15 * SECOND),
            ("1h30m", 5_400 * SECOND),
            ("1d1ms", 86_400 * SECOND + 1_000_000),
            ("2w", 14 * 86_400 * SECOND),
            ("1y", 365 * 86_400 * SECOND),
            ("8d", 8 * 86_400 * SECOND),
        ] {
            assert_eq!(parse_duration(text), Ok(nanos), "{text}");
            assert_eq!(format_duration(nanos), text);
        }
        assert_eq!(parse_duration("0"), Ok(0));
        for (text, reason) in [
            ("", "a duration is not empty"),
            ("5", "`5` lacks a unit"),
            ("5 m", "`5 m` is no duration"),
            ("1.5h", "`1.5h` is no duration"),
            ("-5m", "`-5m` is no duration"),
            ("m", "`m` is no duration"),
            ("30m1h", "in `30m1h` the units do not go from large to small"),
            ("5x", "`5x` is no duration"),
            ("300y", "`300y` is too long"),
            ("99999999999999999999y", "`99999999999999999999y` is no duration"),
        ] {
            assert_eq!(parse_duration(text), Err(reason.to_owned()));
        }
    }
}
