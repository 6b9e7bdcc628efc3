//! The fields that a query names (P3).

use traceql::syntax::ast::{
    Aggregate, Attribute, Field, FieldExpr, FieldExprKind, Intrinsic, Pipeline, ScalarExpr, ScalarExprKind, Scope,
    SpansetExpr, SpansetExprKind, StageKind,
};

/// Where a field's values are: on the span or something that it has one of, on its events, or on its links.
pub(super) fn scope(field: &Field) -> Scope {
    match field {
        Field::Attribute(Attribute { scope: Scope::Event, .. })
        | Field::Intrinsic(Intrinsic::EventName | Intrinsic::EventTimeSinceStart) => Scope::Event,
        Field::Attribute(Attribute { scope: Scope::Link, .. })
        | Field::Intrinsic(Intrinsic::LinkTraceId | Intrinsic::LinkSpanId) => Scope::Link,
        _ => Scope::Span,
    }
}

pub(super) fn of_pipeline(pipeline: &Pipeline, fields: &mut Vec<Field>) {
    for stage in &pipeline.stages {
        match &stage.kind {
            StageKind::Spansets(expr) => of_spansets(expr, fields),
            StageKind::Where(filter) => {
                of_scalar(&filter.left, fields);
                of_scalar(&filter.right, fields);
            }
            StageKind::GroupBy(expr) => of_expr(expr, fields),
            StageKind::Coalesce => {}
            StageKind::Select(named) => named.iter().for_each(|named| add(&named.field, fields)),
        }
    }
}

fn of_spansets(expr: &SpansetExpr, fields: &mut Vec<Field>) {
    match &expr.kind {
        SpansetExprKind::Filter(filter) => filter.expr.iter().for_each(|expr| of_expr(expr, fields)),
        SpansetExprKind::Logical { operands, .. } => operands.iter().for_each(|operand| of_spansets(operand, fields)),
        SpansetExprKind::Structural { left, right, .. } => {
            of_spansets(left, fields);
            of_spansets(right, fields);
        }
        SpansetExprKind::Pipeline(pipeline) => of_pipeline(pipeline, fields),
    }
}

fn of_scalar(expr: &ScalarExpr, fields: &mut Vec<Field>) {
    let of_aggregate = |aggregate: &Aggregate, fields: &mut Vec<Field>| {
        aggregate.operand.iter().for_each(|operand| of_expr(operand, fields));
    };
    match &expr.kind {
        ScalarExprKind::Number(_) => {}
        ScalarExprKind::Aggregate(aggregate) => of_aggregate(aggregate, fields),
        ScalarExprKind::Pipeline { pipeline, aggregate } => {
            of_pipeline(pipeline, fields);
            of_aggregate(aggregate, fields);
        }
        ScalarExprKind::Arithmetic { left, right, .. } => {
            of_scalar(left, fields);
            of_scalar(right, fields);
        }
    }
}

pub(super) fn of_expr(expr: &FieldExpr, fields: &mut Vec<Field>) {
    match &expr.kind {
        FieldExprKind::Literal(_) | FieldExprKind::Hole => {}
        FieldExprKind::Field(field) => add(field, fields),
        FieldExprKind::Unary { operand, .. } | FieldExprKind::Exists { operand, .. } => of_expr(operand, fields),
        FieldExprKind::Logical { operands, .. } => operands.iter().for_each(|operand| of_expr(operand, fields)),
        FieldExprKind::Binary { left, right, .. } => {
            of_expr(left, fields);
            of_expr(right, fields);
        }
    }
}

/// Each field once.
fn add(field: &Field, fields: &mut Vec<Field>) {
    if !fields.contains(field) {
        fields.push(field.clone());
    }
}
