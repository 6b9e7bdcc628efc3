//! What stands before the cursor: the words that are whole, which the parser reads, and the one that is not. What the
//! parser would read next comes from there, not from here.

use super::{Completion, CompletionItem, items::items};
use crate::syntax::{
    Diagnostic, Span,
    ast::Scope,
    lexer,
    parser::{Expected, Limits, parse_tokens},
    token::{Op, Token, TokenKind},
};

/// What may stand at a place of a query, `cursor` bytes behind its beginning. What is behind the cursor does not count;
/// what is wrong before it matters only outside of filters.
///
/// ```
/// use traceql::syntax::{CompletionItem, Span, complete};
///
/// let completion = complete("{ status = e", 12);
/// assert_eq!(completion.items, [CompletionItem::Keyword("error".to_owned())]);
/// assert_eq!(completion.replace, Span { start: 11, end: 12 });
/// ```
#[must_use]
pub fn complete(text: &str, cursor: usize) -> Completion {
    let cursor = text.floor_char_boundary(cursor);
    let before = text.get(..cursor).unwrap_or("");
    let of = |start, items| Completion { replace: Span::new(start, cursor), items };
    if before.len() > Limits::default().max_length {
        return of(cursor, Vec::new());
    }
    let (mut tokens, faults) = lexer::tokens(before);
    // The end.
    tokens.pop();
    let Some(partial) = Partial::take(before, &mut tokens, &faults) else { return of(cursor, Vec::new()) };
    let items = |tokens: &[Token], partial: &Partial| {
        wanted(tokens, partial.start).map(|expected| items(expected, partial)).unwrap_or_default()
    };
    if let Some((last, shorter)) = tokens.split_last()
        && last.span.end as usize == cursor
        && matches!(last.kind, TokenKind::Op(_) | TokenKind::Invalid)
    {
        let operator = Partial::of(before, last.span.start as usize);
        let longer = items(shorter, &operator);
        let complete =
            longer.iter().any(|item| matches!(item, CompletionItem::Operator(text) if *text == operator.typed));
        if last.kind == TokenKind::Invalid || !longer.is_empty() && !complete {
            return of(operator.start, longer);
        }
    }
    of(partial.start, items(&tokens, &partial))
}

/// What might come behind the tokens, at the place `at`.
fn wanted(tokens: &[Token], at: usize) -> Option<Expected> {
    let behind = |tokens: &[Token]| {
        let end = Token { kind: TokenKind::End, span: Span::new(at, at) };
        let tokens: Vec<Token> = tokens.iter().cloned().chain([end]).collect();
        parse_tokens(&tokens, Vec::new(), at, &Limits::default()).wanted
    };
    behind(tokens).or_else(|| {
        // Something is wrong before: as if any spans came out of that.
        let pipe = tokens.iter().rposition(|token| token.kind == TokenKind::Op(Op::Pipe))?;
        let last = tokens.get(pipe..)?;
        let brace = |op| Token { kind: TokenKind::Op(op), span: Span::default() };
        let stages: Vec<Token> = [brace(Op::OpenBrace), brace(Op::CloseBrace)].iter().chain(last).cloned().collect();
        behind(&stages)
    })
}

/// What touches the cursor and may go on behind it.
#[derive(Default)]
pub(super) struct Partial {
    /// Where it begins.
    pub(super) start: usize,
    /// As it is written, for what the language has words for.
    pub(super) typed: String,
    /// What it begins with if it is an attribute.
    pub(super) name: Option<(Option<Scope>, String)>,
    /// What it begins with if it is a value, and whether in quotes.
    pub(super) value: Option<(String, bool)>,
}

impl Partial {
    /// What is neither an attribute nor a value.
    fn of(before: &str, start: usize) -> Self {
        Self { start, typed: before.get(start..).unwrap_or("").to_owned(), ..Self::default() }
    }

