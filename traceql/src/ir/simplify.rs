//! Rewrites that keep the meaning of every condition on every span, missing values included (SEMANTICS.md V1–V5); a
//! property test holds them against the tree as it was.
//!
//! What matters for them: `&&`, `||`, comparisons, matches and `= nil` always give true or false; `!` and arithmetic pass
//! on what is missing; `&&` and `||` read anything that is not true as false.

use std::mem;

use super::{
    ArithmeticOp, CompareOp, Const, Expr, Metrics, MetricsFunctionKind, Pipeline, Query, Scalar, Spansets, Stage,
    arithmetic, fold::holds,
};
use crate::ir::Body;

impl Query {
    /// The same query with its conditions simplified.
    #[must_use]
    pub fn simplified(self) -> Self {
        let body = match self.body {
            Body::Search(found) => Body::Search(pipeline(found)),
            Body::Metrics(found) => Body::Metrics(metrics(found)),
        };
        Self { body, ..self }
    }
}

fn pipeline(pipeline: Pipeline) -> Pipeline {
    Pipeline { stages: pipeline.stages.into_iter().map(stage).collect() }
}

fn stage(stage: Stage) -> Stage {
    match stage {
        Stage::Spansets(found) => Stage::Spansets(spansets(found)),
        Stage::Where { op, left, right } => Stage::Where { op, left: scalar(left), right: scalar(right) },
        Stage::GroupBy { expr, label } => Stage::GroupBy { expr: simplify(expr), label },
        other => other,
    }
}

fn spansets(found: Spansets) -> Spansets {
    match found {
        // A filter keeps what is true: nothing else counts.
        Spansets::Filter(expr) => Spansets::Filter(truth(expr)),
        Spansets::And(list) => Spansets::And(list.into_iter().map(spansets).collect()),
        Spansets::Or(list) => Spansets::Or(list.into_iter().map(spansets).collect()),
        Spansets::Structural { op, left, right } => {
            Spansets::Structural { op, left: Box::new(spansets(*left)), right: Box::new(spansets(*right)) }
        }
        Spansets::Pipeline(found) => Spansets::Pipeline(pipeline(found)),
    }
}

fn scalar(found: Scalar) -> Scalar {
    match found {
        Scalar::Aggregate(mut aggregate) => {
            aggregate.operand = aggregate.operand.map(simplify);
            Scalar::Aggregate(aggregate)
        }
        Scalar::Pipeline { pipeline: inner, mut aggregate } => {
            aggregate.operand = aggregate.operand.map(simplify);
            Scalar::Pipeline { pipeline: pipeline(inner), aggregate }
        }
        Scalar::Arithmetic { op, left, right } => {
            Scalar::Arithmetic { op, left: Box::new(scalar(*left)), right: Box::new(scalar(*right)) }
        }
        Scalar::Const(value) => Scalar::Const(value),
    }
}

fn metrics(found: Metrics) -> Metrics {
    let boxed = |inner: Box<Metrics>| Box::new(metrics(*inner));
    match found {
        Metrics::Query { pipeline: inner, mut function, text, nothing } => {
            if let MetricsFunctionKind::Compare { selection, .. } = &mut function.kind {
                *selection = truth(mem::replace(selection, Expr::Missing));
            }
            Metrics::Query { pipeline: pipeline(inner), function, text, nothing }
        }
        Metrics::Number(value) => Metrics::Number(value),
        Metrics::Arithmetic { op, left, right } => Metrics::Arithmetic { op, left: boxed(left), right: boxed(right) },
        Metrics::TopK { input, limit } => Metrics::TopK { input: boxed(input), limit },
        Metrics::BottomK { input, limit } => Metrics::BottomK { input: boxed(input), limit },
        Metrics::Threshold { input, op, threshold } => Metrics::Threshold { input: boxed(input), op, threshold },
    }
}

