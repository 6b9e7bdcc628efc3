//! Constant folding, tree to tree: a part that names no field and has a value becomes that value (SEMANTICS.md V5).
//! What labels and results are called by is the text of the folded tree.

use super::arithmetic;
use crate::syntax::ast::{
    Aggregate, BinaryOp, Body, CompareOp, Field, FieldExpr, FieldExprKind, Intrinsic, Literal, LogicalOp, MetricsExpr,
    MetricsExprKind, MetricsFunction, MetricsFunctionKind, Pipeline, Query, ScalarExpr, ScalarExprKind, ScalarFilter,
    SpansetExpr, SpansetExprKind, SpansetFilter, Stage, StageKind, UnaryOp,
};

/// The query with its constants folded.
#[must_use]
pub fn fold(query: &Query) -> Query {
    let body = match &query.body {
        Body::Search(found) => Body::Search(pipeline(found)),
        Body::Metrics(expr) => Body::Metrics(metrics(expr)),
    };
    Query { body, ..query.clone() }
}

fn pipeline(found: &Pipeline) -> Pipeline {
    Pipeline { stages: found.stages.iter().map(stage).collect() }
}

fn stage(stage: &Stage) -> Stage {
    let kind = match &stage.kind {
        StageKind::Spansets(expr) => StageKind::Spansets(spansets(expr)),
        StageKind::Where(filter) => {
            StageKind::Where(ScalarFilter { op: filter.op, left: scalar(&filter.left), right: scalar(&filter.right) })
        }
        StageKind::GroupBy(expr) => StageKind::GroupBy(fold_expr(expr)),
        other => other.clone(),
    };
    Stage { kind, span: stage.span }
}

fn filter(filter: &SpansetFilter) -> SpansetFilter {
    SpansetFilter { expr: filter.expr.as_ref().map(fold_expr), span: filter.span }
}

fn spansets(expr: &SpansetExpr) -> SpansetExpr {
    let kind = match &expr.kind {
        SpansetExprKind::Filter(found) => SpansetExprKind::Filter(filter(found)),
        SpansetExprKind::Logical { op, operands } => {
            SpansetExprKind::Logical { op: *op, operands: operands.iter().map(spansets).collect() }
        }
        SpansetExprKind::Structural { op, left, right } => {
            SpansetExprKind::Structural { op: *op, left: Box::new(spansets(left)), right: Box::new(spansets(right)) }
        }
        SpansetExprKind::Pipeline(found) => SpansetExprKind::Pipeline(Box::new(pipeline(found))),
    };
    SpansetExpr { kind, span: expr.span }
}

fn aggregate(aggregate: &Aggregate) -> Aggregate {
    let operand = aggregate.operand.as_ref().map(|operand| Box::new(fold_expr(operand)));
    Aggregate { function: aggregate.function, operand, span: aggregate.span }
}

fn scalar(expr: &ScalarExpr) -> ScalarExpr {
    let kind = match &expr.kind {
        ScalarExprKind::Number(number) => ScalarExprKind::Number(number.clone()),
        ScalarExprKind::Aggregate(found) => ScalarExprKind::Aggregate(aggregate(found)),
        ScalarExprKind::Pipeline { pipeline: inner, aggregate: at_end } => {
            ScalarExprKind::Pipeline { pipeline: Box::new(pipeline(inner)), aggregate: aggregate(at_end) }
        }
        ScalarExprKind::Arithmetic { op, left, right } => {
            ScalarExprKind::Arithmetic { op: *op, left: Box::new(scalar(left)), right: Box::new(scalar(right)) }
        }
    };
    ScalarExpr { kind, span: expr.span }
}

fn metrics(expr: &MetricsExpr) -> MetricsExpr {
    let kind = match &expr.kind {
        MetricsExprKind::Query { pipeline: inner, function } => {
            let kind = match &function.kind {
                MetricsFunctionKind::Compare { selection, top, range } => {
                    MetricsFunctionKind::Compare { selection: filter(selection), top: *top, range: *range }
                }
                other => other.clone(),
            };
            let function = MetricsFunction { kind, by: function.by.clone(), span: function.span };
            MetricsExprKind::Query { pipeline: pipeline(inner), function }
        }
        MetricsExprKind::Number(number) => MetricsExprKind::Number(number.clone()),
        MetricsExprKind::Arithmetic { op, left, right } => {
            MetricsExprKind::Arithmetic { op: *op, left: Box::new(metrics(left)), right: Box::new(metrics(right)) }
        }
        MetricsExprKind::Stage { input, stage } => {
            MetricsExprKind::Stage { input: Box::new(metrics(input)), stage: stage.clone() }
        }
    };
    MetricsExpr { kind, span: expr.span }
}

