//! What might come at a place of a query: for messages, and for completion.

use crate::syntax::{
    Diagnostic, Span,
    ast::{BinaryOp, Field},
    token::{Op, TokenKind},
};

/// What might come next.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::syntax) enum Expected {
    /// A filter, an aggregate, a parenthesis: the beginning of a query or of what stands in parentheses.
    Query,
    /// Behind an operator outside of filters: something that can be joined with what is on its left.
    Operand(Operand),
    /// A stage or metrics function: after `|`.
    Stage,
    /// Behind a spanset expression or stage: operators between spansets, `|`, and `)` or `with`.
    AfterStage { joins: bool, pipe: bool, close: bool },
    /// Behind series: `by`, arithmetic, second stages, and `)` or `with`.
    AfterMetrics { by: bool, arithmetic: bool, close: bool },
    /// A second stage behind `|`.
    SecondStage,
    /// Behind an aggregate or constant: a comparison, arithmetic, perhaps `)`.
    AfterAggregate { close: bool },
    /// A value in a filter; the bracket that may come instead.
    Value { purpose: Purpose, close: Option<Op> },
    /// Behind a value in a filter: operators, or the bracket that closes.
    Operator { behind: Behind, close: Op },
    /// A field where nothing else may be; one that has numbers, or any.
    Field { numeric: bool },
    /// A constant.
    Number,
    /// A whole number.
    Integer,
    /// The name of a hint.
    HintName,
    /// The value of the hint of this name.
    HintValue(String),
    /// A comma and more of the list, or the parenthesis that ends it.
    Comma,
    /// A bracket, comma or operator.
    Op(Op),
    /// A certain word.
    Word(&'static str),
    /// Nothing more.
    End,
}

/// What operators outside of filters stand between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::syntax) enum Operand {
    /// Filters, and pipelines in parentheses.
    Spansets,
    /// Aggregates and constants.
    Scalar,
    /// What is in parentheses: series, aggregates of pipelines.
    Parenthesised,
}

/// What a value in a filter is for.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::syntax) enum Purpose {
    /// To be a condition, or the left side of one.
    Condition,
    /// To be computed with.
    Arithmetic,
    /// To be compared with a field, or with something else.
    Comparison(BinaryOp, Option<Field>),
}

/// What an operator in a filter is behind.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::syntax) enum Behind {
    Field(Field),
    /// Something that is true or false.
    Condition,
    Number,
    /// Something else, or nothing that could be read.
    Unknown,
}

impl Expected {
    /// As a part of a sentence.
    fn text(&self) -> String {
        match self {
            Self::Query | Self::Operand(_) => "`{`".to_owned(),
            Self::Stage => "a stage".to_owned(),
            Self::SecondStage => "`topk` or `bottomk`".to_owned(),
            Self::AfterStage { close: false, .. } | Self::AfterMetrics { close: false, .. } | Self::End => {
                "the end of the query".to_owned()
            }
            Self::AfterStage { .. } | Self::AfterMetrics { .. } | Self::Comma => "`)`".to_owned(),
            Self::AfterAggregate { .. } => "a comparison".to_owned(),
            Self::Value { .. } => "a value".to_owned(),
            Self::Operator { .. } => "an operator or the closing bracket".to_owned(),
            Self::Field { .. } => "an attribute".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Integer => "a whole number".to_owned(),
            Self::HintName => "the name of a hint".to_owned(),
            Self::HintValue(_) => "the hint's value".to_owned(),
            Self::Op(op) => format!("`{}`", op.text()),
            Self::Word(word) => format!("`{word}`"),
        }
    }
}

/// Why a production did not go through.
#[derive(Debug)]
pub(super) enum Fault {
    /// This.
    Because(Box<Diagnostic>),
    /// Something that has been said already.
    Said,
}

impl Fault {
    pub(super) fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::Because(Box::new(Diagnostic::new(code, span, message)))
    }

    pub(super) fn unexpected(found: &TokenKind, span: Span, expected: &Expected) -> Self {
        let expected = expected.text();
        let message = match found {
            // The lexer has said what is wrong with it.
            TokenKind::Invalid => return Self::Said,
            TokenKind::End => format!("the query ends where {expected} is expected"),
            TokenKind::String(_) => format!("expected {expected}, found a text"),
            TokenKind::Int(_) | TokenKind::Float(_) => format!("expected {expected}, found a number"),
            TokenKind::Duration(_) => format!("expected {expected}, found a duration"),
            TokenKind::Attribute(..) | TokenKind::Scoped(..) => format!("expected {expected}, found an attribute"),
            TokenKind::Word(word) => format!("expected {expected}, found `{word}`"),
            TokenKind::Op(op) => format!("expected {expected}, found `{}`", op.text()),
        };
        Self::new("TQ0201", span, message)
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        self.map(|diagnostic| diagnostic.help(help))
    }

    pub(super) fn related(self, span: Span, label: impl Into<String>) -> Self {
        self.map(|diagnostic| diagnostic.related(span, label))
    }

    fn map(self, change: impl FnOnce(Diagnostic) -> Diagnostic) -> Self {
        match self {
            Self::Because(diagnostic) => Self::Because(Box::new(change(*diagnostic))),
            Self::Said => Self::Said,
        }
    }

    pub(super) fn into_diagnostic(self) -> Option<Diagnostic> {
        match self {
            Self::Because(diagnostic) => Some(*diagnostic),
            Self::Said => None,
        }
    }
}
