//! Pipelines: stages that spansets go through one after the other.

use super::{FieldExpr, FieldRef, ScalarFilter, SpansetExpr};
use crate::syntax::Span;

/// Stages, joined by `|`; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// The stages; the first may be anything but `coalesce()`.
    pub stages: Vec<Stage>,
}

/// A stage of a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// What it does.
    pub kind: StageKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of stages.
#[derive(Debug, Clone, PartialEq)]
pub enum StageKind {
    /// A filter, or filters joined by operators: keeps spans.
    Spansets(SpansetExpr),
    /// A condition on aggregates: keeps spansets.
    Where(ScalarFilter),
    /// `by (expr)`: splits spansets.
    GroupBy(FieldExpr),
    /// `coalesce()`: joins the spansets of a trace.
    Coalesce,
    /// `select (…)`: names fields for the answer.
    Select(Vec<FieldRef>),
}
