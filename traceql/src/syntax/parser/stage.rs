//! Filters, aggregates, and the stages that begin with a word.

use nom::{Parser as _, combinator::cut, sequence::delimited};

use super::{
    expected::{Expected, Fault},
    expr::field_expr,
    field::field,
    input::{Input, Res, fail, list, op, word},
};
use crate::syntax::{
    ast::{Aggregate, AggregateFunction, SpansetFilter, Stage, StageKind},
    token::Op,
};

/// `filter = "{" , [ field-expr ] , "}" ;`
pub(super) fn filter(input: Input<'_>) -> Res<'_, SpansetFilter> {
    input.begins_unread_filter();
    let (input, open) = op(Op::OpenBrace)(input)?;
    if input.is(Op::CloseBrace) {
        let span = open.to(input.peek().span);
        return Ok((input.advance(), SpansetFilter { expr: None, span }));
    }
    let (input, expr) = field_expr(open, Op::CloseBrace)(input)?;
    // The expression has said so if there is no brace.
    let span = open.to(input.peek().span);
    let input = if input.is(Op::CloseBrace) { input.advance() } else { input };
    Ok((input, SpansetFilter { expr: Some(expr), span }))
}

/// `stage = group | coalesce | select ;` if it begins as one.
pub(super) fn stage(input: Input<'_>) -> Option<Res<'_, Stage>> {
    match input.word()? {
        "by" => Some(group(input)),
        "coalesce" => Some(coalesce(input)),
        "select" => Some(select(input)),
        _ => None,
    }
}

/// `group = "by" , "(" , field-expr , ")" ;`
fn group(input: Input<'_>) -> Res<'_, Stage> {
    let (input, start) = word("by")(input)?;
    let (input, open) = cut(op(Op::OpenParen)).parse(input)?;
    input.want(|| Expected::Field { numeric: false });
    let (input, expr) = field_expr(open, Op::CloseParen)(input)?;
    let (rest, close) = cut(op(Op::CloseParen)).parse(input)?;
    Ok((rest, Stage { kind: StageKind::GroupBy(expr), span: start.to(close) }))
}

/// `coalesce = "coalesce" , "(" , ")" ;`
fn coalesce(input: Input<'_>) -> Res<'_, Stage> {
    let (input, start) = word("coalesce")(input)?;
    let (input, _) = cut(op(Op::OpenParen)).parse(input)?;
    let (input, close) = cut(op(Op::CloseParen)).parse(input)?;
    Ok((input, Stage { kind: StageKind::Coalesce, span: start.to(close) }))
}

/// `select = "select" , "(" , attr , { "," , attr } , ")" ;`
fn select(input: Input<'_>) -> Res<'_, Stage> {
    let (input, start) = word("select")(input)?;
    let (rest, fields) = delimited(cut(op(Op::OpenParen)), list(field), cut(op(Op::CloseParen))).parse(input)?;
    let span = start.to(previous(input, rest));
    Ok((rest, Stage { kind: StageKind::Select(fields), span }))
}

/// The place of the last token that was taken between two states of the input.
pub(super) fn previous(before: Input<'_>, after: Input<'_>) -> crate::syntax::Span {
    use nom::Input as _;
    let taken = before.input_len().saturating_sub(after.input_len());
    before.iter_elements().take(taken).next_back().map_or(before.peek().span, |token| token.span)
}

/// The aggregate function that a word names.
pub(super) fn aggregate_function(input: Input<'_>) -> Option<AggregateFunction> {
    let word = input.word()?;
    AggregateFunction::ALL.into_iter().find(|function| function.name() == word)
}

/// `aggregate = "count" , "(" , ")" | ( "max" | "min" | "avg" | "sum" ) , "(" , field-expr , ")" ;`
pub(super) fn aggregate(input: Input<'_>) -> Res<'_, Aggregate> {
    let Some(function) = aggregate_function(input) else { return fail(input.unexpected(Expected::Stage)) };
    let start = input.peek().span;
    let (input, open) = cut(op(Op::OpenParen)).parse(input.advance())?;
    if function == AggregateFunction::Count {
        if !input.is(Op::CloseParen) {
            let fault = input.unexpected(Expected::Op(Op::CloseParen));
            return fail(fault.help("`count()` counts spans; keep those with an attribute first: `{ .x != nil }`"));
        }
        let span = start.to(input.peek().span);
        return Ok((input.advance(), Aggregate { function, operand: None, span }));
    }
    input.want(|| Expected::Field { numeric: true });
    let (input, expr) = field_expr(open, Op::CloseParen)(input)?;
    let (rest, close) = cut(op(Op::CloseParen)).parse(input)?;
    Ok((rest, Aggregate { function, operand: Some(Box::new(expr)), span: start.to(close) }))
}

/// Something that no stage begins with.
pub(super) fn no_stage(input: Input<'_>) -> Fault {
    let fault = input.unexpected(Expected::Stage);
    let words = AggregateFunction::ALL.into_iter().map(AggregateFunction::name);
    let words = words.chain(["by", "coalesce", "select"]).chain(crate::syntax::token::METRICS_FUNCTIONS);
    match input.word().and_then(|word| crate::syntax::suggest::closest(word, words)) {
        Some(similar) => fault.help(format!("did you mean `{similar}`?")),
        None => {
            fault.help("stages are `{ … }`, `count() > 2`, `by(…)`, `coalesce()`, `select(…)`, and metrics functions")
        }
    }
}
