//! `attributes['key']` as the attribute's column: the column is there because the statement names it so.

use datafusion::{
    common::{Column, DFSchema, Result, ScalarValue},
    logical_expr::{
        Expr, GetFieldAccess,
        planner::{ExprPlanner, PlannerResult, RawFieldAccessExpr},
    },
};

/// Plans keys in brackets.
#[derive(Debug)]
pub(super) struct KeyPlanner;

impl ExprPlanner for KeyPlanner {
    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        Ok(match column(&access, schema) {
            Some(column) => PlannerResult::Planned(Expr::Column(column)),
            None => PlannerResult::Original(access),
        })
    }
}

/// The column of a key, where the table has one.
fn column(access: &RawFieldAccessExpr, schema: &DFSchema) -> Option<Column> {
    let (Expr::Column(object), GetFieldAccess::NamedStructField { name: ScalarValue::Utf8(Some(key)) }) =
        (&access.expr, &access.field_access)
    else {
        return None;
    };
    // Events and links have attributes of their own, and may have their span's beside them.
    let scopes: &[&str] = match object.name.as_str() {
        "attributes" => &["event", "link", "span"],
        "resource_attributes" => &["resource"],
        _ => return None,
    };
    let columns = scopes.iter().map(|scope| Column::new(object.relation.clone(), format!("{scope}.{key}")));
    columns.into_iter().find(|column| schema.has_column(column))
}
