//! Rows as JSON objects: numbers, truth values and texts as such, lists and structs as JSON has them, attributes as the
//! objects they are, everything else as text.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    compute::cast,
    datatypes::{DataType, Field, Float64Type, Int64Type, UInt64Type},
    error::ArrowError,
    util::display::{ArrayFormatter, FormatOptions},
};
use serde_json::{Value as Json, json, value::RawValue};

/// The rows of a batch, each an object with its columns in their order.
pub(super) fn objects(batch: &RecordBatch) -> Result<Vec<String>, ArrowError> {
    let mut objects = vec![String::from("{"); batch.num_rows()];
    let schema = batch.schema();
    for (number, (field, column)) in schema.fields().iter().zip(batch.columns()).enumerate() {
        // As SQL.md numbers the second column of a name: an object has one member of each.
        let before = schema.fields().iter().take(number).filter(|other| other.name() == field.name()).count();
        let name = if before == 0 { field.name().clone() } else { format!("{} #{}", field.name(), before + 1) };
        let key = format!("{}{}:", if number > 0 { "," } else { "" }, Json::from(name));
        for (object, value) in objects.iter_mut().zip(texts(field, column)?) {
            object.push_str(&key);
            object.push_str(&value);
        }
    }
    objects.iter_mut().for_each(|object| object.push('}'));
    Ok(objects)
}

/// The values of a column as JSON.
fn texts(field: &Field, column: &ArrayRef) -> Result<Vec<String>, ArrowError> {
    let is_json = field.metadata().get("ARROW:extension:name").is_some_and(|name| name == "arrow.json");
    let as_it_is = |value: &Json| {
        let text = value.as_str()?;
        serde_json::from_str::<&RawValue>(text).ok().map(|_| text.to_owned())
    };
    let text = |value: Json| is_json.then(|| as_it_is(&value)).flatten().unwrap_or_else(|| value.to_string());
    Ok(values(column)?.into_iter().map(text).collect())
}

/// The values of an array.
fn values(array: &ArrayRef) -> Result<Vec<Json>, ArrowError> {
    use DataType::{
        Boolean, Dictionary, FixedSizeList, Float16, Float32, Float64, Int8, Int16, Int32, Int64, LargeList,
        LargeListView, LargeUtf8, List, ListView, Null, Struct, UInt8, UInt16, UInt32, UInt64, Utf8, Utf8View,
    };
    let or_null = |values: Vec<Option<Json>>| values.into_iter().map(Option::unwrap_or_default).collect();
    Ok(match array.data_type() {
        Null => vec![Json::Null; array.len()],
        Boolean => or_null(array.as_boolean().iter().map(|value| Some(json!(value?))).collect()),
        Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 => {
            let numbers = cast(array, &Int64)?;
            or_null(numbers.as_primitive::<Int64Type>().iter().map(|value| Some(json!(value?))).collect())
        }
        UInt64 => or_null(array.as_primitive::<UInt64Type>().iter().map(|value| Some(json!(value?))).collect()),
        Float16 | Float32 | Float64 => {
            let numbers = cast(array, &Float64)?;
            or_null(numbers.as_primitive::<Float64Type>().iter().map(|value| Some(float(value?))).collect())
        }
        Utf8 | LargeUtf8 | Utf8View | Dictionary(..) => {
            let texts = cast(array, &Utf8View)?;
            or_null(texts.as_string_view().iter().map(|value| Some(json!(value?))).collect())
        }
        List(_) => lists(array, |row| array.as_list::<i32>().value(row))?,
        LargeList(_) => lists(array, |row| array.as_list::<i64>().value(row))?,
        FixedSizeList(..) => lists(array, |row| array.as_fixed_size_list().value(row))?,
        ListView(field) => return values(&cast(array, &List(Arc::clone(field)))?),
        LargeListView(field) => return values(&cast(array, &LargeList(Arc::clone(field)))?),
        Struct(_) => structs(array)?,
        _ => {
            let options = FormatOptions::default();
            let format = ArrayFormatter::try_new(array, &options)?;
            let value = |row| {
                if array.is_null(row) { Ok(Json::Null) } else { format.value(row).try_to_string().map(Json::from) }
            };
            (0..array.len()).map(value).collect::<Result<_, _>>()?
        }
    })
}

/// JSON has no word for infinities and NaN: they are text.
fn float(value: f64) -> Json {
    if value.is_finite() { json!(value) } else { json!(value.to_string()) }
}

fn lists(array: &ArrayRef, elements: impl Fn(usize) -> ArrayRef) -> Result<Vec<Json>, ArrowError> {
    let value = |row| if array.is_null(row) { Ok(Json::Null) } else { values(&elements(row)).map(Json::Array) };
    (0..array.len()).map(value).collect()
}

fn structs(array: &ArrayRef) -> Result<Vec<Json>, ArrowError> {
    let array = array.as_struct();
    let mut objects = vec![serde_json::Map::new(); array.len()];
    for (name, column) in array.column_names().into_iter().zip(array.columns()) {
        for (object, value) in objects.iter_mut().zip(values(column)?) {
            object.insert(name.to_owned(), value);
        }
    }
    let rows = objects.into_iter().enumerate();
    Ok(rows.map(|(row, object)| if array.is_null(row) { Json::Null } else { Json::Object(object) }).collect())
}
