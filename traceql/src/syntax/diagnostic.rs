//! What is to be said about a query: a stable code, a message, a place, and what would be right.

use std::fmt;

use super::{
    Span,
    render::{line_and_column, render},
};

/// One thing to say about a query.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// Stable: `TQ00xx` limits, `TQ01xx` characters and words, `TQ02xx` grammar, `TQ03xx` types, `TQ04xx` regular
    /// expressions, `TQ05xx` warnings and notes, `TQ06xx` rule files, `TQ09xx` what is not supported.
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

/// What a diagnostic means for the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DiagnosticKind {
    /// The text is no query.
    ParseError,
    /// The query has no meaning: types that do not fit, values out of range.
    CheckError,
    /// The query has a meaning that cannot be had: in strict mode, what Tempo parses and does not support.
    Unsupported,
    /// The query is valid and may not mean what its reader thinks.
    Warning,
    /// The query is valid and could be written better.
    Note,
}

/// What is wrong with a query, and its text. Displays as messages with the lines of the query and carets below them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    source: String,
    list: Vec<Diagnostic>,
}

impl Diagnostic {
    /// Something to say about a place.
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

    /// What it means for the query: told by the code.
    #[must_use]
    pub fn kind(&self) -> DiagnosticKind {
        match self.code.get(2..4) {
            Some("03" | "04") => DiagnosticKind::CheckError,
            Some("05") if self.code < "TQ0550" => DiagnosticKind::Warning,
            Some("05") => DiagnosticKind::Note,
            Some("09") => DiagnosticKind::Unsupported,
            _ => DiagnosticKind::ParseError,
        }
    }

    /// Whether the query cannot be run.
    #[must_use]
    pub fn is_error(&self) -> bool {
        !matches!(self.kind(), DiagnosticKind::Warning | DiagnosticKind::Note)
    }
}

impl DiagnosticKind {
    /// The word before the code: `error`, `warning`, `note`.
    #[must_use]
    pub const fn severity(self) -> &'static str {
        match self {
            Self::ParseError | Self::CheckError | Self::Unsupported => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl Diagnostics {
    pub(crate) fn new(source: &str, list: Vec<Diagnostic>) -> Self {
        Self { source: source.to_owned(), list }
    }

    /// The query's text; cut short if it was too long to be read.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What there is to say, in order of the text.
    #[must_use]
    pub fn list(&self) -> &[Diagnostic] {
        &self.list
    }

    /// One of them as text: message, line of the query, carets.
    #[must_use]
    pub fn render(&self, diagnostic: &Diagnostic) -> String {
        render(&self.source, diagnostic)
    }

    /// Where one of them is: line and column of its first character, both from 1, a column for each character.
    #[must_use]
    pub fn line_and_column(&self, diagnostic: &Diagnostic) -> (usize, usize) {
        line_and_column(&self.source, diagnostic.span)
    }

    /// Whether there is an error among them: something that cannot be run.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(Diagnostic::is_error)
    }

    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
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
