//! What parentheses at the top of a query may hold, and what operators make of it. Spansets, pipelines, aggregates,
//! series and constants all begin with the same parenthesis: which of them it is shows when it is closed, so nothing is
//! read twice.

use super::{
    expected::Fault,
    expr::mixed,
    input::Input,
    literal::{check_constant_op, combine_numbers, negative},
};
use crate::syntax::{
    Span,
    ast::{
        ArithmeticOp, BinaryOp, CompareOp, ExtensionKind, LogicalOp, MetricsExpr, MetricsExprKind, NumberExpr,
        Pipeline, ScalarExpr, ScalarExprKind, ScalarFilter, SpansetExpr, SpansetExprKind, Stage, StageKind,
        StructuralOp,
    },
    token::Op,
};

/// Something that operators at the top of a query join.
#[derive(Debug)]
pub(super) enum Term {
    /// Filters, and what joins them.
    Spansets(SpansetExpr),
    /// Pipelines in parentheses, and what joins them with each other and with spansets in parentheses.
    Pipelines(SpansetExpr),
    /// An expression over aggregates.
    Scalar(ScalarExpr),
    /// An expression over aggregates at the ends of pipelines in parentheses.
    PipelineScalar(ScalarExpr),
    /// A constant.
    Number(NumberExpr),
    /// A condition on aggregates.
    Where(ScalarFilter),
    /// A condition on aggregates at the ends of pipelines.
    PipelineWhere(ScalarFilter),
    /// Series.
    Metrics(MetricsExpr),
}

/// A term that is read.
#[derive(Debug)]
pub(super) struct Operand {
    pub(super) term: Term,
    pub(super) span: Span,
    /// How deep its tree is.
    pub(super) depth: usize,
    /// Whether it stands in parentheses.
    pub(super) bracketed: bool,
    /// Whether each of its operands does.
    pub(super) wrapped: bool,
}

impl Operand {
    pub(super) fn new(term: Term, span: Span) -> Self {
        Self { term, span, depth: 1, bracketed: false, wrapped: false }
    }

    /// The same in parentheses.
    pub(super) fn bracketed(self) -> Self {
        Self { bracketed: true, wrapped: true, ..self }
    }
}

impl Term {
    /// With its article.
    fn name(&self) -> &'static str {
        match self {
            Self::Spansets(_) => "a filter",
            Self::Pipelines(_) => "a pipeline in parentheses",
            Self::Scalar(_) => "an aggregate",
            Self::PipelineScalar(_) => "an aggregate of a pipeline",
            Self::Number(_) => "a constant",
            Self::Where(_) | Self::PipelineWhere(_) => "a condition on an aggregate",
            Self::Metrics(_) => "a metrics expression",
        }
    }
}

/// How tight an operator binds; 0 for what is none.
pub(super) fn level(op: Op) -> u8 {
    match op {
        Op::Logical(_) => 1,
        Op::Structural(_) => 2,
        Op::Binary(BinaryOp::Arithmetic(op)) => match op {
            ArithmeticOp::Add | ArithmeticOp::Subtract => 3,
            ArithmeticOp::Multiply | ArithmeticOp::Divide | ArithmeticOp::Modulo => 5,
            ArithmeticOp::Power => 6,
        },
        Op::Binary(_) => 2,
        _ => 0,
    }
}

/// The level of a unary minus: before constants, where it changes no value, it binds tightest.
pub(super) const NEGATE: u8 = 7;

/// `-x`, for constants only.
pub(super) fn negate(sign: Span, operand: Operand) -> Result<Operand, Fault> {
    match operand.term {
        Term::Number(number) => {
            let span = sign.to(operand.span);
            Ok(Operand {
                term: Term::Number(negative(sign, number)),
                span,
                depth: operand.depth + 1,
                bracketed: false,
                wrapped: false,
            })
        }
        term => {
            let fault = Fault::new("TQ0205", sign, format!("`-` cannot stand before {}", term.name()));
            Err(match term {
                Term::Metrics(_) | Term::Scalar(_) | Term::PipelineScalar(_) => {
                    fault.help("multiply with -1: `-1 * …`")
                }
                _ => fault,
            })
        }
    }
}

