//! What is valid and could be written better.

use crate::{
    ir::KNOWN_HINTS,
    syntax::{
        Diagnostic,
        ast::{ExtensionKind, Query},
    },
};

/// Beginnings of names that OpenTelemetry's conventions give to resources.
const OF_RESOURCES: [&str; 12] = [
    "service.",
    "k8s.",
    "host.",
    "deployment.",
    "telemetry.",
    "cloud.",
    "container.",
    "process.",
    "os.",
    "faas.",
    "device.",
    "aws.",
];

/// Notes on bare names, warnings of hints without effect.
pub(crate) fn advice<'q>(query: &'q Query, text: &'q str) -> impl Iterator<Item = Diagnostic> + 'q {
    let bare = query.extensions.iter().filter(|extension| extension.kind == ExtensionKind::BareName);
    let notes = bare.map(move |extension| {
        let span = extension.span;
        let name = text.get(span.start as usize..span.end as usize).unwrap_or("");
        let scope = if OF_RESOURCES.iter().any(|start| name.starts_with(start)) { "resource" } else { "span" };
        Diagnostic::new("TQ0551", span, format!("read as `.{name}`: the span's attribute, else the resource's"))
            .help(format!("write `{scope}.{name}` if that is meant; it is found faster"))
    });
    let unknown = query.hints.iter().filter(|hint| !KNOWN_HINTS.contains(&hint.name.as_str()));
    let warnings = unknown.map(|hint| {
        Diagnostic::new("TQ0503", hint.span, format!("there is no hint `{}`: it has no effect", hint.name))
    });
    notes.chain(warnings)
}
