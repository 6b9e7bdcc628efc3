//! The checked query around its conditions: pipelines, spansets, aggregates, series. One type for each of the syntax
//! tree's, without places, with constants worked out and with the texts that answers call things by.

use super::{Const, Expr};
use crate::syntax::ast::{AggregateFunction, ArithmeticOp, CompareOp, Field, Hint, StructuralOp};

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// For spans or for series.
    pub body: Body,
    /// As they were written.
    pub hints: Vec<Hint>,
    /// Every field that the query names, in order of first mention.
    pub fields: Vec<Field>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Traces.
    Search(Pipeline),
    /// Series.
    Metrics(Metrics),
}

/// Stages; the first works on one spanset per trace with all of its spans.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// At least one.
    pub stages: Vec<Stage>,
}

/// A stage: spansets to spansets.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// Keeps spans.
    Spansets(Spansets),
    /// Keeps spansets by their aggregates.
    Where {
        /// The comparison.
        op: CompareOp,
        /// Its left side.
        left: Scalar,
        /// Its right side.
        right: Scalar,
    },
    /// Splits spansets by a value.
    GroupBy {
        /// The value.
        expr: Expr,
        /// What the answer calls it: `by(name)`.
        label: String,
    },
    /// Joins the spansets of a trace.
    Coalesce,
    /// Names fields for the answer.
    Select(Vec<Field>),
}

/// What picks spans of a spanset.
#[derive(Debug, Clone, PartialEq)]
pub enum Spansets {
    /// Those that meet a condition: true, not missing.
    Filter(Expr),
    /// All spans of all operands, if each has some. At least two.
    And(Vec<Spansets>),
    /// All spans of all operands. At least two.
    Or(Vec<Spansets>),
    /// Spans of the right side by their relation to those of the left.
    Structural {
        /// The relation, and what is made of it.
        op: StructuralOp,
        /// The left side.
        left: Box<Spansets>,
        /// The right side.
        right: Box<Spansets>,
    },
    /// What a pipeline of its own finds.
    Pipeline(Pipeline),
}

/// A value of a spanset.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// A number or duration.
    Const(Const),
    /// An aggregate of its spans.
    Aggregate(Aggregate),
    /// An aggregate of what a pipeline of its own finds in the trace.
    Pipeline {
        /// The pipeline.
        pipeline: Pipeline,
        /// The aggregate at its end.
        aggregate: Aggregate,
    },
    /// Arithmetic; missing where it has no value.
    Arithmetic {
        /// The operator.
        op: ArithmeticOp,
        /// The left operand.
        left: Box<Scalar>,
        /// The right operand.
        right: Box<Scalar>,
    },
}

/// An aggregate over spans.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// The function.
    pub function: AggregateFunction,
    /// What is aggregated; `None` counts spans.
    pub operand: Option<Expr>,
    /// What the answer calls it: `avg(duration)`.
    pub label: String,
}

/// Series.
#[derive(Debug, Clone, PartialEq)]
pub enum Metrics {
    /// Computed from spans.
    Query {
        /// What picks them.
        pipeline: Pipeline,
        /// What is computed.
        function: MetricsFunction,
        /// The whole as Tempo prints it: equal texts are one computation.
        text: String,
        /// Whether some stage is, as it was written, nothing but filters that are false: then there are no series, not
        /// even of zeros (SEMANTICS.md M7).
        nothing: bool,
    },
    /// A constant at every moment.
    Number(f64),
    /// Arithmetic between series of equal labels.
    Arithmetic {
        /// One of `+ - * /`.
        op: ArithmeticOp,
        /// The left operand.
        left: Box<Metrics>,
        /// The right operand.
        right: Box<Metrics>,
    },
    /// The largest series at every moment.
    TopK {
        /// Of which.
        input: Box<Metrics>,
        /// How many.
        limit: u64,
    },
    /// The smallest series at every moment.
    BottomK {
        /// Of which.
        input: Box<Metrics>,
        /// How many.
        limit: u64,
    },
    /// Values that compare so.
    Threshold {
        /// Of which.
        input: Box<Metrics>,
        /// The operator.
        op: CompareOp,
        /// The constant; durations are seconds.
        threshold: f64,
    },
}

