//! The table `attribute_keys`: which attributes the data has, with which types.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{RecordBatch, StringViewArray},
        datatypes::{DataType, Field, Schema},
    },
    catalog::{MemTable, TableProvider},
    common::Result,
};
use tracestore::{
    Snapshot,
    block::{AttributeNames, AttributeScope, AttributeType},
};

const SCOPES: [AttributeScope; 5] = [
    AttributeScope::Resource,
    AttributeScope::Instrumentation,
    AttributeScope::Span,
    AttributeScope::Event,
    AttributeScope::Link,
];

/// The attributes of a scope that are stored, with their types.
pub(super) fn stored(view: &Snapshot, scope: AttributeScope) -> tracestore::Result<Vec<(String, Vec<AttributeType>)>> {
    let mut names = AttributeNames::new(&[scope]);
    view.add_stored_attributes(&mut names)?;
    names.of(scope).map(|key| Ok((key.to_owned(), view.attribute_types(scope, key)?))).collect()
}

/// The table of a view.
pub(super) fn table(view: &Snapshot) -> Result<Arc<dyn TableProvider>> {
    let (mut scopes, mut keys, mut types) = (Vec::new(), Vec::new(), Vec::new());
    for scope in SCOPES {
        for (key, found) in stored(view, scope)? {
            for value_type in found {
                scopes.push(scope.name());
                keys.push(key.clone());
                types.push(value_type.name());
            }
        }
    }
    let field = |name| Field::new(name, DataType::Utf8View, false);
    let schema = Arc::new(Schema::new(vec![field("scope"), field("key"), field("type")]));
    let columns: [StringViewArray; 3] = [
        scopes.into_iter().map(Some).collect(),
        keys.into_iter().map(Some).collect(),
        types.into_iter().map(Some).collect(),
    ];
    let arrays = columns.into_iter().map(|column| Arc::new(column) as _).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
    Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]])?))
}
