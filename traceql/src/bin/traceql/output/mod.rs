//! Results as text.

mod chart;
mod csv;
mod diff;
mod graph;
mod json;
mod metrics;
mod rows;
mod rules;
mod table;
mod tags;
mod timing;
mod waterfall;

pub(crate) use chart::{Look, Units, chart, table as metrics_table};
pub(crate) use csv::csv;
pub(crate) use diff::{diff_json, diff_table};
pub(crate) use graph::{graph_chart, graph_dot, graph_json, graph_table};
pub(crate) use json::{document, lines};
pub(crate) use metrics::metrics_csv;
pub(crate) use rows::{rows_csv, rows_json, rows_ndjson, rows_table};
pub(crate) use rules::{rules_json, rules_ndjson, rules_text};
pub(crate) use table::table;
pub(crate) use tags::{names_lines, names_ndjson, names_table, values_lines, values_ndjson, values_table};
pub(crate) use timing::timing;
use traceql::Value;
pub(crate) use waterfall::waterfall;

use crate::terminal;

/// A value as people read it.
fn text(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Duration(nanos) if *nanos < 0 => format!("-{}", terminal::duration(nanos.unsigned_abs())),
        Value::Duration(nanos) => terminal::duration(nanos.unsigned_abs()),
        Value::Nil => "nil".to_owned(),
        Value::String(text) | Value::Json(text) => text.clone(),
        Value::Status(code) => traceql::output::status_word(*code),
        Value::Kind(code) => traceql::output::kind_word(*code),
        Value::Array(values) => format!("[{}]", values.iter().map(text).collect::<Vec<_>>().join(", ")),
    }
}
