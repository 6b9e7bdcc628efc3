//! Text to tree. Pure: `std` only, no engine, total on any input.

pub mod ast;
mod span;

pub use span::Span;
