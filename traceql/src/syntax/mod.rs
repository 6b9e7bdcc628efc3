//! Text to tree, and back. Pure: nom and `std` only, no engine, total on any input.
//!
//! ```text
//! text ─▶ lexer ─▶ parser ─▶ ast ─▶ print
//!            └────────┴─▶ Diagnostics (code, message, place, help)
//! ```

pub mod ast;
mod complete;
mod diagnostic;
mod lexer;
mod number;
mod parser;
mod print;
mod render;
mod span;
pub(crate) mod suggest;
mod token;

pub use complete::{Completion, CompletionItem, complete};
pub use diagnostic::{Diagnostic, DiagnosticKind, Diagnostics};
#[cfg(feature = "engine")]
pub(crate) use number::format_duration;
pub use parser::{KNOWN_HINTS, parse_field};
pub(crate) use parser::{Limits, Parsed, first_filter, in_order, parse};
pub use print::TempoText;
pub use span::Span;
#[cfg(feature = "rules")]
pub(crate) use suggest::closest;
