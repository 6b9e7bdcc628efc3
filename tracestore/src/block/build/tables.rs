//! The small tables of a block: traces, resources, instrumentation scopes, keys.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BooleanBuilder, FixedSizeBinaryBuilder, Int32Builder, Int64Builder, ListBuilder, StringBuilder,
        StructBuilder, UInt32Builder, UInt64Builder,
    },
    datatypes::{DataType, Field, Fields, Schema, SchemaRef},
};

use super::{collect::Collected, order::Order};
use crate::{
    Error, Result,
    block::{AttributeScope, schema::columns},
    otlp::{SpanView, entity_refs_json},
};

/// A row of `keys.parquet`.
#[derive(Debug, Clone)]
pub(super) struct KeyRow {
    pub(super) scope: AttributeScope,
    pub(super) key: String,
    pub(super) value_type: i32,
    pub(super) row_group: i32,
    pub(super) column: bool,
    pub(super) count: u32,
    pub(super) first_row: u32,
    pub(super) rows: u32,
}

/// A table: its schema and one array per column.
pub(super) type Table = (SchemaRef, Vec<ArrayRef>);

fn service_fields() -> Fields {
    Fields::from(vec![
        Field::new("service", DataType::Utf8, false),
        Field::new("spans", DataType::UInt32, false),
        Field::new("errors", DataType::UInt32, false),
    ])
}

/// The trace table.
pub(super) fn traces(collected: &Collected, order: &Order) -> Result<Table> {
    let internal = |reason: &str| Error::Internal(format!("the trace table cannot be made: {reason}"));
    let count = order.traces.len();
    let mut ids = FixedSizeBinaryBuilder::with_capacity(count, 16);
    let (mut starts, mut durations) = (UInt64Builder::with_capacity(count), Int64Builder::with_capacity(count));
    let (mut root_names, mut root_services) = (StringBuilder::new(), StringBuilder::new());
    let mut has_root = BooleanBuilder::with_capacity(count);
    let (mut spans, mut errors) = (UInt32Builder::with_capacity(count), UInt32Builder::with_capacity(count));
    let (mut first_rows, mut rows) = (UInt32Builder::with_capacity(count), UInt32Builder::with_capacity(count));
    let service_item = Arc::new(Field::new_list_field(DataType::Struct(service_fields()), false));
    let mut services = ListBuilder::new(StructBuilder::from_fields(service_fields(), count)).with_field(service_item);
    for trace in &order.traces {
        let id = collected.traces.get(trace.trace as usize).ok_or_else(|| internal("an id is missing"))?;
        ids.append_value(id.as_bytes()).map_err(|error| internal(&error.to_string()))?;
        starts.append_value(trace.start);
        durations.append_value(i64::try_from(trace.end - trace.start).unwrap_or(i64::MAX));
        let root = trace.root.and_then(|root| collected.spans.get(root as usize));
        let name = root.and_then(|root| SpanView::parse(collected.span_bytes(root)).ok()).map_or("", |span| span.name);
        root_names.append_value(name);
        let resource = root.and_then(|root| collected.resources.list.get(root.resource as usize));
        root_services.append_value(resource.map_or("", |resource| resource.service()));
        has_root.append_value(root.is_some());
        spans.append_value(trace.spans);
        errors.append_value(trace.errors);
        first_rows.append_value(trace.first_row);
        rows.append_value(trace.rows);
        let counts = services.values();
        for (service, spans, errors) in &trace.services {
            let name = order.services.get(*service as usize).map_or("", String::as_str);
            let wrong = || internal("a service has another type");
            counts.field_builder::<StringBuilder>(0).ok_or_else(wrong)?.append_value(name);
            counts.field_builder::<UInt32Builder>(1).ok_or_else(wrong)?.append_value(*spans);
            counts.field_builder::<UInt32Builder>(2).ok_or_else(wrong)?.append_value(*errors);
            counts.append(true);
        }
        services.append(true);
    }
    let mut by_id: Vec<u32> = (0..count as u32).collect();
    let id = |ordinal: &u32| {
        let trace = order.traces.get(*ordinal as usize)?;
        collected.traces.get(trace.trace as usize)
    };
    by_id.sort_unstable_by_key(id);

    let required = |name, data_type| Field::new(name, data_type, false);
    let services = services.finish();
    let schema = Schema::new(vec![
        required("trace_id", DataType::FixedSizeBinary(16)),
        required("start", DataType::UInt64),
        required("duration", DataType::Int64),
        required("root_name", DataType::Utf8),
        required("root_service", DataType::Utf8),
        required("has_root", DataType::Boolean),
        required("spans", DataType::UInt32),
        required("errors", DataType::UInt32),
        required("first_row", DataType::UInt32),
        required("rows", DataType::UInt32),
        required("by_id", DataType::UInt32),
        required("services", arrow::array::Array::data_type(&services).clone()),
    ]);
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(ids.finish()),
        Arc::new(starts.finish()),
        Arc::new(durations.finish()),
        Arc::new(root_names.finish()),
        Arc::new(root_services.finish()),
        Arc::new(has_root.finish()),
        Arc::new(spans.finish()),
        Arc::new(errors.finish()),
        Arc::new(first_rows.finish()),
        Arc::new(rows.finish()),
        Arc::new(arrow::array::UInt32Array::from(by_id)),
        Arc::new(services),
    ];
    Ok((Arc::new(schema), arrays))
}