/// The expression with its constants folded.
pub(super) fn fold_expr(expr: &FieldExpr) -> FieldExpr {
    let kind = match &expr.kind {
        FieldExprKind::Literal(_) | FieldExprKind::Field(_) | FieldExprKind::Hole => expr.kind.clone(),
        FieldExprKind::Unary { op, operand } => unary(*op, fold_expr(operand)),
        FieldExprKind::Logical { op, operands } => logical(*op, operands.iter().map(fold_expr).collect()),
        FieldExprKind::Binary { op, op_span, left, right } => {
            let (left, right) = trace_ids(*op, fold_expr(left), fold_expr(right));
            match (&left.kind, &right.kind) {
                (FieldExprKind::Literal(l), FieldExprKind::Literal(r)) => binary(*op, l, r).map(FieldExprKind::Literal),
                _ => None,
            }
            .unwrap_or_else(|| FieldExprKind::Binary {
                op: *op,
                op_span: *op_span,
                left: Box::new(left),
                right: Box::new(right),
            })
        }
        FieldExprKind::Exists { operand, negated } => match fold_expr(operand) {
            FieldExpr { kind: FieldExprKind::Literal(_), .. } => FieldExprKind::Literal(Literal::Bool(!negated)),
            operand => FieldExprKind::Exists { operand: Box::new(operand), negated: *negated },
        },
    };
    FieldExpr { kind, span: expr.span }
}

fn unary(op: UnaryOp, operand: FieldExpr) -> FieldExprKind {
    let folded = match (op, &operand.kind) {
        (UnaryOp::Not, FieldExprKind::Literal(Literal::Bool(value))) => Some(Literal::Bool(!value)),
        (UnaryOp::Negate, FieldExprKind::Literal(Literal::Int(value))) => value.checked_neg().map(Literal::Int),
        (UnaryOp::Negate, FieldExprKind::Literal(Literal::Duration(value))) => {
            value.checked_neg().map(Literal::Duration)
        }
        (UnaryOp::Negate, FieldExprKind::Literal(Literal::Float(value))) => Some(Literal::Float(-value)),
        _ => None,
    };
    match folded {
        Some(literal) => FieldExprKind::Literal(literal),
        None => FieldExprKind::Unary { op, operand: Box::new(operand) },
    }
}

/// Constants at the beginning of a chain, which are operations of their own, as far as they go; and a chain that is
/// decided by a constant before anything else in it.
fn logical(op: LogicalOp, operands: Vec<FieldExpr>) -> FieldExprKind {
    let constant = |expr: &FieldExpr| match &expr.kind {
        FieldExprKind::Literal(Literal::Bool(value)) => Some(*value),
        _ => None,
    };
    let decided = op == LogicalOp::Or;
    let mut known: Option<(bool, crate::syntax::Span)> = None;
    let mut rest = Vec::new();
    for operand in operands {
        match (constant(&operand), rest.is_empty()) {
            (Some(value), true) => {
                let before = known.map_or(!decided, |(before, _)| before);
                let value = if op == LogicalOp::Or { before || value } else { before && value };
                known = Some((value, known.map_or(operand.span, |(_, span)| span.to(operand.span))));
            }
            // `true || …` is true whatever follows, if that names no field.
            (None, true) if known.is_some_and(|(value, _)| value == decided) && !names_a_field(&operand) => {}
            _ => rest.push(operand),
        }
    }
    let first = known.map(|(value, span)| FieldExpr { kind: FieldExprKind::Literal(Literal::Bool(value)), span });
    let mut all: Vec<FieldExpr> = first.into_iter().chain(rest).collect();
    if all.len() == 1 {
        return all.pop().map_or(FieldExprKind::Hole, |only| only.kind);
    }
    FieldExprKind::Logical { op, operands: all }
}

