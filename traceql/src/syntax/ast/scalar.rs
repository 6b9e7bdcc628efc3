//! Aggregates of spansets, and conditions on them.

use super::{ArithmeticOp, CompareOp, FieldExpr, NumberExpr, Pipeline};
use crate::syntax::Span;

/// `left op right`.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalarFilter {
    /// The operator.
    pub op: CompareOp,
    /// The left side.
    pub left: ScalarExpr,
    /// The right side; one of the two has an aggregate in it.
    pub right: ScalarExpr,
}

/// A value of a spanset.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalarExpr {
    /// What it is.
    pub kind: ScalarExprKind,
    /// Where it stands, parentheses around it left out.
    pub span: Span,
}

/// The kinds of values of a spanset.
#[derive(Debug, Clone, PartialEq)]
pub enum ScalarExprKind {
    /// A constant.
    Number(NumberExpr),
    /// An aggregate over the spanset's spans.
    Aggregate(Aggregate),
    /// `( … | count() )`: an aggregate over what a pipeline of its own finds.
    Pipeline {
        /// The pipeline.
        pipeline: Box<Pipeline>,
        /// The aggregate at its end.
        aggregate: Aggregate,
    },
    /// `x op y`
    Arithmetic {
        /// The operator.
        op: ArithmeticOp,
        /// The left operand.
        left: Box<ScalarExpr>,
        /// The right operand.
        right: Box<ScalarExpr>,
    },
}

/// `count()`, `avg(duration)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// The function.
    pub function: AggregateFunction,
    /// What is aggregated; `None` for `count()` only.
    pub operand: Option<Box<FieldExpr>>,
    /// Where it stands.
    pub span: Span,
}

/// The aggregate functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AggregateFunction {
    /// The number of spans.
    Count,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The average.
    Avg,
    /// The sum.
    Sum,
}

impl AggregateFunction {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Count, Self::Min, Self::Max, Self::Avg, Self::Sum];

    /// How it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Min => "min",
            Self::Max => "max",
            Self::Avg => "avg",
            Self::Sum => "sum",
        }
    }
}
