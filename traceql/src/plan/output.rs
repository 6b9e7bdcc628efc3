//! The columns behind the fields that a query names, for results (SEMANTICS.md P3).

use tracestore::block::{AttributeScope, AttributeType, SpanColumn};

use super::context::Types;
use crate::syntax::ast::{Attribute, Field, Intrinsic, Scope};

/// A column that may hold a field's value.
#[derive(Debug, Clone)]
pub(crate) struct OutputColumn {
    /// What the value is shown as: an unscoped name is that of the scope where it was found.
    pub(crate) field: Field,
    pub(crate) column: SpanColumn,
    pub(crate) kind: ValueKind,
    /// Which of the fields it is for.
    pub(crate) index: usize,
    /// Only shown where no column of the field before had a value: the fallback of unscoped names.
    pub(crate) fallback: bool,
}

impl OutputColumn {
    /// The same of the parent span.
    fn of_parent(self) -> Self {
        let field = match self.field {
            Field::Attribute(Attribute { scope, name }) => {
                let scope = if scope == Scope::Resource { Scope::ParentResource } else { Scope::ParentSpan };
                Field::Attribute(Attribute { scope, name })
            }
            intrinsic => intrinsic,
        };
        Self { field, column: SpanColumn::OfParent(Box::new(self.column)), ..self }
    }
}

/// How a column's values read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueKind {
    /// As what they are.
    Plain,
    Duration,
    Status,
    Kind,
    /// OTLP's JSON of values that cannot be queried.
    Json,
}

/// The columns of some fields, in their order.
pub(crate) fn output_columns(types: &dyn Types, fields: &[Field]) -> tracestore::Result<Vec<OutputColumn>> {
    let mut columns = Vec::new();
    for (number, field) in fields.iter().enumerate() {
        match field {
            Field::Intrinsic(intrinsic) => columns.extend(intrinsic_column(*intrinsic, number)),
            Field::Attribute(Attribute { scope, name }) => {
                let parent = matches!(scope, Scope::Parent | Scope::ParentSpan | Scope::ParentResource);
                let scopes: &[AttributeScope] = match scope {
                    Scope::Unscoped | Scope::Parent => &[AttributeScope::Span, AttributeScope::Resource],
                    Scope::Span | Scope::ParentSpan => &[AttributeScope::Span],
                    Scope::Resource | Scope::ParentResource => &[AttributeScope::Resource],
                    Scope::Event => &[AttributeScope::Event],
                    Scope::Link => &[AttributeScope::Link],
                    Scope::Instrumentation => &[AttributeScope::Instrumentation],
                };
                for (place, scope) in scopes.iter().enumerate() {
                    let found = attribute_columns(types, *scope, name, number, place > 0)?;
                    columns.extend(found.into_iter().map(|column| if parent { column.of_parent() } else { column }));
                }
            }
        }
    }
    Ok(columns)
}

fn attribute_columns(
    types: &dyn Types,
    scope: AttributeScope,
    key: &str,
    index: usize,
    fallback: bool,
) -> tracestore::Result<Vec<OutputColumn>> {
    let shown = match scope {
        AttributeScope::Span => Scope::Span,
        AttributeScope::Resource => Scope::Resource,
        AttributeScope::Event => Scope::Event,
        AttributeScope::Link => Scope::Link,
        AttributeScope::Instrumentation => Scope::Instrumentation,
    };
    let field = Field::Attribute(Attribute { scope: shown, name: key.to_owned() });
    if scope == AttributeScope::Resource && key == "service.name" {
        return Ok(vec![OutputColumn { field, column: SpanColumn::Service, kind: ValueKind::Plain, index, fallback }]);
    }
    let columns = types.attribute_types(scope, key)?.into_iter().map(|value_type| {
        let kind = if value_type == AttributeType::Other { ValueKind::Json } else { ValueKind::Plain };
        let column = SpanColumn::Attribute { scope, key: key.to_owned(), value_type };
        OutputColumn { field: field.clone(), column, kind, index, fallback }
    });
    Ok(columns.collect())
}

fn intrinsic_column(intrinsic: Intrinsic, index: usize) -> Option<OutputColumn> {
    let (column, kind) = match intrinsic {
        Intrinsic::Duration => (SpanColumn::Duration, ValueKind::Duration),
        Intrinsic::Name => (SpanColumn::Name, ValueKind::Plain),
        Intrinsic::Status => (SpanColumn::Status, ValueKind::Status),
        Intrinsic::StatusMessage => (SpanColumn::StatusMessage, ValueKind::Plain),
        Intrinsic::Kind => (SpanColumn::Kind, ValueKind::Kind),
        Intrinsic::SpanId => (SpanColumn::SpanIdText, ValueKind::Plain),
        Intrinsic::SpanParentId => (SpanColumn::ParentIdText, ValueKind::Plain),
        Intrinsic::ChildCount => (SpanColumn::ChildCount, ValueKind::Plain),
        Intrinsic::TraceDuration => (SpanColumn::TraceDuration, ValueKind::Duration),
        Intrinsic::RootName => (SpanColumn::RootName, ValueKind::Plain),
        Intrinsic::RootServiceName => (SpanColumn::RootService, ValueKind::Plain),
        Intrinsic::TraceId => (SpanColumn::TraceIdText, ValueKind::Plain),
        Intrinsic::EventName => (SpanColumn::EventName, ValueKind::Plain),
        Intrinsic::EventTimeSinceStart => (SpanColumn::EventTimeSinceStart, ValueKind::Duration),
        Intrinsic::LinkTraceId => (SpanColumn::LinkTraceId, ValueKind::Plain),
        Intrinsic::LinkSpanId => (SpanColumn::LinkSpanId, ValueKind::Plain),
        Intrinsic::InstrumentationName => (SpanColumn::ScopeName, ValueKind::Plain),
        Intrinsic::InstrumentationVersion => (SpanColumn::ScopeVersion, ValueKind::Plain),
        Intrinsic::NestedSetLeft => (SpanColumn::NestedSetLeft, ValueKind::Plain),
        Intrinsic::NestedSetRight => (SpanColumn::NestedSetRight, ValueKind::Plain),
        Intrinsic::NestedSetParent => (SpanColumn::NestedSetParent, ValueKind::Plain),
        Intrinsic::Parent => return None,
    };
    Some(OutputColumn { field: Field::Intrinsic(intrinsic), column, kind, index, fallback: false })
}
