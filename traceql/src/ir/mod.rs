//! Meaning: the checked, normalised tree that the planner consumes. The syntax tree says what was written, this one
//! what is asked: operand types are known to fit, regular expressions are in the engine's syntax, ids have their full
//! width, chains of `&&` and `||` are flat, what is constant is worked out.
//!
//! ```text
//! ast ─▶ check ─▶ fold (ast ─▶ ast) ─▶ lower ─▶ simplify ─▶ Query
//! ```

pub mod arithmetic;
mod check;
mod expr;
mod fold;
mod lower;
mod partial;
mod query;
mod regex;
mod simplify;

pub(crate) use check::{advice, check, unsupported};
pub use expr::{Const, Expr};
pub use fold::fold;
pub use lower::{lower, lower_condition};
pub use partial::partial_condition;
pub use query::{
    Aggregate, Body, Metrics, MetricsFunction, MetricsFunctionKind, Pipeline, Query, Scalar, Spansets, Stage,
};
pub use regex::translate as translate_regex;
pub use simplify::simplify;

pub use crate::syntax::{
    KNOWN_HINTS,
    ast::{ArithmeticOp, CompareOp},
};
