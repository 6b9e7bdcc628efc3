//! Pipelines: from meaning to a program for [`crate::nodes::pipeline`] and the scan below it. Every condition becomes a
//! mark, every grouped or aggregated expression a source; the first stage says which rows and traces are looked at.

use datafusion::common::Result;
use tracestore::{block::SpanColumn, table::Marks};

use super::{condition::filter_conjuncts, context::Context, source::source};
use crate::{
    Value,
    ir::{self, Const, Expr, Spansets, Stage},
    nodes::{
        pipeline::{Aggregate, Program, Scalar, Step, Tree},
        values::Source,
    },
    syntax::ast::{Relation, StructuralMode},
};

/// A program, and what its scan marks and delivers.
pub(crate) struct PlannedPipeline {
    pub(crate) program: Program,
    pub(crate) marks: Marks,
    /// The columns that the program reads, beside the marks.
    pub(crate) columns: Vec<SpanColumn>,
}

/// Plans a pipeline; `text` is what EXPLAIN calls it, `place` the columns that every row of the answer has: block, trace,
/// row, and what traces are ordered by.
pub(crate) fn plan_pipeline(
    context: &Context<'_>,
    pipeline: &ir::Pipeline,
    text: String,
    place: Vec<SpanColumn>,
) -> Result<PlannedPipeline> {
    let places = place.len();
    let mut planner = Planner {
        context,
        conditions: Vec::new(),
        expressions: Vec::new(),
        sources: Vec::new(),
        columns: place,
        labels: Vec::new(),
        structural: false,
        siblings: false,
    };
    let steps = planner.steps(&pipeline.stages)?;
    let mut marks = Marks { whole_traces: planner.structural, ..Marks::default() };
    // The first stage decides which rows count at all; where it is no spanset expression, all do.
    let first = match steps.first() {
        Some(Step::Spansets(tree)) => Some(tree),
        _ => None,
    };
    marks.select = first.and_then(touched);
    marks.together = first.map(needed).unwrap_or_default();
    for condition in &planner.conditions {
        marks.conditions.push(filter_conjuncts(context, condition)?);
    }
    if planner.structural {
        planner.columns.extend([SpanColumn::ParentOffset, SpanColumn::Descendants]);
    }
    if planner.siblings {
        planner.columns.push(SpanColumn::MissingParent);
    }
    let program = Program {
        steps,
        place: planner.columns.iter().take(places).cloned().collect(),
        marks: marks.conditions.len(),
        sources: planner.sources,
        labels: planner.labels,
        text,
        structural: planner.structural,
        siblings: planner.siblings,
    };
    Ok(PlannedPipeline { program, marks, columns: planner.columns })
}

/// The marks that rows must have one of to be picked by a tree; `None` where any row may be.
fn touched(tree: &Tree) -> Option<Vec<usize>> {
    match tree {
        Tree::All => None,
        Tree::Nothing => Some(Vec::new()),
        Tree::Mark(mark) => Some(vec![*mark]),
        Tree::And(operands) | Tree::Or(operands) => {
            operands.iter().map(touched).collect::<Option<Vec<_>>>().map(|lists| lists.concat())
        }
        Tree::Structural { left, right, .. } => match (touched(left), touched(right)) {
            (Some(left), Some(right)) => Some([left, right].concat()),
            _ => None,
        },
        Tree::Pipeline(steps) => match steps.first() {
            Some(Step::Spansets(tree)) => touched(tree),
            _ => None,
        },
    }
}

/// Marks that a trace must have rows with for a tree to pick any.
fn needed(tree: &Tree) -> Vec<usize> {
    match tree {
        Tree::All | Tree::Nothing | Tree::Or(_) => Vec::new(),
        Tree::Mark(mark) => vec![*mark],
        Tree::And(operands) => operands.iter().flat_map(needed).collect(),
        Tree::Structural { op, left, right } => {
            let mut marks = needed(right);
            if op.mode != StructuralMode::Unrelated {
                marks.extend(needed(left));
            }
            marks
        }
        Tree::Pipeline(steps) => match steps.first() {
            Some(Step::Spansets(tree)) => needed(tree),
            _ => Vec::new(),
        },
    }
}

