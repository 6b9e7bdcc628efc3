//! Metrics functions and second stages.

use nom::{Parser as _, combinator::cut, sequence::delimited};

use super::{
    expected::Expected,
    field::metrics_field,
    input::{Input, Res, fail, list, op, word},
    literal::{integer, number, too_deep},
    stage::{filter, previous},
};
use crate::syntax::{
    ast::{
        BinaryOp, ExtensionKind, FieldRef, MetricsExpr, MetricsExprKind, MetricsFunction, MetricsFunctionKind,
        Quantile, SecondStage, SecondStageKind,
    },
    token::{METRICS_FUNCTIONS, Op, TokenKind},
};

/// How many attributes Tempo groups by; those functions that need a label of their own take one less.
const TEMPO_GROUPINGS: usize = 5;

/// Whether a metrics function begins here.
pub(super) fn begins_function(input: Input<'_>) -> bool {
    input.word().is_some_and(|word| METRICS_FUNCTIONS.contains(&word))
}

/// ```text
/// metrics-agg = ( "rate" | "count_over_time" ) , "(" , ")" , [ by ]
///             | ( "min_over_time" | "max_over_time" | "sum_over_time" | "avg_over_time" | "histogram_over_time" )
///               , "(" , attr , ")" , [ by ]
///             | "quantile_over_time" , "(" , attr , "," , number , { "," , number } , ")" , [ by ]
///             | "compare" , "(" , filter , [ "," , INTEGER , [ "," , INTEGER , "," , INTEGER ] ] , ")" ;
/// ```
///
/// `inside`: in parentheses.
pub(super) fn function(input: Input<'_>, inside: bool) -> Res<'_, MetricsFunction> {
    let Some(name) = input.word() else { return fail(input.unexpected(Expected::Stage)) };
    let start = input.peek().span;
    let (arguments, _) = cut(op(Op::OpenParen)).parse(input.advance())?;
    let (rest, kind) = match name {
        "rate" => (arguments, MetricsFunctionKind::Rate),
        "count_over_time" => (arguments, MetricsFunctionKind::CountOverTime),
        "quantile_over_time" => quantiles(arguments)?,
        "compare" => compare(arguments)?,
        name => {
            let (rest, field) = measured_field(arguments)?;
            let kind = match name {
                "min_over_time" => MetricsFunctionKind::MinOverTime(field),
                "max_over_time" => MetricsFunctionKind::MaxOverTime(field),
                "sum_over_time" => MetricsFunctionKind::SumOverTime(field),
                "avg_over_time" => MetricsFunctionKind::AvgOverTime(field),
                "histogram_over_time" => MetricsFunctionKind::HistogramOverTime(field),
                _ => return fail(input.unexpected(Expected::Stage)),
            };
            (rest, kind)
        }
    };
    let (rest, _) = cut(op(Op::CloseParen)).parse(rest)?;
    let groups = !matches!(kind, MetricsFunctionKind::Compare { .. });
    rest.want(|| Expected::AfterMetrics { by: groups, arithmetic: false, close: inside });
    let (rest, by) = if groups && rest.is_word("by") { by(rest)? } else { (rest, Vec::new()) };
    let span = start.to(previous(input, rest));
    let limit = if matches!(
        kind,
        MetricsFunctionKind::AvgOverTime(_)
            | MetricsFunctionKind::QuantileOverTime { .. }
            | MetricsFunctionKind::HistogramOverTime(_)
    ) {
        TEMPO_GROUPINGS - 1
    } else {
        TEMPO_GROUPINGS
    };
    if by.len() > limit {
        input.extension(ExtensionKind::Groupings, span);
    }
    Ok((rest, MetricsFunction { kind, by, span }))
}

/// `by = "by" , "(" , attr , { "," , attr } , ")" ;`
fn by(input: Input<'_>) -> Res<'_, Vec<FieldRef>> {
    let (input, _) = word("by")(input)?;
    delimited(cut(op(Op::OpenParen)), list(metrics_field), cut(op(Op::CloseParen))).parse(input)
}

/// The field whose values are computed with.
fn measured_field(input: Input<'_>) -> Res<'_, FieldRef> {
    input.want(|| Expected::Field { numeric: true });
    metrics_field(input)
}

/// `attr , "," , number , { "," , number }`
fn quantiles(input: Input<'_>) -> Res<'_, MetricsFunctionKind> {
    let (input, field) = measured_field(input)?;
    let (input, _) = cut(op(Op::Comma)).parse(input)?;
    let (input, quantiles) = list(quantile)(input)?;
    Ok((input, MetricsFunctionKind::QuantileOverTime { field, quantiles }))
}

/// `number = INTEGER | FLOAT ;`
fn quantile(input: Input<'_>) -> Res<'_, Quantile> {
    let token = input.peek();
    let value = match token.kind {
        TokenKind::Int(value) => value as f64,
        TokenKind::Float(value) => value,
        _ => return fail(input.unexpected(Expected::Number)),
    };
    Ok((input.advance(), Quantile { value, span: token.span }))
}

/// `filter , [ "," , INTEGER , [ "," , INTEGER , "," , INTEGER ] ]`
fn compare(input: Input<'_>) -> Res<'_, MetricsFunctionKind> {
    let (input, selection) = cut(filter).parse(input)?;
    input.want(|| Expected::Comma);
    if !input.is(Op::Comma) {
        return Ok((input, MetricsFunctionKind::Compare { selection, top: None, range: None }));
    }
    let (input, top) = integer(input.advance())?;
    input.want(|| Expected::Comma);
    if !input.is(Op::Comma) {
        return Ok((input, MetricsFunctionKind::Compare { selection, top: Some(top), range: None }));
    }
    let (input, (start, start_span)) = integer(input.advance())?;
    let (input, _) = cut(op(Op::Comma)).parse(input)?;
    let (input, (end, end_span)) = integer(input)?;
    let range = Some((start, end, start_span.to(end_span)));
    Ok((input, MetricsFunctionKind::Compare { selection, top: Some(top), range }))
}

/// `second-stage = element , { element } ; element = "|" , ( "topk" | "bottomk" ) , "(" , INTEGER , ")" | cmp , const ;`
/// or nothing.
pub(super) fn second_stages(input: Input<'_>) -> Res<'_, Vec<SecondStage>> {
    let mut input = input;
    let mut stages = Vec::new();
    loop {
        let (rest, stage) = match input.peek().kind {
            TokenKind::Op(Op::Pipe) => pick(input)?,
            TokenKind::Op(Op::Binary(BinaryOp::Compare(_))) => threshold(input)?,
            _ => return Ok((input, stages)),
        };
        stages.push(stage);
        if stages.len() > input.limits().max_depth {
            return fail(too_deep(input));
        }
        input = rest;
    }
}

/// Second stages around what they apply to.
pub(super) fn with_stages(inner: MetricsExpr, stages: Vec<SecondStage>) -> MetricsExpr {
    stages.into_iter().fold(inner, |expr, stage| {
        let span = expr.span.to(stage.span);
        MetricsExpr { kind: MetricsExprKind::Stage { input: Box::new(expr), stage }, span }
    })
}

/// `"|" , ( "topk" | "bottomk" ) , "(" , INTEGER , ")"`
fn pick(input: Input<'_>) -> Res<'_, SecondStage> {
    let (input, start) = op(Op::Pipe)(input)?;
    let make: fn(i64) -> SecondStageKind = match input.word() {
        Some("topk") => SecondStageKind::TopK,
        Some("bottomk") => SecondStageKind::BottomK,
        _ => {
            let fault = input.unexpected(Expected::SecondStage);
            let comparison = matches!(input.peek().kind, TokenKind::Op(Op::Binary(BinaryOp::Compare(_))));
            return fail(if comparison { fault.help("a threshold follows without `|`") } else { fault });
        }
    };
    let (input, _) = cut(op(Op::OpenParen)).parse(input.advance())?;
    let (input, (limit, _)) = integer(input)?;
    let (input, end) = cut(op(Op::CloseParen)).parse(input)?;
    Ok((input, SecondStage { kind: make(limit), span: start.to(end) }))
}

/// `cmp , const`
fn threshold(input: Input<'_>) -> Res<'_, SecondStage> {
    let token = input.peek();
    let TokenKind::Op(Op::Binary(BinaryOp::Compare(op))) = token.kind else {
        return fail(input.unexpected(Expected::AfterMetrics { by: false, arithmetic: false, close: false }));
    };
    let (rest, threshold) = number(input.advance())?;
    let span = token.span.to(threshold.span);
    Ok((rest, SecondStage { kind: SecondStageKind::Compare { op, threshold }, span }))
}
