//! The tree as canonical text: parsing it gives the same tree again (but for names that no text stands for).

use std::fmt::{self, Display, Formatter};

use super::{
    ast::{
        Attribute, BinaryOp, Field, FieldExpr, FieldExprKind, Intrinsic, Kind, Literal, Query, Scope, SpansetFilter,
        Status, UnaryOp,
    },
    number::format_duration,
    token::ends_name,
};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.filter.fmt(f)
    }
}

impl Display for SpansetFilter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.expr {
            Some(expr) => write!(f, "{{ {expr} }}"),
            None => f.write_str("{ true }"),
        }
    }
}

impl Display for FieldExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FieldExprKind::Literal(literal) => literal.fmt(f),
            FieldExprKind::Field(field) => field.fmt(f),
            FieldExprKind::Unary { op, operand } => {
                f.write_str(match op {
                    UnaryOp::Negate => "-",
                    UnaryOp::Not => "!",
                })?;
                operand.fmt_operand(f)
            }
            FieldExprKind::Binary { .. } => self.fmt_chain(f),
            FieldExprKind::Exists { operand, negated } => {
                operand.fmt_operand(f)?;
                f.write_str(if *negated { " = nil" } else { " != nil" })
            }
        }
    }
}

impl FieldExpr {
    /// A chain of operators grows to the left: walked in a loop, since it may be long.
    fn fmt_chain(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut chain = Vec::new();
        let mut first = self;
        while let FieldExprKind::Binary { op, left, right, .. } = &first.kind {
            chain.push((op, right));
            first = left;
        }
        (1..chain.len()).try_for_each(|_| f.write_str("("))?;
        first.fmt_operand(f)?;
        for (index, (op, right)) in chain.iter().rev().enumerate() {
            if index > 0 {
                f.write_str(")")?;
            }
            write!(f, " {op} ")?;
            right.fmt_operand(f)?;
        }
        Ok(())
    }

    /// In parentheses if it is an operation.
    fn fmt_operand(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FieldExprKind::Literal(_) | FieldExprKind::Field(_) => self.fmt(f),
            _ => write!(f, "({self})"),
        }
    }
}

impl BinaryOp {
    /// How it is written.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::And => "&&",
            Self::Or => "||",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Matches => "=~",
            Self::NotMatches => "!~",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Power => "^",
        }
    }
}

impl Display for BinaryOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) if text.contains('`') => write!(f, "\"{}\"", escape(text)),
            Self::String(text) => write!(f, "`{text}`"),
            // The one integer without a literal of its own.
            Self::Int(i64::MIN) => f.write_str("minInt"),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => f.write_str(&format_float(*value)),
            Self::Bool(value) => value.fmt(f),
            Self::Duration(nanos) => f.write_str(&format_duration(*nanos)),
            Self::Status(status) => status.fmt(f),
            Self::Kind(kind) => kind.fmt(f),
        }
    }
}

/// A text between double quotes.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The shortest text of a float, with a point or an exponent to tell it from an integer.
fn format_float(value: f64) -> String {
    let magnitude = value.abs();
    if value.is_finite() && magnitude != 0.0 && !(1e-4..1e21).contains(&magnitude) {
        let text = format!("{value:e}");
        // An exponent has a sign and two digits at least.
        return match text.split_once('e') {
            Some((mantissa, exponent)) => match exponent.strip_prefix('-') {
                Some(digits) => format!("{mantissa}e-{digits:0>2}"),
                None => format!("{mantissa}e+{exponent:0>2}"),
            },
            None => text,
        };
    }
    let text = value.to_string();
    if text.contains(['.', 'N', 'i']) { text } else { format!("{text}.0") }
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

impl Display for Attribute {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self.scope {
            Scope::Unscoped => ".",
            Scope::Span => "span.",
            Scope::Resource => "resource.",
            Scope::Event => "event.",
            Scope::Link => "link.",
            Scope::Instrumentation => "instrumentation.",
            Scope::Parent => "parent.",
            Scope::ParentSpan => "parent.span.",
            Scope::ParentResource => "parent.resource.",
        })?;
        let digit_first = self.scope == Scope::Unscoped && self.name.starts_with(|c: char| c.is_ascii_digit());
        if self.name.is_empty() || digit_first || self.name.contains(|c| ends_name(c) || c == '"') {
            let name = self.name.replace('\\', "\\\\").replace('"', "\\\"");
            return write!(f, "\"{name}\"");
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
        for (value, text) in [
            (1.0, "1.0"),
            (0.5, "0.5"),
            (1e20, "100000000000000000000.0"),
            (1e21, "1e+21"),
            (1e-6, "1e-06"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(format_float(value), text);
        }
    }
}