/// The expression with the same value on every span.
#[must_use]
pub fn simplify(expr: Expr) -> Expr {
    match expr {
        Expr::Const(_) | Expr::Field(_) | Expr::Missing => expr,
        Expr::And(list) => chain(list, Chain::And),
        Expr::Or(list) => chain(list, Chain::Or),
        Expr::Not(operand) => not(simplify(*operand)),
        Expr::Negate(operand) => negate(simplify(*operand)),
        Expr::Compare { op, left, right } => compare(op, simplify(*left), simplify(*right)),
        Expr::Match { operand, pattern, negated } => match simplify(*operand) {
            Expr::Missing => bool(false),
            operand => Expr::Match { operand: Box::new(operand), pattern, negated },
        },
        Expr::Exists { operand, negated } => match simplify(*operand) {
            Expr::Missing => bool(negated),
            operand if operand.is_condition() || matches!(operand, Expr::Const(_)) => bool(!negated),
            operand => Expr::Exists { operand: Box::new(operand), negated },
        },
        Expr::Arithmetic { op, left, right } => compute(op, simplify(*left), simplify(*right)),
    }
}

/// The expression where nothing counts but whether it is true.
fn truth(expr: Expr) -> Expr {
    match simplify(expr) {
        // A value that is neither true nor false is not true.
        Expr::Missing | Expr::Negate(_) | Expr::Arithmetic { .. } => bool(false),
        Expr::Const(value) => bool(value == Const::Bool(true)),
        expr => expr,
    }
}

