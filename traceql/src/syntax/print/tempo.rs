//! The text that Tempo gives a query: every operation in parentheses, texts in backticks as they are, durations as Go
//! prints them. It is what labels and results are called by; texts with a backtick, and names such as `.1st`, do not
//! parse again.

use std::fmt::{self, Display, Formatter};

use super::leaf::{needs_quotes, quoted_name, scientific};
use crate::syntax::{
    ast::{
        Aggregate, Body, Field, FieldExpr, FieldExprKind, FieldRef, Literal, MetricsExpr, MetricsExprKind,
        MetricsFunction, MetricsFunctionKind, NumberExpr, Pipeline, Query, ScalarExpr, ScalarExprKind, SecondStageKind,
        SpansetExpr, SpansetExprKind, SpansetFilter, Stage, StageKind, UnaryOp,
    },
    number::format_duration,
};

/// Displays a part of a query as Tempo does. For the text of labels the part should have its constants folded
/// ([`crate::ir::fold`]).
#[derive(Debug, Clone, Copy)]
pub struct TempoText<'q, T>(pub &'q T);

impl Display for TempoText<'_, Query> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0.body {
            Body::Search(pipeline) => TempoText(pipeline).fmt(f)?,
            Body::Metrics(expr) => TempoText(expr).fmt(f)?,
        }
        if self.0.hints.is_empty() {
            return Ok(());
        }
        f.write_str(" with(")?;
        for (index, hint) in self.0.hints.iter().enumerate() {
            write!(f, "{}{}={}", if index > 0 { "," } else { "" }, hint.name, TempoText(&hint.value))?;
        }
        f.write_str(")")
    }
}

fn list<'q, T: 'q>(f: &mut Formatter<'_>, items: &'q [T], between: &str) -> fmt::Result
where
    TempoText<'q, T>: Display,
{
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        TempoText(item).fmt(f)?;
    }
    Ok(())
}

impl Display for TempoText<'_, Pipeline> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        list(f, &self.0.stages, "|")
    }
}

impl Display for TempoText<'_, Stage> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            StageKind::Spansets(expr) => TempoText(expr).fmt(f),
            StageKind::Where(filter) => {
                // An aggregate is an operation and stands in parentheses, a constant does not.
                TempoText(&filter.left).fmt_operand(f)?;
                write!(f, " {} ", filter.op.text())?;
                TempoText(&filter.right).fmt_operand(f)
            }
            StageKind::GroupBy(expr) => write!(f, "by({})", TempoText(expr)),
            StageKind::Coalesce => f.write_str("coalesce()"),
            StageKind::Select(fields) => {
                f.write_str("select(")?;
                list(f, fields, ", ")?;
                f.write_str(")")
            }
        }
    }
}

impl Display for TempoText<'_, SpansetFilter> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0.expr {
            Some(expr) => write!(f, "{{ {} }}", TempoText(expr)),
            None => f.write_str("{ true }"),
        }
    }
}

impl Display for TempoText<'_, SpansetExpr> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            SpansetExprKind::Filter(filter) => TempoText(filter).fmt(f),
            SpansetExprKind::Pipeline(pipeline) => TempoText(pipeline.as_ref()).fmt(f),
            SpansetExprKind::Logical { op, operands } => {
                chain(f, op.text(), operands, |f, operand| write!(f, "({})", TempoText(operand)))
            }
            SpansetExprKind::Structural { op, left, right } => {
                write!(f, "({}) {} ({})", TempoText(left.as_ref()), op.text(), TempoText(right.as_ref()))
            }
        }
    }
}

/// A chain of operators as the operations that it is made of, each with the next in parentheses.
fn chain<T>(
    f: &mut Formatter<'_>,
    op: &str,
    operands: &[T],
    operand: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    (2..operands.len()).try_for_each(|_| f.write_str("("))?;
    for (index, part) in operands.iter().enumerate() {
        if index > 0 {
            write!(f, "{} {op} ", if index > 1 { ")" } else { "" })?;
        }
        operand(f, part)?;
    }
    Ok(())
}

impl TempoText<'_, FieldExpr> {
    /// In parentheses if it is an operation.
    fn fmt_operand(self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            FieldExprKind::Literal(_) | FieldExprKind::Field(_) => self.fmt(f),
            _ => write!(f, "({self})"),
        }
    }
}

impl Display for TempoText<'_, FieldExpr> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            FieldExprKind::Literal(literal) => TempoText(literal).fmt(f),
            FieldExprKind::Field(field) => TempoText(field).fmt(f),
            FieldExprKind::Hole => Ok(()),
            FieldExprKind::Unary { op, operand } => {
                f.write_str(match op {
                    UnaryOp::Negate => "-",
                    UnaryOp::Not => "!",
                })?;
                TempoText(operand.as_ref()).fmt_operand(f)
            }
            FieldExprKind::Logical { op, operands } => {
                chain(f, op.text(), operands, |f, operand| TempoText(operand).fmt_operand(f))
            }
            FieldExprKind::Binary { op, left, right, .. } => {
                TempoText(left.as_ref()).fmt_operand(f)?;
                write!(f, " {op} ")?;
                TempoText(right.as_ref()).fmt_operand(f)
            }
            FieldExprKind::Exists { operand, negated } => {
                TempoText(operand.as_ref()).fmt_operand(f)?;
                f.write_str(if *negated { " = nil" } else { " != nil" })
            }
        }
    }
}

