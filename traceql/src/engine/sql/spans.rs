//! The table `spans`: a row per span.

use datafusion::{
    common::Result,
    functions::core::expr_fn::nullif,
    logical_expr::{LogicalPlan, lit},
};
use tracestore::block::SpanColumn;

use super::{
    Asked,
    attributes::{Rows, json_columns, named_columns},
    columns::{SqlColumn, add, project, raw, scan},
    functions::{kind_word, status_word, timestamp},
};

/// A root's parent id in the span table.
const NO_PARENT: &str = "0000000000000000";

/// The table, as far as a statement can ask for it.
pub(super) fn plan(asked: &Asked) -> Result<LogicalPlan> {
    let columns = columns(asked)?;
    project(scan(asked, &columns, &[], [])?, columns)
}

/// The columns of a span, then those that the statement names.
pub(super) fn columns(asked: &Asked) -> Result<Vec<SqlColumn>> {
    let mut columns = fixed_columns();
    columns.extend(json_columns(asked, Rows::Spans)?);
    for column in named_columns(asked, Rows::Spans)? {
        add(&mut columns, column);
    }
    Ok(columns)
}

fn fixed_columns() -> Vec<SqlColumn> {
    let made = |name, made: fn() -> datafusion::logical_expr::ScalarUDF, of: SpanColumn| {
        SqlColumn::new(name, made().call(vec![raw(&of)]), vec![of])
    };
    let parent = nullif(raw(&SpanColumn::ParentIdText), lit(NO_PARENT));
    vec![
        SqlColumn::plain("trace_id", SpanColumn::TraceIdText),
        SqlColumn::plain("span_id", SpanColumn::SpanIdText),
        SqlColumn::new("parent_span_id", parent, vec![SpanColumn::ParentIdText]),
        SqlColumn::plain("name", SpanColumn::Name),
        made("kind", kind_word, SpanColumn::Kind),
        made("status", status_word, SpanColumn::Status),
        SqlColumn::plain("status_message", SpanColumn::StatusMessage),
        SqlColumn::plain("service", SpanColumn::Service),
        made("start_time", timestamp, SpanColumn::StartTime),
        SqlColumn::plain("duration_nanos", SpanColumn::Duration),
        SqlColumn::plain("scope_name", SpanColumn::ScopeName),
        SqlColumn::plain("scope_version", SpanColumn::ScopeVersion),
    ]
}