fn bool(value: bool) -> Expr {
    Expr::Const(Const::Bool(value))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Chain {
    And,
    Or,
}

/// `&&` and `||`: chains within chains of the same kind join, what is said twice is said once, constants decide or go.
fn chain(list: Vec<Expr>, kind: Chain) -> Expr {
    let mut flat = Vec::with_capacity(list.len());
    for operand in list {
        match (truth(operand), kind) {
            (Expr::And(inner), Chain::And) | (Expr::Or(inner), Chain::Or) => flat.extend(inner),
            (operand, _) => flat.push(operand),
        }
    }
    let (decides, empty) = match kind {
        Chain::And => (false, true),
        Chain::Or => (true, false),
    };
    if flat.iter().any(|operand| *operand == bool(decides)) {
        return bool(decides);
    }
    flat.retain(|operand| *operand != bool(empty));
    unique(&mut flat);
    match flat.as_slice() {
        [] => bool(empty),
        // A chain gives true or false; what remains of it must, too.
        [only] if only.is_condition() => flat.pop().unwrap_or(Expr::Missing),
        [only] => {
            let value = only.clone();
            Expr::Compare { op: CompareOp::Equal, left: Box::new(value), right: Box::new(bool(true)) }
        }
        _ if kind == Chain::And => Expr::And(flat),
        _ => Expr::Or(flat),
    }
}

/// Keeps the first of equal operands. Long lists are left as they are: looking would take the square of their length.
fn unique(list: &mut Vec<Expr>) {
    const LOOK: usize = 64;
    if list.len() > LOOK {
        return;
    }
    let mut kept: Vec<Expr> = Vec::with_capacity(list.len());
    for operand in list.drain(..) {
        if !kept.contains(&operand) {
            kept.push(operand);
        }
    }
    *list = kept;
}

fn not(operand: Expr) -> Expr {
    match operand {
        Expr::Const(Const::Bool(value)) => bool(!value),
        Expr::Missing | Expr::Const(_) => Expr::Missing,
        Expr::Not(inner) if inner.is_condition() => *inner,
        Expr::Exists { operand, negated } if !names_events(&operand) => Expr::Exists { operand, negated: !negated },
        // De Morgan, where every operand is true or false.
        Expr::And(list) if list.iter().all(Expr::is_condition) => chain(list.into_iter().map(not).collect(), Chain::Or),
        Expr::Or(list) if list.iter().all(Expr::is_condition) => chain(list.into_iter().map(not).collect(), Chain::And),
        operand => Expr::Not(Box::new(operand)),
    }
}

/// Whether something of an event or link is in it: where there is none, `= nil` and `!= nil` are both false
/// (SEMANTICS.md S1).
fn names_events(expr: &Expr) -> bool {
    use crate::syntax::ast::{Field, Intrinsic, Scope};
    let mut found = false;
    expr.for_each_field(&mut |field| {
        found |= match field {
            Field::Attribute(attribute) => matches!(attribute.scope, Scope::Event | Scope::Link),
            Field::Intrinsic(intrinsic) => matches!(
                intrinsic,
                Intrinsic::EventName | Intrinsic::EventTimeSinceStart | Intrinsic::LinkTraceId | Intrinsic::LinkSpanId
            ),
        };
    });
    found
}

fn negate(operand: Expr) -> Expr {
    match operand {
        Expr::Const(Const::Int(value)) => {
            value.checked_neg().map_or(Expr::Missing, |value| Expr::Const(Const::Int(value)))
        }
        Expr::Const(Const::Duration(value)) => {
            value.checked_neg().map_or(Expr::Missing, |value| Expr::Const(Const::Duration(value)))
        }
        Expr::Const(Const::Float(value)) => Expr::Const(Const::Float(-value)),
        Expr::Const(_) | Expr::Missing => Expr::Missing,
        operand => Expr::Negate(Box::new(operand)),
    }
}

fn compute(op: ArithmeticOp, left: Expr, right: Expr) -> Expr {
    let number = |value: &Const| match value {
        Const::Int(value) | Const::Duration(value) => Some(*value as f64),
        Const::Float(value) => Some(*value),
        _ => None,
    };
    let never = |expr: &Expr| match expr {
        Expr::Missing => true,
        Expr::Const(value) => number(value).is_none(),
        expr => expr.is_condition(),
    };
    // What asks whether the result is there asks for an event, too, if one is named.
    if (never(&left) || never(&right)) && !names_events(&left) && !names_events(&right) {
        return Expr::Missing;
    }
    match (&left, &right) {
        (Expr::Const(Const::Int(left)), Expr::Const(Const::Int(right))) => {
            arithmetic::integers(op, *left, *right).map_or(Expr::Missing, |value| Expr::Const(Const::Int(value)))
        }
        (Expr::Const(l), Expr::Const(r)) => match (number(l), number(r)) {
            (Some(left), Some(right)) => Expr::Const(Const::Float(arithmetic::floats(op, left, right))),
            _ => Expr::Missing,
        },
        _ => Expr::Arithmetic { op, left: Box::new(left), right: Box::new(right) },
    }
}

/// Comparisons: constants on the right, constants among each other worked out, comparisons of conditions with `true` and
/// `false` left out.
fn compare(op: CompareOp, left: Expr, right: Expr) -> Expr {
    if matches!(left, Expr::Missing) || matches!(right, Expr::Missing) {
        return bool(false);
    }
    match (left, right) {
        (Expr::Const(left), Expr::Const(right)) => bool(constants(op, &left, &right)),
        (left @ Expr::Const(_), right) => compare(op.mirrored(), right, left),
        (left, Expr::Const(Const::Bool(value))) if left.is_condition() => match (op, value) {
            (CompareOp::Equal, true) | (CompareOp::NotEqual, false) => left,
            (CompareOp::Equal, false) | (CompareOp::NotEqual, true) => not(left),
            _ => bool(false),
        },
        (left, right) => Expr::Compare { op, left: Box::new(left), right: Box::new(right) },
    }
}

fn constants(op: CompareOp, left: &Const, right: &Const) -> bool {
    use Const::{Bool, Duration, Float, Int, Kind, Status, String};
    let equality = matches!(op, CompareOp::Equal | CompareOp::NotEqual);
    let ordering = match (left, right) {
        (Int(left) | Duration(left), Int(right) | Duration(right)) => Some(left.cmp(right)),
        (Int(left) | Duration(left), Float(right)) => arithmetic::compare_mixed(*left, *right),
        (Float(left), Int(right) | Duration(right)) => {
            arithmetic::compare_mixed(*right, *left).map(std::cmp::Ordering::reverse)
        }
        (Float(left), Float(right)) => left.partial_cmp(right),
        (String(left), String(right)) => Some(left.cmp(right)),
        (Bool(left), Bool(right)) if equality => Some(left.cmp(right)),
        (Status(left), Status(right)) | (Kind(left), Kind(right)) if equality => Some(left.cmp(right)),
        // Types that do not compare.
        _ => return false,
    };
    holds(op, ordering)
}
