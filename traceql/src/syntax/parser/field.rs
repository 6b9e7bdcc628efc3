//! Attributes and intrinsics, and what to say about words that are neither.

use super::{Parser, Result};
use crate::syntax::{
    Diagnostic, Span,
    ast::{Attribute, Field, Intrinsic, Scope},
    token::{SCOPES, TokenKind},
};

impl Parser {
    /// `attr = attribute-field | intrinsic ;`
    pub(super) fn field(&mut self) -> Result<Field> {
        let token = self.peek().clone();
        let field = match &token.kind {
            TokenKind::Attribute(Scope::Parent | Scope::ParentSpan | Scope::ParentResource, _) => {
                return Err(self.error("TQ0901", token.span, "attributes of the parent are not supported yet"));
            }
            TokenKind::Attribute(scope, name) => Field::Attribute(Attribute { scope: *scope, name: name.clone() }),
            TokenKind::Scoped(scope, name) => {
                let found =
                    Intrinsic::ALL.into_iter().find(|intrinsic| intrinsic.scoped() == Some((*scope, name.as_str())));
                Field::Intrinsic(found.ok_or_else(|| unknown_scoped(token.span, scope, name))?)
            }
            TokenKind::Word(word) => match Intrinsic::ALL.into_iter().find(|found| found.bare() == Some(word)) {
                Some(Intrinsic::Parent) => {
                    return Err(self.error("TQ0901", token.span, "`parent` is not supported yet"));
                }
                Some(intrinsic) => Field::Intrinsic(intrinsic),
                None => return Err(self.unknown_word(word)),
            },
            _ => return Err(self.unexpected("an attribute")),
        };
        self.bump();
        Ok(field)
    }

    /// A word that stands for nothing.
    fn unknown_word(&self, word: &str) -> Box<Diagnostic> {
        let span = self.peek().span;
        let next = self.peek_after();
        // `http.method`: the dot begins an unscoped attribute right behind the word.
        if let TokenKind::Attribute(Scope::Unscoped, rest) = &next.kind
            && next.span.start == span.end
        {
            let full = format!("{word}.{rest}");
            let similar = closest(word, SCOPES.iter().map(|(name, _)| *name));
            let help = match similar {
                Some(scope) => format!("did you mean `{scope}.{rest}`? Attribute `{full}` of any scope is `.{full}`"),
                None => format!("write `.{full}`, or with its scope: `span.{full}`, `resource.{full}`"),
            };
            let message = format!("`{full}` lacks a scope or a leading dot");
            return Diagnostic::new("TQ0204", span.to(next.span), message).help(help).into();
        }
        let scoped_only = Intrinsic::ALL.into_iter().filter_map(Intrinsic::scoped).find(|(_, name)| *name == word);
        let words =
            ["true", "false", "nil", "ok", "error", "unset", "internal", "server", "client", "producer", "consumer"];
        let bare = Intrinsic::ALL.into_iter().filter_map(Intrinsic::bare);
        let help = match (scoped_only, closest(word, bare.chain(words))) {
            (Some((scope, name)), _) => format!("write `{scope}:{name}`, or `.{word}` for an attribute"),
            (None, Some(similar)) => format!("did you mean `{similar}`? An attribute is written `.{word}`"),
            (None, None) => format!("write `.{word}` for an attribute, `\"{word}\"` for a text"),
        };
        Diagnostic::new("TQ0204", span, format!("`{word}` is no intrinsic and no value")).help(help).into()
    }
}

/// `span:x` where there is no such intrinsic.
fn unknown_scoped(span: Span, scope: &str, name: &str) -> Box<Diagnostic> {
    let names: Vec<&str> = Intrinsic::ALL
        .into_iter()
        .filter_map(Intrinsic::scoped)
        .filter(|(found, _)| *found == scope)
        .map(|(_, name)| name)
        .collect();
    let help = match closest(name, names.iter().copied()) {
        Some(similar) => format!("did you mean `{scope}:{similar}`?"),
        None => {
            format!("there are {}", names.iter().map(|name| format!("`{scope}:{name}`")).collect::<Vec<_>>().join(", "))
        }
    };
    Diagnostic::new("TQ0204", span, format!("there is no intrinsic `{scope}:{name}`")).help(help).into()
}

/// The candidate that differs least, if it is close.
fn closest<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let scored = candidates.map(|candidate| (distance(&word.to_lowercase(), &candidate.to_lowercase()), candidate));
    scored
        .filter(|(distance, candidate)| *distance <= candidate.len() / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The number of characters to insert, delete or replace (Levenshtein). Words are cut to 32 characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(32).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().take(32).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (b, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = *cell;
            left = replaced.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(0)
}
