//! Numbers and durations.

use super::token::TokenKind;

/// Why a text that begins with a digit is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberError {
    /// Beyond 64 bits.
    IntRange,
    /// Beyond what a float can hold.
    FloatRange,
    /// `0x1f` and the like.
    Radix,
    /// `1_000`
    Underscore,
    /// Too long a duration.
    DurationRange,
    /// Anything else.
    Shape,
}

impl NumberError {
    pub(super) fn message(self, text: &str) -> String {
        match self {
            Self::IntRange => format!("`{text}` does not fit a 64-bit integer"),
            Self::FloatRange => format!("`{text}` does not fit a 64-bit float"),
            Self::DurationRange => format!("`{text}` is longer than 64 bits of nanoseconds"),
            _ => format!("`{text}` is neither a number nor a duration"),
        }
    }

    pub(super) fn help(self) -> Option<&'static str> {
        match self {
            Self::IntRange => Some("the smallest and largest integers are `minInt` and `maxInt`"),
            Self::Radix => Some("integers are written in decimal"),
            Self::Underscore => Some("underscores are allowed in floats only"),
            Self::Shape => Some(
                "durations are written as `1h30m`, `1.5s`, `100ms` or `2d12h`; write an attribute name that begins with a digit as `.\"1st\"`",
            ),
            _ => None,
        }
    }
}

/// The text that belongs to a number: everything up to an operator or white space.
pub(super) fn extent(text: &str) -> &str {
    let mut previous = ' ';
    let mut end = text.len();
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        // The sign of an exponent: after an `e` that follows digits, or the `p` of a hexadecimal float.
        let hex = text.starts_with("0x") || text.starts_with("0X");
        let exponent = if hex { matches!(previous, 'p' | 'P') } else { matches!(previous, 'e' | 'E') };
        let digit_next = characters.peek().is_some_and(|(_, c)| c.is_ascii_digit());
        let signed = matches!(c, '+' | '-') && exponent && digit_next && is_mantissa(text.get(..at).unwrap_or(""), hex);
        if !(c.is_alphanumeric() || matches!(c, '.' | '_') || signed) {
            end = at;
            break;
        }
        previous = c;
    }
    text.get(..end).unwrap_or(text)
}

/// Whether a text is digits (and a point) with the letter of an exponent at its end.
fn is_mantissa(text: &str, hex: bool) -> bool {
    let digits = text.get(..text.len().saturating_sub(1)).unwrap_or("");
    if hex { true } else { digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '_')) }
}

/// What the text stands for.
pub(super) fn parse(text: &str) -> Result<TokenKind, NumberError> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Go reads a leading zero as octal; the value is decimal all the same, but 8 and 9 are refused.
        if text.len() > 1 && text.starts_with('0') && text.contains(['8', '9']) {
            return Err(NumberError::Shape);
        }
        return text.parse().map(TokenKind::Int).map_err(|_| NumberError::IntRange);
    }
    if text.starts_with("0x") || text.starts_with("0X") {
        return hex_float(text.get(2..).unwrap_or("")).map(TokenKind::Float);
    }
    if let Some(float) = float(text) {
        return float.map(TokenKind::Float);
    }
    if let Some(duration) = calendar_duration(text).or_else(|| clock_duration(text)) {
        return duration.map(TokenKind::Duration);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') {
        return Err(NumberError::Underscore);
    }
    let radix = text.starts_with("0b") || text.starts_with("0o");
    Err(if radix { NumberError::Radix } else { NumberError::Shape })
}

/// Whether underscores stand between digits only.
fn underscores_fit(text: &str, radix: u32) -> bool {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_digit(radix));
    text.char_indices().filter(|(_, c)| *c == '_').all(|(at, _)| {
        digit(text.get(..at).and_then(|before| before.chars().next_back()))
            && digit(text.get(at + 1..).and_then(|after| after.chars().next()))
    })
}

/// A decimal float, `None` if the text has another shape.
fn float(text: &str) -> Option<Result<f64, NumberError>> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (text.get(..at)?, Some(text.get(at + 1..)?)),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    let is_float = mantissa.contains('.') || exponent.is_some();
    if !is_float || !digits(whole) || !digits(fraction) || whole.len() + fraction.len() == 0 || !exponent_fits {
        return None;
    }
    if !underscores_fit(text, 10) {
        return None;
    }
    let value: f64 = text.replace('_', "").parse().ok()?;
    Some(if value.is_finite() { Ok(value) } else { Err(NumberError::FloatRange) })
}

/// The digits of a hexadecimal float after its `0x`.
fn hex_float(text: &str) -> Result<f64, NumberError> {
    let Some((mantissa, exponent)) = text.split_once(['p', 'P']) else { return Err(NumberError::Radix) };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // An underscore may stand right behind the `0x`.
    let digits = mantissa.strip_prefix('_').unwrap_or(mantissa);
    if whole.len() + fraction.len() == 0 || !underscores_fit(digits, 16) || !underscores_fit(exponent, 10) {
        return Err(NumberError::Shape);
    }
    let exponent: i32 = exponent.replace('_', "").parse().map_err(|_| NumberError::Shape)?;
    let mut value = 0.0;
    for digit in whole.chars().chain(fraction.chars()).filter(|c| *c != '_') {
        value = value * 16.0 + f64::from(digit.to_digit(16).ok_or(NumberError::Shape)?);
    }
    let scale = exponent.saturating_sub(4 * i32::try_from(fraction.chars().filter(|c| *c != '_').count()).unwrap_or(0));
    let value = if value == 0.0 { value } else { value * 2_f64.powi(scale) };
    if value.is_finite() { Ok(value) } else { Err(NumberError::FloatRange) }
}

