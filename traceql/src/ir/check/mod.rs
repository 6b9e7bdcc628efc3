//! Static checks: which operands fit which operators, as Tempo checks them (traceql.md §4.1 and §9), and what a reader
//! may be surprised by. Everything that is wrong is reported, not only the first.

mod advice;
mod expr;
mod strict;

pub(crate) use advice::advice;
use expr::{Checker, Type, names_a_span};
pub(crate) use strict::unsupported;

use crate::syntax::{
    Diagnostic,
    ast::{
        Aggregate, Body, FieldExpr, MetricsExpr, MetricsExprKind, MetricsFunction, MetricsFunctionKind, Pipeline,
        Query, ScalarExpr, ScalarExprKind, SecondStageKind, SpansetExpr, SpansetExprKind, SpansetFilter, Stage,
        StageKind,
    },
};

/// How many values of an attribute `compare()` may show.
const MAX_COMPARE: i64 = 1_000;

/// What is wrong with a query's types and values, in order of the text. Patterns may be `max_regex` bytes long.
pub(crate) fn check(query: &Query, max_regex: usize) -> Vec<Diagnostic> {
    let mut checker = Checker::new(max_regex);
    match &query.body {
        Body::Search(pipeline) => checker.pipeline(pipeline),
        Body::Metrics(expr) => checker.metrics(expr, true),
    }
    checker.faults
}

impl Checker {
    fn pipeline(&mut self, pipeline: &Pipeline) {
        pipeline.stages.iter().for_each(|stage| self.stage(stage));
    }

    fn stage(&mut self, stage: &Stage) {
        match &stage.kind {
            StageKind::Spansets(expr) => self.spansets(expr),
            StageKind::Where(filter) => {
                self.scalar(&filter.left);
                self.scalar(&filter.right);
            }
            StageKind::GroupBy(expr) => self.group(expr),
            StageKind::Coalesce | StageKind::Select(_) => {}
        }
    }

    fn spansets(&mut self, expr: &SpansetExpr) {
        match &expr.kind {
            SpansetExprKind::Filter(filter) => self.filter(filter),
            SpansetExprKind::Logical { operands, .. } => operands.iter().for_each(|operand| self.spansets(operand)),
            SpansetExprKind::Structural { left, right, .. } => {
                self.spansets(left);
                self.spansets(right);
            }
            SpansetExprKind::Pipeline(pipeline) => self.pipeline(pipeline),
        }
    }

    fn filter(&mut self, filter: &SpansetFilter) {
        let Some(expr) = &filter.expr else { return };
        let found = self.type_of(expr);
        if !matches!(found, Type::Bool | Type::Attribute) {
            let message = format!("a filter needs a condition, and this is {}", found.name());
            self.report(Diagnostic::new("TQ0301", expr.span, message).help("compare it with something: `… = …`"));
        }
    }

    fn group(&mut self, expr: &FieldExpr) {
        self.type_of(expr);
        if !names_a_span(expr) {
            let message = "a group needs something of the span";
            self.report(Diagnostic::new("TQ0306", expr.span, message).help("group by an attribute: `by(.x)`"));
        }
    }

    fn scalar(&mut self, expr: &ScalarExpr) {
        match &expr.kind {
            ScalarExprKind::Number(_) => {}
            ScalarExprKind::Aggregate(aggregate) => self.aggregate(aggregate),
            ScalarExprKind::Pipeline { pipeline, aggregate } => {
                self.pipeline(pipeline);
                self.aggregate(aggregate);
            }
            ScalarExprKind::Arithmetic { left, right, .. } => {
                self.scalar(left);
                self.scalar(right);
            }
        }
    }

    fn aggregate(&mut self, aggregate: &Aggregate) {
        let Some(operand) = &aggregate.operand else { return };
        let found = self.type_of(operand);
        let name = aggregate.function.name();
        if !found.is_numeric() && found != Type::Attribute {
            let message = format!("`{name}` needs a number, and this is {}", found.name());
            self.report(Diagnostic::new("TQ0307", operand.span, message));
        } else if !names_a_span(operand) {
            let message = format!("`{name}` needs something of the span");
            self.report(Diagnostic::new("TQ0306", operand.span, message).help("`count()` counts spans"));
        }
    }

    /// `alone`: nothing is computed with these series.
    fn metrics(&mut self, expr: &MetricsExpr, alone: bool) {
        match &expr.kind {
            MetricsExprKind::Query { pipeline, function } => {
                self.pipeline(pipeline);
                self.function(function, alone);
            }
            MetricsExprKind::Number(_) => {}
            MetricsExprKind::Arithmetic { left, right, .. } => {
                self.metrics(left, false);
                self.metrics(right, false);
            }
            MetricsExprKind::Stage { input, stage } => {
                self.metrics(input, false);
                if let SecondStageKind::TopK(limit @ ..=0) | SecondStageKind::BottomK(limit @ ..=0) = stage.kind {
                    let message = format!("at least 1 series must be kept, not {limit}");
                    self.report(Diagnostic::new("TQ0308", stage.span, message));
                }
            }
        }
    }

    fn function(&mut self, function: &MetricsFunction, alone: bool) {
        match &function.kind {
            MetricsFunctionKind::QuantileOverTime { quantiles, .. } => {
                for quantile in quantiles.iter().filter(|quantile| !(0.0..=1.0).contains(&quantile.value)) {
                    let message = format!("a quantile is between 0 and 1, and this is {}", quantile.value);
                    let fault = Diagnostic::new("TQ0308", quantile.span, message);
                    let percent = (2.0..=100.0).contains(&quantile.value) && quantile.value.fract() == 0.0;
                    self.report(if percent {
                        fault.help(format!("write `{}`", quantile.value / 100.0))
                    } else {
                        fault
                    });
                }
            }
            MetricsFunctionKind::Compare { selection, top, range } => {
                self.filter(selection);
                if !alone {
                    let message = "`compare` stands alone: nothing can be computed from its series";
                    self.report(Diagnostic::new("TQ0309", function.span, message));
                }
                if let Some((count, span)) = top
                    && !(1..=MAX_COMPARE).contains(count)
                {
                    let message = format!("`compare` shows 1 to {MAX_COMPARE} values of an attribute, not {count}");
                    self.report(Diagnostic::new("TQ0308", *span, message));
                }
                if let Some((start, end, span)) = range
                    && (*start, *end) != (0, 0)
                {
                    if *start <= 0 || *end <= 0 {
                        self.report(Diagnostic::new("TQ0308", *span, "times are ns since 1970, and positive"));
                    } else if end <= start {
                        self.report(Diagnostic::new("TQ0308", *span, "the end must be after the start"));
                    }
                }
            }
            _ => {}
        }
    }
}
