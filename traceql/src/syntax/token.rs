//! Tokens, and the words and operators of the language.

use super::{
    Span,
    ast::{BinaryOp, Scope},
};

/// A token and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    String(String),
    Int(i64),
    Float(f64),
    Duration(i64),
    /// An attribute reference, scope and name together.
    Attribute(Scope, String),
    /// `span:name`: the scope word and what follows the colon.
    Scoped(&'static str, String),
    /// A word: keyword or not.
    Word(String),
    Op(Op),
    End,
}

/// Operators and punctuation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    OpenBrace,
    CloseBrace,
    OpenParen,
    CloseParen,
    Comma,
    Pipe,
    Not,
    Tilde,
    Binary(BinaryOp),
    /// An operator between spansets that is none between values.
    Spanset,
}

/// The operators, for the longest match.
pub(super) const OPERATORS: [(&str, Op); 35] = [
    ("{", Op::OpenBrace),
    ("}", Op::CloseBrace),
    ("(", Op::OpenParen),
    (")", Op::CloseParen),
    (",", Op::Comma),
    ("|", Op::Pipe),
    ("!", Op::Not),
    ("~", Op::Tilde),
    ("+", Op::Binary(BinaryOp::Add)),
    ("-", Op::Binary(BinaryOp::Subtract)),
    ("*", Op::Binary(BinaryOp::Multiply)),
    ("/", Op::Binary(BinaryOp::Divide)),
    ("%", Op::Binary(BinaryOp::Modulo)),
    ("^", Op::Binary(BinaryOp::Power)),
    ("=", Op::Binary(BinaryOp::Equal)),
    ("!=", Op::Binary(BinaryOp::NotEqual)),
    ("=~", Op::Binary(BinaryOp::Matches)),
    ("!~", Op::Binary(BinaryOp::NotMatches)),
    ("<", Op::Binary(BinaryOp::Less)),
    ("<=", Op::Binary(BinaryOp::LessOrEqual)),
    (">", Op::Binary(BinaryOp::Greater)),
    (">=", Op::Binary(BinaryOp::GreaterOrEqual)),
    ("&&", Op::Binary(BinaryOp::And)),
    ("||", Op::Binary(BinaryOp::Or)),
    (">>", Op::Spanset),
    ("<<", Op::Spanset),
    ("!>", Op::Spanset),
    ("!<", Op::Spanset),
    ("!>>", Op::Spanset),
    ("!<<", Op::Spanset),
    ("&>", Op::Spanset),
    ("&<", Op::Spanset),
    ("&>>", Op::Spanset),
    ("&<<", Op::Spanset),
    ("&~", Op::Spanset),
];

/// Words before a dot, and the scope they name.
pub(super) const SCOPES: [(&str, Scope); 6] = [
    ("span", Scope::Span),
    ("resource", Scope::Resource),
    ("event", Scope::Event),
    ("link", Scope::Link),
    ("instrumentation", Scope::Instrumentation),
    ("parent", Scope::Parent),
];

/// Words before a colon.
pub(super) const INTRINSIC_SCOPES: [&str; 5] = ["trace", "span", "event", "link", "instrumentation"];

/// Whether a character ends an attribute name.
pub(super) fn ends_name(c: char) -> bool {
    c.is_whitespace() || matches!(c, '{' | '}' | '(' | ')' | '=' | '~' | '!' | '<' | '>' | '&' | '|' | '^' | ',')
}

/// Whether a character may begin a word.
pub(super) fn begins_word(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

/// Whether a character may go on a word.
pub(super) fn in_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

impl Op {
    /// How it is written; operators between spansets are not told apart.
    pub(super) fn text(self) -> &'static str {
        OPERATORS.iter().find(|(_, op)| *op == self).map_or("", |(name, _)| name)
    }
}
