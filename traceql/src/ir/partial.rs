//! What a query that somebody is still typing asks of spans: for lists of names and values that fit what is there
//! already. Not for running queries: what is unfinished is left out. From the text to the condition, by the parser, the
//! checks and the lowering that whole queries take.

use super::{Const, Expr, check, lower_condition, simplify};
use crate::syntax::{
    Limits,
    ast::{
        Body, FieldExpr, FieldExprKind, LogicalOp, Pipeline, Query, SpansetExpr, SpansetExprKind, SpansetFilter, Stage,
        StageKind,
    },
    first_filter,
};

/// How long a pattern may be, in bytes.
const MAX_REGEX: usize = 16 << 10;

/// The condition of the filter that a query begins with, the query being unfinished perhaps: conditions that are not
/// complete count as true, brackets that are open as closed, and what follows the filter's stage as absent. A condition
/// is not complete, either, if the text ends with it and it ends with a field: the name is still being typed. `None` if
/// that is no condition at all: where the query does not begin with a filter alone, its types do not fit, or nothing
/// complete is in it.
///
/// ```
/// let typed = traceql::ir::partial_condition("{ .a = 1 && .b = ");
/// assert_eq!(typed, traceql::ir::partial_condition("{ .a = 1 }"));
/// assert_eq!(traceql::ir::partial_condition("{ .a = "), None);
/// ```
#[must_use]
pub fn partial_condition(text: &str) -> Option<Expr> {
    let filter = first_filter(text, &Limits::default())?;
    let condition = finished(filter.expr?, typed(text))?;
    let kept = fits(condition.clone()).then(|| simplify(lower_condition(&condition)))?;
    (kept != Expr::Const(Const::Bool(true))).then_some(kept)
}

/// From where on there is nothing but white space, if a field may end there that is still being typed.
fn typed(text: &str) -> Option<usize> {
    let text = text.trim_end();
    (!text.ends_with([')', '}'])).then_some(text.len())
}

/// The expression without its unfinished parts; `None` if it comes to true.
fn finished(expr: FieldExpr, typed: Option<usize>) -> Option<FieldExpr> {
    let FieldExpr { kind, span } = expr;
    match kind {
        FieldExprKind::Logical { op, operands } => {
            let all = operands.len();
            let mut operands: Vec<FieldExpr> =
                operands.into_iter().filter_map(|operand| finished(operand, typed)).collect();
            if op == LogicalOp::Or && operands.len() < all || operands.len() < 2 {
                // One that is true makes `||` true; one that is left is all there is to `&&`.
                return if op == LogicalOp::And { operands.pop() } else { None };
            }
            Some(FieldExpr { kind: FieldExprKind::Logical { op, operands }, span })
        }
        // The complement of something that counts as true would be false: it is unfinished itself.
        kind => Some(FieldExpr { kind, span }).filter(|expr| !has_hole(expr, typed)),
    }
}

fn has_hole(expr: &FieldExpr, typed: Option<usize>) -> bool {
    match &expr.kind {
        FieldExprKind::Hole => true,
        FieldExprKind::Literal(_) => false,
        FieldExprKind::Field(_) => typed.is_some_and(|typed| expr.span.end as usize >= typed),
        FieldExprKind::Unary { operand, .. } | FieldExprKind::Exists { operand, .. } => has_hole(operand, typed),
        FieldExprKind::Logical { operands, .. } => operands.iter().any(|operand| has_hole(operand, typed)),
        FieldExprKind::Binary { left, right, .. } => has_hole(left, typed) || has_hole(right, typed),
    }
}

/// Whether the types fit, in a filter.
fn fits(condition: FieldExpr) -> bool {
    let span = condition.span;
    let kind = SpansetExprKind::Filter(SpansetFilter { expr: Some(condition), span });
    let kind = StageKind::Spansets(SpansetExpr { kind, span });
    let body = Body::Search(Pipeline { stages: vec![Stage { kind, span }] });
    check(&Query { body, hints: Vec::new(), extensions: Vec::new() }, MAX_REGEX).is_empty()
}
