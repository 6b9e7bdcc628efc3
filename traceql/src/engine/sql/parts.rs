//! The tables `events` and `links`: a row per event (link) of a span. The span table has them as lists; here the lists
//! of the spans that have any are unfolded, those of one span side by side.

use datafusion::{
    common::{Column, NullHandling, Result, UnnestOptions},
    logical_expr::LogicalPlan,
};
use tracestore::block::{Level, SpanColumn};

use super::{
    Asked,
    attributes::{Rows, json_columns, named_columns},
    columns::{SqlColumn, add, project, raw, reads, scan},
    functions::{has_elements, timestamp_after},
};

/// The table `events`.
pub(super) fn events(asked: &Asked) -> Result<LogicalPlan> {
    let time = timestamp_after().call(vec![raw(&SpanColumn::StartTime), raw(&SpanColumn::EventTimeSinceStart)]);
    let own = vec![
        SqlColumn::plain("name", SpanColumn::EventName),
        SqlColumn::new("time", time, vec![SpanColumn::StartTime, SpanColumn::EventTimeSinceStart]),
        SqlColumn::plain("time_since_start_nanos", SpanColumn::EventTimeSinceStart),
    ];
    plan(asked, Rows::Events, own, &SpanColumn::EventName)
}

/// The table `links`.
pub(super) fn links(asked: &Asked) -> Result<LogicalPlan> {
    let own = vec![
        SqlColumn::plain("linked_trace_id", SpanColumn::LinkTraceId),
        SqlColumn::plain("linked_span_id", SpanColumn::LinkSpanId),
    ];
    plan(asked, Rows::Links, own, &SpanColumn::LinkSpanId)
}

/// A table with a row for each element of the lists; `every` is one that has an element for each.
fn plan(asked: &Asked, rows: Rows, own: Vec<SqlColumn>, every: &SpanColumn) -> Result<LogicalPlan> {
    let mut columns = vec![
        SqlColumn::plain("trace_id", SpanColumn::TraceIdText),
        SqlColumn::plain("span_id", SpanColumn::SpanIdText),
    ];
    columns.extend(own);
    columns.extend(json_columns(asked, rows)?);
    for column in named_columns(asked, rows)? {
        add(&mut columns, column);
    }
    let lists = reads(&columns).into_iter().filter(|column| column.level() != Level::Span);
    let lists = lists.map(|column| Column::new_unqualified(column.name())).collect();
    let spans = scan(asked, &columns, std::slice::from_ref(every), [has_elements().call(vec![raw(every)])])?;
    let options = UnnestOptions::new().with_null_handling(NullHandling::Drop);
    project(spans.unnest_columns_with_options(lists, options)?, columns)
}
