//! A pipeline as the executor runs it: conditions are marks that the scan has set on the rows, expressions are sources
//! that are evaluated once for a batch, texts are numbers into a list of labels. Made by [`crate::plan`].

use tracestore::block::SpanColumn;

use crate::{
    Value,
    ir::{ArithmeticOp, CompareOp},
    nodes::values::Source,
    syntax::ast::{AggregateFunction, StructuralOp},
};

/// A pipeline, and what it is about.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) steps: Vec<Step>,
    /// The columns that are handed on with every row.
    pub(crate) place: Vec<SpanColumn>,
    /// How many conditions there are marks for.
    pub(crate) marks: usize,
    /// What groups and aggregates are computed from.
    pub(crate) sources: Vec<Source>,
    /// What answers call groups and aggregates.
    pub(crate) labels: Vec<String>,
    /// The pipeline as text, for EXPLAIN.
    pub(crate) text: String,
    /// Whether rows are related by structure: batches have every row of their traces then.
    pub(crate) structural: bool,
    /// Whether siblings are asked for.
    pub(crate) siblings: bool,
}

/// A stage: spansets to spansets.
#[derive(Debug)]
pub(crate) enum Step {
    Spansets(Tree),
    Where { op: CompareOp, left: Scalar, right: Scalar },
    GroupBy { source: usize, label: usize },
    Coalesce,
}

/// What picks spans of a spanset.
#[derive(Debug)]
pub(crate) enum Tree {
    /// Every span.
    All,
    /// No span.
    Nothing,
    /// Spans with this mark.
    Mark(usize),
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Structural {
        op: StructuralOp,
        left: Box<Tree>,
        right: Box<Tree>,
    },
    Pipeline(Vec<Step>),
}

/// A value of a spanset.
#[derive(Debug)]
pub(crate) enum Scalar {
    Const(Value),
    Aggregate(Aggregate),
    /// Of what a pipeline finds in the spanset.
    Pipeline(Vec<Step>, Aggregate),
    Arithmetic {
        op: ArithmeticOp,
        left: Box<Scalar>,
        right: Box<Scalar>,
    },
}

/// An aggregate, and what the answer calls it.
#[derive(Debug)]
pub(crate) struct Aggregate {
    pub(crate) function: AggregateFunction,
    /// What is aggregated; `None` counts spans.
    pub(crate) source: Option<usize>,
    pub(crate) label: usize,
}
