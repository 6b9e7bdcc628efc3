//! The span table as SQL scans it: conditions on what SQL shows (words, timestamps) become conditions on what the table
//! holds (numbers), which have statistics and cost less. What is no such condition is tested as it is.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    arrow::datatypes::SchemaRef,
    catalog::{Session, TableProvider},
    common::{
        Result,
        tree_node::{Transformed, TreeNode},
    },
    datasource::provider_as_source,
    logical_expr::{
        BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableSource, TableType, expr::InList, lit,
    },
    physical_plan::ExecutionPlan,
};
use tracestore::{block::SpanColumn, table::SpanTable};

use super::{Asked, functions::Shown};

/// The spans with some columns.
pub(super) fn spans(asked: &Asked, columns: Vec<SpanColumn>) -> Arc<dyn TableSource> {
    let table = SpanTable::new(asked.view.clone(), columns).with_pruning(asked.engine.options.pruning);
    provider_as_source(Arc::new(SqlSpans(table)))
}

#[derive(Debug)]
struct SqlSpans(SpanTable);

#[async_trait]
impl TableProvider for SqlSpans {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn table_type(&self) -> TableType {
        self.0.table_type()
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        self.0.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let filters = filters.iter().cloned().map(on_stored).collect::<Result<Vec<_>>>()?;
        self.0.scan(state, projection, &filters, limit).await
    }
}

/// The same condition on stored values where it is one on shown values.
fn on_stored(filter: Expr) -> Result<Expr> {
    let rewritten = filter.transform_up(|expr| {
        let stored = match &expr {
            Expr::BinaryExpr(binary) => comparison(binary),
            Expr::InList(list) => member(list),
            _ => None,
        };
        Ok(stored.map_or_else(|| Transformed::no(expr), Transformed::yes))
    });
    Ok(rewritten?.data)
}

/// `shown(x) = 'word'` as `x = number`, either way round.
fn comparison(BinaryExpr { left, op, right }: &BinaryExpr) -> Option<Expr> {
    let (function, value, op) = match (left.as_ref(), right.as_ref()) {
        (Expr::ScalarFunction(function), Expr::Literal(value, _)) => (function, value, *op),
        (Expr::Literal(value, _), Expr::ScalarFunction(function)) => (function, value, op.swap()?),
        _ => return None,
    };
    let shown = Shown::of(&function.func)?;
    let equal = matches!(op, Operator::Eq | Operator::NotEq | Operator::IsDistinctFrom | Operator::IsNotDistinctFrom);
    let ordered = matches!(op, Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq);
    let same = equal || ordered && shown.keeps_order();
    if !same {
        return None;
    }
    let [argument] = function.args.as_slice() else { return None };
    let stored = Box::new(lit(shown.stored(value)?));
    Some(Expr::BinaryExpr(BinaryExpr { left: Box::new(argument.clone()), op, right: stored }))
}

/// `shown(x) IN ('word', …)` as `x IN (number, …)`.
fn member(InList { expr, list, negated }: &InList) -> Option<Expr> {
    let Expr::ScalarFunction(function) = expr.as_ref() else { return None };
    let shown = Shown::of(&function.func)?;
    let [argument] = function.args.as_slice() else { return None };
    let stored = list.iter().map(|value| match value {
        Expr::Literal(value, _) => Some(lit(shown.stored(value)?)),
        _ => None,
    });
    Some(argument.clone().in_list(stored.collect::<Option<_>>()?, *negated))
}
