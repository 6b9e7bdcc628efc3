//! The canonical text: parsing it gives the same tree again. As few parentheses as that takes, but for `&&` beside `||`
//! (SEMANTICS.md X2), chains of comparisons, and signs, where a reader may not know the rule.

use std::fmt::{self, Display, Formatter};

use super::pretty;
use crate::syntax::ast::{
    Aggregate, ArithmeticOp, BinaryOp, Body, FieldExpr, FieldExprKind, Hint, Literal, MetricsExpr, MetricsExprKind,
    MetricsFunction, MetricsFunctionKind, NumberExpr, NumberExprKind, Pipeline, Query, ScalarExpr, ScalarExprKind,
    ScalarFilter, SecondStage, SecondStageKind, SpansetExpr, SpansetExprKind, SpansetFilter, Stage, StageKind, UnaryOp,
};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return f.write_str(&pretty::query(self));
        }
        self.body.fmt(f)?;
        if !self.hints.is_empty() {
            write!(f, " {}", Hints(&self.hints))?;
        }
        Ok(())
    }
}

/// `with (…)`
pub(super) struct Hints<'q>(pub(super) &'q [Hint]);

impl Display for Hints<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("with (")?;
        for (index, hint) in self.0.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{}={}", hint.name, hint.value)?;
        }
        f.write_str(")")
    }
}

impl Display for Body {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Search(pipeline) => pipeline.fmt(f),
            Self::Metrics(expr) => expr.fmt(f),
        }
    }
}

impl Display for Pipeline {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        list(f, &self.stages, " | ")
    }
}

fn list<T: Display>(f: &mut Formatter<'_>, items: &[T], between: &str) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

impl Display for Stage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            StageKind::Spansets(expr) => expr.fmt(f),
            StageKind::Where(filter) => filter.fmt(f),
            StageKind::GroupBy(expr) => write!(f, "by({expr})"),
            StageKind::Coalesce => f.write_str("coalesce()"),
            StageKind::Select(fields) => {
                f.write_str("select(")?;
                list(f, fields, ", ")?;
                f.write_str(")")
            }
        }
    }
}

impl Display for SpansetFilter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.expr {
            Some(expr) => write!(f, "{{ {expr} }}"),
            None => f.write_str("{ }"),
        }
    }
}

impl Display for SpansetExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.fmt_among(f, self.has_pipelines())
    }
}

impl SpansetExpr {
    /// Whether a pipeline is an operand: every operand is in parentheses then.
    pub(super) fn has_pipelines(&self) -> bool {
        match &self.kind {
            SpansetExprKind::Filter(_) => false,
            SpansetExprKind::Pipeline(_) => true,
            SpansetExprKind::Logical { operands, .. } => operands.iter().any(Self::has_pipelines),
            SpansetExprKind::Structural { left, right, .. } => left.has_pipelines() || right.has_pipelines(),
        }
    }

    fn fmt_among(&self, f: &mut Formatter<'_>, pipelines: bool) -> fmt::Result {
        match &self.kind {
            SpansetExprKind::Filter(filter) if pipelines => write!(f, "({filter})"),
            SpansetExprKind::Filter(filter) => filter.fmt(f),
            SpansetExprKind::Pipeline(pipeline) => write!(f, "({pipeline})"),
            SpansetExprKind::Logical { op, operands } => {
                for (index, operand) in operands.iter().enumerate() {
                    if index > 0 {
                        write!(f, " {} ", op.text())?;
                    }
                    operand.fmt_operand(f, pipelines, matches!(operand.kind, SpansetExprKind::Logical { .. }))?;
                }
                Ok(())
            }
            SpansetExprKind::Structural { op, left, right } => {
                left.fmt_operand(f, pipelines, matches!(left.kind, SpansetExprKind::Logical { .. }))?;
                write!(f, " {} ", op.text())?;
                let joined = matches!(right.kind, SpansetExprKind::Logical { .. } | SpansetExprKind::Structural { .. });
                right.fmt_operand(f, pipelines, joined)
            }
        }
    }

    pub(super) fn fmt_operand(&self, f: &mut Formatter<'_>, pipelines: bool, brackets: bool) -> fmt::Result {
        if brackets {
            f.write_str("(")?;
            self.fmt_among(f, pipelines)?;
            return f.write_str(")");
        }
        self.fmt_among(f, pipelines)
    }
}

