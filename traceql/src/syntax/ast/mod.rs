//! The syntax tree: what was written, with the place of every node. Meaning (types, missing values, matching) is not
//! here but in [`crate::ir`].

mod attribute;
mod expr;
mod literal;

pub use attribute::{Attribute, Field, Intrinsic, Scope};
pub use expr::{BinaryOp, FieldExpr, FieldExprKind, UnaryOp};
pub use literal::{Kind, Literal, Status};

use super::Span;

/// A query: one spanset filter.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The filter.
    pub filter: SpansetFilter,
}

/// `{ expr }`, or `{ }`, which keeps every span.
#[derive(Debug, Clone, PartialEq)]
pub struct SpansetFilter {
    /// The condition; `None` for `{ }`.
    pub expr: Option<FieldExpr>,
    /// From brace to brace.
    pub span: Span,
}
