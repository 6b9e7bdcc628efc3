//! From text to meaning, with a report of everything there is to say on the way. No engine, no data.

use crate::{
    ir,
    syntax::{self, Diagnostic, DiagnosticKind, Diagnostics, Limits, Parsed, ast},
};

/// Reads, checks and lowers queries: its settings are the language's limits and how strictly Tempo is followed.
///
/// ```
/// let query = traceql::Compiler::new().strict(true).parse("{ .http.method = \"GET\" }");
/// assert!(query.is_ok());
/// ```
#[derive(Debug, Clone)]
pub struct Compiler {
    strict: bool,
    limits: Limits,
    max_regex: usize,
}

impl Default for Compiler {
    fn default() -> Self {
        Self::new()
    }
}

/// What became of a query, the words as `traceql check` prints them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// It can be run.
    Valid,
    /// The text is no query.
    ParseError,
    /// It is a query without a meaning: types that do not fit, values out of range.
    CheckError,
    /// It is a query that Tempo parses and does not support; in strict mode only.
    Unsupported,
}

impl Verdict {
    /// `valid`, `parse-error`, `check-error`, `unsupported`.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::ParseError => "parse-error",
            Self::CheckError => "check-error",
            Self::Unsupported => "unsupported",
        }
    }
}

/// What there is to say about a query.
#[derive(Debug, Clone)]
pub struct Report {
    /// The syntax tree; `None` if the text is no query.
    pub query: Option<ast::Query>,
    /// Errors, warnings and notes, in order of the text.
    pub diagnostics: Diagnostics,
}

impl Report {
    /// What became of the query.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let kinds = self.diagnostics.list().iter().map(Diagnostic::kind);
        match kinds.min() {
            Some(DiagnosticKind::ParseError) => Verdict::ParseError,
            Some(DiagnosticKind::CheckError) => Verdict::CheckError,
            Some(DiagnosticKind::Unsupported) => Verdict::Unsupported,
            _ => Verdict::Valid,
        }
    }
}

impl Compiler {
    /// The whole language, extensions included; queries of up to 128 KiB (as Tempo) with up to 1,000 open parentheses,
    /// 500 levels of operators within operators, and patterns of up to 16 KiB.
    #[must_use]
    pub fn new() -> Self {
        Self { strict: false, limits: Limits::default(), max_regex: 16 << 10 }
    }

    /// Whether to refuse what Tempo refuses (SEMANTICS.md X1).
    #[must_use]
    pub fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// How long a query may be, in bytes.
    #[must_use]
    pub fn max_length(self, max_length: usize) -> Self {
        // Places in a query are 32-bit numbers.
        let max_length = max_length.min(u32::MAX as usize / 2);
        Self { limits: Limits { max_length, ..self.limits }, ..self }
    }

    /// How many parentheses may be open at once. They take no part of the thread's stack.
    #[must_use]
    pub fn max_parentheses(self, max_parentheses: usize) -> Self {
        Self { limits: Limits { max_parentheses, ..self.limits }, ..self }
    }

    /// How many levels of operators within operators a query may have. Chains of `&&` and of `||` are one level however
    /// long they are. Checking and lowering take up to 2 KiB of the thread's stack for a level (measured without
    /// optimisation).
    #[must_use]
    pub fn max_depth(self, max_depth: usize) -> Self {
        Self { limits: Limits { max_depth, ..self.limits }, ..self }
    }

    /// How long a regular expression may be, in bytes.
    #[must_use]
    pub fn max_regex(self, max_regex: usize) -> Self {
        Self { max_regex, ..self }
    }

    /// Everything there is to say about a query.
    #[must_use]
    pub fn check(&self, text: &str) -> Report {
        let Parsed { query, mut diagnostics, .. } = syntax::parse(text, &self.limits);
        let parsed = !diagnostics.iter().any(Diagnostic::is_error);
        if self.strict {
            let bare_only = |fault: &Diagnostic| parsed || fault.kind() == DiagnosticKind::ParseError;
            diagnostics.extend(ir::unsupported(&query).filter(bare_only));
        } else {
            diagnostics.extend(ir::advice(&query, text));
        }
        if parsed {
            diagnostics.extend(ir::check(&query, self.max_regex));
        }
        let shown = if text.len() > self.limits.max_length { beginning(text) } else { text };
        let diagnostics = Diagnostics::new(shown, syntax::in_order(diagnostics));
        Report { query: parsed.then_some(query), diagnostics }
    }

    /// The syntax tree of a query that is valid.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(&self, text: &str) -> Result<ast::Query, Diagnostics> {
        let report = self.check(text);
        match report.query {
            Some(query) if report.diagnostics.list().iter().all(|found| !found.is_error()) => Ok(query),
            _ => Err(report.diagnostics),
        }
    }

    /// What a query asks: checked, and in the form that the planner takes.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn compile(&self, text: &str) -> Result<ir::Query, Diagnostics> {
        Ok(ir::lower(&self.parse(text)?).simplified())
    }
}

/// As much of a text as a message should repeat.
fn beginning(text: &str) -> &str {
    let end = text.char_indices().nth(80).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or("")
}
