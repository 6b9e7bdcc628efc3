//! The top of a query: pipelines, and operators between spansets, pipelines, aggregates and series.
//!
//! Open parentheses and what waits for its right operand are kept on stacks of our own, so that no text can exhaust the
//! thread's; each token is looked at once.

use nom::Err;

use super::{
    expected::{self, Expected, Fault},
    input::{Input, Res, fail},
    literal::{number_literal, too_deep, too_many_parentheses},
    metrics::{begins_function, function, second_stages, with_stages},
    stage::{aggregate, aggregate_function, filter, no_stage, stage},
    term::{NEGATE, Operand, Term, combine, into_stage, level, negate, wrap},
};
use crate::syntax::{
    Span,
    ast::{
        ArithmeticOp, BinaryOp, Body, MetricsExpr, MetricsExprKind, NumberExpr, NumberExprKind, Pipeline, ScalarExpr,
        ScalarExprKind, SpansetExpr, SpansetExprKind, Stage, StageKind,
    },
    token::{METRICS_FUNCTIONS, Op, TokenKind},
};

/// What stands between two parentheses, or is the whole query.
struct Level {
    /// Its opening parenthesis; `None` for the whole query.
    open: Option<Span>,
    /// The stages that a `|` has ended.
    stages: Vec<Stage>,
    /// How deep the deepest stage is.
    depth: usize,
    /// What waits for its right operand.
    pending: Vec<Pending>,
}

/// What waits for an operand.
enum Pending {
    /// `-`
    Negate(Span),
    /// An operator and what stands on its left.
    Infix { left: Box<Operand>, op: Op, op_span: Span },
}

/// Where the machine is.
enum State {
    /// At the beginning of a level, or behind a `|`: a stage or operand comes.
    Stage,
    /// Behind an operator: an operand comes.
    Operand,
    /// Behind an operand: an operator or `|` comes, or the level ends.
    Operator(Operand),
    /// Behind a stage that operators cannot join: `|` comes, or the level ends.
    AfterStage,
    /// Behind `… | rate()`: the level ends.
    Ended(Operand),
}

/// ```text
/// root          = pipeline | pipeline-expr | scalar-pipeline-filter
///               | pipeline , "|" , metrics-agg , [ second-stage ] | metrics-expr , [ second-stage ] ;
/// pipeline      = first , { "|" , stage } ;
/// first         = spanset-expr | scalar-filter | group | select ;
/// spanset-expr  = "(" , spanset-expr , ")" | spanset-expr , spanset-op , spanset-expr | filter ;
/// pipeline-expr = "(" , pipeline-expr , ")" | pipeline-expr , spanset-op , pipeline-expr | "(" , pipeline , ")" ;
/// scalar-expr   = "(" , scalar-expr , ")" | ( scalar-expr | const ) , arith , ( scalar-expr | const ) | aggregate ;
/// scalar-pipe   = "(" , pipeline , "|" , aggregate , ")" | "(" , scalar-pipe , ")" | scalar-pipe , arith , scalar-pipe ;
/// metrics-expr  = "(" , pipeline , "|" , metrics-agg , [ second-stage ] , ")" | "(" , metrics-expr , ")"
///               | ( metrics-expr | const ) , ( "+" | "-" | "*" | "/" ) , ( metrics-expr | const ) ;
/// ```
pub(super) fn body(input: Input<'_>) -> Res<'_, Body> {
    let mut machine = Machine { input, levels: vec![Level::new(None)] };
    match machine.body() {
        Ok(body) => Ok((machine.input, body)),
        Err(fault) => {
            if let Some(first) = machine.first_stage() {
                input.keep(first);
            }
            Err(fault)
        }
    }
}

/// The first stage of a query, if one stage comes first.
pub(super) fn first_stage(body: Body) -> Option<Stage> {
    let pipeline = match body {
        Body::Search(pipeline) => pipeline,
        Body::Metrics(mut expr) => loop {
            match expr.kind {
                MetricsExprKind::Query { pipeline, .. } => break pipeline,
                MetricsExprKind::Stage { input, .. } => expr = *input,
                MetricsExprKind::Number(_) | MetricsExprKind::Arithmetic { .. } => return None,
            }
        },
    };
    pipeline.stages.into_iter().next()
}

/// What comes of a step.
enum Step {
    Go(State),
    Done(Body),
}

struct Machine<'t> {
    input: Input<'t>,
    levels: Vec<Level>,
}

