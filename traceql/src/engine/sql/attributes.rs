//! Names in double quotes as columns: fields of the language, with or without their scope and type. SQL.md has the rules.

use datafusion::{
    arrow::datatypes::DataType,
    logical_expr::{Case, Expr, lit, utils::conjunction},
};
use tracestore::{
    Result, Snapshot,
    block::{AttributeScope, AttributeType, Level, SpanColumn},
};

use super::{
    Asked,
    columns::{SqlColumn, first_of, raw},
    functions::{attributes_json, kind_word, status_word},
    keys::stored,
};
use crate::{
    plan::{OutputColumn, ValueKind, output_columns},
    syntax::ast::{Attribute, Field, Intrinsic, Scope},
};

/// What the rows of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    Spans,
    Events,
    Links,
}

const PREFIXES: [(&str, Scope); 9] = [
    ("span.", Scope::Span),
    ("resource.", Scope::Resource),
    ("event.", Scope::Event),
    ("link.", Scope::Link),
    ("instrumentation.", Scope::Instrumentation),
    ("parent.span.", Scope::ParentSpan),
    ("parent.resource.", Scope::ParentResource),
    ("parent.", Scope::Parent),
    (".", Scope::Unscoped),
];

const TYPES: [AttributeType; 9] = [
    AttributeType::String,
    AttributeType::Int,
    AttributeType::Float,
    AttributeType::Bool,
    AttributeType::StringArray,
    AttributeType::IntArray,
    AttributeType::FloatArray,
    AttributeType::BoolArray,
    AttributeType::Other,
];

impl Rows {
    /// Where a name without a scope is looked for.
    fn scope(self) -> Scope {
        match self {
            Self::Spans => Scope::Unscoped,
            Self::Events => Scope::Event,
            Self::Links => Scope::Link,
        }
    }

    /// Whether a row has one value of a column.
    fn has(self, column: &SpanColumn) -> bool {
        match column.level() {
            Level::Span => true,
            Level::Event => self == Self::Events,
            Level::Link => self == Self::Links,
        }
    }

    /// The columns of these rows that hold attributes as JSON, and the attributes in them.
    fn json_columns(self) -> &'static [(&'static str, AttributeScope)] {
        match self {
            Self::Spans => &[("attributes", AttributeScope::Span), ("resource_attributes", AttributeScope::Resource)],
            Self::Events => &[("attributes", AttributeScope::Event)],
            Self::Links => &[("attributes", AttributeScope::Link)],
        }
    }
}

/// The columns that a statement names and the data has.
pub(super) fn named_columns(asked: &Asked, rows: Rows) -> Result<Vec<SqlColumn>> {
    let Asked { view, names, .. } = asked;
    let mut columns = Vec::new();
    for name in &names.quoted {
        columns.extend(named_column(view, name, rows)?);
    }
    for (column, key) in &names.keys {
        let json = rows.json_columns().iter().find(|(name, _)| name == column);
        if let Some((_, scope)) = json {
            columns.push(key_column(view, *scope, key)?);
        }
    }
    Ok(columns)
}

/// The column of `attributes['key']`: a text that is never there if the data has no such attribute.
fn key_column(view: &Snapshot, scope: AttributeScope, key: &str) -> Result<SqlColumn> {
    let scope = match scope {
        AttributeScope::Resource => Scope::Resource,
        AttributeScope::Event => Scope::Event,
        AttributeScope::Link => Scope::Link,
        _ => Scope::Span,
    };
    let field = Field::Attribute(Attribute { scope, name: key.to_owned() });
    let name = field_name(&field);
    let column = field_column(view, &name, &field, None, |_| true)?;
    let absent = || typed_column(&name, &field, AttributeType::String);
    Ok(column.or_else(absent).unwrap_or_else(|| SqlColumn::new(&name, first_of(Vec::new()), Vec::new())))
}

/// The column that a name stands for, if the data has it.
pub(super) fn named_column(view: &Snapshot, name: &str, rows: Rows) -> Result<Option<SqlColumn>> {
    for field in fields(name, rows) {
        if let Some(column) = field_column(view, name, &field, None, |column| rows.has(column))? {
            return Ok(Some(column));
        }
    }
    let typed = name.rsplit_once(':').and_then(|(key, suffix)| {
        let value_type = TYPES.into_iter().find(|value_type| value_type.name() == suffix)?;
        Some((key, value_type))
    });
    let Some((key, value_type)) = typed else { return Ok(None) };
    let fields = fields(key, rows);
    for field in &fields {
        if let Some(column) = field_column(view, name, field, Some(value_type), |column| rows.has(column))? {
            return Ok(Some(column));
        }
    }
    // What is asked for with its type is a column whether the data has it or not.
    Ok(fields
        .iter()
        .find_map(|field| typed_column(name, field, value_type))
        .filter(|column| column.reads.iter().all(|column| rows.has(column))))
}

/// The column of a field that a search names, under the field's own name.
pub(super) fn searched_column(view: &Snapshot, field: &Field) -> Result<Option<SqlColumn>> {
    field_column(view, &field_name(field), field, None, |column| Rows::Spans.has(column))
}

/// What a name may mean, most likely first.
fn fields(name: &str, rows: Rows) -> Vec<Field> {
    let attribute = |scope, name: &str| Field::Attribute(Attribute { scope, name: name.to_owned() });
    let mut fields: Vec<Field> = intrinsic(name, rows).map(Field::Intrinsic).into_iter().collect();
    let prefixed = PREFIXES.iter().filter_map(|(prefix, scope)| Some((name.strip_prefix(prefix)?, *scope)));
    fields.extend(prefixed.map(|(key, scope)| attribute(scope, key)));
    fields.push(attribute(rows.scope(), name));
    fields
}