impl Display for TempoText<'_, Literal> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Literal::String(text) => write!(f, "`{text}`"),
            Literal::Int(value) => value.fmt(f),
            Literal::Float(value) => f.write_str(&float(*value)),
            Literal::Duration(nanos) => f.write_str(&format_duration(*nanos)),
            other => other.fmt(f),
        }
    }
}

/// As Go's `%g`, with `.0` where it would look like an integer.
fn float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let text = general(value);
    if text.contains(['.', 'e']) { text } else { format!("{text}.0") }
}

/// Whole numbers in full, others as Go's `%g`.
fn whole_or_general(value: f64) -> String {
    match value {
        value if value.is_nan() => "NaN".to_owned(),
        value if value.is_infinite() => if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned(),
        value if value.fract() == 0.0 && value.abs() < 1e18 => format!("{value:.0}"),
        value => general(value),
    }
}

/// As Go's shortest `%g`: an exponent for what is smaller or larger.
fn general(value: f64) -> String {
    let magnitude = value.abs();
    // `1e-04` is the smallest that Go writes out, `999999` the largest (strconv: `eprec = 6` for the shortest form).
    if magnitude != 0.0 && !(1e-4..1e6).contains(&magnitude) {
        return scientific(value);
    }
    value.to_string()
}

impl Display for TempoText<'_, Field> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Field::Attribute(attribute) => {
                f.write_str(attribute.scope.prefix())?;
                if needs_quotes(&attribute.name) {
                    return f.write_str(&quoted_name(&attribute.name));
                }
                f.write_str(&attribute.name)
            }
            Field::Intrinsic(intrinsic) => intrinsic.fmt(f),
        }
    }
}

impl Display for TempoText<'_, FieldRef> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        TempoText(&self.0.field).fmt(f)
    }
}

impl TempoText<'_, ScalarExpr> {
    fn fmt_operand(self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            ScalarExprKind::Number(_) => self.fmt(f),
            _ => write!(f, "({self})"),
        }
    }
}

impl Display for TempoText<'_, ScalarExpr> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            ScalarExprKind::Number(number) => TempoText(number).fmt(f),
            ScalarExprKind::Aggregate(aggregate) => TempoText(aggregate).fmt(f),
            ScalarExprKind::Pipeline { pipeline, aggregate } => {
                write!(f, "{}|{}", TempoText(pipeline.as_ref()), TempoText(aggregate))
            }
            ScalarExprKind::Arithmetic { op, left, right } => {
                TempoText(left.as_ref()).fmt_operand(f)?;
                write!(f, " {} ", op.text())?;
                TempoText(right.as_ref()).fmt_operand(f)
            }
        }
    }
}

impl Display for TempoText<'_, Aggregate> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.0.function.name())?;
        if let Some(operand) = &self.0.operand {
            TempoText(operand.as_ref()).fmt(f)?;
        }
        f.write_str(")")
    }
}

impl Display for TempoText<'_, NumberExpr> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.value() {
            Ok(literal) => TempoText(&literal).fmt(f),
            Err(_) => self.0.fmt(f),
        }
    }
}

/// A constant among series: a number of seconds, without a point where it is whole.
fn plain_number(number: &NumberExpr) -> String {
    match number.value() {
        Ok(Literal::Int(value)) => value.to_string(),
        Ok(Literal::Float(value)) => whole_or_general(value),
        Ok(Literal::Duration(nanos)) => whole_or_general(nanos as f64 / 1e9),
        _ => number.to_string(),
    }
}

impl Display for TempoText<'_, MetricsExpr> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            MetricsExprKind::Query { pipeline, function } => {
                write!(f, "{} | {}", TempoText(pipeline), TempoText(function))
            }
            MetricsExprKind::Number(number) => f.write_str(&plain_number(number)),
            MetricsExprKind::Arithmetic { op, left, right } => {
                TempoText(left.as_ref()).fmt_operand(f)?;
                write!(f, " {} ", op.text())?;
                TempoText(right.as_ref()).fmt_operand(f)
            }
            MetricsExprKind::Stage { input, stage } => {
                TempoText(input.as_ref()).fmt(f)?;
                match &stage.kind {
                    SecondStageKind::TopK(limit) => write!(f, " | topk({limit})"),
                    SecondStageKind::BottomK(limit) => write!(f, " | bottomk({limit})"),
                    SecondStageKind::Compare { op, threshold } => {
                        write!(f, " {} {}", op.text(), plain_number(threshold))
                    }
                }
            }
        }
    }
}

impl TempoText<'_, MetricsExpr> {
    fn fmt_operand(self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            MetricsExprKind::Number(_) => self.fmt(f),
            _ => write!(f, "({self})"),
        }
    }
}

impl Display for TempoText<'_, MetricsFunction> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let function = self.0;
        write!(f, "{}(", function.kind.name())?;
        if let Some(field) = function.kind.field() {
            TempoText(field).fmt(f)?;
        }
        match &function.kind {
            MetricsFunctionKind::QuantileOverTime { quantiles, .. } => {
                for quantile in quantiles {
                    write!(f, ",{:.5}", quantile.value)?;
                }
            }
            MetricsFunctionKind::Compare { selection, top, range } => {
                TempoText(selection).fmt(f)?;
                if let Some((top, _)) = top {
                    write!(f, ",{top}")?;
                }
                if let Some((start, end, _)) = range {
                    write!(f, ",{start},{end}")?;
                }
            }
            _ => {}
        }
        f.write_str(")")?;
        if !function.by.is_empty() {
            f.write_str("by(")?;
            list(f, &function.by, ",")?;
            f.write_str(")")?;
        }
        Ok(())
    }
}