type Try<T> = Result<T, Err<Fault>>;

impl Level {
    fn new(open: Option<Span>) -> Self {
        Self { open, stages: Vec::new(), depth: 0, pending: Vec::new() }
    }

    /// What an operand that comes next is joined with.
    fn wanted(&self) -> Expected {
        let left = match self.pending.last() {
            None => return Expected::Query,
            Some(Pending::Negate(_)) => return Expected::Number,
            Some(Pending::Infix { left, .. }) => left,
        };
        Expected::Operand(match left.term {
            Term::Spansets(_) | Term::Pipelines(_) => expected::Operand::Spansets,
            Term::Scalar(_) | Term::Number(_) => expected::Operand::Scalar,
            _ => expected::Operand::Parenthesised,
        })
    }

    /// Whether the chain of operators began with a pipeline in parentheses.
    fn among_pipelines(&self) -> bool {
        let first = self.pending.iter().find_map(|pending| match pending {
            Pending::Infix { left, .. } => Some(left),
            Pending::Negate(_) => None,
        });
        first.is_some_and(|left| matches!(left.term, Term::Pipelines(_)))
    }
}

impl Machine<'_> {
    fn body(&mut self) -> Try<Body> {
        let mut state = State::Stage;
        loop {
            let step = match state {
                State::Stage => Step::Go(self.stage()?),
                State::Operand => Step::Go(self.operand()?),
                State::Operator(operand) => self.operator(operand)?,
                State::AfterStage => self.after_stage()?,
                State::Ended(operand) => self.ended(operand)?,
            };
            match step {
                Step::Go(next) => state = next,
                Step::Done(body) => return Ok(body),
            }
        }
    }

    /// The first stage of what has been read, if nothing stands before it but parentheses.
    fn first_stage(self) -> Option<Stage> {
        let begun = self.levels.into_iter().find(|level| !level.stages.is_empty() || !level.pending.is_empty())?;
        begun.stages.into_iter().next()
    }

    fn level(&mut self) -> Try<&mut Level> {
        // There is always one: the last is taken off only when the query is done.
        self.levels.last_mut().ok_or(Err::Failure(Fault::Said))
    }

    /// `group | select | coalesce | metrics-agg`, or whatever else a stage begins with.
    fn stage(&mut self) -> Try<State> {
        let input = self.input;
        let first = self.level()?.stages.is_empty();
        input.want(|| if first { Expected::Query } else { Expected::Stage });
        if let Some(parsed) = stage(input) {
            let (rest, stage) = parsed?;
            if first && stage.kind == StageKind::Coalesce {
                let message = "`coalesce()` cannot come first: there are no spansets to join yet";
                return fail(Fault::new("TQ0206", stage.span, message));
            }
            self.input = rest;
            self.level()?.stages.push(stage);
            return Ok(State::AfterStage);
        }
        if !begins_function(input) {
            let unknown = match input.word() {
                Some(_) => aggregate_function(input).is_none(),
                None => false,
            };
            if unknown && !first {
                return fail(no_stage(input));
            }
            return self.operand();
        }
        if first {
            let fault = input.unexpected(Expected::Query);
            return fail(fault.help("a metrics function needs spans: `{ } | rate()`"));
        }
        let inside = self.level()?.open.is_some();
        let (rest, function) = function(input, inside)?;
        let (rest, second) = second_stages(rest)?;
        let level = self.level()?;
        let pipeline = Pipeline { stages: std::mem::take(&mut level.stages) };
        let depth = level.depth + 1 + second.len();
        let start = pipeline.stages.first().map_or(function.span, |stage| stage.span);
        let span = start.to(function.span);
        let leaf = MetricsExpr { kind: MetricsExprKind::Query { pipeline, function }, span };
        let expr = with_stages(leaf, second);
        rest.want(|| Expected::AfterMetrics { by: false, arithmetic: false, close: inside });
        self.input = rest;
        let span = expr.span;
        Ok(State::Ended(Operand { depth, ..Operand::new(Term::Metrics(expr), span) }))
    }

    /// `"(" … | filter | aggregate | const | "-" …`
    fn operand(&mut self) -> Try<State> {
        let input = self.input;
        let token = input.peek();
        let wanted = self.level()?.wanted();
        input.want(|| wanted);
        match &token.kind {
            TokenKind::Op(Op::OpenParen) => {
                if self.levels.len() > input.limits().max_parentheses {
                    return fail(too_many_parentheses(input));
                }
                self.input = input.advance();
                self.levels.push(Level::new(Some(token.span)));
                Ok(State::Stage)
            }
            TokenKind::Op(Op::Binary(BinaryOp::Arithmetic(ArithmeticOp::Subtract))) => {
                self.input = input.advance();
                let level = self.level()?;
                level.pending.push(Pending::Negate(token.span));
                if level.pending.len() > input.limits().max_depth {
                    return fail(too_deep(input));
                }
                Ok(State::Operand)
            }
            TokenKind::Op(Op::OpenBrace) => {
                let (rest, filter) = filter(input)?;
                self.input = rest;
                let span = filter.span;
                let expr = SpansetExpr { kind: SpansetExprKind::Filter(filter), span };
                Ok(State::Operator(Operand::new(Term::Spansets(expr), span)))
            }
            TokenKind::Word(_) if aggregate_function(input).is_some() => {
                let (rest, aggregate) = aggregate(input)?;
                self.input = rest;
                let span = aggregate.span;
                let expr = ScalarExpr { kind: ScalarExprKind::Aggregate(aggregate), span };
                Ok(State::Operator(Operand::new(Term::Scalar(expr), span)))
            }
            kind => match number_literal(kind) {
                Some(literal) => {
                    self.input = input.advance();
                    let number = NumberExpr { kind: NumberExprKind::Literal(literal), span: token.span };
                    Ok(State::Operator(Operand::new(Term::Number(number), token.span)))
                }
                None => fail(self.no_operand()),
            },
        }
    }

    /// Nothing that a query can begin with, or an operator be followed by.
    fn no_operand(&self) -> Fault {
        let input = self.input;
        let fault = input.unexpected(Expected::Query);
        let joined = self.levels.last().and_then(|level| level.pending.last());
        if let Some(Pending::Infix { left, .. }) = joined
            && !matches!(left.term, Term::Spansets(_) | Term::Pipelines(_))
        {
            // A constant would do, and is what is meant.
            return input.unexpected(Expected::Number).help("texts, attributes and named values have no place here");
        }
        match &input.peek().kind {
            TokenKind::End
                if self.levels.len() == 1
                    && self.levels.iter().all(|level| level.pending.is_empty() && level.stages.is_empty()) =>
            {
                Fault::new("TQ0201", input.peek().span, "the query is empty").help("`{ }` finds every span")
            }
            TokenKind::Word(word) if matches!(word.as_str(), "by" | "coalesce" | "select") => {
                fault.help("a stage follows a `|`")
            }
            TokenKind::Word(word) if METRICS_FUNCTIONS.contains(&word.as_str()) => {
                fault.help("a metrics function follows a `|`")
            }
            TokenKind::Attribute(..) | TokenKind::Scoped(..) | TokenKind::Word(_) => {
                fault.help("put the condition in braces: `{ … }`")
            }
            TokenKind::Op(Op::Not) => fault.help("negate the condition in the braces: `{ !(…) }`"),
            _ => fault,
        }
    }

    fn operator(&mut self, operand: Operand) -> Try<Step> {
        let input = self.input;
        let token = input.peek();
        if let TokenKind::Op(op) = token.kind
            && level(op) > 0
        {
            let to_the_right = op == Op::Binary(BinaryOp::Arithmetic(ArithmeticOp::Power));
            let operand = self.reduce(operand, level(op), to_the_right)?;
            let compares = matches!(op, Op::Binary(BinaryOp::Compare(_)));
            if compares && matches!(operand.term, Term::Metrics(_)) {
                return self.end_of_level(operand);
            }
            self.input = input.advance();
            let level = self.level()?;
            level.pending.push(Pending::Infix { left: Box::new(operand), op, op_span: token.span });
            return Ok(Step::Go(State::Operand));
        }
        let operand = self.reduce(operand, 0, false)?;
        self.end_of_level(operand)
    }

    /// Applies what waits and binds at least as tight as `min`; tighter only, for an operator that groups to the right.
    fn reduce(&mut self, operand: Operand, min: u8, to_the_right: bool) -> Try<Operand> {
        let input = self.input;
        let mut operand = operand;
        loop {
            let among_pipelines = self.level()?.among_pipelines();
            let level_now = self.level()?;
            let Some(pending) = level_now.pending.pop() else { return Ok(operand) };
            let tight = match &pending {
                Pending::Negate(_) => NEGATE,
                Pending::Infix { op, .. } => level(*op),
            };
            if tight < min || (to_the_right && tight == min) {
                level_now.pending.push(pending);
                return Ok(operand);
            }
            let reduced = match pending {
                Pending::Negate(sign) => negate(sign, operand),
                Pending::Infix { left, op, op_span } => combine(input, *left, (op, op_span), operand, among_pipelines),
            };
            operand = reduced.map_err(Err::Failure)?;
            if operand.depth > input.limits().max_depth {
                return fail(too_deep(input));
            }
        }
    }

    /// Behind the last operand of a stage, all operators applied.
    fn end_of_level(&mut self, operand: Operand) -> Try<Step> {
        let input = self.input;
        let token = input.peek();
        let close = self.level()?.open.is_some();
        input.want(|| match operand.term {
            Term::Scalar(_) | Term::PipelineScalar(_) | Term::Number(_) => Expected::AfterAggregate { close },
            Term::Metrics(_) => Expected::AfterMetrics { by: false, arithmetic: true, close },
            Term::Spansets(_) => Expected::AfterStage { joins: true, pipe: true, close },
            Term::Pipelines(_) => Expected::AfterStage { joins: true, pipe: false, close },
            Term::Where(_) => Expected::AfterStage { joins: false, pipe: true, close },
            Term::PipelineWhere(_) => Expected::AfterStage { joins: false, pipe: false, close },
        });
        if let Term::Metrics(_) = operand.term {
            return self.end_of_series(operand);
        }
        match token.kind == TokenKind::Op(Op::Pipe) {
            true => {
                let depth = operand.depth;
                let stage = into_stage(operand).map_err(Err::Failure)?;
                self.input = input.advance();
                let level = self.level()?;
                level.depth = level.depth.max(depth);
                level.stages.push(stage);
                Ok(Step::Go(State::Stage))
            }
            false => self.ended(operand),
        }
    }

    /// Behind series that parentheses or arithmetic have made: as a whole query they can have second stages.
    fn end_of_series(&mut self, operand: Operand) -> Try<Step> {
        let level = self.level()?;
        if !level.stages.is_empty() {
            let message = "series in parentheses must be the whole query, or be computed with";
            let fault = Fault::new("TQ0206", operand.span, message);
            return fail(fault.help("put the stages into the parentheses: `({ … } | … | rate())`"));
        }
        let Operand { term: Term::Metrics(expr), span, .. } = operand else { return self.ended(operand) };
        let (rest, second) = match level.open {
            None => second_stages(self.input)?,
            Some(_) => (self.input, Vec::new()),
        };
        self.input = rest;
        let depth = operand.depth + second.len();
        self.ended(Operand { depth, ..Operand::new(Term::Metrics(with_stages(expr, second)), span) })
    }

    fn after_stage(&mut self) -> Try<Step> {
        let input = self.input;
        let close = self.level()?.open.is_some();
        input.want(|| Expected::AfterStage { joins: false, pipe: true, close });
        if input.is(Op::Pipe) {
            self.input = input.advance();
            return Ok(Step::Go(State::Stage));
        }
        let close = self.closing()?;
        let Some(level) = self.levels.pop() else { return fail(Fault::Said) };
        Ok(match close {
            Some(span) => Step::Go(State::Operator(wrap(level.stages, span, level.depth))),
            None => Step::Done(Body::Search(Pipeline { stages: level.stages })),
        })
    }

    /// The level's closing parenthesis must come, if it is in any; gives the place from one to the other.
    fn closing(&mut self) -> Try<Option<Span>> {
        let input = self.input;
        let Some(open) = self.level()?.open else { return Ok(None) };
        if !input.is(Op::CloseParen) {
            let fault = input.unexpected(Expected::Op(Op::CloseParen)).related(open, "closes this one");
            return fail(fault);
        }
        self.input = input.advance();
        Ok(Some(open.to(input.peek().span)))
    }

    /// The level ends with this operand.
    fn ended(&mut self, operand: Operand) -> Try<Step> {
        if let Some(span) = self.closing()? {
            let Some(level) = self.levels.pop() else { return fail(Fault::Said) };
            let in_parentheses = parenthesised(level, operand, span).map_err(Err::Failure)?;
            return Ok(Step::Go(State::Operator(in_parentheses)));
        }
        if self.level()?.stages.is_empty() || matches!(operand.term, Term::Metrics(_)) {
            return whole(operand).map(Step::Done).map_err(Err::Failure);
        }
        let last = into_stage(operand).map_err(Err::Failure)?;
        let mut stages = std::mem::take(&mut self.level()?.stages);
        stages.push(last);
        Ok(Step::Done(Body::Search(Pipeline { stages })))
    }
}

