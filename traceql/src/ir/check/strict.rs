//! Strict mode: what is valid here and not in Tempo (SEMANTICS.md X1), as errors.

use crate::syntax::{
    Diagnostic,
    ast::{ExtensionKind, Query},
};

/// What Tempo would not take.
pub(crate) fn unsupported(query: &Query) -> impl Iterator<Item = Diagnostic> {
    query.extensions.iter().map(|extension| {
        let span = extension.span;
        match extension.kind {
            ExtensionKind::BareName => {
                Diagnostic::new("TQ0204", span, "this name lacks a scope or a leading dot").help("write `.` before it")
            }
            ExtensionKind::Parent => Diagnostic::new("TQ0901", span, "Tempo does not support the parent")
                .help("relate spans: `{ … } > { … }`"),
            ExtensionKind::ScalarExpression => {
                Diagnostic::new("TQ0902", span, "Tempo compares one aggregate with a constant, and nothing else")
            }
            ExtensionKind::Groupings => Diagnostic::new("TQ0903", span, "Tempo does not group by so many attributes"),
        }
    })
}
