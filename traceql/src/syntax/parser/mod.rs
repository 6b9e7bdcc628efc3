//! Tokens to tree: nom over tokens, one function per production, its EBNF above it. Every production knows by the next
//! token or two whether it applies; none is tried twice. See [`expr`] and [`body`] for what has operators.

mod body;
mod expected;
mod expr;
mod field;
mod hint;
mod input;
mod literal;
mod lone;
mod metrics;
mod stage;
mod term;

use expected::Fault;
pub(super) use expected::{Behind, Expected, Operand, Purpose};
pub use hint::KNOWN_HINTS;
use input::{Input, Notes, Session};
pub use lone::parse_field;

use super::{
    Diagnostic, Span,
    ast::{Body, Hint, Pipeline, Query, SpansetExpr, SpansetExprKind, SpansetFilter, StageKind},
    lexer,
    token::{Op, Token, TokenKind},
};

/// How large a query may be.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// In bytes.
    pub(crate) max_length: usize,
    /// Open parentheses.
    pub(crate) max_parentheses: usize,
    /// Levels of the tree.
    pub(crate) max_depth: usize,
}

impl Default for Limits {
    /// As long as Tempo takes.
    fn default() -> Self {
        Self { max_length: 128 << 10, max_parentheses: 1_000, max_depth: 500 }
    }
}

/// How much is said about one query.
const MAX_DIAGNOSTICS: usize = 20;

/// What a text was read as.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// As much as could be read: whole if there is no error among the diagnostics.
    pub(crate) query: Query,
    /// What there is to say, in order of the text.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What might have come where the text ends.
    pub(super) wanted: Option<Expected>,
}

/// Reads a query.
pub(crate) fn parse(text: &str, limits: &Limits) -> Parsed {
    if text.len() > limits.max_length {
        let message = format!("the query is {} bytes long; the limit is {}", text.len(), limits.max_length);
        let fault = Diagnostic::new("TQ0001", Span::new(0, 1), message);
        return Parsed { query: nothing(), diagnostics: vec![fault], wanted: None };
    }
    let (tokens, faults) = lexer::tokens(text);
    parse_tokens(&tokens, faults, text.len(), limits)
}

/// Reads the tokens of a text of `len` bytes.
pub(super) fn parse_tokens(tokens: &[Token], faults: Vec<Diagnostic>, len: usize, limits: &Limits) -> Parsed {
    let session = Session::new(limits.clone(), len);
    let query = query(Input::new(tokens, &session));
    let Notes { faults: found, extensions, wanted, .. } = session.finish();
    // What has no end takes the rest of the text with it: that there is none need not be said.
    let cut_short = faults.iter().any(|fault| fault.message.ends_with("has no end"));
    let found = found.into_iter().filter(|fault| !(cut_short && fault.span.start as usize == len));
    let diagnostics = in_order(faults.into_iter().chain(found).collect());
    let (body, hints) = query.unwrap_or_else(|| (nothing().body, Vec::new()));
    let mut extensions = extensions;
    extensions.sort_by_key(|extension| extension.span.start);
    Parsed { query: Query { body, hints, extensions }, diagnostics, wanted }
}

/// The filter that a query begins with, if it begins with a filter alone. The query may be unfinished: brackets that are
/// open are closed, and behind the filter anything may be wrong.
pub(crate) fn first_filter(text: &str, limits: &Limits) -> Option<SpansetFilter> {
    if text.len() > limits.max_length {
        return None;
    }
    let (mut tokens, _) = lexer::tokens(text);
    close_brackets(&mut tokens);
    let session = Session::new(limits.clone(), text.len());
    let query = query(Input::new(&tokens, &session));
    let first = match query {
        Some((body, _)) => body::first_stage(body),
        None => session.finish().begun,
    };
    match first?.kind {
        StageKind::Spansets(SpansetExpr { kind: SpansetExprKind::Filter(filter), .. }) => Some(filter),
        _ => None,
    }
}

