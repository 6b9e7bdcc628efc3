//! Hints: `with (…)` behind a query.

use nom::{Parser as _, combinator::cut, sequence::delimited};

use super::{
    expected::Expected,
    input::{Input, Res, fail, list, op, word},
    literal::literal,
};
use crate::syntax::{
    ast::{BinaryOp, CompareOp, Hint},
    token::{KEYWORDS, Op},
};

/// Names of hints that Tempo or this engine knows. Others are valid and have no effect.
pub const KNOWN_HINTS: [&str; 18] = [
    "most_recent",
    "sample",
    "span_sample",
    "trace_sample",
    "exemplars",
    "extrapolate",
    "exact",
    "range",
    "job_size",
    "time_overlap_cutoff",
    "concurrent_blocks",
    "spanonly_fetch",
    "skip_ast_transformations",
    "debug",
    "info",
    "debug_return_in",
    "debug_std_dev",
    "debug_data_factor",
];

/// `hints = "with" , "(" , hint , { "," , hint } , ")" ;`
pub(super) fn hints(input: Input<'_>) -> Res<'_, Vec<Hint>> {
    let (input, _) = word("with")(input)?;
    delimited(cut(op(Op::OpenParen)), list(hint), cut(op(Op::CloseParen))).parse(input)
}

/// `hint = IDENT , "=" , static ;` where the name is no keyword.
fn hint(input: Input<'_>) -> Res<'_, Hint> {
    let start = input.peek().span;
    let name = match input.word() {
        Some(name) if KEYWORDS.contains(&name) => {
            return fail(input.unexpected(Expected::HintName).help("this is a keyword"));
        }
        Some(name) => name.to_owned(),
        None => return fail(input.unexpected(Expected::HintName)),
    };
    let (input, _) = cut(op(Op::Binary(BinaryOp::Compare(CompareOp::Equal)))).parse(input.advance())?;
    let token = input.peek();
    let Some(value) = literal(&token.kind) else { return fail(input.unexpected(Expected::HintValue(name))) };
    Ok((input.advance(), Hint { name, value, span: start.to(token.span) }))
}