struct Planner<'a> {
    context: &'a Context<'a>,
    conditions: Vec<Expr>,
    /// What the sources are for, to share equal ones.
    expressions: Vec<(Expr, bool)>,
    sources: Vec<Source>,
    columns: Vec<SpanColumn>,
    labels: Vec<String>,
    structural: bool,
    siblings: bool,
}

impl Planner<'_> {
    fn steps(&mut self, stages: &[Stage]) -> Result<Vec<Step>> {
        let mut steps = Vec::with_capacity(stages.len());
        for stage in stages {
            steps.push(match stage {
                Stage::Spansets(spansets) => Step::Spansets(self.tree(spansets)?),
                Stage::Where { op, left, right } => {
                    Step::Where { op: *op, left: self.scalar(left)?, right: self.scalar(right)? }
                }
                Stage::GroupBy { expr, label } => {
                    Step::GroupBy { source: self.source(expr, true)?, label: self.label(label.clone()) }
                }
                Stage::Coalesce => Step::Coalesce,
                // Names fields for the answer, and does nothing to spansets.
                Stage::Select(_) => continue,
            });
        }
        Ok(steps)
    }

    fn tree(&mut self, spansets: &Spansets) -> Result<Tree> {
        Ok(match spansets {
            Spansets::Filter(Expr::Const(Const::Bool(true))) => Tree::All,
            Spansets::Filter(Expr::Const(_)) => Tree::Nothing,
            Spansets::Filter(condition) => Tree::Mark(self.mark(condition)),
            Spansets::And(list) => Tree::And(list.iter().map(|part| self.tree(part)).collect::<Result<_>>()?),
            Spansets::Or(list) => Tree::Or(list.iter().map(|part| self.tree(part)).collect::<Result<_>>()?),
            Spansets::Structural { op, left, right } => {
                self.structural = true;
                self.siblings |= op.relation == Relation::Sibling;
                Tree::Structural { op: *op, left: Box::new(self.tree(left)?), right: Box::new(self.tree(right)?) }
            }
            Spansets::Pipeline(pipeline) => Tree::Pipeline(self.steps(&pipeline.stages)?),
        })
    }

    fn mark(&mut self, condition: &Expr) -> usize {
        match self.conditions.iter().position(|known| known == condition) {
            Some(mark) => mark,
            None => {
                self.conditions.push(condition.clone());
                self.conditions.len() - 1
            }
        }
    }

    fn label(&mut self, label: String) -> usize {
        self.labels.push(label);
        self.labels.len() - 1
    }

    fn scalar(&mut self, scalar: &ir::Scalar) -> Result<Scalar> {
        Ok(match scalar {
            ir::Scalar::Const(value) => Scalar::Const(match value {
                Const::Int(value) => Value::Int(*value),
                Const::Duration(nanos) => Value::Duration(*nanos),
                Const::Float(value) => Value::Float(*value),
                // The parser takes numbers only.
                _ => Value::Nil,
            }),
            ir::Scalar::Aggregate(aggregate) => Scalar::Aggregate(self.aggregate(aggregate)?),
            ir::Scalar::Pipeline { pipeline, aggregate } => {
                Scalar::Pipeline(self.steps(&pipeline.stages)?, self.aggregate(aggregate)?)
            }
            ir::Scalar::Arithmetic { op, left, right } => {
                let (left, right) = (Box::new(self.scalar(left)?), Box::new(self.scalar(right)?));
                Scalar::Arithmetic { op: *op, left, right }
            }
        })
    }

    fn aggregate(&mut self, aggregate: &ir::Aggregate) -> Result<Aggregate> {
        let source = aggregate.operand.as_ref().map(|operand| self.source(operand, false)).transpose()?;
        Ok(Aggregate { function: aggregate.function, source, label: self.label(aggregate.label.clone()) })
    }

    /// The number of the source for an expression.
    fn source(&mut self, expr: &Expr, groups: bool) -> Result<usize> {
        let wanted = (expr.clone(), groups);
        if let Some(known) = self.expressions.iter().position(|known| *known == wanted) {
            return Ok(known);
        }
        let source = source(self.context, expr, groups)?;
        for column in &source.columns {
            if !self.columns.contains(column) {
                self.columns.push(column.clone());
            }
        }
        self.expressions.push(wanted);
        self.sources.push(source);
        Ok(self.sources.len() - 1)
    }
}