/// Adds the brackets that are missing at the end.
fn close_brackets(tokens: &mut Vec<Token>) {
    let mut open = Vec::new();
    for token in tokens.iter() {
        match token.kind {
            TokenKind::Op(Op::OpenBrace) => open.push(Op::CloseBrace),
            TokenKind::Op(Op::OpenParen) => open.push(Op::CloseParen),
            TokenKind::Op(Op::CloseParen) if open.last() == Some(&Op::CloseParen) => drop(open.pop()),
            // A brace closes parentheses within it.
            TokenKind::Op(Op::CloseBrace) => {
                let depth = open.iter().rposition(|close| *close == Op::CloseBrace).unwrap_or(open.len());
                open.truncate(depth);
            }
            _ => {}
        }
    }
    let end = tokens.pop();
    let place = end.as_ref().map_or(Span::default(), |end| end.span);
    tokens.extend(open.into_iter().rev().map(|close| Token { kind: TokenKind::Op(close), span: place }));
    tokens.extend(end);
}

/// In order of the text, and one error for each place: what comes second follows from the first.
pub(crate) fn in_order(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, !diagnostic.is_error()));
    let mut last_error = None;
    diagnostics.retain(|diagnostic| {
        let again = diagnostic.is_error() && last_error == Some(diagnostic.span.start);
        if diagnostic.is_error() {
            last_error = Some(diagnostic.span.start);
        }
        !again
    });
    if diagnostics.len() > MAX_DIAGNOSTICS {
        // Errors first: a query with one must not pass for want of space.
        diagnostics.sort_by_key(|diagnostic| !diagnostic.is_error());
        diagnostics.truncate(MAX_DIAGNOSTICS);
        diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    }
    diagnostics
}

fn nothing() -> Query {
    Query { body: Body::Search(Pipeline { stages: Vec::new() }), hints: Vec::new(), extensions: Vec::new() }
}

/// `query = root , { hints } ;`
fn query(input: Input<'_>) -> Option<(Body, Vec<Hint>)> {
    match whole_query(input) {
        Ok((_, query)) => Some(query),
        Err(nom::Err::Error((rest, fault)) | nom::Err::Failure((rest, fault))) => {
            input.report(fault);
            filters_after(rest);
            None
        }
        Err(nom::Err::Incomplete(_)) => None,
    }
}

type Whole<'t> = Result<(Input<'t>, (Body, Vec<Hint>)), nom::Err<(Input<'t>, Fault)>>;

fn whole_query(input: Input<'_>) -> Whole<'_> {
    let at = |input| move |error: nom::Err<Fault>| error.map(|fault| (input, fault));
    let (mut rest, body) = body::body(input).map_err(at(input))?;
    let mut last = Vec::new();
    while rest.is_word("with") {
        match hint::hints(rest) {
            Ok(found) => (rest, last) = found,
            Err(fault) => {
                if let Some(first) = body::first_stage(body) {
                    input.keep(first);
                }
                return Err(at(rest)(fault));
            }
        }
    }
    rest.want(|| Expected::End);
    if rest.at_end() {
        return Ok((rest, (body, last)));
    }
    Err(nom::Err::Failure((rest, after_query(rest))))
}

/// Something follows the query.
fn after_query(input: Input<'_>) -> Fault {
    let fault = input.unexpected(Expected::End);
    match &input.peek().kind {
        TokenKind::Op(Op::OpenBrace) => fault.help("to ask for both conditions write them in one filter: `{ a && b }`"),
        TokenKind::Op(Op::Pipe) => fault.help("nothing can follow a pipeline in parentheses, or `with (…)`"),
        TokenKind::Word(word) if word == "by" => {
            fault.help("write `| by(…)` to split spansets; the `by (…)` of a metrics function follows it directly")
        }
        _ => fault,
    }
}

/// The query has failed; what is wrong within its further filters is said all the same.
fn filters_after(input: Input<'_>) {
    let mut input = input;
    while !input.at_end() {
        match input.begins_unread_filter().then(|| stage::filter(input)) {
            Some(Ok((rest, _))) => input = rest,
            _ => input = input.advance(),
        }
    }
}
