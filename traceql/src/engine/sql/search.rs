//! The table function `traceql('…')`: the spans that a search finds, with the columns of `spans`, the number of the
//! spanset in its trace, what the search computed of the spanset, and the fields that it names.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    arrow::datatypes::{DataType, Field, Schema, SchemaRef},
    catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider},
    common::{DataFusionError, Result, plan_err, project_schema},
    datasource::provider_as_source,
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableType, lit},
    physical_plan::ExecutionPlan,
};
use tracestore::block::SpanColumn;

use super::{
    Asked,
    attributes::searched_column,
    columns::{SqlColumn, add, named, project, reads, scan, view_table},
    spans,
};
use crate::{
    engine::{labels::shape, search::Search},
    ir::{self, Spansets, Stage},
    nodes::found_spans::{FoundColumn, FoundSpansExec},
    plan::{Context, filter_conjuncts},
    syntax::ast,
};

/// What a pipeline delivers of every span that it finds.
const PLACE: [SpanColumn; 4] = [SpanColumn::Block, SpanColumn::Trace, SpanColumn::Row, SpanColumn::TraceStart];

/// The column of a spanset's number.
const SPANSET: &str = "spanset";

/// The function, as one statement has it.
#[derive(Debug)]
pub(super) struct SearchFunction(pub(super) Asked);

impl SearchFunction {
    fn table(&self, text: &str) -> crate::Result<LogicalPlan> {
        let Asked { engine, view, .. } = &self.0;
        let search = engine.compile(text)?;
        let mut shown = spans::columns(&self.0)?;
        for field in search.fields.iter().filter(|field| matches!(field, ast::Field::Attribute(_))) {
            if let Some(column) = searched_column(view, field)? {
                add(&mut shown, column);
            }
        }
        shown.retain(|column| column.name != SPANSET);
        // `select` names fields and does nothing to spansets.
        let mut stages = search.pipeline.stages.iter().filter(|stage| !matches!(stage, Stage::Select(_)));
        match (stages.next(), stages.next()) {
            (Some(Stage::Spansets(Spansets::Filter(condition))), None) => Ok(self.filtered(condition, shown)?),
            _ => self.found(&search, shown),
        }
    }

    /// One filter: a scan with conditions.
    fn filtered(&self, condition: &ir::Expr, shown: Vec<SqlColumn>) -> Result<LogicalPlan> {
        let context = Context::new(&self.0.view, self.0.engine.session.context());
        let conditions = filter_conjuncts(&context, condition)?;
        let scan = scan(&self.0, &shown, &context.columns(), conditions)?;
        project(scan, [vec![SqlColumn::new(SPANSET, lit(1_i64), Vec::new())], shown].concat())
    }

    /// Anything else: the search, and then columns of the spans that it found.
    fn found(&self, search: &Search, shown: Vec<SqlColumn>) -> crate::Result<LogicalPlan> {
        let Asked { engine, view, .. } = &self.0;
        let context = Context::new(view, engine.session.context());
        let (plan, labels) = engine.everything(view, &context, search.piped(PLACE.to_vec()), |table| table)?;
        let mut columns = vec![(SPANSET.to_owned(), FoundColumn::Spanset)];
        for (number, label) in labels.iter().enumerate() {
            // As results number the second of two values with one name (SEMANTICS.md P1).
            let before = labels.iter().take(number).filter(|other| *other == label).count();
            let name = if before == 0 { label.clone() } else { format!("{label} #{}", before + 1) };
            if shown.iter().all(|known| known.name != name) {
                columns.push((name, FoundColumn::Attribute(number, shape(&search.pipeline, label))));
            }
        }
        let of_spansets = columns.iter().map(|(name, _)| SqlColumn::new(name, named(name), Vec::new()));
        let all: Vec<SqlColumn> = of_spansets.chain(shown.iter().cloned()).collect();
        columns.extend(reads(&shown).into_iter().map(|column| (column.name(), FoundColumn::Span(column))));
        let found = Found::new(self.0.clone(), plan, columns);
        let scan = LogicalPlanBuilder::scan("found", provider_as_source(Arc::new(found)), None)?;
        Ok(project(scan, all)?)
    }
}

impl TableFunctionImpl for SearchFunction {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let text = match args.exprs() {
            [Expr::Literal(text, _)] => text.try_as_str().flatten(),
            _ => None,
        };
        let Some(text) = text else {
            return plan_err!("traceql takes the text of a search, as in traceql('{{ status = error }}')");
        };
        let plan = self.table(text).map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(view_table(plan))
    }
}

/// What a search finds: its spansets' numbers and attributes, and columns of the spans.
#[derive(Debug)]
struct Found {
    asked: Asked,
    plan: LogicalPlan,
    columns: Vec<FoundColumn>,
    schema: SchemaRef,
}

impl Found {
    fn new(asked: Asked, plan: LogicalPlan, columns: Vec<(String, FoundColumn)>) -> Self {
        let fields = columns.iter().map(|(name, column)| match column {
            FoundColumn::Spanset => Field::new(name, DataType::Int64, false),
            FoundColumn::Attribute(_, shape) => Field::new(name, shape.data_type(), true),
            FoundColumn::Span(column) => column.field(),
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let columns = columns.into_iter().map(|(_, column)| column).collect();
        Self { asked, plan, columns, schema }
    }
}

#[async_trait]
impl TableProvider for Found {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        // As the engine plans it: rules for SQL's plans are not to touch it.
        let input = self.asked.engine.session.physical_plan(&self.plan).await?;
        let columns = match projection {
            None => self.columns.clone(),
            Some(indices) => indices.iter().filter_map(|index| self.columns.get(*index).cloned()).collect(),
        };
        let schema = project_schema(&self.schema, projection)?;
        Ok(Arc::new(FoundSpansExec::new(input, self.asked.view.clone(), columns.into(), schema)))
    }
}
