//! Attributes and intrinsics, and what to say about words that are neither.

use super::{
    expected::{Expected, Fault},
    input::{Input, Res, fail},
    literal::literal_word,
};
use crate::syntax::{
    Span,
    ast::{AggregateFunction, Attribute, ExtensionKind, Field, FieldRef, Intrinsic, Scope},
    suggest::{closest, distance},
    token::{METRICS_FUNCTIONS, SCOPES, TokenKind},
};

/// `attr = attribute-field | intrinsic ;`
pub(super) fn field(input: Input<'_>) -> Res<'_, FieldRef> {
    let (rest, field) = any_field(input)?;
    if is_parent(&field.field) {
        input.extension(ExtensionKind::Parent, field.span);
    }
    Ok((rest, field))
}

/// The same where Tempo does not mind the parent: in metrics functions.
pub(super) fn metrics_field(input: Input<'_>) -> Res<'_, FieldRef> {
    any_field(input)
}

fn is_parent(field: &Field) -> bool {
    match field {
        Field::Attribute(attribute) => {
            matches!(attribute.scope, Scope::Parent | Scope::ParentSpan | Scope::ParentResource)
        }
        Field::Intrinsic(intrinsic) => *intrinsic == Intrinsic::Parent,
    }
}

fn any_field(input: Input<'_>) -> Res<'_, FieldRef> {
    let token = input.peek();
    let found = |field| Ok((input.advance(), FieldRef { field, span: token.span }));
    match &token.kind {
        TokenKind::Attribute(scope, name) => found(Field::Attribute(Attribute { scope: *scope, name: name.clone() })),
        TokenKind::Scoped(scope, name) => {
            let intrinsic =
                Intrinsic::ALL.into_iter().find(|intrinsic| intrinsic.scoped() == Some((*scope, name.as_str())));
            match intrinsic {
                Some(intrinsic) => found(Field::Intrinsic(intrinsic)),
                None => fail(unknown_scoped(token.span, scope, name)),
            }
        }
        TokenKind::Word(word) => {
            if let Some((rest, field)) = bare_name(input, word)? {
                return Ok((rest, field));
            }
            match Intrinsic::ALL.into_iter().find(|found| found.bare() == Some(word)) {
                Some(intrinsic) => found(Field::Intrinsic(intrinsic)),
                None if word == "nil" || literal_word(word).is_some() => {
                    fail(input.unexpected(Expected::Field { numeric: false }))
                }
                None => fail(unknown_word(token.span, word)),
            }
        }
        _ => fail(input.unexpected(Expected::Field { numeric: false })),
    }
}

/// Whether a word is the beginning of a bare dotted name: a dot and a name touch it.
pub(super) fn begins_bare_name(input: Input<'_>) -> bool {
    let (word, next) = (input.peek(), input.peek_after());
    matches!((&word.kind, &next.kind), (TokenKind::Word(_), TokenKind::Attribute(Scope::Unscoped, _)))
        && next.span.start == word.span.end
}

/// `http.method` (SEMANTICS.md X1); not where the first part is rather a scope that was misspelt.
fn bare_name<'t>(input: Input<'t>, word: &str) -> Result<Option<(Input<'t>, FieldRef)>, nom::Err<Fault>> {
    if !begins_bare_name(input) {
        return Ok(None);
    }
    let next = input.peek_after();
    let TokenKind::Attribute(_, rest) = &next.kind else { return Ok(None) };
    let span = input.peek().span.to(next.span);
    let scope = SCOPES.iter().map(|(name, _)| *name).find(|name| is_slip(word, name));
    if scope.is_some() || is_slip(word, "trace") {
        let message = format!("there is no scope `{word}`");
        let help = match scope {
            Some(scope) => {
                format!("did you mean `{scope}.{rest}`? Attribute `{word}.{rest}` of any scope is `.{word}.{rest}`")
            }
            None => format!(
                "a trace has no attributes of its own; attribute `{word}.{rest}` of any scope is `.{word}.{rest}`"
            ),
        };
        // As if it were what was meant, so that the rest is read as well.
        input.report(Fault::new("TQ0204", span, message).help(help));
    } else {
        input.extension(ExtensionKind::BareName, span);
    }
    let field = Field::Attribute(Attribute { scope: Scope::Unscoped, name: format!("{word}.{rest}") });
    Ok(Some((input.advance().advance(), FieldRef { field, span })))
}

/// Whether a word is rather a slip for another than a name of its own: another case, a plural, two letters exchanged;
/// for long words any one letter. (`line.number` and `source.address` are names.)
fn is_slip(word: &str, meant: &str) -> bool {
    let (lower, plural) = (word.to_lowercase(), format!("{meant}s"));
    let exchanged = lower.len() == meant.len() && {
        let mut own: Vec<char> = lower.chars().collect();
        let mut other: Vec<char> = meant.chars().collect();
        own.sort_unstable();
        other.sort_unstable();
        own == other
    };
    let long = meant.len() > 6 && distance(&lower, meant) == 1;
    word != meant && (lower == meant || lower == plural || exchanged || long) || meant == "trace" && word == meant
}

/// A word that stands for nothing.
pub(super) fn unknown_word(span: Span, word: &str) -> Fault {
    let scoped_only = match word {
        "spanID" => Some(("span", "id")),
        "traceID" => Some(("trace", "id")),
        _ => Intrinsic::ALL.into_iter().filter_map(Intrinsic::scoped).find(|(_, name)| *name == word),
    };
    let words =
        ["true", "false", "nil", "ok", "error", "unset", "internal", "server", "client", "producer", "consumer"];
    let bare = Intrinsic::ALL.into_iter().filter_map(Intrinsic::bare);
    let help = match (scoped_only, closest(word, bare.chain(words))) {
        (Some((scope, name)), _) => format!("write `{scope}:{name}`, or `.{word}` for an attribute"),
        (None, _) if AggregateFunction::ALL.iter().any(|function| function.name() == word) => {
            "aggregates follow a `|` behind the filter: `{ … } | count() > 2`".to_owned()
        }
        (None, _) if METRICS_FUNCTIONS.contains(&word) => {
            format!("functions follow a `|` behind the filter: `{{ … }} | {word}(…)`")
        }
        (None, Some(similar)) => format!("did you mean `{similar}`? An attribute is written `.{word}`"),
        (None, None) => format!("write `.{word}` for an attribute, `\"{word}\"` for a text"),
    };
    Fault::new("TQ0204", span, format!("`{word}` is no intrinsic and no value")).help(help)
}

/// `span:x` where there is no such intrinsic.
fn unknown_scoped(span: Span, scope: &str, name: &str) -> Fault {
    let names: Vec<&str> = Intrinsic::ALL
        .into_iter()
        .filter_map(Intrinsic::scoped)
        .filter(|(found, _)| *found == scope)
        .map(|(_, name)| name)
        .collect();
    let bare = Intrinsic::ALL.into_iter().filter_map(Intrinsic::bare).find(|bare| *bare == name);
    let help = match closest(name, names.iter().copied()) {
        _ if bare.is_some() => format!("write `{name}`"),
        Some(similar) => format!("did you mean `{scope}:{similar}`?"),
        None => {
            format!("there are {}", names.iter().map(|name| format!("`{scope}:{name}`")).collect::<Vec<_>>().join(", "))
        }
    };
    Fault::new("TQ0204", span, format!("there is no intrinsic `{scope}:{name}`")).help(help)
}
