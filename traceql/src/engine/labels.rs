//! As what the attributes of spansets are shown: counts, numbers, texts.

use crate::{
    ir::{Aggregate, Pipeline, Scalar, Spansets, Stage},
    nodes::found_spans::Shape,
    syntax::ast::AggregateFunction,
};

/// The shape of what a search calls `label`.
pub(crate) fn shape(pipeline: &Pipeline, label: &str) -> Shape {
    in_pipeline(pipeline, label).unwrap_or(Shape::Text)
}

fn in_pipeline(pipeline: &Pipeline, wanted: &str) -> Option<Shape> {
    pipeline.stages.iter().find_map(|stage| match stage {
        Stage::Spansets(spansets) => in_spansets(spansets, wanted),
        Stage::Where { left, right, .. } => in_scalar(left, wanted).or_else(|| in_scalar(right, wanted)),
        Stage::GroupBy { label, .. } => (label == wanted).then_some(Shape::Text),
        Stage::Coalesce | Stage::Select(_) => None,
    })
}

fn in_spansets(spansets: &Spansets, wanted: &str) -> Option<Shape> {
    match spansets {
        Spansets::Filter(_) => None,
        Spansets::And(list) | Spansets::Or(list) => list.iter().find_map(|part| in_spansets(part, wanted)),
        Spansets::Structural { left, right, .. } => in_spansets(left, wanted).or_else(|| in_spansets(right, wanted)),
        Spansets::Pipeline(pipeline) => in_pipeline(pipeline, wanted),
    }
}

fn in_scalar(scalar: &Scalar, wanted: &str) -> Option<Shape> {
    match scalar {
        Scalar::Const(_) => None,
        Scalar::Aggregate(aggregate) => of_aggregate(aggregate, wanted),
        Scalar::Pipeline { pipeline, aggregate } => {
            in_pipeline(pipeline, wanted).or_else(|| of_aggregate(aggregate, wanted))
        }
        Scalar::Arithmetic { left, right, .. } => in_scalar(left, wanted).or_else(|| in_scalar(right, wanted)),
    }
}

fn of_aggregate(aggregate: &Aggregate, wanted: &str) -> Option<Shape> {
    let shape = if aggregate.function == AggregateFunction::Count { Shape::Count } else { Shape::Number };
    (aggregate.label == wanted).then_some(shape)
}
