//! Names and values (G1, G2), by a look at every span.

use std::collections::{BTreeMap, BTreeSet};

use opentelemetry_proto::tonic::common::v1::KeyValue;
use traceql::syntax::{
    Span,
    ast::{Body, Field, FieldExpr, FieldExprKind, Query, SpansetExprKind, StageKind},
};

use super::{
    eval,
    model::{Placed, Trace},
    value::Value,
};

/// Which spans are meant: those that a query keeps whose only stage is a filter, of traces that overlap a range of ns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meant {
    pub(crate) query: Option<Query>,
    pub(crate) range: Option<(u64, u64)>,
}

impl Meant {
    fn spans<'a>(&'a self, traces: &'a [Trace]) -> impl Iterator<Item = (&'a Trace, &'a Placed)> {
        let overlaps = |trace: &&Trace| self.range.is_none_or(|(start, end)| trace.start <= end && trace.end >= start);
        let spans = traces.iter().filter(overlaps).flat_map(|trace| trace.spans.iter().map(move |span| (trace, span)));
        spans.filter(|(trace, span)| eval::keeps(self.condition(), trace, span))
    }

    fn condition(&self) -> Option<&FieldExpr> {
        let Body::Search(pipeline) = &self.query.as_ref()?.body else { panic!("metrics") };
        match &pipeline.stages[0].kind {
            StageKind::Spansets(expr) => match &expr.kind {
                SpansetExprKind::Filter(filter) => filter.expr.as_ref(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
}

/// The names of attributes by scope.
pub(crate) fn names(traces: &[Trace], meant: &Meant) -> BTreeMap<String, BTreeSet<String>> {
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut add = |scope: &str, list: &[KeyValue]| {
        for attribute in list {
            names.entry(scope.to_owned()).or_default().insert(attribute.key.clone());
        }
    };
    // V1: every resource has one.
    let service = [KeyValue { key: "service.name".to_owned(), ..KeyValue::default() }];
    for (_, placed) in meant.spans(traces) {
        add("span", &placed.span.attributes);
        add("resource", &placed.resource.attributes);
        add("resource", &service);
        add("instrumentation", &placed.scope.attributes);
        placed.span.events.iter().for_each(|event| add("event", &event.attributes));
        placed.span.links.iter().for_each(|link| add("link", &link.attributes));
    }
    names
}

/// How many spans have each value of a field; values as the engine's own print for programmers.
pub(crate) fn values(traces: &[Trace], field: &Field, meant: &Meant) -> BTreeMap<String, u64> {
    let expr = FieldExpr { kind: FieldExprKind::Field(field.clone()), span: Span::default() };
    let mut counts = BTreeMap::new();
    for (trace, span) in meant.spans(traces) {
        let values = eval::values(&expr, trace, span).into_iter().filter(|value| !matches!(value, Value::Other(_)));
        // M5: a span counts once for each.
        let texts: BTreeSet<String> = values.map(|value| format!("{value:?}")).collect();
        texts.into_iter().for_each(|text| *counts.entry(text).or_insert(0) += 1);
    }
    counts
}
