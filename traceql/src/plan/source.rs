//! Sources: expressions that operators evaluate on the rows of a batch, to group by them or to aggregate them.

use std::sync::Arc;

use datafusion::{
    arrow::datatypes::{DataType, Field, Schema},
    common::{DFSchema, Result},
    physical_expr::PhysicalExpr,
};
use tracestore::block::{Level, SpanColumn};

use super::{
    condition::value,
    context::Context,
    quantify::{HAS_EVENT, HAS_LINK},
    typed::ValueType,
};
use crate::{
    functions::Dimension,
    ir::Expr,
    nodes::values::{PartKind, Source},
};

/// The source for an expression; `groups` if it is to tell rows apart, else it has numbers.
pub(super) fn source(context: &Context<'_>, expr: &Expr, groups: bool) -> Result<Source> {
    let value = value(context, expr)?;
    let all = context.columns();
    let refs: Vec<_> =
        value.parts.iter().flat_map(|part| part.expr.column_refs()).map(|column| column.name.clone()).collect();
    let mut columns: Vec<SpanColumn> =
        all.into_iter().filter(|column| refs.iter().any(|name| *name == column.name())).collect();
    let mut flags = [None, None];
    let stand_ins = [(HAS_EVENT, Level::Event, SpanColumn::EventName), (HAS_LINK, Level::Link, SpanColumn::LinkSpanId)];
    for (flag, (name, level, stand_in)) in flags.iter_mut().zip(stand_ins) {
        if refs.iter().any(|found| found == name) {
            if !columns.iter().any(|column| column.level() == level) {
                columns.push(stand_in);
            }
            *flag = Some(name);
        }
    }
    let mut fields: Vec<Field> =
        columns.iter().map(|column| Field::new(column.name(), column.value_data_type(), true)).collect();
    fields.extend(flags.iter().flatten().map(|name| Field::new(*name, DataType::Boolean, false)));
    let schema = Arc::new(Schema::new(fields));
    let df_schema = DFSchema::try_from(Arc::clone(&schema))?;
    let dimensions = columns.iter().map(|column| match column.level() {
        Level::Span => Dimension::Row,
        Level::Event => Dimension::First,
        Level::Link => Dimension::Second,
    });
    let parts = value.parts.iter().map(|part| -> Result<(PartKind, Arc<dyn PhysicalExpr>)> {
        Ok((kind(part.value_type), context.physical(&part.expr, &df_schema)?))
    });
    let parts = parts.collect::<Result<Vec<_>>>()?;
    Ok(Source { dimensions: dimensions.collect(), columns, flags, schema, parts, groups })
}

fn kind(value_type: ValueType) -> PartKind {
    match value_type {
        ValueType::Bool => PartKind::Bool,
        ValueType::Int => PartKind::Int,
        ValueType::Float => PartKind::Float,
        ValueType::Duration => PartKind::Duration,
        ValueType::String => PartKind::String,
        ValueType::Status => PartKind::Status,
        ValueType::Kind => PartKind::SpanKind,
        ValueType::BoolList => PartKind::BoolList,
        ValueType::IntList => PartKind::IntList,
        ValueType::FloatList => PartKind::FloatList,
        ValueType::StringList => PartKind::StringList,
        ValueType::Other => PartKind::Json,
    }
}
