//! Syntax to meaning: the checked tree, with constants folded, ids at full width and patterns translated.

use super::{ArithmeticOp, CompareOp, Const, Expr, Filter, arithmetic, regex::translate};
use crate::syntax::ast::{BinaryOp, Field, FieldExpr, FieldExprKind, Intrinsic, Literal, Query, UnaryOp};

/// Lowers a query whose types fit.
pub(crate) fn lower(query: &Query) -> Filter {
    let Some(expr) = &query.filter.expr else {
        return Filter { condition: Expr::Const(Const::Bool(true)), fields: Vec::new() };
    };
    let mut fields = Vec::new();
    let condition = lower_expr(expr, &mut fields);
    Filter { condition, fields }
}

fn lower_expr(expr: &FieldExpr, fields: &mut Vec<Field>) -> Expr {
    match &expr.kind {
        FieldExprKind::Literal(literal) => Expr::Const(constant(literal)),
        FieldExprKind::Field(field) => {
            if !fields.contains(field) {
                fields.push(field.clone());
            }
            Expr::Field(field.clone())
        }
        FieldExprKind::Unary { op: UnaryOp::Not, operand } => Expr::Not(Box::new(lower_expr(operand, fields))),
        FieldExprKind::Unary { op: UnaryOp::Negate, operand } => negate(lower_expr(operand, fields)),
        FieldExprKind::Exists { operand, negated } => {
            Expr::Exists { operand: Box::new(lower_expr(operand, fields)), negated: *negated }
        }
        FieldExprKind::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), .. } => lower_chain(expr, *op, fields),
        FieldExprKind::Binary { op, left, right, .. } => {
            let (left, right) = (lower_expr(left, fields), lower_expr(right, fields));
            lower_binary(*op, left, right)
        }
    }
}

/// `a && b && c` as one list; what stands in parentheses with the same operator means the same and joins it.
fn lower_chain(expr: &FieldExpr, chain_op: BinaryOp, fields: &mut Vec<Field>) -> Expr {
    let mut operands = Vec::new();
    let mut first = expr;
    while let FieldExprKind::Binary { op, left, right, .. } = &first.kind {
        if *op != chain_op {
            break;
        }
        operands.push(right);
        first = left;
    }
    let mut list = vec![lower_expr(first, fields)];
    list.extend(operands.into_iter().rev().map(|operand| lower_expr(operand, fields)));
    if chain_op == BinaryOp::And { Expr::And(list) } else { Expr::Or(list) }
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

fn negate(operand: Expr) -> Expr {
    match operand {
        Expr::Const(Const::Int(value)) if value != i64::MIN => Expr::Const(Const::Int(-value)),
        Expr::Const(Const::Float(value)) => Expr::Const(Const::Float(-value)),
        Expr::Const(Const::Duration(value)) if value != i64::MIN => Expr::Const(Const::Duration(-value)),
        operand => Expr::Negate(Box::new(operand)),
    }
}

fn lower_binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    let compare = |op| {
        let (left, right) = align_ids(left.clone(), right.clone());
        Expr::Compare { op, left: Box::new(left), right: Box::new(right) }
    };
    let arithmetic = |op| fold(op, left.clone(), right.clone());
    match op {
        BinaryOp::Equal => compare(CompareOp::Equal),
        BinaryOp::NotEqual => compare(CompareOp::NotEqual),
        BinaryOp::Less => compare(CompareOp::Less),
        BinaryOp::LessOrEqual => compare(CompareOp::LessOrEqual),
        BinaryOp::Greater => compare(CompareOp::Greater),
        BinaryOp::GreaterOrEqual => compare(CompareOp::GreaterOrEqual),
        BinaryOp::Matches | BinaryOp::NotMatches => {
            let pattern = match &right {
                // A pattern that cannot be translated did not pass the check.
                Expr::Const(Const::String(pattern)) => translate(pattern).unwrap_or_default(),
                _ => String::new(),
            };
            Expr::Match { operand: Box::new(left), pattern, negated: op == BinaryOp::NotMatches }
        }
        BinaryOp::Add => arithmetic(ArithmeticOp::Add),
        BinaryOp::Subtract => arithmetic(ArithmeticOp::Subtract),
        BinaryOp::Multiply => arithmetic(ArithmeticOp::Multiply),
        BinaryOp::Divide => arithmetic(ArithmeticOp::Divide),
        BinaryOp::Modulo => arithmetic(ArithmeticOp::Modulo),
        BinaryOp::Power => arithmetic(ArithmeticOp::Power),
        // Chains are lowered as a whole.
        BinaryOp::And => Expr::And(vec![left, right]),
        BinaryOp::Or => Expr::Or(vec![left, right]),
    }
}

/// Does arithmetic on constants. What has no value stays as it is, and has none at run time either.
fn fold(op: ArithmeticOp, left: Expr, right: Expr) -> Expr {
    let folded = match (&left, &right) {
        (Expr::Const(Const::Int(left)), Expr::Const(Const::Int(right))) => {
            arithmetic::integers(op, *left, *right).map(Const::Int)
        }
        (Expr::Const(left), Expr::Const(right)) => match (number(left), number(right)) {
            (Some(left), Some(right)) => Some(Const::Float(arithmetic::floats(op, left, right))),
            _ => None,
        },
        _ => None,
    };
    match folded {
        Some(value) => Expr::Const(value),
        None => Expr::Arithmetic { op, left: Box::new(left), right: Box::new(right) },
    }
}

fn number(value: &Const) -> Option<f64> {
    match value {
        Const::Int(value) | Const::Duration(value) => Some(*value as f64),
        Const::Float(value) => Some(*value),
        _ => None,
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
