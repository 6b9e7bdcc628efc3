//! The checked tree.

use crate::syntax::ast::Field;

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

/// What a spanset filter asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// What a span must meet: true, not missing.
    pub condition: Expr,
    /// Every field that the query names, in order of first mention.
    pub fields: Vec<Field>,
}
