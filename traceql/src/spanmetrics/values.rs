//! Values of a configuration: words, texts, numbers, lists of them.

use crate::{
    syntax::Diagnostic,
    yaml::{Map, Node, Reader},
};

/// Sets what is said.
pub(super) fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// `true` or `false`.
pub(super) fn flag(reader: &mut Reader<'_>, map: &Map<'_>, key: &str) -> Option<bool> {
    const WORDS: [(&str, bool); 2] = [("true", true), ("false", false)];
    map.get(key).and_then(|node| word(reader, node, &WORDS))
}

/// One of some words.
pub(super) fn word<T: Copy>(reader: &mut Reader<'_>, node: &Node, words: &[(&str, T)]) -> Option<T> {
    let text = reader.text(node, "a word")?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("`{text}` is none of {}", list.join(", "));
        reader.report(Diagnostic::new("TQ0605", node.span, message));
    }
    found
}

pub(super) fn optional_text(reader: &mut Reader<'_>, map: &Map<'_>, key: &str) -> Option<Option<String>> {
    let text = map.get(key).and_then(|node| reader.text(node, "an attribute"))?;
    Some(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

pub(super) fn texts(reader: &mut Reader<'_>, node: &Node) -> Vec<String> {
    let list = reader.list(node, "a list of texts").iter();
    list.filter_map(|node| reader.name(node, "a name")).map(str::to_owned).collect()
}

pub(super) fn numbers(reader: &mut Reader<'_>, node: &Node) -> Vec<f64> {
    let list = reader.list(node, "a list of numbers").iter();
    list.filter_map(|node| reader.number(node)).collect()
}
