//! Tokens, and the words and operators of the language.

use super::{
    Span,
    ast::{ArithmeticOp, BinaryOp, CompareOp, LogicalOp, Relation, Scope, StructuralMode, StructuralOp},
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
    /// Something that is no token; a diagnostic says why.
    Invalid,
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
    Logical(LogicalOp),
    /// An operator between values; some mean something else between spansets.
    Binary(BinaryOp),
    /// An operator between spansets that is none between values.
    Structural(StructuralOp),
}

const fn compare(op: CompareOp) -> Op {
    Op::Binary(BinaryOp::Compare(op))
}

const fn arithmetic(op: ArithmeticOp) -> Op {
    Op::Binary(BinaryOp::Arithmetic(op))
}

const fn structural(relation: Relation, mode: StructuralMode) -> Op {
    Op::Structural(StructuralOp { relation, mode })
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
    ("&&", Op::Logical(LogicalOp::And)),
    ("||", Op::Logical(LogicalOp::Or)),
    ("+", arithmetic(ArithmeticOp::Add)),
    ("-", arithmetic(ArithmeticOp::Subtract)),
    ("*", arithmetic(ArithmeticOp::Multiply)),
    ("/", arithmetic(ArithmeticOp::Divide)),
    ("%", arithmetic(ArithmeticOp::Modulo)),
    ("^", arithmetic(ArithmeticOp::Power)),
    ("=", compare(CompareOp::Equal)),
    ("!=", compare(CompareOp::NotEqual)),
    ("<", compare(CompareOp::Less)),
    ("<=", compare(CompareOp::LessOrEqual)),
    (">", compare(CompareOp::Greater)),
    (">=", compare(CompareOp::GreaterOrEqual)),
    ("=~", Op::Binary(BinaryOp::Matches)),
    ("!~", Op::Binary(BinaryOp::NotMatches)),
    (">>", structural(Relation::Ancestor, StructuralMode::Related)),
    ("<<", structural(Relation::Descendant, StructuralMode::Related)),
    ("~", structural(Relation::Sibling, StructuralMode::Related)),
    ("!>", structural(Relation::Parent, StructuralMode::Unrelated)),
    ("!<", structural(Relation::Child, StructuralMode::Unrelated)),
    ("!>>", structural(Relation::Ancestor, StructuralMode::Unrelated)),
    ("!<<", structural(Relation::Descendant, StructuralMode::Unrelated)),
    ("&>", structural(Relation::Parent, StructuralMode::Union)),
    ("&<", structural(Relation::Child, StructuralMode::Union)),
    ("&>>", structural(Relation::Ancestor, StructuralMode::Union)),
    ("&<<", structural(Relation::Descendant, StructuralMode::Union)),
    ("&~", structural(Relation::Sibling, StructuralMode::Union)),
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

/// Every keyword: a word that cannot name a hint. The ones that stand for nothing on their own are reserved by Tempo.
pub(super) const KEYWORDS: [&str; 52] = [
    "true",
    "false",
    "nil",
    "ok",
    "error",
    "unset",
    "unspecified",
    "internal",
    "server",
    "client",
    "producer",
    "consumer",
    "duration",
    "childCount",
    "name",
    "status",
    "statusMessage",
    "kind",
    "rootName",
    "rootServiceName",
    "rootService",
    "traceDuration",
    "nestedSetLeft",
    "nestedSetRight",
    "nestedSetParent",
    "id",
    "traceID",
    "spanID",
    "parentID",
    "timeSinceStart",
    "version",
    "parent",
    "count",
    "avg",
    "max",
    "min",
    "sum",
    "by",
    "coalesce",
    "select",
    "rate",
    "count_over_time",
    "min_over_time",
    "max_over_time",
    "avg_over_time",
    "sum_over_time",
    "quantile_over_time",
    "histogram_over_time",
    "compare",
    "topk",
    "bottomk",
    "with",
];

/// The metrics functions.
pub(super) const METRICS_FUNCTIONS: [&str; 9] = [
    "rate",
    "count_over_time",
    "min_over_time",
    "max_over_time",
    "avg_over_time",
    "sum_over_time",
    "quantile_over_time",
    "histogram_over_time",
    "compare",
];

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
    /// How it is written.
    pub(super) fn text(self) -> &'static str {
        OPERATORS.iter().find(|(_, op)| *op == self).map_or("", |(name, _)| name)
    }

    /// What it means between spansets, if anything.
    pub(super) const fn between_spansets(self) -> Option<StructuralOp> {
        let (relation, mode) = match self {
            Self::Structural(op) => return Some(op),
            Self::Binary(BinaryOp::Compare(CompareOp::Greater)) => (Relation::Parent, StructuralMode::Related),
            Self::Binary(BinaryOp::Compare(CompareOp::Less)) => (Relation::Child, StructuralMode::Related),
            Self::Binary(BinaryOp::NotMatches) => (Relation::Sibling, StructuralMode::Unrelated),
            _ => return None,
        };
        Some(StructuralOp { relation, mode })
    }
}
