//! Meaning: the checked, normalised tree that the planner consumes. The syntax tree says what was written, this one
//! what is asked: operand types are known to fit, regular expressions are in the engine's syntax, ids have their full
//! width, chains of `&&` and `||` are flat, arithmetic on constants is done.

pub mod arithmetic;
mod check;
mod expr;
mod lower;
mod regex;

pub(crate) use check::check;
pub use expr::{ArithmeticOp, CompareOp, Const, Expr, Filter};
pub(crate) use lower::lower;
pub use regex::translate as translate_regex;
