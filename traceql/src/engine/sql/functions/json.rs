//! Attributes as JSON: text, number, true or false, a list of these; anything else as OTLP's JSON writes it. The same as
//! DuckDB's views show.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, StringViewBuilder},
        datatypes::{DataType, Float64Type, Int64Type},
    },
    common::{Result, internal_err},
    logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};
use tracestore::block::AttributeScope;

/// Some columns as one JSON object: for each its key, and whether its texts are JSON already. A value that is not there
/// is left out.
pub(in crate::engine::sql) fn attributes_json(scope: AttributeScope, parts: Vec<(String, bool)>) -> ScalarUDF {
    let signature = match parts.len() {
        0 => Signature::nullary(Volatility::Immutable),
        count => Signature::any(count, Volatility::Immutable),
    };
    let part = |(key, json)| Part { key: format!("{}:", quoted(key)), json };
    let parts: Vec<Part> = parts.iter().map(|(key, json)| part((key.as_str(), *json))).collect();
    ScalarUDF::from(AttributesJson { scope, parts, signature })
}

/// A value as JSON.
pub(in crate::engine::sql) fn json_text(value: Expr) -> Expr {
    ScalarUDF::from(JsonText { signature: Signature::any(1, Volatility::Immutable) }).call(vec![value])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Part {
    /// The key as it stands in the object, colon included.
    key: String,
    json: bool,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct AttributesJson {
    scope: AttributeScope,
    parts: Vec<Part>,
    signature: Signature,
}

impl ScalarUDFImpl for AttributesJson {
    fn name(&self) -> &str {
        "attributes_json"
    }

    /// Without the arguments, of which there may be hundreds.
    fn schema_name(&self, _args: &[Expr]) -> Result<String> {
        Ok(format!("attributes_json({}.*)", self.scope.name()))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = args.args.iter().map(|arg| arg.to_array(args.number_rows)).collect::<Result<Vec<_>>>()?;
        let mut texts = StringViewBuilder::with_capacity(args.number_rows);
        let mut object = String::new();
        for row in 0..args.number_rows {
            object.clear();
            for (part, array) in self.parts.iter().zip(&arrays).filter(|(_, array)| array.is_valid(row)) {
                object.push(if object.is_empty() { '{' } else { ',' });
                object.push_str(&part.key);
                write(&mut object, array, row, part.json)?;
            }
            object.push_str(if object.is_empty() { "{}" } else { "}" });
            texts.append_value(&object);
        }
        Ok(ColumnarValue::Array(Arc::new(texts.finish())))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct JsonText {
    signature: Signature,
}

impl ScalarUDFImpl for JsonText {
    fn name(&self) -> &str {
        "json_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let array = match args.args.as_slice() {
            [values] => values.to_array(args.number_rows)?,
            other => return internal_err!("json_text takes one argument, not {}", other.len()),
        };
        let mut texts = StringViewBuilder::with_capacity(array.len());
        let mut text = String::new();
        for row in 0..array.len() {
            if array.is_null(row) {
                texts.append_null();
                continue;
            }
            text.clear();
            write(&mut text, &array, row, false)?;
            texts.append_value(&text);
        }
        Ok(ColumnarValue::Array(Arc::new(texts.finish())))
    }
}

/// Writes a value that is there.
fn write(out: &mut String, array: &ArrayRef, row: usize, json: bool) -> Result<()> {
    match array.data_type() {
        DataType::Utf8View if json => out.push_str(array.as_string_view().value(row)),
        DataType::Utf8View => out.push_str(&quoted(array.as_string_view().value(row))),
        DataType::Int64 => out.push_str(&array.as_primitive::<Int64Type>().value(row).to_string()),
        DataType::Float64 => out.push_str(&float(array.as_primitive::<Float64Type>().value(row))),
        DataType::Boolean => out.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
        DataType::List(_) => {
            let elements = array.as_list::<i32>().value(row);
            out.push('[');
            for element in 0..elements.len() {
                if element > 0 {
                    out.push(',');
                }
                if elements.is_null(element) { out.push_str("null") } else { write(out, &elements, element, json)? }
            }
            out.push(']');
        }
        other => return internal_err!("attributes are no {other}"),
    }
    Ok(())
}

/// JSON has no word for infinities and NaN: they are text, as DuckDB writes them.
fn float(value: f64) -> String {
    match serde_json::Number::from_f64(value) {
        Some(number) => number.to_string(),
        None if value.is_nan() => "\"nan\"".to_owned(),
        None if value > 0.0 => "\"inf\"".to_owned(),
        None => "\"-inf\"".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
