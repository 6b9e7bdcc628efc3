//! Names and values: lines for scripts, tables for people, a JSON object per line.

use std::io::Write;

use serde_json::json;
use traceql::{TagNames, TagValue, TagValues, Value, output::tag_value_to_json, syntax::ast::Literal};

use crate::{
    exit::Failure,
    terminal::{Style, clean},
};

/// A name per line, as a query writes it. One that would take several lines cannot be written in a query; it is escaped,
/// so that no query takes it for another.
pub(crate) fn names_lines(out: &mut impl Write, names: &TagNames) -> Result<(), Failure> {
    for field in names.scopes.iter().flat_map(|scope| scope.fields()) {
        match field.contains(char::is_control) {
            true => writeln!(out, "{}", escaped(&field))?,
            false => writeln!(out, "{field}")?,
        }
    }
    Ok(())
}

fn escaped(text: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect()
}

/// The names below their scopes.
pub(crate) fn names_table(out: &mut impl Write, names: &TagNames, style: Style) -> Result<(), Failure> {
    for scope in &names.scopes {
        writeln!(out, "{} {}", style.bold(scope.scope.name()), style.dim(&format!("({})", scope.names.len())))?;
        for field in scope.fields() {
            writeln!(out, "  {}", clean(&field))?;
        }
    }
    Ok(())
}

pub(crate) fn names_ndjson(out: &mut impl Write, names: &TagNames) -> Result<(), Failure> {
    for scope in &names.scopes {
        for (name, field) in scope.names.iter().zip(scope.fields()) {
            writeln!(out, "{}", json!({ "scope": scope.scope.name(), "name": name, "field": field }))?;
        }
    }
    Ok(())
}

/// A value per line. A text that would take several lines is written as a query writes it, in quotes.
pub(crate) fn values_lines(out: &mut impl Write, values: &TagValues) -> Result<(), Failure> {
    for found in &values.values {
        match &found.value {
            Value::String(text) if text.contains(char::is_control) => {
                writeln!(out, "{}", Literal::String(text.clone()))?;
            }
            _ => writeln!(out, "{found}")?,
        }
    }
    Ok(())
}

/// How many spans, the value, and its type where it cannot be told by looking at it.
pub(crate) fn values_table(out: &mut impl Write, values: &TagValues, style: Style) -> Result<(), Failure> {
    let widest = values.values.iter().map(|found| found.count.to_string().len()).max().unwrap_or(0);
    let mixed = values.values.iter().any(|found| Some(found.type_name()) != first_type(values));
    for found in &values.values {
        let shown = match &found.value {
            Value::String(text) if text.is_empty() => style.dim("(empty)"),
            Value::Status(2) => style.error(&found.to_string()),
            _ => clean(&found.to_string()),
        };
        let type_name = if mixed { format!("  {}", style.dim(found.type_name())) } else { String::new() };
        writeln!(out, "{:>widest$}  {shown}{type_name}", found.count)?;
    }
    let (shown, all) = (values.values.len(), values.distinct);
    let summary = match (shown, all) {
        (1, 1) => format!("1 value of {}", values.field),
        _ if shown < all => format!("{shown} of {all} values of {}", values.field),
        _ => format!("{all} values of {}", values.field),
    };
    Ok(writeln!(out, "{}", style.dim(&clean(&summary)))?)
}

fn first_type(values: &TagValues) -> Option<&'static str> {
    values.values.first().map(TagValue::type_name)
}

pub(crate) fn values_ndjson(out: &mut impl Write, values: &TagValues) -> Result<(), Failure> {
    for found in &values.values {
        writeln!(out, "{}", tag_value_to_json(found))?;
    }
    Ok(())
}
