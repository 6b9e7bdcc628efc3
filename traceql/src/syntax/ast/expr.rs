//! Field expressions: what stands between the braces.

use super::{Field, Literal};
use crate::syntax::Span;

/// An expression over one span.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldExpr {
    /// What it is.
    pub kind: FieldExprKind,
    /// Where it stands, with the parentheses around it.
    pub span: Span,
}

/// The kinds of field expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldExprKind {
    /// A constant; not negative, but where constants were folded.
    Literal(Literal),
    /// An attribute or intrinsic.
    Field(Field),
    /// `-x` or `!x`.
    Unary {
        /// The operator.
        op: UnaryOp,
        /// What it applies to.
        operand: Box<FieldExpr>,
    },
    /// `x && y && z`: at least two operands. The first may itself be the other kind of chain, `&&` and `||` being on
    /// one level of precedence.
    Logical {
        /// The operator.
        op: LogicalOp,
        /// The operands.
        operands: Vec<FieldExpr>,
    },
    /// `x op y`.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Where the operator stands.
        op_span: Span,
        /// The left operand.
        left: Box<FieldExpr>,
        /// The right operand.
        right: Box<FieldExpr>,
    },
    /// `x != nil`, or `x = nil` when negated; `nil` may stand on either side.
    Exists {
        /// What is tested.
        operand: Box<FieldExpr>,
        /// Whether absence is asked for (`= nil`).
        negated: bool,
    },
    /// Where an operand is missing. Only in trees of unfinished queries.
    Hole,
}

/// Operators with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `-`
    Negate,
    /// `!`
    Not,
}

/// Operators that join conditions, or spansets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogicalOp {
    /// `&&`
    And,
    /// `||`
    Or,
}

/// Operators with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// A comparison.
    Compare(CompareOp),
    /// `=~`
    Matches,
    /// `!~`
    NotMatches,
    /// Arithmetic.
    Arithmetic(ArithmeticOp),
}

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// Arithmetic operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArithmeticOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
    /// `^`
    Power,
}

impl LogicalOp {
    /// How it is written.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::And => "&&",
            Self::Or => "||",
        }
    }
}

impl BinaryOp {
    /// How it is written.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Compare(op) => op.text(),
            Self::Matches => "=~",
            Self::NotMatches => "!~",
            Self::Arithmetic(op) => op.text(),
        }
    }
}

impl CompareOp {
    /// How it is written.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The operator that means the same with its operands exchanged.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Equal | Self::NotEqual => self,
        }
    }
}

impl ArithmeticOp {
    /// How it is written.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Power => "^",
        }
    }
}