    /// Takes it off the tokens; empty if there is none. `None` in comments, and in what is no text.
    fn take(before: &str, tokens: &mut Vec<Token>, faults: &[Diagnostic]) -> Option<Self> {
        let cursor = before.len();
        let rest = |start: usize| before.get(start..).unwrap_or("");
        let (start, kind) = if let Some(start) = open_text(before, faults) {
            tokens.retain(|token| (token.span.start as usize) < start);
            let end = if rest(start).starts_with('`') { "`" } else { "\"" };
            (start, with_end(rest(start), end)?)
        } else if !takes_tokens(before) {
            return None;
        } else {
            let begun = tokens.pop_if(|token| token.span.end as usize == cursor && is_begun(before, token));
            let nothing = Token { kind: TokenKind::Word(String::new()), span: Span::new(cursor, cursor) };
            let Token { kind, span } = begun.unwrap_or(nothing);
            let start = span.start as usize;
            (start, if kind == TokenKind::Invalid { with_end(rest(start), "\"\"").unwrap_or(kind) } else { kind })
        };
        let partial = Self::of(before, start);
        Some(match kind {
            TokenKind::Word(word) => Self { name: Some((None, word.clone())), value: Some((word, false)), ..partial },
            TokenKind::Attribute(scope, name) => {
                let touches = |token: &mut Token| {
                    scope == Scope::Unscoped
                        && token.span.end as usize == start
                        && matches!(token.kind, TokenKind::Word(_))
                };
                match tokens.pop_if(touches) {
                    Some(Token { kind: TokenKind::Word(word), span }) => {
                        let (start, name) = (span.start as usize, format!("{word}.{name}"));
                        Self { name: Some((None, name)), ..Self::of(before, start) }
                    }
                    _ => Self { name: Some((Some(scope), name)), ..partial },
                }
            }
            // White space may stand behind the colon.
            TokenKind::Scoped(scope, name) => Self { typed: format!("{scope}:{name}"), ..partial },
            TokenKind::String(text) => Self { value: Some((text, true)), ..partial },
            _ => Self { value: Some((partial.typed.clone(), false)), ..partial },
        })
    }
}

/// Where the text or quoted name begins that has no end before the cursor.
fn open_text(before: &str, faults: &[Diagnostic]) -> Option<usize> {
    let open = faults.iter().filter(|fault| fault.message.ends_with("has no end"));
    open.map(|fault| fault.span.start as usize).find(|start| {
        let rest = before.get(*start..).unwrap_or("");
        // A text in double quotes ends with its line, whatever it lacks.
        !(rest.starts_with("/*") || rest.starts_with('"') && rest.contains('\n'))
    })
}

/// Whether what is typed next is a token: not in a comment.
fn takes_tokens(before: &str) -> bool {
    let (tokens, _) = lexer::tokens(&format!("{before}("));
    tokens.iter().rev().nth(1).is_some_and(|token| token.span.start as usize == before.len())
}

/// Whether a token can go on behind the cursor.
fn is_begun(before: &str, token: &Token) -> bool {
    match token.kind {
        TokenKind::Op(_) | TokenKind::String(_) | TokenKind::End => false,
        // An attribute without a name, or a number that is none.
        TokenKind::Invalid => {
            let text = before.get(token.span.start as usize..).unwrap_or("");
            text.starts_with(|c: char| c.is_ascii_digit()) || with_end(text, "\"\"").is_some()
        }
        _ => true,
    }
}

/// The text or attribute that a text would be if it had this end, without an escape that is half typed.
fn with_end(text: &str, end: &str) -> Option<TokenKind> {
    let whole = |text: &str| match lexer::tokens(&format!("{text}{end}")).0.as_slice() {
        [Token { kind: kind @ (TokenKind::String(_) | TokenKind::Attribute(..)), .. }, _] => Some(kind.clone()),
        _ => None,
    };
    whole(text).or_else(|| whole(text.get(..text.rfind('\\')?)?))
}
