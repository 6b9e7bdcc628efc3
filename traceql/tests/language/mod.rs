//! What tests of the language share.

#![allow(dead_code, reason = "every test file uses its own part")]

use std::fmt::Debug;

pub(crate) mod generate;

/// A tree as text, without the places of its parts.
pub(crate) fn without_places(tree: &impl Debug) -> String {
    let text = format!("{tree:?}");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("Span { start: ") {
        out.push_str(&rest[..at]);
        let end = rest[at..].find('}').map_or(rest.len(), |end| at + end + 1);
        rest = &rest[end..];
    }
    out.push_str(rest);
    // What Tempo would not take is marked by its place alone.
    let end = out.find(", extensions: [").unwrap_or(out.len());
    out.truncate(end);
    out
}

/// The size of a query's meaning as text; 0 if it has none.
pub(crate) fn compiled_size(query: &str) -> usize {
    traceql::compile(query).map_or(0, |query| format!("{query:?}").len())
}
