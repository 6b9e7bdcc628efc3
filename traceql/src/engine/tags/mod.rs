//! What there is to ask for: the names of attributes, and the values of fields with how many spans have them. For lists
//! in editors and forms, where the query may be half typed (SEMANTICS.md G1, G2).
//!
//! ```text
//! no filter ─▶ key lists, codes of dictionaries ────────────────┬─▶ TagNames
//! filter ────▶ SpanTable ─▶ rows ─▶ their attributes ───────────┤
//!                  └─▶ columns of the field ─▶ Counter, merged ─┴─▶ TagValues
//! ```

mod count;
mod names;
mod options;
mod selection;
mod values;

pub use names::{ScopeNames, TagNames};
pub use options::{TagOptions, TagScope};
pub use values::{TagValue, TagValues};
