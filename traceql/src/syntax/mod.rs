//! Text to tree, and back. Pure: `std` only, no engine, total on any input.
//!
//! ```text
//! text ─▶ lexer ─▶ parser ─▶ ast ─▶ print
//!            └────────┴─▶ Diagnostics (code, message, place, help)
//! ```

pub mod ast;
mod diagnostic;
mod lexer;
mod number;
mod parser;
mod print;
mod render;
mod span;
mod token;

pub use diagnostic::{Diagnostic, Diagnostics};
#[cfg(feature = "engine")]
pub(crate) use number::format_duration;
pub(crate) use parser::parse;
pub use span::Span;