/// `left op right`. In a chain that begins with a pipeline in parentheses (`among_pipelines`) any operand may be one.
pub(super) fn combine(
    input: Input<'_>,
    left: Operand,
    (op, op_span): (Op, Span),
    right: Operand,
    among_pipelines: bool,
) -> Result<Operand, Fault> {
    let span = left.span.to(right.span);
    let depth = left.depth.max(right.depth) + 1;
    let wrapped = left.wrapped && right.wrapped;
    let (left_term, right_term) = (left.term, right.term);
    let operand = |term| Ok(Operand { term, span, depth, bracketed: false, wrapped });
    let between = match op {
        Op::Logical(op) => Some(Between::Logical(op)),
        op => op.between_spansets().map(Between::Structural),
    };
    match (left_term, right_term) {
        (Term::Spansets(l), Term::Spansets(r)) if between.is_some() => {
            let flat = Sides { left: l, left_bracketed: left.bracketed, right: r };
            let (expr, chained) = flat.join(input, between, op_span, span);
            let depth = if chained { left.depth.max(right.depth + 1) } else { depth };
            Ok(Operand { term: Term::Spansets(expr), span, depth, bracketed: false, wrapped })
        }
        (Term::Pipelines(l), Term::Pipelines(r)) if between.is_some() => {
            let flat = Sides { left: l, left_bracketed: left.bracketed, right: r };
            operand(Term::Pipelines(flat.join(input, between, op_span, span).0))
        }
        (Term::Pipelines(l), Term::Spansets(r)) if between.is_some() => {
            if !right.wrapped {
                return Err(unwrapped(right.span, left.span));
            }
            let flat = Sides { left: l, left_bracketed: left.bracketed, right: r };
            operand(Term::Pipelines(flat.join(input, between, op_span, span).0))
        }
        (Term::Spansets(l), Term::Pipelines(r)) if between.is_some() => {
            if !left.wrapped {
                return Err(unwrapped(left.span, right.span));
            }
            if !among_pipelines {
                let message = "a pipeline in parentheses must stand before the filters it is joined with";
                return Err(Fault::new("TQ0206", right.span, message).related(left.span, "behind this filter"));
            }
            let flat = Sides { left: l, left_bracketed: left.bracketed, right: r };
            operand(Term::Pipelines(flat.join(input, between, op_span, span).0))
        }
        (l, r) => {
            let names = (l.name(), r.name());
            match op {
                Op::Binary(BinaryOp::Arithmetic(op)) => arithmetic(op, op_span, l, r, span, names).and_then(operand),
                Op::Binary(BinaryOp::Compare(op)) => {
                    let term = compare(op, op_span, l, r, names)?;
                    let plain = matches!(
                        &term,
                        Term::Where(ScalarFilter {
                            left: ScalarExpr { kind: ScalarExprKind::Aggregate(_), .. },
                            right: ScalarExpr { kind: ScalarExprKind::Number(_), .. },
                            ..
                        })
                    );
                    if !plain {
                        input.extension(ExtensionKind::ScalarExpression, span);
                    }
                    operand(term)
                }
                op => Err(misfit(op, op_span, names)),
            }
        }
    }
}

/// An operator between spansets.
#[derive(Clone, Copy)]
enum Between {
    Logical(LogicalOp),
    Structural(StructuralOp),
}

/// Two spanset expressions that are to be joined.
struct Sides {
    left: SpansetExpr,
    left_bracketed: bool,
    right: SpansetExpr,
}

