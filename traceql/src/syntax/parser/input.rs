//! What productions read, as nom knows it: the tokens that are left, and the session that all of them share.

use std::{
    cell::{Cell, RefCell},
    iter::Enumerate,
    slice::Iter,
};

use nom::{Err, IResult, Needed, Parser as _, combinator::cut, error::ErrorKind, multi::separated_list1};

use super::{
    Limits,
    expected::{Expected, Fault},
};
use crate::syntax::{
    Diagnostic, Span,
    ast::{Extension, ExtensionKind, Stage},
    token::{Op, Token, TokenKind},
};

/// What a production gives.
pub(super) type Res<'t, T> = IResult<Input<'t>, T, Fault>;

/// The tokens that are left; the last is the end of the query, and is never taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'t> {
    tokens: &'t [Token],
    session: &'t Session,
}

/// What the productions of one query share.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) limits: Limits,
    faults: RefCell<Vec<Diagnostic>>,
    extensions: RefCell<Vec<Extension>>,
    wanted: RefCell<Option<Expected>>,
    /// The first stage of a query that failed behind it.
    begun: RefCell<Option<Stage>>,
    /// Filters that begin before this place have been read.
    filters_read: Cell<u32>,
    end: Token,
}

/// What the productions of one query have noted.
#[derive(Debug)]
pub(super) struct Notes {
    /// Everything that is to be said.
    pub(super) faults: Vec<Diagnostic>,
    /// What was found that Tempo does not take.
    pub(super) extensions: Vec<Extension>,
    /// What might have come where the text ended.
    pub(super) wanted: Option<Expected>,
    /// The first stage, if the query failed behind it.
    pub(super) begun: Option<Stage>,
}

impl Session {
    pub(super) fn new(limits: Limits, len: usize) -> Self {
        let end = Token { kind: TokenKind::End, span: Span::new(len, len) };
        Self {
            limits,
            faults: RefCell::default(),
            extensions: RefCell::default(),
            wanted: RefCell::default(),
            begun: RefCell::default(),
            filters_read: Cell::default(),
            end,
        }
    }

    /// Everything that was noted.
    pub(super) fn finish(self) -> Notes {
        Notes {
            faults: self.faults.into_inner(),
            extensions: self.extensions.into_inner(),
            wanted: self.wanted.into_inner(),
            begun: self.begun.into_inner(),
        }
    }
}

impl<'t> Input<'t> {
    pub(super) fn new(tokens: &'t [Token], session: &'t Session) -> Self {
        Self { tokens, session }
    }

    pub(super) fn peek(&self) -> &'t Token {
        self.tokens.first().unwrap_or(&self.session.end)
    }

    pub(super) fn peek_after(&self) -> &'t Token {
        self.tokens.get(1).unwrap_or(&self.session.end)
    }

    /// The rest, without the next token.
    pub(super) fn advance(self) -> Self {
        match self.tokens {
            [_, rest @ ..] if !rest.is_empty() => Self { tokens: rest, ..self },
            _ => self,
        }
    }

    pub(super) fn limits(&self) -> &'t Limits {
        &self.session.limits
    }

    pub(super) fn at_end(&self) -> bool {
        self.peek().kind == TokenKind::End
    }

    pub(super) fn is(&self, op: Op) -> bool {
        self.peek().kind == TokenKind::Op(op)
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        self.word() == Some(word)
    }

    pub(super) fn word(&self) -> Option<&'t str> {
        match &self.peek().kind {
            TokenKind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Says something, and goes on.
    pub(super) fn report(&self, fault: Fault) {
        if let Some(diagnostic) = fault.into_diagnostic() {
            self.session.faults.borrow_mut().push(diagnostic);
        }
    }

    /// Marks something that Tempo does not take.
    pub(super) fn extension(&self, kind: ExtensionKind, span: Span) {
        self.session.extensions.borrow_mut().push(Extension { kind, span });
    }

    /// Whether a filter that begins here was not read before; from now on it was.
    pub(super) fn begins_unread_filter(&self) -> bool {
        let start = self.peek().span.start;
        let unread = self.is(Op::OpenBrace) && self.session.filters_read.get() <= start;
        if unread {
            self.session.filters_read.set(start + 1);
        }
        unread
    }

    /// Where the query ends: notes what might come next. What is noted first counts, being the innermost.
    pub(super) fn want(&self, expected: impl FnOnce() -> Expected) {
        if self.at_end() {
            self.session.wanted.borrow_mut().get_or_insert_with(expected);
        }
    }

    /// The query fails behind its first stage.
    pub(super) fn keep(&self, first: Stage) {
        *self.session.begun.borrow_mut() = Some(first);
    }

    /// The next token is not what should come here.
    pub(super) fn unexpected(&self, expected: Expected) -> Fault {
        self.want(|| expected.clone());
        Fault::unexpected(&self.peek().kind, self.peek().span, &expected)
    }
}

