//! Columns of SQL tables: expressions over columns of the span table.

use std::{collections::HashMap, sync::Arc};

use datafusion::{
    arrow::datatypes::DataType,
    common::{Column, Result, metadata::FieldMetadata},
    logical_expr::{Case, Expr, LogicalPlan, LogicalPlanBuilder, cast, lit},
};
use tracestore::block::SpanColumn;

use super::{Asked, filters::spans, functions::json_text};

/// A column of a SQL table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SqlColumn {
    pub(super) name: String,
    pub(super) expr: Expr,
    /// What the expression reads.
    pub(super) reads: Vec<SpanColumn>,
    /// Whether its texts are JSON.
    pub(super) json: bool,
}

impl SqlColumn {
    /// A column that shows another as it is.
    pub(super) fn plain(name: &str, column: SpanColumn) -> Self {
        Self::new(name, raw(&column), vec![column])
    }

    /// A column that shows something made of others.
    pub(super) fn new(name: &str, expr: Expr, reads: Vec<SpanColumn>) -> Self {
        Self { name: name.to_owned(), expr, reads, json: false }
    }

    /// The same with texts that are JSON.
    pub(super) fn json(self) -> Self {
        Self { json: true, ..self }
    }

    /// The expression under the column's name.
    fn aliased(self) -> Expr {
        let metadata = self.json.then(|| {
            FieldMetadata::from(HashMap::from([("ARROW:extension:name".to_owned(), "arrow.json".to_owned())]))
        });
        self.expr.alias_with_metadata(self.name, metadata)
    }
}

/// A column of the span table.
pub(super) fn raw(column: &SpanColumn) -> Expr {
    named(&column.name())
}

/// A column by its name, whatever characters that has.
pub(super) fn named(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

/// What some columns read, each once.
pub(super) fn reads(columns: &[SqlColumn]) -> Vec<SpanColumn> {
    let mut reads: Vec<SpanColumn> = Vec::new();
    for column in columns.iter().flat_map(|column| &column.reads) {
        if !reads.contains(column) {
            reads.push(column.clone());
        }
    }
    reads
}

/// Adds a column unless there is one of its name.
pub(super) fn add(columns: &mut Vec<SqlColumn>, column: SqlColumn) {
    if columns.iter().all(|known| known.name != column.name) {
        columns.push(column);
    }
}

/// The spans that meet some conditions, which read `more`, with the raw columns that all of this needs.
pub(super) fn scan(
    asked: &Asked,
    columns: &[SqlColumn],
    more: &[SpanColumn],
    conditions: impl IntoIterator<Item = Expr>,
) -> Result<LogicalPlanBuilder> {
    let mut wanted = reads(columns);
    wanted.extend(more.iter().filter(|column| !wanted.contains(column)).cloned().collect::<Vec<_>>());
    let scan = LogicalPlanBuilder::scan("spans", spans(asked, wanted), None)?;
    conditions.into_iter().filter(|condition| *condition != lit(true)).try_fold(scan, LogicalPlanBuilder::filter)
}

/// The columns of a table, from a plan that has what they read.
pub(super) fn project(input: LogicalPlanBuilder, columns: Vec<SqlColumn>) -> Result<LogicalPlan> {
    input.project(columns.into_iter().map(SqlColumn::aliased))?.build()
}

/// One of several values, each with its type, of which the first that is there counts: as it is if all are of one type,
/// as a float if they are numbers, else as text.
pub(super) fn first_of(values: Vec<(Expr, DataType)>) -> Expr {
    let same = values.iter().all(|(_, data_type)| Some(data_type) == values.first().map(|(_, first)| first));
    let numbers = values.iter().all(|(_, data_type)| matches!(data_type, DataType::Int64 | DataType::Float64));
    let values = values.into_iter().map(|(expr, data_type)| match data_type {
        _ if same => expr,
        _ if numbers => cast(expr, DataType::Float64),
        DataType::Utf8View => expr,
        DataType::List(_) => json_text(expr),
        _ => cast(expr, DataType::Utf8View),
    });
    let values: Vec<Expr> = values.collect();
    let there = values.iter().map(|value| (Box::new(value.clone().is_not_null()), Box::new(value.clone())));
    match values.as_slice() {
        [value] => value.clone(),
        [.., last] => {
            let before = there.take(values.len() - 1).collect();
            Expr::Case(Case::new(None, before, Some(Box::new(last.clone()))))
        }
        [] => lit(datafusion::scalar::ScalarValue::Utf8View(None)),
    }
}

/// A plan as a table.
pub(super) fn view_table(plan: LogicalPlan) -> Arc<dyn datafusion::catalog::TableProvider> {
    Arc::new(datafusion::catalog::view::ViewTable::new(plan, None))
}