/// How tight an expression binds, for the parentheses around it as an operand.
const LOGICAL: u8 = 1;
const COMPARE: u8 = 2;
const SUM: u8 = 3;
const SIGN: u8 = 4;
const PRODUCT: u8 = 5;
const POWER: u8 = 6;
const ATOM: u8 = 7;

fn arithmetic_level(op: ArithmeticOp) -> u8 {
    match op {
        ArithmeticOp::Add | ArithmeticOp::Subtract => SUM,
        ArithmeticOp::Multiply | ArithmeticOp::Divide | ArithmeticOp::Modulo => PRODUCT,
        ArithmeticOp::Power => POWER,
    }
}

fn literal_level(literal: &Literal) -> u8 {
    match literal {
        Literal::Int(value) if *value < 0 && *value != i64::MIN => SIGN,
        Literal::Duration(value) if *value < 0 => SIGN,
        Literal::Float(value) if !value.is_finite() => SUM,
        Literal::Float(value) if value.is_sign_negative() => SIGN,
        _ => ATOM,
    }
}

/// Whether the left and the right operand of an operator need parentheses.
fn brackets(op: BinaryOp, left: u8, right: u8) -> (bool, bool) {
    match op {
        BinaryOp::Arithmetic(ArithmeticOp::Power) => (left <= POWER, right < POWER),
        BinaryOp::Arithmetic(op) => {
            let level = arithmetic_level(op);
            // A sign takes in the products behind it.
            (left < level, right <= level || right == SIGN && level > SIGN)
        }
        _ => (left <= COMPARE, right <= COMPARE),
    }
}

impl FieldExpr {
    fn level(&self) -> u8 {
        match &self.kind {
            FieldExprKind::Literal(literal) => literal_level(literal),
            FieldExprKind::Field(_) | FieldExprKind::Hole => ATOM,
            FieldExprKind::Unary { .. } => SIGN,
            FieldExprKind::Logical { .. } => LOGICAL,
            FieldExprKind::Exists { .. } => COMPARE,
            FieldExprKind::Binary { op: BinaryOp::Arithmetic(op), .. } => arithmetic_level(*op),
            FieldExprKind::Binary { .. } => COMPARE,
        }
    }

    /// In parentheses or not.
    pub(super) fn fmt_operand(&self, f: &mut Formatter<'_>, brackets: bool) -> fmt::Result {
        if brackets { write!(f, "({self})") } else { self.fmt(f) }
    }
}

impl Display for FieldExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FieldExprKind::Literal(literal) => literal.fmt(f),
            FieldExprKind::Field(field) => field.fmt(f),
            FieldExprKind::Hole => Ok(()),
            FieldExprKind::Unary { op, operand } => {
                f.write_str(match op {
                    UnaryOp::Negate => "-",
                    UnaryOp::Not => "!",
                })?;
                operand.fmt_operand(f, operand.level() < ATOM)
            }
            FieldExprKind::Logical { op, operands } => {
                for (index, operand) in operands.iter().enumerate() {
                    if index > 0 {
                        write!(f, " {} ", op.text())?;
                    }
                    operand.fmt_operand(f, operand.level() == LOGICAL)?;
                }
                Ok(())
            }
            FieldExprKind::Binary { op, left, right, .. } => {
                let (left_brackets, right_brackets) = brackets(*op, left.level(), right.level());
                left.fmt_operand(f, left_brackets)?;
                write!(f, " {op} ")?;
                right.fmt_operand(f, right_brackets)
            }
            FieldExprKind::Exists { operand, negated } => {
                operand.fmt_operand(f, operand.level() <= COMPARE)?;
                f.write_str(if *negated { " = nil" } else { " != nil" })
            }
        }
    }
}

impl NumberExpr {
    fn level(&self) -> u8 {
        match &self.kind {
            NumberExprKind::Literal(literal) => literal_level(literal),
            NumberExprKind::Negate(_) => SIGN,
            NumberExprKind::Arithmetic { op, .. } => arithmetic_level(*op),
        }
    }
}

/// Something between arithmetic operators.
trait Operand: Display {
    fn level(&self) -> u8;
}

impl Operand for NumberExpr {
    fn level(&self) -> u8 {
        // The sign of a constant binds tightest here.
        self.level().max(if matches!(self.kind, NumberExprKind::Negate(_)) { ATOM } else { 0 })
    }
}

