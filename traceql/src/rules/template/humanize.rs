//! Numbers as people read them: the functions of Prometheus's templates, which print as Go does.

/// A function of templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Humanize,
    Humanize1024,
    Duration,
    Percentage,
    Timestamp,
}

const LARGE: [&str; 8] = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
const BINARY: [&str; 8] = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];

impl Function {
    pub(super) const ALL: [(&'static str, Self); 5] = [
        ("humanize", Self::Humanize),
        ("humanize1024", Self::Humanize1024),
        ("humanizeDuration", Self::Duration),
        ("humanizePercentage", Self::Percentage),
        ("humanizeTimestamp", Self::Timestamp),
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(other, _)| *other == name).map(|(_, function)| function)
    }

    /// What it makes of a number; a text that is none stays as it is.
    pub(super) fn apply(self, text: &str) -> String {
        let Ok(value) = text.trim().parse::<f64>() else { return text.to_owned() };
        if !value.is_finite() && self != Self::Percentage {
            return digits(value);
        }
        match self {
            Self::Humanize if value == 0.0 => digits(value),
            Self::Humanize if value.abs() >= 1.0 => scaled(value, 1000.0, &LARGE),
            Self::Humanize => shrunk(value, ""),
            Self::Humanize1024 if value.abs() <= 1.0 => digits(value),
            Self::Humanize1024 => scaled(value, 1024.0, &BINARY),
            Self::Duration => duration(value),
            Self::Percentage => format!("{}%", digits(value * 100.0)),
            Self::Timestamp => timestamp(value),
        }
    }
}

fn scaled(value: f64, base: f64, prefixes: &[&str]) -> String {
    let (mut value, mut prefix) = (value, "");
    for next in prefixes {
        if value.abs() < base {
            break;
        }
        (value, prefix) = (value / base, next);
    }
    format!("{}{prefix}", digits(value))
}

/// A value below 1 with the prefix of its thousandths.
fn shrunk(value: f64, unit: &str) -> String {
    let (mut value, mut prefix) = (value, "");
    for next in SMALL {
        if value.abs() >= 1.0 {
            break;
        }
        (value, prefix) = (value * 1000.0, next);
    }
    format!("{}{prefix}{unit}", digits(value))
}

/// Seconds as days to seconds, four digits of seconds, or parts of one.
fn duration(value: f64) -> String {
    if value == 0.0 {
        return format!("{}s", digits(value));
    }
    if value.abs() < 1.0 {
        return shrunk(value, "s");
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let whole = value.abs() as u64;
    let (days, hours, minutes, seconds) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60, whole % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{sign}{}s", digits(value.abs())),
        (0, 0, _) => format!("{sign}{minutes}m {seconds}s"),
        (0, ..) => format!("{sign}{hours}h {minutes}m {seconds}s"),
        _ => format!("{sign}{days}d {hours}h {minutes}m {seconds}s"),
    }
}

/// Seconds since 1970 as date and time in UTC, to the millisecond; the number where there is no such date.
fn timestamp(value: f64) -> String {
    let millis = value * 1e3;
    let time = jiff::Timestamp::from_millisecond(millis as i64).ok().filter(|_| millis.abs() < 1e15);
    let Some(time) = time else { return digits(value) };
    let fraction = time.strftime("%.f").to_string();
    format!("{}{} +0000 UTC", time.strftime("%Y-%m-%d %H:%M:%S"), fraction.trim_end_matches(['0', '.']))
}

/// Four digits that count (`%.4g`).
fn digits(value: f64) -> String {
    go(value, &format!("{value:.3e}"), 4)
}

/// As many digits as it takes (`%v`).
pub(super) fn plain(value: f64) -> String {
    go(value, &format!("{value:e}"), 21)
}

/// A number in scientific notation as Go prints it: with an exponent below 10^-4 and from 10^`limit` on.
fn go(value: f64, scientific: &str, limit: i32) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    if exponent < -4 || exponent >= limit {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    // The digits are known: the point is moved.
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let all: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    if exponent < 0 {
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        return format!("{sign}0.{}{all}", "0".repeat(zeros));
    }
    let whole = usize::try_from(exponent).unwrap_or(0) + 1;
    let padded = format!("{all:0<whole$}");
    let (left, right) = padded.split_at_checked(whole).unwrap_or((&padded, ""));
    if right.is_empty() { format!("{sign}{left}") } else { format!("{sign}{left}.{right}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function, and what it makes of numbers.
    type Case = (Function, &'static [(&'static str, &'static str)]);

    #[test]
    fn functions_print_what_prometheus_prints() {
        let cases: [Case; 5] = [
            (
                Function::Humanize,
                &[
                    ("0", "0"),
                    ("1", "1"),
                    ("-1", "-1"),
                    ("1234567", "1.235M"),
                    (".12", "120m"),
                    ("9223372036854775807", "9.223E"),
                    ("1e30", "1e+06Y"),
                    ("0.0000015", "1.5u"),
                    ("999.96", "1000"),
                    ("+Inf", "+Inf"),
                    ("NaN", "NaN"),
                    ("none", "none"),
                ],
            ),
            (
                Function::Humanize1024,
                &[
                    ("0", "0"),
                    ("1", "1"),
                    ("1048576", "1Mi"),
                    (".12", "0.12"),
                    ("1234567", "1.177Mi"),
                    ("-2048", "-2ki"),
                ],
            ),
            (
                Function::Duration,
                &[
                    ("0", "0s"),
                    ("1", "1s"),
                    ("60", "1m 0s"),
                    ("3600", "1h 0m 0s"),
                    ("86400", "1d 0h 0m 0s"),
                    ("-183845", "-2d 3h 4m 5s"),
                    ("899.99", "14m 59s"),
                    (".1", "100ms"),
                    (".0001", "100us"),
                    (".12345", "123.5ms"),
                    ("1.2345", "1.234s"),
                    ("12.345", "12.35s"),
                    ("-1", "-1s"),
                    ("-Inf", "-Inf"),
                ],
            ),
            (
                Function::Percentage,
                &[
                    ("-0.22222", "-22.22%"),
                    ("0", "0%"),
                    ("0.1234567", "12.35%"),
                    ("1.23456", "123.5%"),
                    ("1234567", "1.235e+08%"),
                    ("+Inf", "+Inf%"),
                ],
            ),
            (
                Function::Timestamp,
                &[
                    ("0", "1970-01-01 00:00:00 +0000 UTC"),
                    ("-1", "1969-12-31 23:59:59 +0000 UTC"),
                    ("1435065584.128", "2015-06-23 13:19:44.128 +0000 UTC"),
                    ("9223372036", "2262-04-11 23:47:16 +0000 UTC"),
                    ("1e300", "1e+300"),
                ],
            ),
        ];
        for (function, cases) in cases {
            for (value, expected) in cases {
                assert_eq!(function.apply(value), *expected, "{function:?} {value}");
            }
        }
    }

    #[test]
    fn plain_numbers_print_as_go_prints_them() {
        for (value, expected) in [
            (0.0, "0"),
            (5.0, "5"),
            (0.5, "0.5"),
            (-1234.25, "-1234.25"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(plain(value), expected);
        }
    }
}
