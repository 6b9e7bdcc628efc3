//! Fields: attributes in their scopes, and intrinsics.

use crate::syntax::Span;

/// A field where the grammar takes nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldRef {
    /// The field.
    pub field: Field,
    /// Where it stands.
    pub span: Span,
}

/// Something a span has a value for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// A key of an attribute list.
    Attribute(Attribute),
    /// A property that every span, event, link or trace has by nature.
    Intrinsic(Intrinsic),
}

/// An attribute reference.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attribute {
    /// Where it is looked for.
    pub scope: Scope,
    /// Its key, quotes and escapes resolved.
    pub name: String,
}

/// Where an attribute is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// `.x`: the span's, else the resource's.
    Unscoped,
    /// `span.x`
    Span,
    /// `resource.x`
    Resource,
    /// `event.x`
    Event,
    /// `link.x`
    Link,
    /// `instrumentation.x`
    Instrumentation,
    /// `parent.x`
    Parent,
    /// `parent.span.x`
    ParentSpan,
    /// `parent.resource.x`
    ParentResource,
}

/// The intrinsics. Each is written in one or two ways and printed in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Intrinsic {
    /// `duration`, `span:duration`
    Duration,
    /// `name`, `span:name`
    Name,
    /// `status`, `span:status`
    Status,
    /// `statusMessage`, `span:statusMessage`
    StatusMessage,
    /// `kind`, `span:kind`
    Kind,
    /// `span:id`
    SpanId,
    /// `span:parentID`
    SpanParentId,
    /// `span:childCount`
    ChildCount,
    /// `traceDuration`, `trace:duration`
    TraceDuration,
    /// `rootName`, `trace:rootName`
    RootName,
    /// `rootServiceName`, `trace:rootService`
    RootServiceName,
    /// `trace:id`
    TraceId,
    /// `event:name`
    EventName,
    /// `event:timeSinceStart`
    EventTimeSinceStart,
    /// `link:traceID`
    LinkTraceId,
    /// `link:spanID`
    LinkSpanId,
    /// `instrumentation:name`
    InstrumentationName,
    /// `instrumentation:version`
    InstrumentationVersion,
    /// `nestedSetLeft`
    NestedSetLeft,
    /// `nestedSetRight`
    NestedSetRight,
    /// `nestedSetParent`
    NestedSetParent,
    /// `parent`
    Parent,
}

impl Intrinsic {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::Duration,
        Self::Name,
        Self::Status,
        Self::StatusMessage,
        Self::Kind,
        Self::SpanId,
        Self::SpanParentId,
        Self::ChildCount,
        Self::TraceDuration,
        Self::RootName,
        Self::RootServiceName,
        Self::TraceId,
        Self::EventName,
        Self::EventTimeSinceStart,
        Self::LinkTraceId,
        Self::LinkSpanId,
        Self::InstrumentationName,
        Self::InstrumentationVersion,
        Self::NestedSetLeft,
        Self::NestedSetRight,
        Self::NestedSetParent,
        Self::Parent,
    ];

    /// The form without a scope, if there is one: the canonical one then.
    #[must_use]
    pub const fn bare(self) -> Option<&'static str> {
        Some(match self {
            Self::Duration => "duration",
            Self::Name => "name",
            Self::Status => "status",
            Self::StatusMessage => "statusMessage",
            Self::Kind => "kind",
            Self::TraceDuration => "traceDuration",
            Self::RootName => "rootName",
            Self::RootServiceName => "rootServiceName",
            Self::NestedSetLeft => "nestedSetLeft",
            Self::NestedSetRight => "nestedSetRight",
            Self::NestedSetParent => "nestedSetParent",
            Self::Parent => "parent",
            _ => return None,
        })
    }

    /// The form with a scope and a colon, if there is one.
    #[must_use]
    pub const fn scoped(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Duration => ("span", "duration"),
            Self::Name => ("span", "name"),
            Self::Status => ("span", "status"),
            Self::StatusMessage => ("span", "statusMessage"),
            Self::Kind => ("span", "kind"),
            Self::SpanId => ("span", "id"),
            Self::SpanParentId => ("span", "parentID"),
            Self::ChildCount => ("span", "childCount"),
            Self::TraceDuration => ("trace", "duration"),
            Self::RootName => ("trace", "rootName"),
            Self::RootServiceName => ("trace", "rootService"),
            Self::TraceId => ("trace", "id"),
            Self::EventName => ("event", "name"),
            Self::EventTimeSinceStart => ("event", "timeSinceStart"),
            Self::LinkTraceId => ("link", "traceID"),
            Self::LinkSpanId => ("link", "spanID"),
            Self::InstrumentationName => ("instrumentation", "name"),
            Self::InstrumentationVersion => ("instrumentation", "version"),
            _ => return None,
        })
    }
}