/// The intrinsic of a name; of spans also in its short form.
fn intrinsic(name: &str, rows: Rows) -> Option<Intrinsic> {
    let scoped =
        |intrinsic: &Intrinsic| intrinsic.scoped().is_some_and(|(scope, word)| name == format!("{scope}:{word}"));
    let bare = |intrinsic: &Intrinsic| rows == Rows::Spans && intrinsic.bare() == Some(name);
    Intrinsic::ALL.into_iter().find(|intrinsic| scoped(intrinsic) || bare(intrinsic))
}

/// What a field's column is called: as the language writes it, without quotes, and without the dot of unscoped names.
fn field_name(field: &Field) -> String {
    match field {
        Field::Intrinsic(_) => field.to_string(),
        Field::Attribute(Attribute { scope, name }) => {
            let prefix = PREFIXES.iter().find(|(_, other)| other == scope).map_or("", |(prefix, _)| prefix);
            format!("{}{name}", prefix.trim_start_matches('.'))
        }
    }
}

/// A field as a column, as far as the data has it (with that type).
fn field_column(
    view: &Snapshot,
    name: &str,
    field: &Field,
    only: Option<AttributeType>,
    has: impl Fn(&SpanColumn) -> bool,
) -> Result<Option<SqlColumn>> {
    let mut found = output_columns(view, std::slice::from_ref(field))?;
    found.retain(|found| has(&found.column));
    let wanted = |found: &&OutputColumn| only.is_none_or(|only| value_type(&found.column) == Some(only));
    let shown: Vec<&OutputColumn> = found.iter().filter(wanted).collect();
    if shown.is_empty() {
        return Ok(None);
    }
    let json = shown.iter().all(|found| found.kind == ValueKind::Json);
    // SEMANTICS.md S2: the first scope that has the key counts, also with a value of a type that is not asked for.
    let first: Vec<Expr> = found.iter().filter(|found| !found.fallback).map(|found| raw(&found.column)).collect();
    let hidden = |found: &OutputColumn| only.is_some() && found.fallback && !first.is_empty();
    let values = shown.iter().map(|found| match value(found) {
        (value, data_type) if hidden(found) => {
            let absent = conjunction(first.iter().map(|first| first.clone().is_null()));
            (
                Expr::Case(Case::new(
                    None,
                    vec![(Box::new(absent.unwrap_or_else(|| lit(true))), Box::new(value))],
                    None,
                )),
                data_type,
            )
        }
        shown => shown,
    });
    let expr = first_of(values.collect());
    let reads = found.iter().filter(|found| wanted(found) || !found.fallback);
    let column = SqlColumn::new(name, expr, reads.map(|found| found.column.clone()).collect());
    Ok(Some(if json { column.json() } else { column }))
}

/// The value of a column in SQL, and its type.
fn value(found: &OutputColumn) -> (Expr, DataType) {
    let column = raw(&found.column);
    match found.kind {
        ValueKind::Status => (status_word().call(vec![column]), DataType::Utf8View),
        ValueKind::Kind => (kind_word().call(vec![column]), DataType::Utf8View),
        ValueKind::Plain | ValueKind::Duration | ValueKind::Json => (column, found.column.value_data_type()),
    }
}

/// The type of an attribute's column; a resource's service is a text.
fn value_type(column: &SpanColumn) -> Option<AttributeType> {
    match column {
        SpanColumn::Attribute { value_type, .. } => Some(*value_type),
        SpanColumn::Service => Some(AttributeType::String),
        SpanColumn::OfParent(column) => value_type(column),
        _ => None,
    }
}

/// The column of an attribute with one type, whatever the data has.
fn typed_column(name: &str, field: &Field, value_type: AttributeType) -> Option<SqlColumn> {
    let Field::Attribute(Attribute { scope, name: key }) = field else { return None };
    let scope = match scope {
        Scope::Unscoped | Scope::Span => AttributeScope::Span,
        Scope::Resource => AttributeScope::Resource,
        Scope::Event => AttributeScope::Event,
        Scope::Link => AttributeScope::Link,
        Scope::Instrumentation => AttributeScope::Instrumentation,
        Scope::Parent | Scope::ParentSpan | Scope::ParentResource => return None,
    };
    Some(SqlColumn::plain(name, SpanColumn::Attribute { scope, key: key.clone(), value_type }))
}

/// The columns that hold all attributes of a scope as one JSON object. Where the statement does not ask for one, it is
/// there by name only.
pub(super) fn json_columns(asked: &Asked, rows: Rows) -> Result<Vec<SqlColumn>> {
    let columns = rows.json_columns().iter().map(|(name, scope)| {
        if !asked.names.want(name) {
            return Ok(SqlColumn::new(name, first_of(Vec::new()), Vec::new()).json());
        }
        let keys = stored(&asked.view, *scope)?.into_iter();
        let keys = keys.flat_map(|(key, types)| types.into_iter().map(move |value| (key.clone(), value)));
        let (mut parts, mut reads) = (Vec::new(), Vec::new());
        for (key, value_type) in keys {
            parts.push((key.clone(), value_type == AttributeType::Other));
            reads.push(SpanColumn::Attribute { scope: *scope, key, value_type });
        }
        let arguments = reads.iter().map(raw).collect();
        Ok(SqlColumn::new(name, attributes_json(*scope, parts).call(arguments), reads).json())
    });
    columns.collect()
}
