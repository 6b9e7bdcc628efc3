//! Names and values as our own JSON.

use serde_json::{Value as Json, json};

use crate::{TagNames, TagValue, TagValues, Value};

/// Names by scope: what `traceql tags -o json` prints.
#[must_use]
pub fn tag_names_to_json(names: &TagNames) -> Json {
    let scopes = names.scopes.iter().map(|scope| json!({ "scope": scope.scope.name(), "names": scope.names }));
    json!({ "scopes": scopes.collect::<Vec<_>>() })
}

/// Values with how many spans have them: what `traceql values -o json` prints.
#[must_use]
pub fn tag_values_to_json(values: &TagValues) -> Json {
    let list: Vec<Json> = values.values.iter().map(tag_value_to_json).collect();
    json!({ "field": values.field.to_string(), "values": list, "distinct": values.distinct })
}

/// One of them. Values are as JSON knows them; nanoseconds for durations, words for keywords.
#[must_use]
pub fn tag_value_to_json(found: &TagValue) -> Json {
    let value = match &found.value {
        Value::Bool(value) => json!(value),
        Value::Int(value) | Value::Duration(value) => json!(value),
        Value::Float(value) if value.is_finite() => json!(value),
        _ => json!(found.to_string()),
    };
    json!({ "type": found.type_name(), "value": value, "count": found.count })
}
