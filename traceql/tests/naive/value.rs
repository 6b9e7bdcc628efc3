//! Values as an expression sees them.

use std::cmp::Ordering;

use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value::Value as Any};

use super::json;

/// A value; missing ones are `None` wherever a value is optional.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Bool(bool),
    Int(i64),
    Float(f64),
    Duration(i64),
    String(String),
    Status(i32),
    Kind(i32),
    /// At least two elements of one type: one element is the element (V6).
    Array(Vec<Value>),
    /// Cannot be queried (V1): bytes, lists of pairs, mixed and empty arrays, nothing. Its JSON text.
    Other(String),
}

impl Value {
    /// An attribute's value.
    pub(crate) fn of(value: Option<&AnyValue>) -> Self {
        let other = || Self::Other(json::any_value(value).to_string());
        match value.and_then(|value| value.value.as_ref()) {
            Some(Any::StringValue(text)) => Self::String(text.clone()),
            Some(Any::BoolValue(value)) => Self::Bool(*value),
            Some(Any::IntValue(value)) => Self::Int(*value),
            Some(Any::DoubleValue(value)) => Self::Float(*value),
            Some(Any::ArrayValue(array)) => {
                let elements: Vec<Self> = array.values.iter().map(|value| Self::of(Some(value))).collect();
                let scalar = |value: &Self| !matches!(value, Self::Array(_) | Self::Other(_));
                // An array within an array is no scalar, also when it has one element.
                let nested = array.values.iter().any(|value| matches!(value.value, Some(Any::ArrayValue(_))));
                let same = elements
                    .windows(2)
                    .all(|pair| std::mem::discriminant(&pair[0]) == std::mem::discriminant(&pair[1]));
                match elements.as_slice() {
                    [] => other(),
                    _ if nested || !same || !elements.iter().all(scalar) => other(),
                    [one] => one.clone(),
                    _ => Self::Array(elements),
                }
            }
            _ => other(),
        }
    }

    /// The order of two scalars; `None` where they cannot be compared. NaN with anything has none either, but can be
    /// compared: see `comparable`.
    pub(crate) fn order(&self, other: &Self) -> Option<Ordering> {
        use Value::{Bool, Duration, Float, Int, Kind, Status, String};
        match (self, other) {
            (String(a), String(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (Bool(a), Bool(b)) => Some(a.cmp(b)),
            (Status(a), Status(b)) | (Kind(a), Kind(b)) => Some(a.cmp(b)),
            // V3: integers exactly, also with floats.
            (Int(a) | Duration(a), Int(b) | Duration(b)) => Some(a.cmp(b)),
            (Float(a), Float(b)) => a.partial_cmp(b),
            (Int(a) | Duration(a), Float(b)) => int_with_float(*a, *b),
            (Float(a), Int(b) | Duration(b)) => int_with_float(*b, *a).map(Ordering::reverse),
            _ => None,
        }
    }

    /// Whether it is a number.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Int(_) | Self::Float(_) | Self::Duration(_))
    }

    /// Whether the types of two scalars can be compared at all.
    pub(crate) fn comparable(&self, other: &Self) -> bool {
        self.is_number() && other.is_number()
            || std::mem::discriminant(self) == std::mem::discriminant(other)
                && !matches!(self, Self::Other(_) | Self::Array(_))
    }

    /// Whether there is an order beyond equality.
    pub(crate) fn is_ordered(&self) -> bool {
        !matches!(self, Self::Bool(_) | Self::Status(_) | Self::Kind(_))
    }
}

/// Exact: through 128 bits where the float is whole, else by its whole part and the rest.
fn int_with_float(a: i64, b: f64) -> Option<Ordering> {
    if b.is_nan() {
        return None;
    }
    if b.abs() >= 1e19 {
        return Some(if b > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    let whole = b.trunc();
    let rest = b - whole;
    Some(i128::from(a).cmp(&(whole as i128)).then(if rest > 0.0 {
        Ordering::Less
    } else if rest < 0.0 {
        Ordering::Greater
    } else {
        Ordering::Equal
    }))
}