impl Operand for ScalarExpr {
    fn level(&self) -> u8 {
        match &self.kind {
            ScalarExprKind::Number(number) => Operand::level(number),
            ScalarExprKind::Aggregate(_) | ScalarExprKind::Pipeline { .. } => ATOM,
            ScalarExprKind::Arithmetic { op, .. } => arithmetic_level(*op),
        }
    }
}

impl Operand for MetricsExpr {
    fn level(&self) -> u8 {
        match &self.kind {
            MetricsExprKind::Query { .. } | MetricsExprKind::Stage { .. } => 0,
            MetricsExprKind::Number(number) => Operand::level(number),
            MetricsExprKind::Arithmetic { op, .. } => arithmetic_level(*op),
        }
    }
}

fn arithmetic<T: Operand>(f: &mut Formatter<'_>, op: ArithmeticOp, left: &T, right: &T) -> fmt::Result {
    let level = arithmetic_level(op);
    let (left_brackets, right_brackets) = if op == ArithmeticOp::Power {
        (left.level() <= level, right.level() < level)
    } else {
        (left.level() < level, right.level() <= level)
    };
    if left_brackets { write!(f, "({left})") } else { left.fmt(f) }?;
    write!(f, " {} ", op.text())?;
    if right_brackets { write!(f, "({right})") } else { right.fmt(f) }
}

impl Display for NumberExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            NumberExprKind::Literal(literal) => literal.fmt(f),
            NumberExprKind::Negate(operand) if Operand::level(operand.as_ref()) < ATOM => write!(f, "-({operand})"),
            NumberExprKind::Negate(operand) => write!(f, "-{operand}"),
            NumberExprKind::Arithmetic { op, left, right } => arithmetic(f, *op, left.as_ref(), right.as_ref()),
        }
    }
}

impl Display for ScalarFilter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.left, self.op.text(), self.right)
    }
}

impl Display for ScalarExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ScalarExprKind::Number(number) => number.fmt(f),
            ScalarExprKind::Aggregate(aggregate) => aggregate.fmt(f),
            ScalarExprKind::Pipeline { pipeline, aggregate } => write!(f, "({pipeline} | {aggregate})"),
            ScalarExprKind::Arithmetic { op, left, right } => arithmetic(f, *op, left.as_ref(), right.as_ref()),
        }
    }
}

impl Display for Aggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.function.name())?;
        if let Some(operand) = &self.operand {
            operand.fmt(f)?;
        }
        f.write_str(")")
    }
}

impl Display for MetricsExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            MetricsExprKind::Query { pipeline, function } => write!(f, "{pipeline} | {function}"),
            MetricsExprKind::Number(number) => number.fmt(f),
            MetricsExprKind::Arithmetic { op, left, right } => arithmetic(f, *op, left.as_ref(), right.as_ref()),
            MetricsExprKind::Stage { input, stage } => write!(f, "{input}{stage}"),
        }
    }
}

impl Display for MetricsFunction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.kind.name())?;
        if let Some(field) = self.kind.field() {
            field.fmt(f)?;
        }
        match &self.kind {
            MetricsFunctionKind::QuantileOverTime { quantiles, .. } => {
                for quantile in quantiles {
                    write!(f, ", {}", quantile_text(quantile.value))?;
                }
            }
            MetricsFunctionKind::Compare { selection, top, range } => {
                selection.fmt(f)?;
                if let Some((top, _)) = top {
                    write!(f, ", {top}")?;
                }
                if let Some((start, end, _)) = range {
                    write!(f, ", {start}, {end}")?;
                }
            }
            _ => {}
        }
        f.write_str(")")?;
        if !self.by.is_empty() {
            f.write_str(" by (")?;
            list(f, &self.by, ", ")?;
            f.write_str(")")?;
        }
        Ok(())
    }
}

/// 0 and 1 as whole numbers.
fn quantile_text(value: f64) -> String {
    if value == 0.0 || value == 1.0 { value.to_string() } else { Literal::Float(value).to_string() }
}

impl Display for SecondStage {
    /// With what joins it to what it works on.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            SecondStageKind::TopK(limit) => write!(f, " | topk({limit})"),
            SecondStageKind::BottomK(limit) => write!(f, " | bottomk({limit})"),
            SecondStageKind::Compare { op, threshold } => write!(f, " {} {threshold}", op.text()),
        }
    }
}
