//! Labels: names and typed values.

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
};

use serde_json::{Map, Value as Json};

use crate::naive::{json, value::Value};

/// A label; `None` is nil.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub(crate) name: String,
    pub(crate) value: Option<Value>,
}

impl Label {
    pub(super) fn new(name: impl Into<String>, value: Option<Value>) -> Self {
        Self { name: name.into(), value }
    }

    pub(super) fn text(name: &str, text: &str) -> Self {
        Self::new(name, Some(Value::String(text.to_owned())))
    }

    /// `__name__`: the function, where there is no grouping.
    pub(super) fn is_function(&self) -> bool {
        self.name == "__name__"
    }
}

/// With the types of values, nil apart from its name: `span.x=1.0`, `name="nil"`, `.foo=nil`.
impl Display for Label {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.name)?;
        match &self.value {
            Some(Value::String(text)) if self.is_function() => f.write_str(text),
            Some(Value::String(text)) => write!(f, "{text:?}"),
            Some(Value::Float(number)) => write!(f, "{number:?}"),
            other => f.write_str(json::value(other.as_ref()).to_string().trim_matches('"')),
        }
    }
}

/// The name of the function, where there is no grouping.
pub(super) fn function(labels: &[Label]) -> Option<&str> {
    match &labels.iter().find(|label| label.is_function())?.value {
        Some(Value::String(name)) => Some(name),
        _ => None,
    }
}

/// §8.6: without those that are nil; if all are, the first.
pub(super) fn shown(labels: &[Label]) -> Vec<Label> {
    let known: Vec<Label> = labels.iter().filter(|label| label.value.is_some()).cloned().collect();
    if known.is_empty() { labels.iter().take(1).cloned().collect() } else { known }
}

/// A text that equal values share, and no others: 2 and 2.0 are apart, all NaN are one (M5).
pub(super) fn identity(value: Option<&Value>) -> String {
    format!("{value:?}")
}

/// M7: what a series is matched by: the set of its labels, but for the name of the function.
pub(super) fn set(labels: &[Label]) -> BTreeMap<String, String> {
    let matched = labels.iter().filter(|label| !label.is_function());
    matched.map(|label| (label.name.clone(), identity(label.value.as_ref()))).collect()
}

/// In the form of the recordings.
pub(super) fn json(labels: &[Label]) -> Json {
    let labels = labels.iter().map(|label| (label.name.clone(), json::value(label.value.as_ref())));
    Json::Object(labels.collect::<Map<_, _>>())
}

/// §8.8: which of two equal series comes first in `topk`; in `bottomk` the other does. Where one has fewer labels, it
/// has an empty one with an empty name.
pub(super) fn order(a: &[Label], b: &[Label]) -> Ordering {
    let at = |labels: &[Label], index| labels.get(index).map_or_else(|| Label::text("", ""), Label::clone);
    let pairs = (0..a.len().max(b.len())).map(|index| order_of_two(&at(a, index), &at(b, index)));
    pairs.fold(Ordering::Equal, Ordering::then)
}

fn order_of_two(a: &Label, b: &Label) -> Ordering {
    tie_text(a).cmp(&tie_text(b)).then_with(|| a.name.cmp(&b.name)).then_with(|| tie_number(b).cmp(&tie_number(a)))
}

/// Empty for numbers and truth values.
fn tie_text(label: &Label) -> String {
    match &label.value {
        Some(Value::Int(_) | Value::Float(_) | Value::Bool(_)) => String::new(),
        other => json::value(other.as_ref()).as_str().unwrap_or_default().to_owned(),
    }
}

/// The type (int < float < bool, anything else below), then the bits.
fn tie_number(label: &Label) -> (u8, u64) {
    match &label.value {
        Some(Value::Int(value)) => (1, value.cast_unsigned()),
        Some(Value::Float(value)) => (2, value.to_bits()),
        Some(Value::Bool(value)) => (3, u64::from(*value)),
        _ => (0, 0),
    }
}
