//! Syntax to meaning: the checked and folded tree, with ids at full width and patterns translated.

use super::{
    Aggregate, Body, Const, Expr, Metrics, MetricsFunction, MetricsFunctionKind, Pipeline, Query, Scalar, Spansets,
    Stage, fold, fold::fold_expr, regex::translate,
};
use crate::syntax::{
    TempoText,
    ast::{
        self, BinaryOp, Field, FieldExpr, FieldExprKind, FieldRef, Intrinsic, Literal, LogicalOp, MetricsExpr,
        MetricsExprKind, NumberExpr, ScalarExpr, ScalarExprKind, SecondStageKind, SpansetExpr, SpansetExprKind,
        SpansetFilter, StageKind, UnaryOp,
    },
};

/// How many values of an attribute `compare()` shows when it is not told.
const COMPARE_TOP: usize = 10;

/// Lowers a query whose types fit, not simplified.
#[must_use]
pub fn lower(query: &ast::Query) -> Query {
    let folded = fold(query);
    let mut lowering = Lowering::default();
    let body = match &folded.body {
        ast::Body::Search(pipeline) => Body::Search(lowering.pipeline(pipeline)),
        ast::Body::Metrics(expr) => Body::Metrics(lowering.metrics(expr)),
    };
    // Fields are those of the text: a part that was folded away has named none.
    Query { body, hints: folded.hints, fields: lowering.fields }
}

/// Lowers one condition whose types fit, not simplified.
#[must_use]
pub fn lower_condition(expr: &FieldExpr) -> Expr {
    Lowering::default().expr(&fold_expr(expr))
}

/// Notes the fields on the way.
#[derive(Default)]
struct Lowering {
    fields: Vec<Field>,
}

impl Lowering {
    fn field(&mut self, field: &Field) -> Field {
        if !self.fields.contains(field) {
            self.fields.push(field.clone());
        }
        field.clone()
    }

    fn field_refs(&mut self, fields: &[FieldRef]) -> Vec<Field> {
        fields.iter().map(|found| self.field(&found.field)).collect()
    }

    fn pipeline(&mut self, pipeline: &ast::Pipeline) -> Pipeline {
        Pipeline { stages: pipeline.stages.iter().map(|stage| self.stage(stage)).collect() }
    }

    fn stage(&mut self, stage: &ast::Stage) -> Stage {
        match &stage.kind {
            StageKind::Spansets(expr) => Stage::Spansets(self.spansets(expr)),
            StageKind::Where(filter) => {
                Stage::Where { op: filter.op, left: self.scalar(&filter.left), right: self.scalar(&filter.right) }
            }
            StageKind::GroupBy(expr) => {
                Stage::GroupBy { expr: self.expr(expr), label: format!("by({})", TempoText(expr)) }
            }
            StageKind::Coalesce => Stage::Coalesce,
            StageKind::Select(fields) => Stage::Select(self.field_refs(fields)),
        }
    }

    fn filter(&mut self, filter: &SpansetFilter) -> Expr {
        filter.expr.as_ref().map_or(Expr::Const(Const::Bool(true)), |expr| self.expr(expr))
    }

    fn spansets(&mut self, expr: &SpansetExpr) -> Spansets {
        match &expr.kind {
            SpansetExprKind::Filter(filter) => Spansets::Filter(self.filter(filter)),
            SpansetExprKind::Logical { op, operands } => {
                let operands = operands.iter().map(|operand| self.spansets(operand)).collect();
                match op {
                    LogicalOp::And => Spansets::And(operands),
                    LogicalOp::Or => Spansets::Or(operands),
                }
            }
            SpansetExprKind::Structural { op, left, right } => {
                let (left, right) = (Box::new(self.spansets(left)), Box::new(self.spansets(right)));
                Spansets::Structural { op: *op, left, right }
            }
            SpansetExprKind::Pipeline(pipeline) => Spansets::Pipeline(self.pipeline(pipeline)),
        }
    }