/// The table of resources.
pub(super) fn resources(collected: &Collected) -> Table {
    let mut present = BooleanBuilder::new();
    let (mut services, mut urls, mut entities) = (StringBuilder::new(), StringBuilder::new(), StringBuilder::new());
    let mut dropped = UInt32Builder::new();
    for owner in &collected.resources.list {
        let resource = owner.resource();
        present.append_value(owner.message.is_some());
        services.append_value(owner.service());
        urls.append_value(&owner.schema_url);
        dropped.append_value(resource.dropped_attributes_count);
        let refs = resource.entity_refs().unwrap_or_default();
        entities.append_option((!refs.is_empty()).then(|| entity_refs_json(&refs)));
    }
    let schema = Schema::new(vec![
        Field::new("present", DataType::Boolean, false),
        Field::new("service_name", DataType::Utf8, false),
        Field::new("schema_url", DataType::Utf8, false),
        Field::new(columns::DROPPED_ATTRIBUTES, DataType::UInt32, false),
        Field::new("entity_refs", DataType::Utf8, true),
    ]);
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(present.finish()),
        Arc::new(services.finish()),
        Arc::new(urls.finish()),
        Arc::new(dropped.finish()),
        Arc::new(entities.finish()),
    ];
    (Arc::new(schema), arrays)
}

/// The table of instrumentation scopes.
pub(super) fn scopes(collected: &Collected) -> Table {
    let mut present = BooleanBuilder::new();
    let (mut names, mut versions, mut urls) = (StringBuilder::new(), StringBuilder::new(), StringBuilder::new());
    let mut dropped = UInt32Builder::new();
    for owner in &collected.scopes.list {
        let scope = owner.scope();
        present.append_value(owner.message.is_some());
        names.append_value(scope.name);
        versions.append_value(scope.version);
        urls.append_value(&owner.schema_url);
        dropped.append_value(scope.dropped_attributes_count);
    }
    let schema = Schema::new(vec![
        Field::new("present", DataType::Boolean, false),
        Field::new("name", DataType::Utf8, false),
        Field::new("version", DataType::Utf8, false),
        Field::new("schema_url", DataType::Utf8, false),
        Field::new(columns::DROPPED_ATTRIBUTES, DataType::UInt32, false),
    ]);
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(present.finish()),
        Arc::new(names.finish()),
        Arc::new(versions.finish()),
        Arc::new(urls.finish()),
        Arc::new(dropped.finish()),
    ];
    (Arc::new(schema), arrays)
}

/// The table of keys.
pub(super) fn keys(mut rows: Vec<KeyRow>) -> Table {
    rows.sort_by(|a, b| {
        let key = |row: &KeyRow| (row.scope, row.value_type, row.row_group);
        a.scope.cmp(&b.scope).then_with(|| a.key.cmp(&b.key)).then_with(|| key(a).cmp(&key(b)))
    });
    let (mut scopes, mut names, mut types) = (Int32Builder::new(), StringBuilder::new(), Int32Builder::new());
    let (mut groups, mut columns, mut counts) = (Int32Builder::new(), BooleanBuilder::new(), UInt32Builder::new());
    let (mut firsts, mut lens) = (UInt32Builder::new(), UInt32Builder::new());
    for row in &rows {
        scopes.append_value(row.scope as i32);
        names.append_value(&row.key);
        types.append_value(row.value_type);
        groups.append_value(row.row_group);
        columns.append_value(row.column);
        counts.append_value(row.count);
        firsts.append_value(row.first_row);
        lens.append_value(row.rows);
    }
    let required = |name, data_type| Field::new(name, data_type, false);
    let schema = Schema::new(vec![
        required("scope", DataType::Int32),
        required("key", DataType::Utf8),
        required("type", DataType::Int32),
        required("row_group", DataType::Int32),
        required("column", DataType::Boolean),
        required("count", DataType::UInt32),
        required("first_row", DataType::UInt32),
        required("rows", DataType::UInt32),
    ]);
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(scopes.finish()),
        Arc::new(names.finish()),
        Arc::new(types.finish()),
        Arc::new(groups.finish()),
        Arc::new(columns.finish()),
        Arc::new(counts.finish()),
        Arc::new(firsts.finish()),
        Arc::new(lens.finish()),
    ];
    (Arc::new(schema), arrays)
}
