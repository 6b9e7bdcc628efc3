//! What the terminal can do, and text that is safe to print on it.

use std::io::IsTerminal;

use crate::args::Color;

/// How to print for people.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) color: bool,
    pub(crate) width: usize,
}

/// The style of standard output.
pub(crate) fn style(color: Color) -> Style {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    let terminal = std::io::stdout().is_terminal();
    let color = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("CLICOLOR_FORCE") => true,
        Color::Auto => {
            terminal
                && std::env::var_os("NO_COLOR").is_none()
                && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    };
    let width = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = width.or_else(|| terminal.then(comfy_table_width).flatten());
    Style { color, width: width.unwrap_or(120).clamp(40, 400) }
}

fn comfy_table_width() -> Option<usize> {
    comfy_table::Table::new().width().map(usize::from)
}

/// Whether standard output is a terminal.
pub(crate) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether the locale's characters are UTF-8; where there is no locale they are, as they are on all systems of today.
pub(crate) fn is_utf8() -> bool {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

impl Style {
    /// A text in a colour, named by its SGR code.
    pub(crate) fn paint(self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(crate) fn error(self, text: &str) -> String {
        self.paint("31", text)
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// A service's name, always in the same colour.
    pub(crate) fn service(self, name: &str) -> String {
        self.of_service(name, name)
    }

    /// A text in the colour of a service.
    pub(crate) fn of_service(self, name: &str, text: &str) -> String {
        const COLORS: [&str; 6] = ["32", "33", "34", "35", "36", "94"];
        let hash = name.bytes().fold(0_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte)));
        self.paint(COLORS.get(hash % COLORS.len()).copied().unwrap_or("32"), text)
    }
}

/// A text without what would move the cursor, change colours or turn the direction of writing: attribute values come
/// from anywhere.
pub(crate) fn clean(text: &str) -> String {
    let unsafe_char = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if unsafe_char(c) { '\u{fffd}' } else { c }).collect()
}

/// Nanoseconds for people: three digits that count.
pub(crate) fn duration(nanos: u64) -> String {
    let value = nanos as f64;
    let (value, unit) = match nanos {
        0 => return "0".to_owned(),
        1..1_000 => return format!("{nanos}ns"),
        1_000..1_000_000 => (value / 1e3, "µs"),
        1_000_000..1_000_000_000 => (value / 1e6, "ms"),
        1_000_000_000..60_000_000_000 => (value / 1e9, "s"),
        _ => {
            let seconds = nanos / 1_000_000_000;
            let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
            return if hours > 0 {
                format!("{hours}h{minutes:02}m{seconds:02}s")
            } else {
                format!("{minutes}m{seconds:02}s")
            };
        }
    };
    let digits = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$}{unit}")
}

/// A number of bytes for people.
pub(crate) fn bytes(count: u64) -> String {
    let value = count as f64;
    match count {
        0..10_000 => format!("{count} B"),
        10_000..10_000_000 => format!("{:.1} kB", value / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1} MB", value / 1e6),
        _ => format!("{:.1} GB", value / 1e9),
    }
}

/// A time for people, in UTC.
pub(crate) fn time(nanos: u64) -> String {
    let timestamp = i128::from(nanos);
    match jiff::Timestamp::from_nanosecond(timestamp) {
        Ok(timestamp) => format!("{timestamp:.3}"),
        Err(_) => format!("{nanos} ns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_steer_the_terminal() {
        assert_eq!(clean("a\x1b[31mb\u{202e}c\nd"), "a�[31mb�c�d");
    }

    #[test]
    fn amounts_read_well() {
        assert_eq!(
            [duration(0), duration(999), duration(1_500), duration(123_456_789)],
            ["0", "999ns", "1.50µs", "123ms"]
        );
        assert_eq!([duration(59_900_000_000), duration(61_000_000_000)], ["59.9s", "1m01s"]);
        assert_eq!(bytes(123_456), "123.5 kB");
        assert_eq!(time(1_500_000_000), "1970-01-01T00:00:01.500Z");
    }
}