/// Gives up this production.
pub(super) fn fail<T>(fault: Fault) -> Result<T, Err<Fault>> {
    Err(Err::Failure(fault))
}

/// The operator or bracket, or a fault; gives its place.
pub(super) fn op<'t>(wanted: Op) -> impl Fn(Input<'t>) -> Res<'t, Span> {
    move |input| {
        if input.is(wanted) {
            Ok((input.advance(), input.peek().span))
        } else {
            Err(Err::Error(input.unexpected(Expected::Op(wanted))))
        }
    }
}

/// The word, or a fault; gives its place.
pub(super) fn word<'t>(wanted: &'static str) -> impl Fn(Input<'t>) -> Res<'t, Span> {
    move |input| {
        if input.is_word(wanted) {
            Ok((input.advance(), input.peek().span))
        } else {
            Err(Err::Error(input.unexpected(Expected::Word(wanted))))
        }
    }
}

/// `item , { "," , item }`
pub(super) fn list<'t, T>(item: impl Fn(Input<'t>) -> Res<'t, T>) -> impl FnMut(Input<'t>) -> Res<'t, Vec<T>> {
    move |input| separated_list1(comma, cut(&item)).parse(input)
}

/// A comma, or a fault where the list ends.
fn comma(input: Input<'_>) -> Res<'_, Span> {
    input.want(|| Expected::Comma);
    op(Op::Comma)(input)
}

impl<'t> nom::Input for Input<'t> {
    type Item = &'t Token;
    type Iter = Iter<'t, Token>;
    type IterIndices = Enumerate<Iter<'t, Token>>;

    fn input_len(&self) -> usize {
        self.tokens.len()
    }

    fn take(&self, index: usize) -> Self {
        Self { tokens: self.tokens.get(..index).unwrap_or(self.tokens), ..*self }
    }

    fn take_from(&self, index: usize) -> Self {
        Self { tokens: self.tokens.get(index..).unwrap_or(&[]), ..*self }
    }

    fn take_split(&self, index: usize) -> (Self, Self) {
        (self.take_from(index), self.take(index))
    }

    fn position<P: Fn(Self::Item) -> bool>(&self, predicate: P) -> Option<usize> {
        self.tokens.iter().position(predicate)
    }

    fn iter_elements(&self) -> Self::Iter {
        self.tokens.iter()
    }

    fn iter_indices(&self) -> Self::IterIndices {
        self.tokens.iter().enumerate()
    }

    fn slice_index(&self, count: usize) -> Result<usize, Needed> {
        if count <= self.tokens.len() { Ok(count) } else { Err(Needed::new(count - self.tokens.len())) }
    }
}

impl nom::error::ParseError<Input<'_>> for Fault {
    fn from_error_kind(input: Input<'_>, _: ErrorKind) -> Self {
        input.unexpected(Expected::End)
    }

    fn append(_: Input<'_>, _: ErrorKind, other: Self) -> Self {
        other
    }
}