    fn aggregate(&mut self, aggregate: &ast::Aggregate) -> Aggregate {
        Aggregate {
            function: aggregate.function,
            operand: aggregate.operand.as_ref().map(|operand| self.expr(operand)),
            label: TempoText(aggregate).to_string(),
        }
    }

    fn scalar(&mut self, expr: &ScalarExpr) -> Scalar {
        match &expr.kind {
            ScalarExprKind::Number(number) => Scalar::Const(number_constant(number)),
            ScalarExprKind::Aggregate(aggregate) => Scalar::Aggregate(self.aggregate(aggregate)),
            ScalarExprKind::Pipeline { pipeline, aggregate } => {
                let pipeline = self.pipeline(pipeline);
                let aggregate = Aggregate { label: TempoText(expr).to_string(), ..self.aggregate(aggregate) };
                Scalar::Pipeline { pipeline, aggregate }
            }
            ScalarExprKind::Arithmetic { op, left, right } => {
                let (left, right) = (Box::new(self.scalar(left)), Box::new(self.scalar(right)));
                Scalar::Arithmetic { op: *op, left, right }
            }
        }
    }

    fn metrics(&mut self, expr: &MetricsExpr) -> Metrics {
        match &expr.kind {
            MetricsExprKind::Query { pipeline, function } => {
                let pipeline = self.pipeline(pipeline);
                let nothing = pipeline.finds_nothing();
                let text = TempoText(expr).to_string();
                Metrics::Query { pipeline, function: self.function(function), text, nothing }
            }
            MetricsExprKind::Number(number) => Metrics::Number(seconds(number)),
            MetricsExprKind::Arithmetic { op, left, right } => {
                let (left, right) = (Box::new(self.metrics(left)), Box::new(self.metrics(right)));
                Metrics::Arithmetic { op: *op, left, right }
            }
            MetricsExprKind::Stage { input, stage } => {
                let input = Box::new(self.metrics(input));
                // The check has refused limits below 1.
                let count = |limit: i64| u64::try_from(limit).unwrap_or(0);
                match &stage.kind {
                    SecondStageKind::TopK(limit) => Metrics::TopK { input, limit: count(*limit) },
                    SecondStageKind::BottomK(limit) => Metrics::BottomK { input, limit: count(*limit) },
                    SecondStageKind::Compare { op, threshold } => {
                        Metrics::Threshold { input, op: *op, threshold: seconds(threshold) }
                    }
                }
            }
        }
    }

    fn function(&mut self, function: &ast::MetricsFunction) -> MetricsFunction {
        use ast::MetricsFunctionKind as Ast;
        let kind = match &function.kind {
            Ast::Rate => MetricsFunctionKind::Rate,
            Ast::CountOverTime => MetricsFunctionKind::CountOverTime,
            Ast::MinOverTime(found) => MetricsFunctionKind::MinOverTime(self.field(&found.field)),
            Ast::MaxOverTime(found) => MetricsFunctionKind::MaxOverTime(self.field(&found.field)),
            Ast::AvgOverTime(found) => MetricsFunctionKind::AvgOverTime(self.field(&found.field)),
            Ast::SumOverTime(found) => MetricsFunctionKind::SumOverTime(self.field(&found.field)),
            Ast::HistogramOverTime(found) => MetricsFunctionKind::HistogramOverTime(self.field(&found.field)),
            Ast::QuantileOverTime { field, quantiles } => {
                let quantiles = quantiles.iter().map(|quantile| quantile.value).collect();
                MetricsFunctionKind::QuantileOverTime(self.field(&field.field), quantiles)
            }
            Ast::Compare { selection, top, range } => MetricsFunctionKind::Compare {
                selection: self.filter(selection),
                top: top.and_then(|(top, _)| usize::try_from(top).ok()).unwrap_or(COMPARE_TOP),
                // Both zero: not given.
                range: range
                    .filter(|(start, end, _)| (*start, *end) != (0, 0))
                    .and_then(|(start, end, _)| Some((u64::try_from(start).ok()?, u64::try_from(end).ok()?))),
            },
        };
        MetricsFunction { kind, by: self.field_refs(&function.by) }
    }

