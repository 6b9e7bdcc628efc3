//! Metrics functions: what they aggregate and group by, as sources for [`crate::nodes::series`].

use datafusion::common::Result;
use tracestore::{
    Snapshot,
    block::{AttributeNames, AttributeScope, SpanColumn},
};

use super::{context::Context, source::source};
use crate::{
    ir::{Expr, MetricsFunction, MetricsFunctionKind},
    nodes::values::Source,
    syntax::{
        TempoText,
        ast::{Attribute, Field, Intrinsic, Scope},
    },
};

/// What a function reads of a span.
pub(crate) struct PlannedSeries {
    /// What is aggregated.
    pub(crate) operand: Option<Source>,
    /// What series are told apart by.
    pub(crate) by: Vec<Source>,
    /// The columns of both, and the span's start.
    pub(crate) columns: Vec<SpanColumn>,
}

/// Plans a function over `by`.
pub(crate) fn plan_series(context: &Context<'_>, function: &MetricsFunction, by: &[Field]) -> Result<PlannedSeries> {
    let of_field = |field: &Field, groups| source(context, &Expr::Field(field.clone()), groups);
    let operand = match &function.kind {
        MetricsFunctionKind::Rate | MetricsFunctionKind::CountOverTime | MetricsFunctionKind::Compare { .. } => None,
        MetricsFunctionKind::MinOverTime(field)
        | MetricsFunctionKind::MaxOverTime(field)
        | MetricsFunctionKind::AvgOverTime(field)
        | MetricsFunctionKind::SumOverTime(field)
        | MetricsFunctionKind::HistogramOverTime(field)
        | MetricsFunctionKind::QuantileOverTime(field, _) => Some(of_field(field, false)?),
    };
    let by = by.iter().map(|field| of_field(field, true)).collect::<Result<Vec<_>>>()?;
    let mut columns = vec![SpanColumn::StartTime];
    for column in by.iter().chain(&operand).flat_map(|source| &source.columns) {
        if !columns.contains(column) {
            columns.push(column.clone());
        }
    }
    Ok(PlannedSeries { operand, by, columns })
}

/// What a comparison reads of a span.
pub(crate) struct PlannedComparison {
    /// Whether a span is selected.
    pub(crate) selection: Source,
    /// Every attribute that is compared, by the name of its label.
    pub(crate) attributes: Vec<(String, Source)>,
    /// The columns of both, and the span's start.
    pub(crate) columns: Vec<SpanColumn>,
}

/// What every span has beside attributes, ids, times, durations and nested-set numbers (SEMANTICS.md M4).
const INTRINSICS: [Intrinsic; 10] = [
    Intrinsic::Name,
    Intrinsic::Kind,
    Intrinsic::Status,
    Intrinsic::StatusMessage,
    Intrinsic::RootName,
    Intrinsic::RootServiceName,
    Intrinsic::ChildCount,
    Intrinsic::InstrumentationName,
    Intrinsic::InstrumentationVersion,
    Intrinsic::EventName,
];

/// Plans a comparison of everything that spans of the view may have.
pub(crate) fn plan_comparison(context: &Context<'_>, view: &Snapshot, selection: &Expr) -> Result<PlannedComparison> {
    let scopes = [
        (AttributeScope::Span, Scope::Span),
        (AttributeScope::Resource, Scope::Resource),
        (AttributeScope::Instrumentation, Scope::Instrumentation),
        (AttributeScope::Event, Scope::Event),
        (AttributeScope::Link, Scope::Link),
    ];
    let mut names = AttributeNames::new(&scopes.map(|(scope, _)| scope));
    view.add_stored_attributes(&mut names)?;
    // V1: every resource has one.
    names.insert(AttributeScope::Resource, "service.name");
    let attributes = scopes.iter().flat_map(|(stored, scope)| {
        names.of(*stored).map(|name| Field::Attribute(Attribute { scope: *scope, name: name.to_owned() }))
    });
    let fields: Vec<Field> = INTRINSICS.map(Field::Intrinsic).into_iter().chain(attributes).collect();
    let selection = source(context, selection, true)?;
    let attributes = fields.into_iter().map(|field| {
        let name = TempoText(&field).to_string();
        Ok((name, source(context, &Expr::Field(field), true)?))
    });
    let attributes = attributes.collect::<Result<Vec<_>>>()?;
    let mut columns = vec![SpanColumn::StartTime];
    for column in attributes.iter().map(|(_, source)| source).chain([&selection]).flat_map(|source| &source.columns) {
        if !columns.contains(column) {
            columns.push(column.clone());
        }
    }
    Ok(PlannedComparison { selection, attributes, columns })
}
