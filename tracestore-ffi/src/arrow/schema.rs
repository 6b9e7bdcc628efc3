//! Types and names of columns as `struct ArrowSchema`.

use std::{
    collections::HashMap,
    ffi::{CString, c_char, c_void},
    ptr::{null, null_mut},
};

use arrow::datatypes::{DataType, Field, IntervalUnit, Schema, TimeUnit};

use crate::error::{Fault, c_string};

const NULLABLE: i64 = 2;
const MAP_KEYS_SORTED: i64 = 4;

/// `struct ArrowSchema` of the C data interface, whose specification says what its members are.
#[repr(C)]
#[derive(Debug)]
#[allow(missing_docs, reason = "the specification has them")]
pub struct ArrowSchema {
    pub format: *const c_char,
    pub name: *const c_char,
    pub metadata: *const c_char,
    pub flags: i64,
    pub n_children: i64,
    pub children: *mut *mut ArrowSchema,
    pub dictionary: *mut ArrowSchema,
    pub release: Option<unsafe extern "C" fn(*mut ArrowSchema)>,
    pub private_data: *mut c_void,
}

/// What a schema's pointers point to.
struct Owned {
    format: CString,
    name: CString,
    metadata: Option<Vec<u8>>,
    children: Vec<*mut ArrowSchema>,
    dictionary: *mut ArrowSchema,
}

impl Drop for Owned {
    fn drop(&mut self) {
        for child in self.children.drain(..).chain((!self.dictionary.is_null()).then_some(self.dictionary)) {
            // SAFETY: made by `Box::into_raw` below, and in no other place.
            drop(unsafe { Box::from_raw(child) });
        }
    }
}

impl Drop for ArrowSchema {
    /// A consumer may have moved a child out, and left it without a way to release it.
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: the schema was not released yet.
            unsafe { release(self) };
        }
    }
}

unsafe extern "C" fn release(schema: *mut ArrowSchema) {
    // SAFETY: the consumer gives a schema that was made below and is released once.
    if let Some(schema) = unsafe { schema.as_mut() }
        && schema.release.take().is_some()
    {
        // SAFETY: made by `Box::into_raw` below.
        drop(unsafe { Box::from_raw(schema.private_data.cast::<Owned>()) });
        schema.private_data = null_mut();
    }
}

impl ArrowSchema {
    /// A record batch is a struct.
    pub(super) fn of_schema(schema: &Schema) -> Result<Self, Fault> {
        Self::new("", &DataType::Struct(schema.fields().clone()), false, schema.metadata())
    }

    fn of_field(field: &Field) -> Result<Self, Fault> {
        Self::new(field.name(), field.data_type(), field.is_nullable(), field.metadata())
    }

    fn new(
        name: &str,
        data_type: &DataType,
        nullable: bool,
        metadata: &HashMap<String, String>,
    ) -> Result<Self, Fault> {
        let mut owned = Owned {
            format: c_string(format(data_type)?),
            name: c_string(name),
            metadata: (!metadata.is_empty()).then(|| encode(metadata)).transpose()?,
            children: Vec::new(),
            dictionary: null_mut(),
        };
        for child in children(data_type) {
            owned.children.push(Box::into_raw(Box::new(Self::of_field(child)?)));
        }
        if let DataType::Dictionary(_, values) = data_type {
            owned.dictionary = Box::into_raw(Box::new(Self::new("", values, true, &HashMap::new())?));
        }
        let sorted = matches!(data_type, DataType::Map(_, true));
        Ok(Self {
            format: owned.format.as_ptr(),
            name: owned.name.as_ptr(),
            metadata: owned.metadata.as_ref().map_or(null(), |bytes| bytes.as_ptr().cast()),
            flags: if nullable { NULLABLE } else { 0 } | if sorted { MAP_KEYS_SORTED } else { 0 },
            n_children: owned.children.len() as i64,
            children: owned.children.as_mut_ptr(),
            dictionary: owned.dictionary,
            release: Some(release),
            // What the pointers point to stays where it is.
            private_data: Box::into_raw(Box::new(owned)).cast(),
        })
    }
}

fn children(data_type: &DataType) -> Vec<&Field> {
    match data_type {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::Map(field, _) => vec![field],
        DataType::Struct(fields) => fields.iter().map(AsRef::as_ref).collect(),
        _ => Vec::new(),
    }
}

/// Keys and values with their lengths, each a 32-bit number of the machine's byte order.
fn encode(metadata: &HashMap<String, String>) -> Result<Vec<u8>, Fault> {
    let length = |length: usize| i32::try_from(length).map_err(|_| Fault::internal("metadata is too long for Arrow"));
    let mut bytes = length(metadata.len())?.to_ne_bytes().to_vec();
    for text in metadata.iter().flat_map(|(key, value)| [key, value]) {
        bytes.extend(length(text.len())?.to_ne_bytes());
        bytes.extend(text.as_bytes());
    }
    Ok(bytes)
}

/// A type as the specification writes it. What has no place here occurs in no answer.
fn format(data_type: &DataType) -> Result<String, Fault> {
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::Second => 's',
        TimeUnit::Millisecond => 'm',
        TimeUnit::Microsecond => 'u',
        TimeUnit::Nanosecond => 'n',
    };
    let fixed = match data_type {
        DataType::Null => "n",
        DataType::Boolean => "b",
        DataType::Int8 => "c",
        DataType::UInt8 => "C",
        DataType::Int16 => "s",
        DataType::UInt16 => "S",
        DataType::Int32 => "i",
        DataType::UInt32 => "I",
        DataType::Int64 => "l",
        DataType::UInt64 => "L",
        DataType::Float16 => "e",
        DataType::Float32 => "f",
        DataType::Float64 => "g",
        DataType::Binary => "z",
        DataType::LargeBinary => "Z",
        DataType::BinaryView => "vz",
        DataType::Utf8 => "u",
        DataType::LargeUtf8 => "U",
        DataType::Utf8View => "vu",
        DataType::Date32 => "tdD",
        DataType::Date64 => "tdm",
        DataType::Interval(IntervalUnit::YearMonth) => "tiM",
        DataType::Interval(IntervalUnit::DayTime) => "tiD",
        DataType::Interval(IntervalUnit::MonthDayNano) => "tin",
        DataType::List(_) => "+l",
        DataType::LargeList(_) => "+L",
        DataType::ListView(_) => "+vl",
        DataType::LargeListView(_) => "+vL",
        DataType::Struct(_) => "+s",
        DataType::Map(..) => "+m",
        DataType::FixedSizeBinary(bytes) => return Ok(format!("w:{bytes}")),
        DataType::FixedSizeList(_, elements) => return Ok(format!("+w:{elements}")),
        DataType::Time32(of) | DataType::Time64(of) => return Ok(format!("tt{}", unit(of))),
        DataType::Duration(of) => return Ok(format!("tD{}", unit(of))),
        DataType::Timestamp(of, zone) => {
            return Ok(format!("ts{}:{}", unit(of), zone.as_deref().unwrap_or_default()));
        }
        DataType::Dictionary(keys, _) => return format(keys),
        other => return Err(Fault::internal(format!("a column of type {other} cannot be given to C"))),
    };
    Ok(fixed.to_owned())
}
