//! The canonical text over several lines: stages one below the other, long conditions and spansets broken before their
//! operators. What fits a line stays on it.

use super::canonical::Hints;
use crate::syntax::ast::{
    Body, FieldExpr, FieldExprKind, MetricsExpr, MetricsExprKind, Pipeline, Query, SpansetExpr, SpansetExprKind,
    SpansetFilter, Stage, StageKind,
};

/// How long a line may be.
const WIDTH: usize = 80;

pub(super) fn query(query: &Query) -> String {
    let short = query.to_string();
    if fits(&short, 0) {
        return short;
    }
    let mut lines = match &query.body {
        Body::Search(pipeline) => stages(pipeline),
        Body::Metrics(expr) => metrics(expr),
    };
    if !query.hints.is_empty() {
        lines.push(format!("  {}", Hints(&query.hints)));
    }
    lines.join("\n")
}

fn fits(text: &str, indent: usize) -> bool {
    text.chars().count() + indent <= WIDTH && !text.contains('\n')
}

/// Each stage on lines of its own.
fn stages(pipeline: &Pipeline) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, one) in pipeline.stages.iter().enumerate() {
        let text = stage(one);
        let before = if index > 0 { "  | " } else { "" };
        lines.extend(hang(before, &text));
    }
    lines
}

/// Lines behind a first piece of text, the further ones below the first.
fn hang(before: &str, lines: &[String]) -> Vec<String> {
    let indent = " ".repeat(before.chars().count());
    let line = |(index, line): (usize, &String)| format!("{}{line}", if index == 0 { before } else { &indent });
    lines.iter().enumerate().map(line).collect()
}

fn stage(stage: &Stage) -> Vec<String> {
    match &stage.kind {
        StageKind::Spansets(expr) => spansets(expr, expr.has_pipelines()),
        _ => vec![stage.to_string()],
    }
}

fn spansets(expr: &SpansetExpr, pipelines: bool) -> Vec<String> {
    let short = expr.to_string();
    if fits(&short, 4) && (!pipelines || expr.has_pipelines()) {
        return vec![short];
    }
    match &expr.kind {
        SpansetExprKind::Filter(found) if pipelines => in_parentheses(filter(found)),
        SpansetExprKind::Filter(found) => filter(found),
        SpansetExprKind::Pipeline(pipeline) => in_parentheses(stages(pipeline)),
        SpansetExprKind::Logical { op, operands } => {
            let mut lines = Vec::new();
            for (index, operand) in operands.iter().enumerate() {
                let brackets = matches!(operand.kind, SpansetExprKind::Logical { .. });
                let before = if index > 0 { format!("  {} ", op.text()) } else { String::new() };
                lines.extend(hang(&before, &spanset_operand(operand, pipelines, brackets)));
            }
            lines
        }
        SpansetExprKind::Structural { op, left, right } => {
            let brackets = matches!(left.kind, SpansetExprKind::Logical { .. });
            let mut lines = spanset_operand(left, pipelines, brackets);
            let brackets = matches!(right.kind, SpansetExprKind::Logical { .. } | SpansetExprKind::Structural { .. });
            lines.extend(hang(&format!("  {} ", op.text()), &spanset_operand(right, pipelines, brackets)));
            lines
        }
    }
}

fn spanset_operand(expr: &SpansetExpr, pipelines: bool, brackets: bool) -> Vec<String> {
    let lines = match &expr.kind {
        SpansetExprKind::Filter(found) if pipelines => in_parentheses(filter(found)),
        _ => spansets(expr, pipelines),
    };
    if brackets { in_parentheses(lines) } else { lines }
}

fn in_parentheses(lines: Vec<String>) -> Vec<String> {
    match lines.as_slice() {
        [line] => vec![format!("({line})")],
        lines => {
            let mut all = vec!["(".to_owned()];
            all.extend(hang("  ", lines));
            all.push(")".to_owned());
            all
        }
    }
}

fn filter(filter: &SpansetFilter) -> Vec<String> {
    let short = filter.to_string();
    match &filter.expr {
        Some(expr) if !fits(&short, 4) => {
            let mut lines = vec!["{".to_owned()];
            lines.extend(hang("  ", &condition(expr)));
            lines.push("}".to_owned());
            lines
        }
        _ => vec![short],
    }
}

/// A condition broken before the operators of its outermost chain, and of those within it that are too long.
fn condition(expr: &FieldExpr) -> Vec<String> {
    let short = expr.to_string();
    let FieldExprKind::Logical { op, operands } = &expr.kind else { return vec![short] };
    if fits(&short, 4) {
        return vec![short];
    }
    let mut lines = Vec::new();
    for (index, operand) in operands.iter().enumerate() {
        let before = if index > 0 { format!("{} ", op.text()) } else { String::new() };
        let operand = match operand.kind {
            FieldExprKind::Logical { .. } => in_parentheses(condition(operand)),
            _ => vec![operand.to_string()],
        };
        lines.extend(hang(&before, &operand));
    }
    lines
}

fn metrics(expr: &MetricsExpr) -> Vec<String> {
    let short = expr.to_string();
    if fits(&short, 0) {
        return vec![short];
    }
    match &expr.kind {
        MetricsExprKind::Query { pipeline, function } => {
            let mut lines = stages(pipeline);
            lines.push(format!("  | {function}"));
            lines
        }
        MetricsExprKind::Stage { input, stage } => {
            let mut lines = metrics(input);
            let text = stage.to_string();
            match (text.starts_with(" |"), lines.last_mut()) {
                (false, Some(last)) => last.push_str(&text),
                _ => lines.push(format!(" {text}")),
            }
            lines
        }
        MetricsExprKind::Arithmetic { op, left, right } => {
            let operand = |expr: &MetricsExpr| match expr.kind {
                MetricsExprKind::Number(_) => in_parentheses(vec![expr.to_string()]),
                _ => in_parentheses(metrics(expr)),
            };
            let mut lines = operand(left);
            lines.extend(hang(&format!("{} ", op.text()), &operand(right)));
            lines
        }
        MetricsExprKind::Number(_) => vec![short],
    }
}
