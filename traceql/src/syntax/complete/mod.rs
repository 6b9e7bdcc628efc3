//! Completion, for editors: what may stand at a place of a query that somebody is typing. Knows the language and not the
//! data: names of attributes and values of fields are the host's to look up. Signs and parentheses within expressions
//! are not offered.
//!
//! ```text
//! text up to the cursor ─▶ lexer ─┬─▶ tokens ─▶ parser ─▶ Expected ─▶ items
//!                                 └─▶ Partial: the word at the cursor ──┘
//! ```

mod cursor;
mod items;

pub use cursor::complete;

use super::{
    Span,
    ast::{Field, Scope},
};

/// What may stand at a place of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What an item takes the place of: the word, attribute, number or text, as far as it is typed, scope and opening
    /// quote included. Ends at the cursor; empty where nothing is typed yet.
    pub replace: Span,
    /// What may stand there, as far as it goes on from what is typed.
    pub items: Vec<CompletionItem>,
}

/// Something that may stand at a place of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompletionItem {
    /// A word: an intrinsic, constant, function, stage or hint. One that ends with `.` or `:` is a scope, which a name
    /// follows.
    Keyword(String),
    /// An operator or bracket.
    Operator(&'static str),
    /// Attributes whose names begin so: the host looks them up, and inserts them with their scope.
    Attribute {
        /// The scope that is typed; `None` for attributes of every scope.
        scope: Option<Scope>,
        /// How the name begins, quotes and escapes resolved.
        prefix: String,
    },
    /// Values of a field that begin so: the host looks them up, and inserts them with quotes if they are texts.
    Value {
        /// The field that is compared.
        field: Field,
        /// How the value begins, quotes and escapes resolved.
        prefix: String,
        /// Whether it begins with a quote: then it can only be a text.
        quoted: bool,
    },
}
