//! What has no parts: operators, literals, fields.

use std::fmt::{self, Display, Formatter};

use crate::syntax::{
    ast::{Attribute, BinaryOp, Field, FieldRef, Intrinsic, Kind, Literal, Scope, Status},
    number::format_duration,
    token::ends_name,
};

impl Display for BinaryOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => f.write_str(&quoted(text)),
            // The one integer without a literal of its own.
            Self::Int(i64::MIN) => f.write_str("minInt"),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => f.write_str(&float(*value)),
            Self::Bool(value) => value.fmt(f),
            Self::Duration(nanos) => f.write_str(&duration(*nanos)),
            Self::Status(status) => status.fmt(f),
            Self::Kind(kind) => kind.fmt(f),
        }
    }
}

/// A duration as short as it goes: `1h30m`, where Go has `1h30m0s`.
fn duration(nanos: i64) -> String {
    let text = format_duration(nanos);
    let text = text.strip_suffix("m0s").map_or(text.clone(), |text| format!("{text}m"));
    text.strip_suffix("h0m").map_or(text.clone(), |text| format!("{text}h"))
}

/// A text as a literal: in double quotes, or in backticks where those would need escapes.
fn quoted(text: &str) -> String {
    let escapes = text.contains(['"', '\\']);
    if escapes && !text.contains('`') && !text.contains(|c: char| c.is_control() || c == '\r') {
        return format!("`{text}`");
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_ascii_control() => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The shortest text of a float, with a point or an exponent to tell it from an integer. What has no literal is
/// written as a division.
fn float(value: f64) -> String {
    if value.is_nan() {
        return "0.0 / 0.0".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "1.0 / 0.0" } else { "-1.0 / 0.0" }.to_owned();
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-4..1e21).contains(&magnitude) {
        return scientific(value);
    }
    let text = value.to_string();
    if text.contains('.') { text } else { format!("{text}.0") }
}

/// With an exponent of a sign and at least two digits.
pub(super) fn scientific(value: f64) -> String {
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => match exponent.strip_prefix('-') {
            Some(digits) => format!("{mantissa}e-{digits:0>2}"),
            None => format!("{mantissa}e+{exponent:0>2}"),
        },
        None => text,
    }
}

impl Display for Status {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unset => "unset",
            Self::Ok => "ok",
            Self::Error => "error",
        })
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "unspecified",
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        })
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(attribute) => attribute.fmt(f),
            Self::Intrinsic(intrinsic) => intrinsic.fmt(f),
        }
    }
}

impl Display for FieldRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.field.fmt(f)
    }
}

impl Scope {
    /// What stands before the name, dot included.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Unscoped => ".",
            Self::Span => "span.",
            Self::Resource => "resource.",
            Self::Event => "event.",
            Self::Link => "link.",
            Self::Instrumentation => "instrumentation.",
            Self::Parent => "parent.",
            Self::ParentSpan => "parent.span.",
            Self::ParentResource => "parent.resource.",
        }
    }
}

/// Whether a name needs quotes, whatever its scope.
pub(super) fn needs_quotes(name: &str) -> bool {
    name.contains(|c| ends_name(c) || c == '"')
}

/// A name in quotes.
pub(super) fn quoted_name(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

impl Display for Attribute {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.scope.prefix())?;
        // `.1` would be a number, `parent.span.` another scope.
        let taken = match self.scope {
            Scope::Unscoped => self.name.starts_with(|c: char| c.is_ascii_digit()),
            Scope::Parent => self.name.starts_with("span.") || self.name.starts_with("resource."),
            _ => false,
        };
        if self.name.is_empty() || taken || needs_quotes(&self.name) {
            return f.write_str(&quoted_name(&self.name));
        }
        f.write_str(&self.name)
    }
}

impl Display for Intrinsic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.bare(), self.scoped()) {
            (Some(name), _) => f.write_str(name),
            (None, Some((scope, name))) => write!(f, "{scope}:{name}"),
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_floats() {
        for (value, text) in
            [(1.0, "1.0"), (0.5, "0.5"), (1e20, "100000000000000000000.0"), (1e21, "1e+21"), (1e-6, "1e-06")]
        {
            assert_eq!(float(value), text);
        }
    }

    #[test]
    fn durations_are_short() {
        for (nanos, text) in [
            (5_400_000_000_000, "1h30m"),
            (3_600_000_000_000, "1h"),
            (60_000_000_000, "1m"),
            (0, "0s"),
            (10_000_000_000, "10s"),
        ] {
            assert_eq!(duration(nanos), text);
        }
    }

    #[test]
    fn texts_take_the_quotes_that_need_no_escapes() {
        for (text, expected) in [("a", "\"a\""), ("a\\d", "`a\\d`"), ("`\"", "\"`\\\"\""), ("\t", "\"\\t\"")] {
            assert_eq!(quoted(text), expected);
        }
    }
}
