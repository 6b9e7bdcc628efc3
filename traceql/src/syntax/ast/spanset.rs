//! Spanset expressions: filters, and what joins them.

use super::{FieldExpr, LogicalOp, Pipeline};
use crate::syntax::Span;

/// Something that picks spans of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct SpansetExpr {
    /// What it is.
    pub kind: SpansetExprKind,
    /// Where it stands, parentheses around it left out.
    pub span: Span,
}

/// The kinds of spanset expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum SpansetExprKind {
    /// `{ … }`
    Filter(SpansetFilter),
    /// `x && y && z`: at least two operands. The first may itself be the other kind of chain, `&&` and `||` being on
    /// one level of precedence.
    Logical {
        /// The operator.
        op: LogicalOp,
        /// The operands.
        operands: Vec<SpansetExpr>,
    },
    /// `x >> y`: spans of `y` by their relation to spans of `x`.
    Structural {
        /// The operator.
        op: StructuralOp,
        /// The left operand.
        left: Box<SpansetExpr>,
        /// The right operand, whose spans are the result.
        right: Box<SpansetExpr>,
    },
    /// `( … | … )` as an operand; then every other operand is in parentheses too.
    Pipeline(Box<Pipeline>),
}

/// `{ expr }`, or `{ }`, which keeps every span.
#[derive(Debug, Clone, PartialEq)]
pub struct SpansetFilter {
    /// The condition; `None` for `{ }`.
    pub expr: Option<FieldExpr>,
    /// From brace to brace.
    pub span: Span,
}

/// An operator that relates spans by the structure of their trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StructuralOp {
    /// What a span of the left side must be to one of the right.
    pub relation: Relation,
    /// What is made of the relation.
    pub mode: StructuralMode,
}

/// What a span of the left side is to one of the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// `>`
    Parent,
    /// `>>`
    Ancestor,
    /// `<`
    Child,
    /// `<<`
    Descendant,
    /// `~`
    Sibling,
}

/// Which spans a structural operator keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StructuralMode {
    /// `>>`: spans of the right side that have a partner on the left.
    Related,
    /// `!>>`: spans of the right side that have none.
    Unrelated,
    /// `&>>`: both partners.
    Union,
}

impl Relation {
    /// What a span of the right side is then to the one of the left.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        match self {
            Self::Parent => Self::Child,
            Self::Ancestor => Self::Descendant,
            Self::Child => Self::Parent,
            Self::Descendant => Self::Ancestor,
            Self::Sibling => Self::Sibling,
        }
    }
}

impl StructuralOp {
    /// All of them.
    pub const ALL: [Self; 15] = {
        use Relation::{Ancestor, Child, Descendant, Parent, Sibling};
        use StructuralMode::{Related, Union, Unrelated};
        const fn op(relation: Relation, mode: StructuralMode) -> StructuralOp {
            StructuralOp { relation, mode }
        }
        [
            op(Parent, Related),
            op(Ancestor, Related),
            op(Child, Related),
            op(Descendant, Related),
            op(Sibling, Related),
            op(Parent, Unrelated),
            op(Ancestor, Unrelated),
            op(Child, Unrelated),
            op(Descendant, Unrelated),
            op(Sibling, Unrelated),
            op(Parent, Union),
            op(Ancestor, Union),
            op(Child, Union),
            op(Descendant, Union),
            op(Sibling, Union),
        ]
    };

    /// How it is written.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match (self.mode, self.relation) {
            (StructuralMode::Related, Relation::Parent) => ">",
            (StructuralMode::Related, Relation::Ancestor) => ">>",
            (StructuralMode::Related, Relation::Child) => "<",
            (StructuralMode::Related, Relation::Descendant) => "<<",
            (StructuralMode::Related, Relation::Sibling) => "~",
            (StructuralMode::Unrelated, Relation::Parent) => "!>",
            (StructuralMode::Unrelated, Relation::Ancestor) => "!>>",
            (StructuralMode::Unrelated, Relation::Child) => "!<",
            (StructuralMode::Unrelated, Relation::Descendant) => "!<<",
            (StructuralMode::Unrelated, Relation::Sibling) => "!~",
            (StructuralMode::Union, Relation::Parent) => "&>",
            (StructuralMode::Union, Relation::Ancestor) => "&>>",
            (StructuralMode::Union, Relation::Child) => "&<",
            (StructuralMode::Union, Relation::Descendant) => "&<<",
            (StructuralMode::Union, Relation::Sibling) => "&~",
        }
    }
}