/// What stages and a last operand in parentheses are.
fn parenthesised(level: Level, operand: Operand, span: Span) -> Result<Operand, Fault> {
    let Level { mut stages, depth, .. } = level;
    let depth = depth.max(operand.depth);
    if let Term::Metrics(_) = operand.term {
        return Ok(operand.bracketed());
    }
    if stages.is_empty() {
        return match operand.term {
            Term::Where(_) => {
                stages.push(into_stage(operand)?);
                Ok(wrap(stages, span, depth))
            }
            Term::PipelineWhere(_) => into_stage(operand).map(|_| wrap(stages, span, depth)),
            _ => Ok(operand.bracketed()),
        };
    }
    match operand.term {
        Term::Scalar(ScalarExpr { kind: ScalarExprKind::Aggregate(aggregate), .. }) if !operand.bracketed => {
            let kind = ScalarExprKind::Pipeline { pipeline: Box::new(Pipeline { stages }), aggregate };
            let term = Term::PipelineScalar(ScalarExpr { kind, span });
            Ok(Operand { term, span, depth: depth + 1, bracketed: true, wrapped: true })
        }
        _ => {
            stages.push(into_stage(operand)?);
            Ok(wrap(stages, span, depth))
        }
    }
}

/// What an operand is as a whole query.
fn whole(operand: Operand) -> Result<Body, Fault> {
    let span = operand.span;
    Ok(match operand.term {
        Term::Metrics(expr) => Body::Metrics(expr),
        // A pipeline in parentheses alone is the pipeline.
        Term::Pipelines(SpansetExpr { kind: SpansetExprKind::Pipeline(pipeline), .. }) => Body::Search(*pipeline),
        Term::Pipelines(expr) => {
            Body::Search(Pipeline { stages: vec![Stage { kind: StageKind::Spansets(expr), span }] })
        }
        Term::PipelineWhere(filter) => {
            Body::Search(Pipeline { stages: vec![Stage { kind: StageKind::Where(filter), span }] })
        }
        _ => Body::Search(Pipeline { stages: vec![into_stage(operand)?] }),
    })
}
