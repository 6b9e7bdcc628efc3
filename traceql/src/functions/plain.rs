//! Values that cannot be queried, as plain JSON (SEMANTICS.md V1): blocks keep them as OTLP's JSON, which wraps each value
//! in its type.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, StringViewArray};
use serde_json::{Map, Value};

/// OTLP's JSON of a value as plain JSON: `{"arrayValue":{"values":[]}}` as `[]`. What is something else stays.
pub(crate) fn plain_json(otlp: &str) -> String {
    let parsed = serde_json::from_str(otlp).ok();
    parsed.and_then(|value| plain(&value)).map_or_else(|| otlp.to_owned(), |plain| plain.to_string())
}

/// The same for a column of texts.
pub(crate) fn plain_json_column(column: &ArrayRef) -> ArrayRef {
    match column.as_string_view_opt() {
        Some(texts) => Arc::new(texts.iter().map(|text| text.map(plain_json)).collect::<StringViewArray>()),
        None => Arc::clone(column),
    }
}

fn plain(otlp: &Value) -> Option<Value> {
    let Some((kind, value)) = otlp.as_object()?.iter().next() else { return Some(Value::Null) };
    match kind.as_str() {
        // Numbers of 64 bits are texts there.
        "intValue" => value.as_str().map_or(Some(value.clone()), |text| text.parse::<i64>().ok().map(Value::from)),
        "arrayValue" => list(value)?.iter().map(plain).collect(),
        "kvlistValue" => {
            let mut object = Map::new();
            for pair in list(value)? {
                let key = pair.get("key").and_then(Value::as_str).unwrap_or_default();
                let inner = pair.get("value").map_or(Some(Value::Null), plain)?;
                // Of equal keys the first counts (SEMANTICS.md D1).
                object.entry(key).or_insert(inner);
            }
            Some(Value::Object(object))
        }
        _ => Some(value.clone()),
    }
}

/// The values of an array or list; none where they are left out.
fn list(value: &Value) -> Option<Vec<Value>> {
    match value.get("values") {
        None => Some(Vec::new()),
        Some(values) => values.as_array().cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_taken_off() {
        for (otlp, plain) in [
            (r#"{"arrayValue":{"values":[]}}"#, "[]"),
            (r#"{"arrayValue":{}}"#, "[]"),
            (r#"{"arrayValue":{"values":[{"intValue":"1"},{"stringValue":"a"},{}]}}"#, r#"[1,"a",null]"#),
            (
                r#"{"kvlistValue":{"values":[{"key":"a","value":{"boolValue":true}},{"key":"a","value":{}}]}}"#,
                r#"{"a":true}"#,
            ),
            (r#"{"bytesValue":"AQ=="}"#, r#""AQ==""#),
            (r#"{"doubleValue":"NaN"}"#, r#""NaN""#),
            ("{}", "null"),
            ("not JSON", "not JSON"),
        ] {
            assert_eq!(plain_json(otlp), plain, "{otlp}");
        }
    }
}