impl Sides {
    /// The joined expression, and whether the right side went into a chain that was there.
    fn join(self, input: Input<'_>, op: Option<Between>, op_span: Span, span: Span) -> (SpansetExpr, bool) {
        let Self { left, left_bracketed, right } = self;
        match op {
            Some(Between::Structural(op)) => {
                let kind = SpansetExprKind::Structural { op, left: Box::new(left), right: Box::new(right) };
                (SpansetExpr { kind, span }, false)
            }
            Some(Between::Logical(op)) => {
                let of_left = match &left.kind {
                    SpansetExprKind::Logical { op, .. } if !left_bracketed => Some(*op),
                    _ => None,
                };
                if (of_left, op) == (Some(LogicalOp::Or), LogicalOp::And) {
                    input.report(Fault::Because(Box::new(mixed(left.span, op_span))));
                }
                match left.kind {
                    SpansetExprKind::Logical { op: same, mut operands } if of_left == Some(op) => {
                        operands.push(right);
                        (SpansetExpr { kind: SpansetExprKind::Logical { op: same, operands }, span }, true)
                    }
                    kind => {
                        let operands = vec![SpansetExpr { kind, span: left.span }, right];
                        (SpansetExpr { kind: SpansetExprKind::Logical { op, operands }, span }, false)
                    }
                }
            }
            None => (left, false),
        }
    }
}

fn scalar(term: Term) -> Option<ScalarExpr> {
    match term {
        Term::Scalar(expr) | Term::PipelineScalar(expr) => Some(expr),
        Term::Number(number) => Some(ScalarExpr { span: number.span, kind: ScalarExprKind::Number(number) }),
        _ => None,
    }
}

fn series(term: Term) -> Option<MetricsExpr> {
    match term {
        Term::Metrics(expr) => Some(expr),
        Term::Number(number) => Some(MetricsExpr { span: number.span, kind: MetricsExprKind::Number(number) }),
        _ => None,
    }
}

/// `scalar-expr , arith , scalar-expr | const , arith , const | metrics-expr , ( "+" | "-" | "*" | "/" ) , metrics-expr`
fn arithmetic(
    op: ArithmeticOp,
    op_span: Span,
    left: Term,
    right: Term,
    span: Span,
    names: (&'static str, &'static str),
) -> Result<Term, Fault> {
    let of_aggregates = matches!(
        (&left, &right),
        (Term::Scalar(_), Term::Scalar(_) | Term::Number(_)) | (Term::Number(_), Term::Scalar(_))
    );
    let of_pipelines = matches!((&left, &right), (Term::PipelineScalar(_), Term::PipelineScalar(_)));
    let of_series = matches!(
        (&left, &right),
        (Term::Metrics(_), Term::Metrics(_) | Term::Number(_)) | (Term::Number(_), Term::Metrics(_))
    );
    let misfit = |names| misfit(Op::Binary(BinaryOp::Arithmetic(op)), op_span, names);
    match (left, right) {
        (Term::Number(left), Term::Number(right)) => combine_numbers(op, left, right).map(Term::Number),
        (left, right) if of_aggregates || of_pipelines => {
            let (Some(left), Some(right)) = (scalar(left), scalar(right)) else { return Err(misfit(names)) };
            let kind = ScalarExprKind::Arithmetic { op, left: Box::new(left), right: Box::new(right) };
            let expr = ScalarExpr { kind, span };
            Ok(if of_pipelines { Term::PipelineScalar(expr) } else { Term::Scalar(expr) })
        }
        (left, right) if of_series => {
            check_constant_op(op, op_span)?;
            if let (Term::Number(number), _) | (_, Term::Number(number)) = (&left, &right)
                && matches!(number.value(), Ok(crate::syntax::ast::Literal::Duration(_)))
            {
                let message = "a duration cannot be computed with series";
                return Err(Fault::new("TQ0205", number.span, message).help("write seconds as a number"));
            }
            let (Some(left), Some(right)) = (series(left), series(right)) else { return Err(misfit(names)) };
            let kind = MetricsExprKind::Arithmetic { op, left: Box::new(left), right: Box::new(right) };
            Ok(Term::Metrics(MetricsExpr { kind, span }))
        }
        _ => Err(misfit(names)),
    }
}

