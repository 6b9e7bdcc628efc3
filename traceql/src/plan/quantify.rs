//! "Some element", "every element", "some event and some link": conditions that hold for elements of lists.
//!
//! Each becomes a function over the lists (see [`crate::functions::quantifier`]) that carries the condition on one
//! element as an expression of its own.

use std::sync::Arc;

use datafusion::{
    arrow::datatypes::{DataType, Field, Schema},
    common::{Column, DFSchema, Result},
    logical_expr::Expr,
};
use tracestore::block::{Level, SpanColumn};

use super::{
    context::Context,
    typed::{Part, all_of},
};
use crate::functions::{Dimension, Quantifier};

/// Within a condition on an event or link: whether there is one.
pub(super) const HAS_EVENT: &str = "has_event";
pub(super) const HAS_LINK: &str = "has_link";

/// A flag as an expression.
pub(super) fn flag(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

/// Parts of which some are lists, and whether every combination of elements is meant or some.
pub(super) struct Quantified<'a> {
    pub(super) all: bool,
    pub(super) parts: &'a [&'a Part],
}

/// The condition `inner` for elements of the lists among some parts; `None` where it is not defined for their types.
pub(super) fn quantify_lists(
    context: &Context<'_>,
    quantified: Quantified<'_>,
    inner: impl Fn(&[Part]) -> Option<Expr>,
) -> Result<Option<Expr>> {
    let names = ["left", "right"];
    let parts = quantified.parts.iter().zip(names);
    let elements: Vec<Part> = parts
        .map(|(part, name)| Part {
            value_type: part.value_type.element().unwrap_or(part.value_type),
            expr: Expr::Column(Column::new_unqualified(name)),
        })
        .collect();
    let Some(condition) = inner(&elements) else { return Ok(None) };
    let fields = elements.iter().zip(names).map(|(part, name)| Field::new(name, data_type(part), true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    // Lists vary independently of one another.
    let dimensions = quantified.parts.iter().zip([Dimension::First, Dimension::Second]);
    let dimensions = dimensions.map(|(part, dimension)| match part.value_type.element() {
        Some(_) => dimension,
        None => Dimension::Row,
    });
    let quantifier = Quantifier {
        name: if quantified.all { "every_element" } else { "some_element" }.to_owned(),
        text: condition.to_string(),
        all: quantified.all,
        dimensions: dimensions.collect(),
        flags: [None, None],
        condition: context.physical(&condition, &DFSchema::try_from(schema.clone())?)?,
        schema: Arc::new(schema),
    };
    let arguments = quantified.parts.iter().map(|part| part.expr.clone()).collect();
    Ok(Some(quantifier.into_function().call(arguments)))
}

fn data_type(part: &Part) -> DataType {
    use super::typed::ValueType::{Bool, Duration, Float, Int, Kind, Status};
    match part.value_type {
        Bool => DataType::Boolean,
        Int | Duration => DataType::Int64,
        Float => DataType::Float64,
        Status | Kind => DataType::Int32,
        _ => DataType::Utf8View,
    }
}

/// Binds the events and links that a conjunction speaks of (SEMANTICS.md S1): the conjuncts that speak of events hold
/// for one event, those that speak of links for one link; where one speaks of both, all of them are bound together.
pub(super) fn bind(context: &Context<'_>, conjuncts: Vec<Expr>, columns: &[SpanColumn]) -> Result<Expr> {
    let (mut plain, mut events, mut links, mut both) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for conjunct in conjuncts {
        let used = used_columns(&conjunct, columns);
        let has = |level, name| {
            used.iter().any(|column| column.level() == level)
                || conjunct.column_refs().iter().any(|column| column.name == name)
        };
        match (has(Level::Event, HAS_EVENT), has(Level::Link, HAS_LINK)) {
            (false, false) => plain.push(conjunct),
            (true, false) => events.push(conjunct),
            (false, true) => links.push(conjunct),
            (true, true) => both.push(conjunct),
        }
    }
    if !both.is_empty() {
        both.append(&mut events);
        both.append(&mut links);
    }
    for (name, group) in [("some_event", events), ("some_link", links), ("some_event_and_link", both)] {
        if !group.is_empty() {
            plain.push(bind_group(context, name, all_of(group), columns)?);
        }
    }
    Ok(all_of(plain))
}

fn used_columns(expr: &Expr, columns: &[SpanColumn]) -> Vec<SpanColumn> {
    let refs = expr.column_refs();
    columns.iter().filter(|column| refs.iter().any(|found| found.name == column.name())).cloned().collect()
}

fn bind_group(context: &Context<'_>, name: &str, condition: Expr, columns: &[SpanColumn]) -> Result<Expr> {
    let mut used = used_columns(&condition, columns);
    let refs = condition.column_refs();
    let mut flags = [None, None];
    let pairs = [(HAS_EVENT, Level::Event, SpanColumn::EventName), (HAS_LINK, Level::Link, SpanColumn::LinkSpanId)];
    for (flag, (name, level, stand_in)) in flags.iter_mut().zip(pairs) {
        if refs.iter().any(|column| column.name == name) {
            // Any column of the events tells how many there are.
            if !used.iter().any(|column| column.level() == level) {
                context.column(stand_in.clone());
                used.push(stand_in);
            }
            *flag = Some(name);
        }
    }
    let mut fields: Vec<Field> =
        used.iter().map(|column| Field::new(column.name(), column.value_data_type(), true)).collect();
    fields.extend(flags.iter().flatten().map(|name| Field::new(*name, DataType::Boolean, false)));
    let schema = Schema::new(fields);
    let dimensions = used.iter().map(|column| match column.level() {
        Level::Span => Dimension::Row,
        Level::Event => Dimension::First,
        Level::Link => Dimension::Second,
    });
    let quantifier = Quantifier {
        name: name.to_owned(),
        text: condition.to_string(),
        all: false,
        dimensions: dimensions.collect(),
        flags,
        condition: context.physical(&condition, &DFSchema::try_from(schema.clone())?)?,
        schema: Arc::new(schema),
    };
    let arguments = used.iter().map(|column| Expr::Column(Column::new_unqualified(column.name()))).collect();
    Ok(quantifier.into_function().call(arguments))
}
