//! Constants: literals, words that stand for one, and arithmetic on numbers outside of filters.

use super::{
    expected::{Expected, Fault},
    input::{Input, Res, fail},
};
use crate::syntax::{
    Span,
    ast::{ArithmeticOp, BinaryOp, Kind, Literal, NumberExpr, NumberExprKind, Status},
    token::{Op, TokenKind},
};

/// `static = STRING | INTEGER | FLOAT | DURATION | "true" | "false" | "minInt" | "maxInt" | status-word | kind-word ;`
pub(super) fn literal(kind: &TokenKind) -> Option<Literal> {
    Some(match kind {
        TokenKind::String(text) => Literal::String(text.clone()),
        TokenKind::Word(word) => return literal_word(word),
        kind => return number_literal(kind),
    })
}

/// The constant that a word stands for.
pub(super) fn literal_word(word: &str) -> Option<Literal> {
    Some(match word {
        "true" => Literal::Bool(true),
        "false" => Literal::Bool(false),
        "minInt" => Literal::Int(i64::MIN),
        "maxInt" => Literal::Int(i64::MAX),
        "unset" => Literal::Status(Status::Unset),
        "ok" => Literal::Status(Status::Ok),
        "error" => Literal::Status(Status::Error),
        "unspecified" => Literal::Kind(Kind::Unspecified),
        "internal" => Literal::Kind(Kind::Internal),
        "server" => Literal::Kind(Kind::Server),
        "client" => Literal::Kind(Kind::Client),
        "producer" => Literal::Kind(Kind::Producer),
        "consumer" => Literal::Kind(Kind::Consumer),
        _ => return None,
    })
}

/// `INTEGER | FLOAT | DURATION`
pub(super) fn number_literal(kind: &TokenKind) -> Option<Literal> {
    Some(match kind {
        TokenKind::Int(value) => Literal::Int(*value),
        TokenKind::Float(value) => Literal::Float(*value),
        TokenKind::Duration(nanos) => Literal::Duration(*nanos),
        _ => return None,
    })
}

/// `INTEGER`
pub(super) fn integer(input: Input<'_>) -> Res<'_, (i64, Span)> {
    match input.peek().kind {
        TokenKind::Int(value) => Ok((input.advance(), (value, input.peek().span))),
        _ => fail(input.unexpected(Expected::Integer)),
    }
}

/// `const = INTEGER | FLOAT | DURATION | "-" , const | "(" , const , ")" | const , ( "+" | "-" | "*" | "/" ) , const ;`
///
/// Parentheses and signs are kept on a stack, so that no text can exhaust the thread's.
pub(super) fn number(input: Input<'_>) -> Res<'_, NumberExpr> {
    enum Pending {
        Open(Span),
        Negate(Span),
        Infix(NumberExpr, ArithmeticOp),
    }
    fn level(op: ArithmeticOp) -> u8 {
        if matches!(op, ArithmeticOp::Multiply | ArithmeticOp::Divide) { 2 } else { 1 }
    }
    /// Applies what waits and binds at least as tight as `min`.
    fn reduce(stack: &mut Vec<Pending>, mut value: NumberExpr, min: u8) -> Result<NumberExpr, Fault> {
        loop {
            value = match stack.pop() {
                Some(Pending::Negate(span)) => negative(span, value),
                Some(Pending::Infix(left, op)) if level(op) >= min => combine_numbers(op, left, value)?,
                Some(other) => {
                    stack.push(other);
                    return Ok(value);
                }
                None => return Ok(value),
            };
        }
    }
    let mut stack = Vec::new();
    // Parentheses that are open; signs and operators.
    let (mut opened, mut operators) = (0, 0);
    let mut input = input;
    loop {
        let token = input.peek();
        match &token.kind {
            TokenKind::Op(Op::OpenParen) => {
                opened += 1;
                stack.push(Pending::Open(token.span));
            }
            TokenKind::Op(Op::Binary(BinaryOp::Arithmetic(ArithmeticOp::Subtract))) => {
                operators += 1;
                stack.push(Pending::Negate(token.span));
            }
            kind => {
                let Some(literal) = number_literal(kind) else { return fail(input.unexpected(Expected::Number)) };
                let mut value = NumberExpr { kind: NumberExprKind::Literal(literal), span: token.span };
                input = input.advance();
                loop {
                    let op = match input.peek().kind {
                        TokenKind::Op(Op::Binary(BinaryOp::Arithmetic(op))) => Some(op),
                        _ => None,
                    };
                    if let Some(op) = op {
                        check_constant_op(op, input.peek().span).map_err(nom::Err::Failure)?;
                        let left = reduce(&mut stack, value, level(op)).map_err(nom::Err::Failure)?;
                        stack.push(Pending::Infix(left, op));
                        operators += 1;
                        break;
                    }
                    value = reduce(&mut stack, value, 0).map_err(nom::Err::Failure)?;
                    match stack.pop() {
                        Some(Pending::Open(_)) if input.is(Op::CloseParen) => {
                            opened -= 1;
                            input = input.advance();
                        }
                        Some(Pending::Open(open)) => {
                            return fail(
                                input.unexpected(Expected::Op(Op::CloseParen)).related(open, "closes this one"),
                            );
                        }
                        _ => return Ok((input, value)),
                    }
                }
            }
        }
        if opened > input.limits().max_parentheses {
            return fail(too_many_parentheses(input));
        }
        if operators > input.limits().max_depth {
            return fail(too_deep(input));
        }
        input = input.advance();
    }
}

/// More parentheses are open than the limit.
pub(super) fn too_many_parentheses(input: Input<'_>) -> Fault {
    let limit = input.limits().max_parentheses;
    Fault::new("TQ0002", input.peek().span, format!("more than {limit} parentheses are open here"))
}

/// The query goes deeper than its limit.
pub(super) fn too_deep(input: Input<'_>) -> Fault {
    let limit = input.limits().max_depth;
    Fault::new("TQ0002", input.peek().span, format!("the query is nested deeper than {limit} levels"))
}

pub(super) fn negative(sign: Span, operand: NumberExpr) -> NumberExpr {
    let span = sign.to(operand.span);
    NumberExpr { kind: NumberExprKind::Negate(Box::new(operand)), span }
}

/// Constants know `+ - * /` only, as in Tempo.
pub(super) fn check_constant_op(op: ArithmeticOp, span: Span) -> Result<(), Fault> {
    match op {
        ArithmeticOp::Modulo | ArithmeticOp::Power => {
            let message = format!("`{}` cannot be between constants here", op.text());
            Err(Fault::new("TQ0205", span, message).help("write the result"))
        }
        _ => Ok(()),
    }
}

/// Arithmetic between two constants; it must have a value.
pub(super) fn combine_numbers(op: ArithmeticOp, left: NumberExpr, right: NumberExpr) -> Result<NumberExpr, Fault> {
    let span = left.span.to(right.span);
    check_constant_op(op, span)?;
    let expr =
        NumberExpr { kind: NumberExprKind::Arithmetic { op, left: Box::new(left), right: Box::new(right) }, span };
    match expr.value() {
        Ok(_) => Ok(expr),
        Err(reason) => Err(Fault::new("TQ0205", span, reason)),
    }
}
