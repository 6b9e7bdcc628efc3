//! The checked tree.

use crate::syntax::ast::{ArithmeticOp, CompareOp, Field};

/// A condition or value over one span.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A constant.
    Const(Const),
    /// An attribute or intrinsic.
    Field(Field),
    /// A comparison; false when either side is missing.
    Compare {
        /// The operator.
        op: CompareOp,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
    },
    /// A regular expression match over the whole text; false when the operand is missing or no string.
    Match {
        /// What is matched.
        operand: Box<Expr>,
        /// The pattern, anchored and in the syntax of Rust's `regex`, meaning what RE2 says of the original.
        pattern: String,
        /// `!~`: no match (for arrays: of no element).
        negated: bool,
    },
    /// Whether there is a value; `= nil` when negated.
    Exists {
        /// What is tested.
        operand: Box<Expr>,
        /// Whether absence is asked for.
        negated: bool,
    },
    /// All are true; missing counts as false. At least two.
    And(Vec<Expr>),
    /// One is true; missing counts as false. At least two.
    Or(Vec<Expr>),
    /// The complement of a boolean; missing stays missing.
    Not(Box<Expr>),
    /// No value: what arithmetic on constants comes to where it has none.
    Missing,
    /// The negative of a number; missing where it overflows.
    Negate(Box<Expr>),
    /// Arithmetic; missing where it has no value.
    Arithmetic {
        /// The operator.
        op: ArithmeticOp,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
    },
}

/// A constant value.
#[derive(Debug, Clone, PartialEq)]
pub enum Const {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float; may be infinite or NaN after folding.
    Float(f64),
    /// Nanoseconds.
    Duration(i64),
    /// Text.
    String(String),
    /// OTLP's status number.
    Status(i32),
    /// OTLP's kind number.
    Kind(i32),
}

impl Expr {
    /// Whether it has a truth value on every span: never missing, never something else.
    #[must_use]
    pub fn is_condition(&self) -> bool {
        match self {
            Self::And(_) | Self::Or(_) | Self::Compare { .. } | Self::Match { .. } | Self::Exists { .. } => true,
            Self::Const(value) => matches!(value, Const::Bool(_)),
            Self::Not(operand) => operand.is_condition(),
            Self::Field(_) | Self::Missing | Self::Negate(_) | Self::Arithmetic { .. } => false,
        }
    }

    /// How many levels it has.
    #[must_use]
    pub fn depth(&self) -> usize {
        1 + match self {
            Self::Const(_) | Self::Field(_) | Self::Missing => 0,
            Self::Compare { left, right, .. } | Self::Arithmetic { left, right, .. } => left.depth().max(right.depth()),
            Self::Match { operand, .. } | Self::Exists { operand, .. } | Self::Not(operand) | Self::Negate(operand) => {
                operand.depth()
            }
            Self::And(list) | Self::Or(list) => list.iter().map(Self::depth).max().unwrap_or(0),
        }
    }

    /// Every field in it, in order of the text.
    pub fn for_each_field<'e>(&'e self, visit: &mut impl FnMut(&'e Field)) {
        match self {
            Self::Const(_) | Self::Missing => {}
            Self::Field(field) => visit(field),
            Self::Compare { left, right, .. } | Self::Arithmetic { left, right, .. } => {
                left.for_each_field(visit);
                right.for_each_field(visit);
            }
            Self::Match { operand, .. } | Self::Exists { operand, .. } | Self::Not(operand) | Self::Negate(operand) => {
                operand.for_each_field(visit);
            }
            Self::And(list) | Self::Or(list) => list.iter().for_each(|part| part.for_each_field(visit)),
        }
    }
}
