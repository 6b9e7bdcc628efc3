//! How names and values are asked for.

use tracestore::block::AttributeScope;

use crate::syntax::ast::Scope;

/// What names are names of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TagScope {
    /// Attributes of spans.
    Span,
    /// Attributes of resources.
    Resource,
    /// Attributes of events.
    Event,
    /// Attributes of links.
    Link,
    /// Attributes of instrumentation scopes.
    Instrumentation,
    /// What every span, event, link or trace has by nature.
    Intrinsic,
}

/// How names and values are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TagOptions {
    /// Only what is on spans that match this query, which may be unfinished: what counts is the filter that it begins
    /// with, as [`partial_condition`](crate::ir::partial_condition) reads it. Default: all spans.
    pub query: Option<String>,
    /// Only spans of traces that end at this time or later, ns since 1970. Default: all.
    pub start: Option<u64>,
    /// Only spans of traces that start at this time or earlier, ns since 1970. Default: all.
    pub end: Option<u64>,
    /// Only names of this scope; says nothing about values. Default: all scopes.
    pub scope: Option<TagScope>,
    /// How many names of each scope at most, or values. Default: all.
    pub limit: Option<usize>,
}

impl TagScope {
    /// All of them, in the order of answers.
    pub const ALL: [Self; 6] =
        [Self::Span, Self::Resource, Self::Event, Self::Link, Self::Instrumentation, Self::Intrinsic];

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Span => "span",
            Self::Resource => "resource",
            Self::Event => "event",
            Self::Link => "link",
            Self::Instrumentation => "instrumentation",
            Self::Intrinsic => "intrinsic",
        }
    }

    /// The scope of its attributes in a query; `None` for intrinsics.
    #[must_use]
    pub const fn attributes(self) -> Option<Scope> {
        Some(match self {
            Self::Span => Scope::Span,
            Self::Resource => Scope::Resource,
            Self::Event => Scope::Event,
            Self::Link => Scope::Link,
            Self::Instrumentation => Scope::Instrumentation,
            Self::Intrinsic => return None,
        })
    }

    /// Where its attributes hang; `None` for intrinsics.
    pub(super) const fn stored(self) -> Option<AttributeScope> {
        Some(match self {
            Self::Span => AttributeScope::Span,
            Self::Resource => AttributeScope::Resource,
            Self::Event => AttributeScope::Event,
            Self::Link => AttributeScope::Link,
            Self::Instrumentation => AttributeScope::Instrumentation,
            Self::Intrinsic => return None,
        })
    }
}

impl TagOptions {
    /// Only what is on spans that match a query, finished or not.
    #[must_use]
    pub fn with_query(self, query: Option<String>) -> Self {
        Self { query, ..self }
    }

    /// Only what is on spans of traces that overlap a range of time.
    #[must_use]
    pub fn with_time(self, start: Option<u64>, end: Option<u64>) -> Self {
        Self { start, end, ..self }
    }

    /// Only names of a scope.
    #[must_use]
    pub fn with_scope(self, scope: Option<TagScope>) -> Self {
        Self { scope, ..self }
    }

    /// At most so many names of each scope, or values.
    #[must_use]
    pub fn with_limit(self, limit: Option<usize>) -> Self {
        Self { limit, ..self }
    }

    /// The scopes that names are asked of.
    pub(super) fn scopes(&self) -> impl Iterator<Item = TagScope> {
        TagScope::ALL.into_iter().filter(|scope| self.scope.is_none_or(|wanted| wanted == *scope))
    }
}
