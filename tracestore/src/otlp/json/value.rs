//! `AnyValue` as JSON and back, without loss: what the residual table keeps of values that have no Arrow type.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Map, Value as Json, json};

use crate::{
    model::{EntityRef, KeyValue, Value},
    otlp::ValueView,
};

/// A value as OTLP's JSON text, such as `{"arrayValue":{"values":[{"intValue":"1"}]}}`.
pub(crate) fn value_json(view: &ValueView<'_>) -> String {
    to_json(&Value::from(*view)).to_string()
}

/// A value as JSON.
pub(super) fn to_json(value: &Value) -> Json {
    match value {
        Value::Empty => json!({}),
        Value::String(text) => json!({ "stringValue": text }),
        Value::Bool(value) => json!({ "boolValue": value }),
        Value::Int(value) => json!({ "intValue": value.to_string() }),
        Value::Double(value) => json!({ "doubleValue": double(*value) }),
        Value::Bytes(bytes) => json!({ "bytesValue": BASE64.encode(bytes) }),
        Value::Array(elements) => {
            json!({ "arrayValue": { "values": elements.iter().map(to_json).collect::<Vec<_>>() } })
        }
        Value::KvList(entries) => json!({ "kvlistValue": { "values": attributes(entries) } }),
    }
}

/// An attribute list as JSON.
pub(super) fn attributes(entries: &[KeyValue]) -> Json {
    entries.iter().map(|entry| json!({ "key": entry.key, "value": to_json(&entry.value) })).collect()
}

/// JSON has no word for these three.
fn double(value: f64) -> Json {
    match value {
        value if value.is_nan() => json!("NaN"),
        value if value.is_infinite() => json!(if value > 0.0 { "Infinity" } else { "-Infinity" }),
        value => json!(value),
    }
}

/// A value from its JSON text.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn value_from_text(text: &str) -> Result<Value, String> {
    let json: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
    from_json(&json, 0)
}

/// A value from JSON.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn from_json(json: &Json, depth: usize) -> Result<Value, String> {
    if depth > 32 {
        return Err("a value is nested deeper than 32 levels".to_owned());
    }
    let Json::Object(object) = json else { return Err(format!("an attribute value is {}, not an object", kind(json))) };
    let Some((name, json)) = object.iter().find(|(_, json)| !json.is_null()) else { return Ok(Value::Empty) };
    let wrong = |expected: &str| format!("`{name}` is {}, not {expected}", kind(json));
    match name.as_str() {
        "stringValue" | "string_value" => {
            json.as_str().map(|text| Value::String(text.to_owned())).ok_or_else(|| wrong("text"))
        }
        "boolValue" | "bool_value" => json.as_bool().map(Value::Bool).ok_or_else(|| wrong("true or false")),
        "intValue" | "int_value" => signed(json).map(Value::Int).ok_or_else(|| wrong("an integer")),
        "doubleValue" | "double_value" => match json {
            Json::String(text) => match text.as_str() {
                "NaN" => Ok(Value::Double(f64::NAN)),
                "Infinity" => Ok(Value::Double(f64::INFINITY)),
                "-Infinity" => Ok(Value::Double(f64::NEG_INFINITY)),
                text => text.parse().map(Value::Double).map_err(|_| wrong("a number")),
            },
            json => json.as_f64().map(Value::Double).ok_or_else(|| wrong("a number")),
        },
        "bytesValue" | "bytes_value" => {
            let bytes = json.as_str().and_then(|text| BASE64.decode(text).ok());
            bytes.map(Value::Bytes).ok_or_else(|| wrong("base64 text"))
        }
        "arrayValue" | "array_value" => {
            let elements = list(json, "values")?.iter().map(|element| from_json(element, depth + 1));
            elements.collect::<Result<_, _>>().map(Value::Array)
        }
        "kvlistValue" | "kvlist_value" => attributes_from_json(list(json, "values")?, depth + 1).map(Value::KvList),
        // A value of a kind that this version does not know.
        _ => Ok(Value::Empty),
    }
}

/// An attribute list from JSON.
pub(super) fn attributes_from_json(entries: &[Json], depth: usize) -> Result<Vec<KeyValue>, String> {
    let entry = |entry: &Json| {
        let key = entry.get("key").and_then(Json::as_str).unwrap_or_default().to_owned();
        let value = entry
            .get("value")
            .filter(|value| !value.is_null())
            .map_or(Ok(Value::Empty), |value| from_json(value, depth))?;
        Ok(KeyValue { key, value })
    };
    entries.iter().map(entry).collect()
}

/// The list under a name; no list is an empty one.
pub(super) fn list<'a>(json: &'a Json, name: &str) -> Result<&'a [Json], String> {
    match json.get(name) {
        None | Some(Json::Null) => Ok(&[]),
        Some(Json::Array(list)) => Ok(list),
        Some(other) => Err(format!("`{name}` is {}, not a list", kind(other))),
    }
}

/// A 64-bit integer, as a number or as text.
fn signed(json: &Json) -> Option<i64> {
    json.as_i64().or_else(|| json.as_str()?.parse().ok())
}

/// What a JSON value is, in words.
pub(super) fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// References to entities as a JSON list.
pub(crate) fn entity_refs_json(entities: &[EntityRef]) -> String {
    entity_refs(entities).to_string()
}

pub(super) fn entity_refs(entities: &[EntityRef]) -> Json {
    let entity = |entity: &EntityRef| {
        json!({
            "schemaUrl": entity.schema_url,
            "type": entity.entity_type,
            "idKeys": entity.id_keys,
            "descriptionKeys": entity.description_keys,
        })
    };
    entities.iter().map(entity).collect()
}

/// What [`entity_refs_json`] wrote.
pub(crate) fn entity_refs_from_json(text: &str) -> Result<Vec<EntityRef>, String> {
    let json: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
    entity_refs_from(json.as_array().map_or(&[], Vec::as_slice))
}

pub(super) fn entity_refs_from(list: &[Json]) -> Result<Vec<EntityRef>, String> {
    let text =
        |object: &Map<String, Json>, name: &str| object.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let texts = |object: &Map<String, Json>, name: &str| {
        let list = object.get(name).and_then(Json::as_array).into_iter().flatten();
        list.filter_map(Json::as_str).map(str::to_owned).collect()
    };
    let entity = |json: &Json| {
        let object = json.as_object().ok_or_else(|| format!("an entity reference is {}, not an object", kind(json)))?;
        Ok(EntityRef {
            schema_url: text(object, "schemaUrl"),
            entity_type: text(object, "type"),
            id_keys: texts(object, "idKeys"),
            description_keys: texts(object, "descriptionKeys"),
        })
    };
    list.iter().map(entity).collect()
}
