//! Fields to columns: scopes, the fallback of unscoped names, intrinsics.

use datafusion::{
    common::Result,
    logical_expr::{Expr, lit, when},
    scalar::ScalarValue,
};
use tracestore::block::{AttributeScope, AttributeType, SpanColumn};

use super::{
    context::Context,
    quantify::{HAS_EVENT, HAS_LINK, flag},
    typed::{Typed, ValueType, all_of},
};
use crate::{
    functions::{many, single},
    syntax::ast::{Field, Intrinsic, Scope},
};

/// The value of a field.
pub(super) fn resolve(context: &Context<'_>, field: &Field) -> Result<Typed> {
    let attribute = match field {
        Field::Intrinsic(intrinsic) => return resolve_intrinsic(context, *intrinsic),
        Field::Attribute(attribute) => attribute,
    };
    let key = attribute.name.as_str();
    let mut typed = match attribute.scope {
        Scope::Span => attribute_value(context, AttributeScope::Span, key)?,
        Scope::Resource => resource_value(context, key)?,
        Scope::Event => attribute_value(context, AttributeScope::Event, key)?,
        Scope::Link => attribute_value(context, AttributeScope::Link, key)?,
        Scope::Instrumentation => attribute_value(context, AttributeScope::Instrumentation, key)?,
        Scope::Unscoped => unscoped_value(context, key)?,
        Scope::Parent => unscoped_value(&context.of_parent(), key)?,
        Scope::ParentSpan => attribute_value(&context.of_parent(), AttributeScope::Span, key)?,
        Scope::ParentResource => resource_value(&context.of_parent(), key)?,
    };
    match attribute.scope {
        Scope::Event => typed.guards.push(flag(HAS_EVENT)),
        Scope::Link => typed.guards.push(flag(HAS_LINK)),
        _ => {}
    }
    Ok(typed)
}

/// SEMANTICS.md S2: the span's attribute, else the resource's; the first that has the key, whatever its type.
fn unscoped_value(context: &Context<'_>, key: &str) -> Result<Typed> {
    let mut of_span = attribute_value(context, AttributeScope::Span, key)?;
    let of_resource = resource_value(context, key)?;
    if of_span.parts.is_empty() || of_resource.parts.is_empty() {
        of_span.parts.extend(of_resource.parts);
        return Ok(of_span);
    }
    let absent = all_of(of_span.parts.iter().map(|part| part.expr.clone().is_null()).collect());
    for part in of_resource.parts {
        of_span.push(part.value_type, when(absent.clone(), part.expr).end()?);
    }
    Ok(of_span)
}

/// SEMANTICS.md V1: `resource.service.name` is always a text.
fn resource_value(context: &Context<'_>, key: &str) -> Result<Typed> {
    match key {
        "service.name" => Ok(Typed::one(ValueType::String, context.column(SpanColumn::Service))),
        _ => attribute_value(context, AttributeScope::Resource, key),
    }
}

fn attribute_value(context: &Context<'_>, scope: AttributeScope, key: &str) -> Result<Typed> {
    let mut typed = Typed::default();
    for value_type in context.attribute_types(scope, key)? {
        let column = context.column(SpanColumn::Attribute { scope, key: key.to_owned(), value_type });
        // SEMANTICS.md V6: a list of one element behaves as the element.
        let mut list = |scalar, list, column: Expr| {
            typed.push(scalar, single().call(vec![column.clone()]));
            typed.push(list, many().call(vec![column]));
        };
        match value_type {
            AttributeType::String => typed.push(ValueType::String, column),
            AttributeType::Int => typed.push(ValueType::Int, column),
            AttributeType::Float => typed.push(ValueType::Float, column),
            AttributeType::Bool => typed.push(ValueType::Bool, column),
            AttributeType::StringArray => list(ValueType::String, ValueType::StringList, column),
            AttributeType::IntArray => list(ValueType::Int, ValueType::IntList, column),
            AttributeType::FloatArray => list(ValueType::Float, ValueType::FloatList, column),
            AttributeType::BoolArray => list(ValueType::Bool, ValueType::BoolList, column),
            AttributeType::Other => typed.push(ValueType::Other, column),
        }
    }
    Ok(typed)
}

fn resolve_intrinsic(context: &Context<'_>, intrinsic: Intrinsic) -> Result<Typed> {
    let (value_type, column) = match intrinsic {
        Intrinsic::Duration => (ValueType::Duration, SpanColumn::Duration),
        Intrinsic::Name => (ValueType::String, SpanColumn::Name),
        Intrinsic::Status => (ValueType::Status, SpanColumn::Status),
        Intrinsic::StatusMessage => (ValueType::String, SpanColumn::StatusMessage),
        Intrinsic::Kind => (ValueType::Kind, SpanColumn::Kind),
        Intrinsic::SpanId => (ValueType::String, SpanColumn::SpanIdText),
        Intrinsic::SpanParentId => (ValueType::String, SpanColumn::ParentIdText),
        Intrinsic::ChildCount => (ValueType::Int, SpanColumn::ChildCount),
        Intrinsic::TraceDuration => (ValueType::Duration, SpanColumn::TraceDuration),
        Intrinsic::RootName => (ValueType::String, SpanColumn::RootName),
        Intrinsic::RootServiceName => (ValueType::String, SpanColumn::RootService),
        Intrinsic::TraceId => (ValueType::String, SpanColumn::TraceIdText),
        Intrinsic::EventName => (ValueType::String, SpanColumn::EventName),
        Intrinsic::EventTimeSinceStart => (ValueType::Duration, SpanColumn::EventTimeSinceStart),
        Intrinsic::LinkTraceId => (ValueType::String, SpanColumn::LinkTraceId),
        Intrinsic::LinkSpanId => (ValueType::String, SpanColumn::LinkSpanId),
        Intrinsic::InstrumentationName => (ValueType::String, SpanColumn::ScopeName),
        Intrinsic::InstrumentationVersion => (ValueType::String, SpanColumn::ScopeVersion),
        Intrinsic::NestedSetLeft => (ValueType::Int, SpanColumn::NestedSetLeft),
        Intrinsic::NestedSetRight => (ValueType::Int, SpanColumn::NestedSetRight),
        Intrinsic::NestedSetParent => (ValueType::Int, SpanColumn::NestedSetParent),
        // SEMANTICS.md X4: there or not, and nothing else.
        Intrinsic::Parent => {
            let there = context.column(SpanColumn::HasParent);
            return Ok(Typed::one(
                ValueType::Other,
                when(there, lit(ScalarValue::Utf8View(Some("parent".to_owned())))).end()?,
            ));
        }
    };
    Ok(Typed::one(value_type, context.column(column)))
}
