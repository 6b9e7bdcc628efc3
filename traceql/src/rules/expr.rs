//! The query of a rule: a metrics query; its faults moved to their places in the YAML file.

use std::collections::BTreeSet;

use super::{file::RuleQuery, labels::FUNCTION};
use crate::{
    Compiler,
    ir::{self, Body, Metrics, MetricsFunctionKind},
    syntax::{
        Diagnostic, Span,
        ast::{Hint, Literal},
    },
    yaml::{Node, Reader, place_in_scalar},
};

/// The hint that says how much time a query looks back over.
const RANGE: &str = "range";

/// A query that was checked.
#[derive(Debug)]
pub(super) struct CheckedQuery {
    pub(super) query: RuleQuery,
    /// The labels that its series may have; `None` where data decides.
    pub(super) labels: Option<BTreeSet<String>>,
    /// Whether there is a comparison in it.
    pub(super) compares: bool,
}

/// Checks the query of a rule or of a test.
pub(super) fn read_query(reader: &mut Reader<'_>, node: &Node) -> Option<CheckedQuery> {
    let text = reader.text(node, "a query")?;
    let report = Compiler::new().check(text);
    let is_valid = !report.diagnostics.has_errors();
    let place = |span: Span| place_in_scalar(reader.source, node, span);
    let found: Vec<Diagnostic> = report.diagnostics.list().iter().map(|found| moved(found, &place)).collect();
    found.into_iter().for_each(|found| reader.report(found));
    let query = report.query.filter(|_| is_valid)?;
    let range = match query.hints.iter().rfind(|hint| hint.name == RANGE) {
        None => None,
        Some(Hint { value: Literal::Duration(nanos @ 1..), .. }) => u64::try_from(*nanos).ok(),
        Some(hint) => {
            let span = place_in_scalar(reader.source, node, hint.span);
            let fault = Diagnostic::new("TQ0608", span, "the range is a duration longer than 0");
            reader.report(fault.help("write `with (range = 5m)`"));
            return None;
        }
    };
    let Body::Metrics(metrics) = ir::lower(&query).body else {
        let span = place_in_scalar(reader.source, node, Span::new(0, text.len()));
        let fault = Diagnostic::new("TQ0608", span, "this is a search: a rule needs a query with series");
        reader.report(fault.help("end it with a function and a comparison, as in `{ … } | rate() > 0.5`"));
        return None;
    };
    let query = RuleQuery { text: text.to_owned(), range };
    Some(CheckedQuery { query, labels: labels(&metrics), compares: compares(&metrics) })
}

/// A fault of a query at its place in the file.
fn moved(found: &Diagnostic, place: &dyn Fn(Span) -> Span) -> Diagnostic {
    let related = found.related.as_ref().map(|(span, label)| (place(*span), label.clone()));
    Diagnostic { span: place(found.span), related, ..found.clone() }
}

fn compares(metrics: &Metrics) -> bool {
    match metrics {
        Metrics::Threshold { .. } => true,
        Metrics::TopK { input, .. } | Metrics::BottomK { input, .. } => compares(input),
        Metrics::Arithmetic { left, right, .. } => compares(left) || compares(right),
        Metrics::Query { .. } | Metrics::Number(_) => false,
    }
}

fn labels(metrics: &Metrics) -> Option<BTreeSet<String>> {
    match metrics {
        Metrics::Number(_) => Some(BTreeSet::new()),
        Metrics::Query { function, .. } => {
            let of_kind = match &function.kind {
                MetricsFunctionKind::Compare { .. } => return None,
                MetricsFunctionKind::QuantileOverTime(..) => Some("p"),
                MetricsFunctionKind::HistogramOverTime(_) => Some("__bucket"),
                _ if function.by.is_empty() => Some(FUNCTION),
                _ => None,
            };
            let by = function.by.iter().map(ToString::to_string);
            Some(by.chain(of_kind.map(str::to_owned)).collect())
        }
        Metrics::Arithmetic { left, right, .. } => {
            let (left, right) = (labels(left)?, labels(right)?);
            Some(left.into_iter().chain(right).collect())
        }
        Metrics::TopK { input, .. } | Metrics::BottomK { input, .. } | Metrics::Threshold { input, .. } => {
            labels(input)
        }
    }
}