/// A first-stage function and what it groups by.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricsFunction {
    /// The function.
    pub kind: MetricsFunctionKind,
    /// What series are told apart by.
    pub by: Vec<Field>,
}

/// The first-stage functions.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricsFunctionKind {
    /// Spans per second.
    Rate,
    /// Spans.
    CountOverTime,
    /// The smallest value.
    MinOverTime(Field),
    /// The largest value.
    MaxOverTime(Field),
    /// The average.
    AvgOverTime(Field),
    /// The sum.
    SumOverTime(Field),
    /// Quantiles between 0 and 1.
    QuantileOverTime(Field, Vec<f64>),
    /// Counts by bucket.
    HistogramOverTime(Field),
    /// How the spans that meet a condition differ from the rest.
    Compare {
        /// The condition.
        selection: Expr,
        /// How many values of each attribute.
        top: usize,
        /// Only spans that start in this range are selected: ns since 1970, beginning excluded, end included.
        range: Option<(u64, u64)>,
    },
}

impl MetricsFunctionKind {
    /// How it is written, and what a series without other labels is called.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::CountOverTime => "count_over_time",
            Self::MinOverTime(_) => "min_over_time",
            Self::MaxOverTime(_) => "max_over_time",
            Self::AvgOverTime(_) => "avg_over_time",
            Self::SumOverTime(_) => "sum_over_time",
            Self::QuantileOverTime(..) => "quantile_over_time",
            Self::HistogramOverTime(_) => "histogram_over_time",
            Self::Compare { .. } => "compare",
        }
    }
}

impl Pipeline {
    /// Whether some stage is nothing but filters that are constantly false: no data has anything for it.
    pub(super) fn finds_nothing(&self) -> bool {
        self.stages.iter().any(|stage| matches!(stage, Stage::Spansets(spansets) if spansets.finds_nothing()))
    }

    /// How many levels its deepest part has.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.stages.iter().map(Stage::depth).max().unwrap_or(0)
    }
}

impl Stage {
    fn depth(&self) -> usize {
        match self {
            Self::Spansets(spansets) => spansets.depth(),
            Self::Where { left, right, .. } => left.depth().max(right.depth()),
            Self::GroupBy { expr, .. } => expr.depth(),
            Self::Coalesce | Self::Select(_) => 1,
        }
    }
}

impl Spansets {
    fn finds_nothing(&self) -> bool {
        match self {
            Self::Filter(condition) => *condition == Expr::Const(Const::Bool(false)),
            Self::And(list) | Self::Or(list) => list.iter().all(Self::finds_nothing),
            Self::Structural { left, right, .. } => left.finds_nothing() && right.finds_nothing(),
            Self::Pipeline(pipeline) => pipeline.finds_nothing(),
        }
    }

    fn depth(&self) -> usize {
        1 + match self {
            Self::Filter(condition) => condition.depth(),
            Self::And(list) | Self::Or(list) => list.iter().map(Self::depth).max().unwrap_or(0),
            Self::Structural { left, right, .. } => left.depth().max(right.depth()),
            Self::Pipeline(pipeline) => pipeline.depth(),
        }
    }
}

impl Scalar {
    fn depth(&self) -> usize {
        1 + match self {
            Self::Const(_) => 0,
            Self::Aggregate(aggregate) => aggregate.operand.as_ref().map_or(0, Expr::depth),
            Self::Pipeline { pipeline, aggregate } => {
                pipeline.depth().max(aggregate.operand.as_ref().map_or(0, Expr::depth))
            }
            Self::Arithmetic { left, right, .. } => left.depth().max(right.depth()),
        }
    }
}