const SECOND: i128 = 1_000_000_000;

/// Whole amounts in units that get smaller, each at most once: `1w2d`, `1d12h`. `None` if the text has another shape.
fn calendar_duration(text: &str) -> Option<Result<i64, NumberError>> {
    const UNITS: [(&str, i128); 7] = [
        ("y", 365 * 86_400 * SECOND),
        ("w", 7 * 86_400 * SECOND),
        ("d", 86_400 * SECOND),
        ("h", 3_600 * SECOND),
        ("m", 60 * SECOND),
        ("s", SECOND),
        ("ms", SECOND / 1_000),
    ];
    let (mut rest, mut units, mut total) = (text, UNITS.as_slice(), 0_i128);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let letters = rest.get(digits..)?;
        let end = letters.find(|c: char| c.is_ascii_digit()).unwrap_or(letters.len());
        let unit = letters.get(..end)?;
        let at = units.iter().position(|(name, _)| *name == unit)?;
        let amount: i128 = rest.get(..digits).filter(|digits| !digits.is_empty())?.parse().ok()?;
        total = amount.checked_mul(units.get(at)?.1).and_then(|amount| total.checked_add(amount))?;
        units = units.get(at + 1..)?;
        rest = letters.get(end..)?;
    }
    (!text.is_empty()).then(|| i64::try_from(total).map_err(|_| NumberError::DurationRange))
}

/// Amounts with fractions in any order: `1.5h`, `1m1h`. `None` if the text has another shape.
fn clock_duration(text: &str) -> Option<Result<i64, NumberError>> {
    const UNITS: [(&str, i128); 7] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("ms", 1_000_000),
        ("s", SECOND),
        ("m", 60 * SECOND),
        ("h", 3_600 * SECOND),
    ];
    let (mut rest, mut total) = (text, 0_i128);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let amount = rest.get(..digits)?;
        let letters = rest.get(digits..)?;
        let end = letters.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(letters.len());
        let unit = UNITS.iter().find(|(name, _)| Some(*name) == letters.get(..end))?.1;
        let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
        if whole.len() + fraction.len() == 0 || fraction.contains('.') {
            return None;
        }
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        // Digits beyond what 64 bits hold do not change a nanosecond.
        let fraction = fraction.get(..fraction.len().min(18))?;
        let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
        let part = part * unit / 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        total = whole.checked_mul(unit)?.checked_add(part)?.checked_add(total)?;
        rest = letters.get(end..)?;
    }
    (!text.is_empty()).then(|| i64::try_from(total).map_err(|_| NumberError::DurationRange))
}

/// Nanoseconds as Go prints a duration: `1h30m0s`, `1.5s`, `100µs`.
pub(crate) fn format_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let total = nanos.unsigned_abs();
    let with_fraction = |value: u64, unit: u64| {
        let (whole, part) = (value / unit, value % unit);
        let width = unit.ilog10() as usize;
        let digits = format!("{part:0width$}");
        let digits = digits.trim_end_matches('0');
        if part == 0 { whole.to_string() } else { format!("{whole}.{digits}") }
    };
    let text = match total {
        0 => "0s".to_owned(),
        1..1_000 => format!("{total}ns"),
        1_000..1_000_000 => format!("{}µs", with_fraction(total, 1_000)),
        1_000_000..1_000_000_000 => format!("{}ms", with_fraction(total, 1_000_000)),
        _ => {
            let (minutes, rest) = (total / 60_000_000_000, total % 60_000_000_000);
            let seconds = with_fraction(rest, 1_000_000_000);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    };
    format!("{sign}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_in_both_forms() {
        for (text, expected) in [
            ("1w2d", Some("216h0m0s")),
            ("1d12h", Some("36h0m0s")),
            ("292y", Some("2557920h0m0s")),
            ("1.5h", Some("1h30m0s")),
            ("1m1h", Some("1h1m0s")),
            ("1h1h", Some("2h0m0s")),
            ("1h1.5m", Some("1h1m30s")),
            (".5s", Some("500ms")),
            ("1.s", Some("1s")),
            ("100µs", Some("100µs")),
            ("1.5d", None),
            ("1d1us", None),
            ("2d1w", None),
            ("5min", None),
            ("1mo", None),
            ("1h30", None),
            ("300y", None),
            ("100μs", None),
        ] {
            let found = match parse(text) {
                Ok(TokenKind::Duration(nanos)) => Some(format_duration(nanos)),
                _ => None,
            };
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn numbers() {
        for (text, expected) in [
            ("010", Some(TokenKind::Int(10))),
            ("08", None),
            ("9223372036854775807", Some(TokenKind::Int(i64::MAX))),
            ("9223372036854775808", None),
            ("1e3", Some(TokenKind::Float(1000.0))),
            ("1_000.5", Some(TokenKind::Float(1000.5))),
            ("1_000", None),
            ("5.", Some(TokenKind::Float(5.0))),
            ("0x1p-2", Some(TokenKind::Float(0.25))),
            ("0x1f", None),
            ("1e400", None),
            ("1e3s", None),
            (".3abc", None),
        ] {
            assert_eq!(parse(text).ok(), expected, "{text}");
        }
        assert_eq!(extent("1e-3+4"), "1e-3");
        assert_eq!(extent("1h-30m"), "1h");
    }
}
