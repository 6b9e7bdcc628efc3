//! What the planner needs to know of the data: which types attributes have. And what it found to be needed: columns.

use std::{cell::RefCell, rc::Rc};

use datafusion::{
    common::{Column, DFSchema, Result},
    logical_expr::Expr,
    prelude::SessionContext,
};
use tracestore::block::{AttributeScope, AttributeType, SpanColumn};

/// The types that attributes have in the data that is asked.
pub(crate) trait Types {
    /// The types of an attribute; none when no span has it.
    fn attribute_types(&self, scope: AttributeScope, key: &str) -> tracestore::Result<Vec<AttributeType>>;
}

impl Types for tracestore::Snapshot {
    fn attribute_types(&self, scope: AttributeScope, key: &str) -> tracestore::Result<Vec<AttributeType>> {
        self.attribute_types(scope, key)
    }
}

/// One query's planning.
pub(crate) struct Context<'a> {
    types: &'a dyn Types,
    session: &'a SessionContext,
    columns: Rc<RefCell<Vec<SpanColumn>>>,
    /// Whether fields are those of the parent.
    parent: bool,
}

impl<'a> Context<'a> {
    pub(crate) fn new(types: &'a dyn Types, session: &'a SessionContext) -> Self {
        Self { types, session, columns: Rc::default(), parent: false }
    }

    /// The same planning, with fields of the parent span (SEMANTICS.md X4).
    pub(super) fn of_parent(&self) -> Self {
        Self { types: self.types, session: self.session, columns: Rc::clone(&self.columns), parent: true }
    }

    /// The types of an attribute.
    pub(super) fn attribute_types(&self, scope: AttributeScope, key: &str) -> Result<Vec<AttributeType>> {
        Ok(self.types.attribute_types(scope, key)?)
    }

    /// The column as an expression; it is noted as needed.
    pub(crate) fn column(&self, column: SpanColumn) -> Expr {
        let column = if self.parent { SpanColumn::OfParent(Box::new(column)) } else { column };
        let expr = Expr::Column(Column::new_unqualified(column.name()));
        let mut columns = self.columns.borrow_mut();
        if !columns.contains(&column) {
            columns.push(column);
        }
        expr
    }

    /// The columns noted so far.
    pub(crate) fn columns(&self) -> Vec<SpanColumn> {
        self.columns.borrow().clone()
    }

    /// An expression over a schema of its own, made ready to run.
    pub(super) fn physical(
        &self,
        expr: &Expr,
        schema: &DFSchema,
    ) -> Result<std::sync::Arc<dyn datafusion::physical_expr::PhysicalExpr>> {
        self.session.create_physical_expr(expr.clone(), schema)
    }
}
