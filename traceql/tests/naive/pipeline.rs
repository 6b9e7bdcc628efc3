//! Pipelines: spansets of one trace, stage by stage (traceql.md §5 and §6, but for the rules named here).

use std::collections::{BTreeMap, BTreeSet};

use traceql::syntax::ast::{
    FieldExpr, LogicalOp, Pipeline, ScalarExpr, ScalarExprKind, ScalarFilter, SpansetExpr, SpansetExprKind, StageKind,
    StructuralMode, StructuralOp,
};

use super::{
    aggregate::aggregate,
    eval::{arithmetic, compare, constant, keeps, values},
    label,
    model::Trace,
    value::Value,
};

/// Some spans of a trace, by their index, with what stages found out about them, `None` for nil.
#[derive(Debug, Clone)]
pub(super) struct Spanset {
    pub(super) spans: BTreeSet<usize>,
    pub(super) attributes: Vec<(String, Option<Value>)>,
}

/// What a pipeline finds in a trace. The first stage sees every span, whatever it is (S3).
pub(super) fn run(pipeline: &Pipeline, trace: &Trace) -> Vec<Spanset> {
    run_on(pipeline, trace, Spanset { spans: (0..trace.spans.len()).collect(), attributes: Vec::new() })
}

fn run_on(pipeline: &Pipeline, trace: &Trace, input: Spanset) -> Vec<Spanset> {
    let mut spansets = vec![input];
    for stage in &pipeline.stages {
        spansets = apply(&stage.kind, trace, spansets);
        spansets.retain(|spanset| !spanset.spans.is_empty());
    }
    spansets
}

fn apply(stage: &StageKind, trace: &Trace, input: Vec<Spanset>) -> Vec<Spanset> {
    match stage {
        StageKind::Spansets(expr) => input.iter().flat_map(|spanset| spansets(expr, trace, spanset)).collect(),
        StageKind::Where(filter) => input.iter().filter_map(|spanset| passing(filter, trace, spanset)).collect(),
        StageKind::GroupBy(expr) => input.iter().flat_map(|spanset| group_by(expr, trace, spanset)).collect(),
        StageKind::Coalesce => vec![Spanset { spans: all_spans(&input), attributes: Vec::new() }],
        // S3: names fields for the answer, restricts nothing.
        StageKind::Select(_) => input,
    }
}

/// Every span once.
fn all_spans(spansets: &[Spanset]) -> BTreeSet<usize> {
    spansets.iter().flat_map(|spanset| spanset.spans.iter().copied()).collect()
}

/// What an expression finds within a spanset.
fn spansets(expr: &SpansetExpr, trace: &Trace, input: &Spanset) -> Vec<Spanset> {
    let with_spans = |spans: BTreeSet<usize>| Spanset { spans, attributes: input.attributes.clone() };
    match &expr.kind {
        SpansetExprKind::Filter(filter) => {
            let kept = |span: &usize| keeps(filter.expr.as_ref(), trace, &trace.spans[*span]);
            vec![with_spans(input.spans.iter().copied().filter(kept).collect())]
        }
        SpansetExprKind::Logical { op, operands } => {
            let found: Vec<_> = operands.iter().map(|operand| all_spans(&spansets(operand, trace, input))).collect();
            let holds = *op == LogicalOp::Or || found.iter().all(|spans| !spans.is_empty());
            // What the operands' pipelines found out is lost: one spanset, with the attributes of the input.
            vec![with_spans(if holds { found.into_iter().flatten().collect() } else { BTreeSet::new() })]
        }
        SpansetExprKind::Structural { op, left, right } => {
            let left = all_spans(&spansets(left, trace, input));
            let right = spansets(right, trace, input);
            // T5: each spanset of the right side with everything on the left, grouped as the right side.
            right.into_iter().map(|right| structural(*op, trace, &left, right)).collect()
        }
        SpansetExprKind::Pipeline(pipeline) => run_on(pipeline, trace, input.clone()),
    }
}

fn structural(op: StructuralOp, trace: &Trace, left: &BTreeSet<usize>, right: Spanset) -> Spanset {
    let related = |first: usize, second: usize| trace.are_related(op.relation, first, second);
    let has_partner = |span: &usize| left.iter().any(|other| related(*other, *span));
    let is_partner = |span: &usize| right.spans.iter().any(|other| related(*span, *other));
    let spans: BTreeSet<usize> = match op.mode {
        StructuralMode::Related => right.spans.iter().copied().filter(has_partner).collect(),
        // T1: the complement within the right side.
        StructuralMode::Unrelated => right.spans.iter().copied().filter(|span| !has_partner(span)).collect(),
        StructuralMode::Union => {
            let partners = left.iter().copied().filter(is_partner);
            right.spans.iter().copied().filter(has_partner).chain(partners).collect()
        }
    };
    Spanset { spans, ..right }
}

/// One spanset for each value. M5, S1: a span is in one for each distinct value that it has, or in that of nil.
fn group_by(expr: &FieldExpr, trace: &Trace, input: &Spanset) -> Vec<Spanset> {
    // The key tells types apart, 2 from 2.0; NaN is like NaN.
    let mut groups: BTreeMap<String, (Option<Value>, BTreeSet<usize>)> = BTreeMap::new();
    for span in &input.spans {
        let mut found: Vec<Option<Value>> = values(expr, trace, &trace.spans[*span]).into_iter().map(Some).collect();
        if found.is_empty() {
            found.push(None);
        }
        for value in found {
            let group = groups.entry(format!("{value:?}")).or_insert_with(|| (value, BTreeSet::new()));
            group.1.insert(*span);
        }
    }
    let label = label::of_group(expr);
    let with_value = |value| input.attributes.iter().cloned().chain([(label.clone(), value)]).collect();
    groups.into_values().map(|(value, spans)| Spanset { spans, attributes: with_value(value) }).collect()
}

/// The spanset with its aggregates, if they meet the condition (X5).
fn passing(filter: &ScalarFilter, trace: &Trace, input: &Spanset) -> Option<Spanset> {
    let mut attributes = input.attributes.clone();
    let left = scalar(&filter.left, trace, input, &mut attributes);
    let right = scalar(&filter.right, trace, input, &mut attributes);
    // V1: a comparison with something missing is false.
    compare(filter.op, &left?, &right?).then(|| Spanset { spans: input.spans.clone(), attributes })
}

/// The value of a scalar, `None` where it is missing; every aggregate becomes an attribute (P1: with the value of now).
fn scalar(
    expr: &ScalarExpr,
    trace: &Trace,
    input: &Spanset,
    attributes: &mut Vec<(String, Option<Value>)>,
) -> Option<Value> {
    let found = match &expr.kind {
        ScalarExprKind::Number(number) => return number.value().ok().map(|literal| constant(&literal)),
        ScalarExprKind::Arithmetic { op, left, right } => {
            let left = scalar(left, trace, input, attributes);
            let right = scalar(right, trace, input, attributes);
            return arithmetic(*op, &left?, &right?);
        }
        ScalarExprKind::Aggregate(found) => aggregate(found, trace, &input.spans),
        // X6: over all spans that come out, each once.
        ScalarExprKind::Pipeline { pipeline, aggregate: last } => {
            aggregate(last, trace, &all_spans(&run_on(pipeline, trace, input.clone())))
        }
    };
    attributes.push((label::of_scalar(expr), found.clone()));
    found
}