fn names_a_field(expr: &FieldExpr) -> bool {
    match &expr.kind {
        FieldExprKind::Literal(_) => false,
        FieldExprKind::Field(_) | FieldExprKind::Hole => true,
        FieldExprKind::Unary { operand, .. } | FieldExprKind::Exists { operand, .. } => names_a_field(operand),
        FieldExprKind::Logical { operands, .. } => operands.iter().any(names_a_field),
        FieldExprKind::Binary { left, right, .. } => names_a_field(left) || names_a_field(right),
    }
}

/// Leading zeros of a trace id in a comparison do not count (SEMANTICS.md V7), and are not shown.
fn trace_ids(op: BinaryOp, left: FieldExpr, right: FieldExpr) -> (FieldExpr, FieldExpr) {
    if !matches!(op, BinaryOp::Compare(_)) {
        return (left, right);
    }
    let is_id = |expr: &FieldExpr| matches!(expr.kind, FieldExprKind::Field(Field::Intrinsic(Intrinsic::TraceId)));
    let strip = |expr: FieldExpr| match &expr.kind {
        FieldExprKind::Literal(Literal::String(text)) if text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            let text = text.trim_start_matches('0').to_owned();
            FieldExpr { kind: FieldExprKind::Literal(Literal::String(text)), ..expr }
        }
        _ => expr,
    };
    match (is_id(&left), is_id(&right)) {
        (true, _) => (left, strip(right)),
        (_, true) => (strip(left), right),
        _ => (left, right),
    }
}

/// An operator between two constants, if it has a value.
fn binary(op: BinaryOp, left: &Literal, right: &Literal) -> Option<Literal> {
    match op {
        BinaryOp::Arithmetic(op) => match (left, right) {
            (Literal::Int(left), Literal::Int(right)) => arithmetic::integers(op, *left, *right).map(Literal::Int),
            (left, right) => Some(Literal::Float(arithmetic::floats(op, number(left)?, number(right)?))),
        },
        BinaryOp::Compare(op) => compare(op, left, right).map(Literal::Bool),
        // Matching takes an engine.
        BinaryOp::Matches | BinaryOp::NotMatches => None,
    }
}

fn number(literal: &Literal) -> Option<f64> {
    match literal {
        Literal::Int(value) | Literal::Duration(value) => Some(*value as f64),
        Literal::Float(value) => Some(*value),
        _ => None,
    }
}

fn compare(op: CompareOp, left: &Literal, right: &Literal) -> Option<bool> {
    let ordering = match (left, right) {
        (Literal::Int(left) | Literal::Duration(left), Literal::Int(right) | Literal::Duration(right)) => {
            Some(left.cmp(right))
        }
        (Literal::Int(left) | Literal::Duration(left), Literal::Float(right)) => {
            arithmetic::compare_mixed(*left, *right)
        }
        (Literal::Float(left), Literal::Int(right) | Literal::Duration(right)) => {
            arithmetic::compare_mixed(*right, *left).map(std::cmp::Ordering::reverse)
        }
        (Literal::Float(left), Literal::Float(right)) => left.partial_cmp(right),
        (Literal::String(left), Literal::String(right)) => Some(left.cmp(right)),
        (left, right) => {
            // Only equality is defined for the rest, and only between two of a kind.
            let same = std::mem::discriminant(left) == std::mem::discriminant(right);
            return match op {
                CompareOp::Equal if same => Some(left == right),
                CompareOp::NotEqual if same => Some(left != right),
                _ => None,
            };
        }
    };
    Some(holds(op, ordering))
}

/// Whether a comparison holds for an ordering; NaN has none, and differs from everything.
pub(super) fn holds(op: CompareOp, ordering: Option<std::cmp::Ordering>) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    match op {
        CompareOp::Equal => ordering == Some(Equal),
        CompareOp::NotEqual => ordering != Some(Equal),
        CompareOp::Less => ordering == Some(Less),
        CompareOp::LessOrEqual => matches!(ordering, Some(Less | Equal)),
        CompareOp::Greater => ordering == Some(Greater),
        CompareOp::GreaterOrEqual => matches!(ordering, Some(Greater | Equal)),
    }
}
