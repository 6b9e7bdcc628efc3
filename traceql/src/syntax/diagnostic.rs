//! What is wrong with a query: a stable code, a message, a place, and what would have been expected.

use std::fmt;

use super::{Span, render::render};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// Stable: `TQ00xx` limits, `TQ01xx` characters and words, `TQ02xx` grammar, `TQ03xx` types, `TQ04xx` regular
    /// expressions, `TQ09xx` what is not supported yet.
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where.
    pub span: Span,
    /// A second place that the message is about.
    pub related: Option<(Span, String)>,
    /// What would be right.
    pub help: Option<String>,
}

/// What is wrong with a query, and its text. Displays as messages with the lines of the query and carets below them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    source: String,
    list: Vec<Diagnostic>,
}

impl Diagnostic {
    /// Something wrong at a place.
    pub(crate) fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span, related: None, help: None }
    }

    /// Adds what would be right.
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Adds a second place.
    pub(crate) fn related(self, span: Span, label: impl Into<String>) -> Self {
        Self { related: Some((span, label.into())), ..self }
    }
}

impl Diagnostics {
    pub(crate) fn new(source: &str, list: Vec<Diagnostic>) -> Self {
        Self { source: source.to_owned(), list }
    }

    /// The query's text.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What is wrong, in order of the text; at least one.
    #[must_use]
    pub fn list(&self) -> &[Diagnostic] {
        &self.list
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.list.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&render(&self.source, diagnostic))?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
