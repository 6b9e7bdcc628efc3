//! Labels: names and typed values, which of them are shown, and the orders of series that they make.

use std::cmp::Ordering;

use crate::{
    Value,
    output::{kind_word, status_word},
    syntax::format_duration,
};

/// What the function is called where series have no other name.
pub(super) const FUNCTION: &str = "__name__";

/// What tells a series apart. 2 and 2.0 are different values.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// The canonical text of a field, or one of Tempo's own: `__name__`, `p`, `__bucket`, `__meta_type`, `__meta_error`.
    pub name: String,
    /// The value; [`Value::Nil`] only where no label has any.
    pub value: Value,
}

impl Label {
    /// A label.
    #[must_use]
    pub fn new(name: impl Into<String>, value: Value) -> Self {
        Self { name: name.into(), value }
    }

    pub(crate) fn text(name: &str, text: &str) -> Self {
        Self::new(name, Value::String(text.to_owned()))
    }

    /// The name of the function that a series without groups is called by.
    pub(crate) fn function(name: &str) -> Self {
        Self::text(FUNCTION, name)
    }

    /// The value as text, as it is written in other systems' labels: words for status and kind, `nil`.
    #[must_use]
    pub fn value_text(&self) -> String {
        text(&self.value)
    }

    fn is_function(&self) -> bool {
        self.name == FUNCTION
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) if value.is_infinite() => if *value > 0.0 { "+Inf" } else { "-Inf" }.to_owned(),
        Value::Float(value) => value.to_string(),
        Value::Duration(nanos) => format_duration(*nanos),
        Value::String(text) | Value::Json(text) => text.clone(),
        Value::Status(code) => status_word(*code),
        Value::Kind(code) => kind_word(*code),
        Value::Array(values) => format!("[{}]", values.iter().map(text).collect::<Vec<_>>().join(", ")),
        Value::Nil => "nil".to_owned(),
    }
}

/// The labels that an answer shows: without those that are nil; the first where all are.
pub(crate) fn shown(labels: Vec<Label>) -> Vec<Label> {
    if labels.iter().all(|label| label.value == Value::Nil) {
        return labels.into_iter().take(1).collect();
    }
    labels.into_iter().filter(|label| label.value != Value::Nil).collect()
}

/// The function's name of a series that has one.
pub(super) fn function(labels: &[Label]) -> Option<&str> {
    match &labels.iter().find(|label| label.is_function())?.value {
        Value::String(name) => Some(name),
        _ => None,
    }
}

/// The labels but for the function's name: in arithmetic they are matched as sets (SEMANTICS.md M7).
pub(super) fn others(labels: &[Label]) -> impl Iterator<Item = &Label> {
    labels.iter().filter(|label| !label.is_function())
}

/// The same as a sorted set.
pub(super) fn set(labels: &[Label]) -> Vec<&Label> {
    let mut set: Vec<&Label> = others(labels).collect();
    set.sort_by(|a, b| order_of_two(a, b));
    set
}

/// An order of sets.
pub(super) fn set_order(a: &[&Label], b: &[&Label]) -> Ordering {
    let pairs = a.iter().zip(b).map(|(a, b)| order_of_two(a, b)).find(|order| order.is_ne());
    pairs.unwrap_or_else(|| a.len().cmp(&b.len()))
}

fn order_of_two(a: &Label, b: &Label) -> Ordering {
    a.name.cmp(&b.name).then_with(|| a.value.order(&b.value))
}

/// The order of series in an answer.
pub(super) fn answer_order(a: &[Label], b: &[Label]) -> Ordering {
    fn names(labels: &[Label]) -> impl Iterator<Item = &str> {
        labels.iter().map(|label| label.name.as_str())
    }
    fn texts(labels: &[Label]) -> impl Iterator<Item = String> {
        labels.iter().map(Label::value_text)
    }
    let counts = a.len().cmp(&b.len());
    let words = counts.then_with(|| names(a).cmp(names(b))).then_with(|| texts(a).cmp(texts(b)));
    let values = || a.iter().zip(b).map(|(a, b)| a.value.order(&b.value)).find(|order| order.is_ne());
    words.then_with(|| values().unwrap_or(Ordering::Equal))
}

/// Which of two series with equal values `topk` takes first, as Tempo does: label by label, the smaller text (numbers and
/// truth values have none), then the smaller name, then the higher type (int, float, bool), then the higher bits.
/// A label that one of them lacks is an empty one.
pub(super) fn tie_order(a: &[Label], b: &[Label]) -> Ordering {
    let empty = Label::text("", "");
    let at = |labels: &[Label], index: usize| labels.get(index).unwrap_or(&empty).clone();
    let pairs = (0..a.len().max(b.len())).map(|index| {
        let (a, b) = (at(a, index), at(b, index));
        let texts = tie_text(&a).cmp(&tie_text(&b));
        texts.then_with(|| a.name.cmp(&b.name)).then_with(|| tie_number(&b).cmp(&tie_number(&a)))
    });
    pairs.fold(Ordering::Equal, Ordering::then)
}

fn tie_text(label: &Label) -> String {
    match &label.value {
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => String::new(),
        other => text(other),
    }
}

fn tie_number(label: &Label) -> (u8, u64) {
    match &label.value {
        Value::Int(value) => (1, value.cast_unsigned()),
        Value::Float(value) => (2, value.to_bits()),
        Value::Bool(value) => (3, u64::from(*value)),
        _ => (0, 0),
    }
}
