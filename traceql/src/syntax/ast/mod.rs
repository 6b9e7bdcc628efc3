//! The syntax tree: what was written, with the place of every node. Parentheses are not in it, constants are not
//! folded. Meaning (types, missing values, matching) is not here but in [`crate::ir`].

mod attribute;
mod expr;
mod literal;
mod metrics;
mod number;
mod pipeline;
mod scalar;
mod spanset;

pub use attribute::{Attribute, Field, FieldRef, Intrinsic, Scope};
pub use expr::{ArithmeticOp, BinaryOp, CompareOp, FieldExpr, FieldExprKind, LogicalOp, UnaryOp};
pub use literal::{Kind, Literal, Status};
pub use metrics::{
    MetricsExpr, MetricsExprKind, MetricsFunction, MetricsFunctionKind, Quantile, SecondStage, SecondStageKind,
};
pub use number::{NumberExpr, NumberExprKind};
pub use pipeline::{Pipeline, Stage, StageKind};
pub use scalar::{Aggregate, AggregateFunction, ScalarExpr, ScalarExprKind, ScalarFilter};
pub use spanset::{Relation, SpansetExpr, SpansetExprKind, SpansetFilter, StructuralMode, StructuralOp};

use super::Span;

/// A query.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// What is asked.
    pub body: Body,
    /// The hints of the last `with (…)`; earlier ones are void.
    pub hints: Vec<Hint>,
    /// What Tempo does not take, in order of the text.
    pub extensions: Vec<Extension>,
}

/// What is asked for: spans or numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Traces, by a pipeline of stages over their spans.
    Search(Pipeline),
    /// Series, computed from spans.
    Metrics(MetricsExpr),
}

/// `name = value` in a `with (…)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Hint {
    /// The name, not checked against anything.
    pub name: String,
    /// The value; never negative.
    pub value: Literal,
    /// From name to value.
    pub span: Span,
}

/// Something that is valid here and not in Tempo (SEMANTICS.md X1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension {
    /// What it is.
    pub kind: ExtensionKind,
    /// Where it stands.
    pub span: Span,
}

/// The extensions of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExtensionKind {
    /// `http.method` for `.http.method`; Tempo cannot parse it.
    BareName,
    /// `parent` and `parent.x`; Tempo parses them and says that it does not support them.
    Parent,
    /// A condition on aggregates that is no aggregate compared with a constant, or one on aggregates of pipelines;
    /// Tempo parses them and says that it does not support them.
    ScalarExpression,
    /// More attributes in the `by (…)` of a metrics function than Tempo takes.
    Groupings,
}
