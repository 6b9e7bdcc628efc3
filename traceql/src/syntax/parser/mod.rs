//! Tokens to tree. A cursor over the tokens, one method per production, precedence climbing for operators.

mod expr;
mod field;

use super::{
    Diagnostic, Diagnostics, Span,
    ast::{FieldExpr, Query, SpansetFilter},
    lexer,
    token::{Op, Token, TokenKind},
};

/// The longest query, in bytes: Tempo's limit.
const MAX_LENGTH: usize = 128 << 10;
/// How deep expressions may be nested: a pair of parentheses takes two levels, a unary operator one.
const MAX_DEPTH: usize = 400;
/// How many operators a query may have, and how many that are not `&&` or `||` may follow one another.
const MAX_OPERATORS: usize = 4_000;
const MAX_CHAIN: usize = 200;

type Result<T> = std::result::Result<T, Box<Diagnostic>>;

/// Parses a query.
///
/// # Errors
/// What is wrong with it, and where.
pub(crate) fn parse(text: &str) -> std::result::Result<Query, Diagnostics> {
    let query = parse_query(text);
    query.map_err(|diagnostic| {
        // A message about a megabyte of text should not repeat it.
        let shown = if text.len() > MAX_LENGTH {
            text.char_indices().take(80).last().map_or(0, |(at, _)| at)
        } else {
            text.len()
        };
        Diagnostics::new(text.get(..shown).unwrap_or(""), vec![*diagnostic])
    })
}

fn parse_query(text: &str) -> Result<Query> {
    if text.len() > MAX_LENGTH {
        let message = format!("the query is {} bytes long; the limit is {MAX_LENGTH}", text.len());
        return Err(Box::new(Diagnostic::new("TQ0001", Span::new(0, 1), message)));
    }
    let tokens = lexer::tokens(text)?;
    let end = Token { kind: TokenKind::End, span: Span::new(text.len(), text.len()) };
    let mut parser = Parser { tokens, end, at: 0, depth: 0, operators: 0 };
    parser.query()
}

/// A cursor over the tokens of a query.
struct Parser {
    tokens: Vec<Token>,
    end: Token,
    at: usize,
    depth: usize,
    operators: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).unwrap_or(&self.end)
    }

    fn peek_after(&self) -> &Token {
        self.tokens.get(self.at + 1).unwrap_or(&self.end)
    }

    fn bump(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn is(&self, op: Op) -> bool {
        self.peek().kind == TokenKind::Op(op)
    }

    fn eat(&mut self, op: Op) -> Option<Span> {
        self.is(op).then(|| self.bump().span)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(&self.peek().kind, TokenKind::Word(found) if found == word)
    }

    fn error(&self, code: &'static str, span: Span, message: impl Into<String>) -> Box<Diagnostic> {
        Box::new(Diagnostic::new(code, span, message))
    }

    /// The next token is not what should come here.
    fn unexpected(&self, expected: &str) -> Box<Diagnostic> {
        let token = self.peek();
        let message = match &token.kind {
            TokenKind::End => format!("the query ends where {expected} is expected"),
            TokenKind::String(_) => format!("expected {expected}, found a text"),
            TokenKind::Int(_) | TokenKind::Float(_) => format!("expected {expected}, found a number"),
            TokenKind::Duration(_) => format!("expected {expected}, found a duration"),
            TokenKind::Attribute(..) | TokenKind::Scoped(..) => format!("expected {expected}, found an attribute"),
            TokenKind::Word(word) => format!("expected {expected}, found `{word}`"),
            TokenKind::Op(op) => format!("expected {expected}, found `{}`", op.text()),
        };
        self.error("TQ0201", token.span, message)
    }

    /// Counts a level of nesting for as long as `parse` runs.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH {
            let message = format!("the query is nested deeper than {MAX_DEPTH} levels");
            return Err(self.error("TQ0002", self.peek().span, message));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// `query = filter ;`
    fn query(&mut self) -> Result<Query> {
        let filter = self.filter()?;
        match &self.peek().kind {
            TokenKind::End => Ok(Query { filter }),
            _ => Err(self.after_filter()),
        }
    }

    /// `filter = "{" , [ field-expr ] , "}" ;`
    fn filter(&mut self) -> Result<SpansetFilter> {
        let Some(open) = self.eat(Op::OpenBrace) else { return Err(self.no_filter()) };
        let expr: Option<FieldExpr> = if self.is(Op::CloseBrace) { None } else { Some(self.field_expr(0)?) };
        match self.eat(Op::CloseBrace) {
            Some(close) => Ok(SpansetFilter { expr, span: open.to(close) }),
            None => Err(self.after_operand(open)),
        }
    }

    /// The query does not begin with a filter.
    fn no_filter(&self) -> Box<Diagnostic> {
        let token = self.peek();
        match &token.kind {
            TokenKind::End => {
                self.error("TQ0201", token.span, "the query is empty").with_help("`{ }` finds every span")
            }
            TokenKind::Op(Op::OpenParen) if self.peek_after().kind != TokenKind::Op(Op::CloseParen) => {
                self.unsupported("a query in parentheses")
            }
            TokenKind::Word(word)
                if matches!(word.as_str(), "by" | "select" | "count" | "avg" | "min" | "max" | "sum") =>
            {
                self.unsupported("a pipeline that does not begin with a filter")
            }
            TokenKind::Attribute(..) | TokenKind::Scoped(..) | TokenKind::Word(_) => {
                self.unexpected("`{`").with_help("put the condition in braces: `{ … }`")
            }
            _ => self.unexpected("`{`"),
        }
    }

    /// Something follows the filter.
    fn after_filter(&self) -> Box<Diagnostic> {
        match &self.peek().kind {
            TokenKind::Op(Op::Pipe) => self.unsupported("a pipeline"),
            TokenKind::Op(Op::Spanset | Op::Tilde | Op::Binary(_)) => self.unsupported("an operator between filters"),
            TokenKind::Word(word) if word == "with" => self.unsupported("a `with(…)` clause"),
            TokenKind::Op(Op::OpenBrace) => self
                .unexpected("the end of the query")
                .with_help("to ask for both conditions write them in one filter: `{ a && b }`"),
            _ => self.unexpected("the end of the query"),
        }
    }

    fn unsupported(&self, what: &str) -> Box<Diagnostic> {
        self.error("TQ0901", self.peek().span, format!("{what} is not supported yet"))
            .with_help("this version answers queries of one filter: `{ … }`")
    }
}
