//! Metrics: series computed from the spans that a pipeline keeps.

use super::{ArithmeticOp, CompareOp, FieldRef, NumberExpr, Pipeline, SpansetFilter};
use crate::syntax::Span;

/// Something that gives series.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricsExpr {
    /// What it is.
    pub kind: MetricsExprKind,
    /// Where it stands, parentheses around it left out.
    pub span: Span,
}

/// The kinds of metrics expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricsExprKind {
    /// `pipeline | function`
    Query {
        /// What picks the spans.
        pipeline: Pipeline,
        /// What is computed from them.
        function: MetricsFunction,
    },
    /// A constant beside series; never a whole query.
    Number(NumberExpr),
    /// `x op y`, the operator one of `+ - * /`.
    Arithmetic {
        /// The operator.
        op: ArithmeticOp,
        /// The left operand.
        left: Box<MetricsExpr>,
        /// The right operand.
        right: Box<MetricsExpr>,
    },
    /// `x | topk(5)`, `x > 1`: around the whole query, or around a `Query` that is an operand.
    Stage {
        /// What it works on.
        input: Box<MetricsExpr>,
        /// What it does.
        stage: SecondStage,
    },
}

/// A first-stage function, `by (…)` included.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricsFunction {
    /// The function and its arguments.
    pub kind: MetricsFunctionKind,
    /// The fields that series are told apart by.
    pub by: Vec<FieldRef>,
    /// Where it stands.
    pub span: Span,
}

/// The first-stage functions.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricsFunctionKind {
    /// Spans per second.
    Rate,
    /// Spans.
    CountOverTime,
    /// The smallest value.
    MinOverTime(FieldRef),
    /// The largest value.
    MaxOverTime(FieldRef),
    /// The average.
    AvgOverTime(FieldRef),
    /// The sum.
    SumOverTime(FieldRef),
    /// Quantiles, from buckets that are powers of two.
    QuantileOverTime {
        /// Of what.
        field: FieldRef,
        /// Which; at least one.
        quantiles: Vec<Quantile>,
    },
    /// Counts by bucket.
    HistogramOverTime(FieldRef),
    /// How the spans that a filter selects differ from the rest.
    Compare {
        /// What selects.
        selection: SpansetFilter,
        /// How many values of each attribute.
        top: Option<(i64, Span)>,
        /// Only spans that start in this range are selected: ns since 1970, beginning excluded, end included.
        range: Option<(i64, i64, Span)>,
    },
}

/// A quantile as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantile {
    /// Its value; the checker has it between 0 and 1.
    pub value: f64,
    /// Where it stands.
    pub span: Span,
}

/// Something that works on series.
#[derive(Debug, Clone, PartialEq)]
pub struct SecondStage {
    /// What it does.
    pub kind: SecondStageKind,
    /// Where it stands.
    pub span: Span,
}

/// The second-stage functions.
#[derive(Debug, Clone, PartialEq)]
pub enum SecondStageKind {
    /// The largest series at every moment.
    TopK(i64),
    /// The smallest series at every moment.
    BottomK(i64),
    /// Values that compare so with a constant.
    Compare {
        /// The operator.
        op: CompareOp,
        /// The constant.
        threshold: NumberExpr,
    },
}

impl MetricsFunctionKind {
    /// How it is written.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::CountOverTime => "count_over_time",
            Self::MinOverTime(_) => "min_over_time",
            Self::MaxOverTime(_) => "max_over_time",
            Self::AvgOverTime(_) => "avg_over_time",
            Self::SumOverTime(_) => "sum_over_time",
            Self::QuantileOverTime { .. } => "quantile_over_time",
            Self::HistogramOverTime(_) => "histogram_over_time",
            Self::Compare { .. } => "compare",
        }
    }

    /// The field whose values it takes, if it takes any.
    #[must_use]
    pub const fn field(&self) -> Option<&FieldRef> {
        match self {
            Self::MinOverTime(field)
            | Self::MaxOverTime(field)
            | Self::AvgOverTime(field)
            | Self::SumOverTime(field)
            | Self::HistogramOverTime(field)
            | Self::QuantileOverTime { field, .. } => Some(field),
            Self::Rate | Self::CountOverTime | Self::Compare { .. } => None,
        }
    }
}