    fn expr(&mut self, expr: &FieldExpr) -> Expr {
        match &expr.kind {
            FieldExprKind::Literal(literal) => Expr::Const(constant(literal)),
            FieldExprKind::Field(field) => Expr::Field(self.field(field)),
            FieldExprKind::Hole => Expr::Missing,
            FieldExprKind::Unary { op: UnaryOp::Not, operand } => Expr::Not(Box::new(self.expr(operand))),
            FieldExprKind::Unary { op: UnaryOp::Negate, operand } => Expr::Negate(Box::new(self.expr(operand))),
            FieldExprKind::Exists { operand, negated } => {
                Expr::Exists { operand: Box::new(self.expr(operand)), negated: *negated }
            }
            FieldExprKind::Logical { op, operands } => {
                let operands = operands.iter().map(|operand| self.expr(operand)).collect();
                match op {
                    LogicalOp::And => Expr::And(operands),
                    LogicalOp::Or => Expr::Or(operands),
                }
            }
            FieldExprKind::Binary { op, left, right, .. } => {
                let (left, right) = (self.expr(left), self.expr(right));
                binary(*op, left, right)
            }
        }
    }
}

fn constant(literal: &Literal) -> Const {
    match literal {
        Literal::String(text) => Const::String(text.clone()),
        Literal::Int(value) => Const::Int(*value),
        Literal::Float(value) => Const::Float(*value),
        Literal::Bool(value) => Const::Bool(*value),
        Literal::Duration(nanos) => Const::Duration(*nanos),
        Literal::Status(status) => Const::Status(status.code()),
        Literal::Kind(kind) => Const::Kind(kind.code()),
    }
}

/// A constant's value; the parser has refused what has none.
fn number_constant(number: &NumberExpr) -> Const {
    number.value().map_or(Const::Float(f64::NAN), |literal| constant(&literal))
}

/// A constant among series: durations are seconds.
fn seconds(number: &NumberExpr) -> f64 {
    match number_constant(number) {
        Const::Int(value) => value as f64,
        Const::Float(value) => value,
        Const::Duration(nanos) => nanos as f64 / 1e9,
        _ => f64::NAN,
    }
}

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    match op {
        BinaryOp::Compare(op) => {
            let (left, right) = align_ids(left, right);
            Expr::Compare { op, left: Box::new(left), right: Box::new(right) }
        }
        BinaryOp::Matches | BinaryOp::NotMatches => {
            let pattern = match &right {
                // A pattern that cannot be translated did not pass the check.
                Expr::Const(Const::String(pattern)) => translate(pattern).unwrap_or_default(),
                _ => String::new(),
            };
            Expr::Match { operand: Box::new(left), pattern, negated: op == BinaryOp::NotMatches }
        }
        BinaryOp::Arithmetic(op) => Expr::Arithmetic { op, left: Box::new(left), right: Box::new(right) },
    }
}

/// Brings a text that is compared with an id to the form that ids have (SEMANTICS.md V7).
fn align_ids(left: Expr, right: Expr) -> (Expr, Expr) {
    let width = |expr: &Expr| match expr {
        Expr::Field(Field::Intrinsic(Intrinsic::TraceId | Intrinsic::LinkTraceId)) => Some(32),
        Expr::Field(Field::Intrinsic(Intrinsic::SpanId | Intrinsic::SpanParentId | Intrinsic::LinkSpanId)) => Some(16),
        _ => None,
    };
    let align = |expr: Expr, width: usize| match expr {
        Expr::Const(Const::String(text)) => Expr::Const(Const::String(full_width(&text, width))),
        other => other,
    };
    match (width(&left), width(&right)) {
        (Some(width), _) => (left, align(right, width)),
        (_, Some(width)) => (align(left, width), right),
        _ => (left, right),
    }
}

/// Hexadecimal digits in lower case with leading zeros; other texts in lower case as they are.
fn full_width(text: &str, width: usize) -> String {
    let text = text.to_lowercase();
    let digits = text.trim_start_matches('0');
    if digits.len() <= width && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        format!("{digits:0>width$}")
    } else {
        text
    }
}
