//! What spanset attributes are called: the text that Tempo gives the part of the query, constants folded.

use traceql::{
    ir,
    syntax::{
        TempoText,
        ast::{Body, CompareOp, FieldExpr, Pipeline, Query, ScalarExpr, ScalarFilter, Stage, StageKind},
    },
};

/// `by(span.x)`
pub(super) fn of_group(expr: &FieldExpr) -> String {
    let stage = folded(Stage { kind: StageKind::GroupBy(expr.clone()), span: expr.span });
    TempoText(&stage).to_string()
}

/// `avg(duration)`; X6: `{ span.x }|count()`
pub(super) fn of_scalar(expr: &ScalarExpr) -> String {
    let filter = ScalarFilter { op: CompareOp::Equal, left: expr.clone(), right: expr.clone() };
    match folded(Stage { kind: StageKind::Where(filter), span: expr.span }).kind {
        StageKind::Where(filter) => TempoText(&filter.left).to_string(),
        _ => panic!("folding made another stage of it"),
    }
}

/// The stage with its constants folded: only whole queries are.
fn folded(stage: Stage) -> Stage {
    let body = Body::Search(Pipeline { stages: vec![stage] });
    match ir::fold(&Query { body, hints: Vec::new(), extensions: Vec::new() }).body {
        Body::Search(pipeline) => pipeline.stages[0].clone(),
        Body::Metrics(_) => panic!("folding made series of it"),
    }
}