/// `scalar-expr , cmp , ( scalar-expr | const ) | const , cmp , scalar-expr | scalar-pipe , cmp , ( scalar-pipe | const )`
fn compare(
    op: CompareOp,
    op_span: Span,
    left: Term,
    right: Term,
    names: (&'static str, &'static str),
) -> Result<Term, Fault> {
    let of_aggregates = matches!(
        (&left, &right),
        (Term::Scalar(_), Term::Scalar(_) | Term::Number(_)) | (Term::Number(_), Term::Scalar(_))
    );
    let of_pipelines = matches!((&left, &right), (Term::PipelineScalar(_), Term::PipelineScalar(_) | Term::Number(_)));
    if (of_aggregates || of_pipelines)
        && let (Some(left), Some(right)) = (scalar(left), scalar(right))
    {
        let filter = ScalarFilter { op, left, right };
        return Ok(if of_pipelines { Term::PipelineWhere(filter) } else { Term::Where(filter) });
    }
    Err(misfit(Op::Binary(BinaryOp::Compare(op)), op_span, names))
}

/// An operator that cannot be between such things.
fn misfit(op: Op, op_span: Span, (left, right): (&'static str, &'static str)) -> Fault {
    let message = format!("`{}` cannot be between {left} and {right}", op.text());
    let fault = Fault::new("TQ0206", op_span, message);
    if left.contains("aggregate") || right.contains("aggregate") {
        fault.help("a condition on an aggregate is a stage of its own: join it with `|`")
    } else if left == "a filter" && right == "a filter" {
        fault.help("put conditions into the braces: `{ a = b }`")
    } else {
        fault
    }
}

/// A filter beside a pipeline in parentheses, and not in parentheses itself.
fn unwrapped(filter: Span, pipeline: Span) -> Fault {
    Fault::new("TQ0206", filter, "beside a pipeline in parentheses this needs parentheses, too")
        .related(pipeline, "beside this one")
        .help("write `({ … })`, and the pipeline first")
}

/// The term as a stage of a pipeline.
pub(super) fn into_stage(operand: Operand) -> Result<Stage, Fault> {
    let span = operand.span;
    let kind = match operand.term {
        Term::Spansets(expr) => StageKind::Spansets(expr),
        Term::Where(_) if operand.bracketed => {
            return Err(Fault::new("TQ0206", span, "a condition on an aggregate cannot stand in parentheses here"));
        }
        Term::Where(filter) => StageKind::Where(filter),
        Term::Pipelines(_) => {
            let message = "a pipeline in parentheses must be the whole query, or joined with others";
            return Err(Fault::new("TQ0206", span, message).help("leave out the parentheses"));
        }
        Term::Scalar(_) => {
            let message = "an aggregate needs a comparison";
            return Err(Fault::new("TQ0206", span, message).help("write for example `count() > 2`"));
        }
        Term::PipelineScalar(_) => {
            let message = "an aggregate of a pipeline needs a comparison";
            return Err(Fault::new("TQ0206", span, message).help("write for example `({ } | count()) > 2`"));
        }
        Term::PipelineWhere(_) => {
            return Err(Fault::new("TQ0206", span, "a comparison of pipelines must be the whole query"));
        }
        Term::Number(_) => return Err(Fault::new("TQ0206", span, "a constant is no stage")),
        Term::Metrics(_) => {
            return Err(Fault::new("TQ0206", span, "nothing but `topk`, `bottomk` and thresholds can follow metrics"));
        }
    };
    Ok(Stage { kind, span })
}

/// Stages in parentheses.
pub(super) fn wrap(stages: Vec<Stage>, span: Span, depth: usize) -> Operand {
    let kind = SpansetExprKind::Pipeline(Box::new(Pipeline { stages }));
    let term = Term::Pipelines(SpansetExpr { kind, span });
    Operand { term, span, depth: depth + 1, bracketed: true, wrapped: true }
}
