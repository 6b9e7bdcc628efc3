//! The columns of the span table as queries see them: what a span has, wherever a block keeps it.
//!
//! A block stores a span's parent as an offset, its service in a table of resources, a rare attribute in a residual
//! table. Those who ask need not know: they name a [`SpanColumn`] and get an array of its [`SpanColumn::data_type`].

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};

/// Where an attribute list hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AttributeScope {
    /// On the resource.
    Resource,
    /// On the instrumentation scope.
    Instrumentation,
    /// On the span.
    Span,
    /// On an event of the span.
    Event,
    /// On a link of the span.
    Link,
}

/// The type of an attribute's value. An attribute may have values of several types on different spans; each type is a
/// column of its own, null where the span has no value or one of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AttributeType {
    /// Text.
    String,
    /// Integers.
    Int,
    /// Floats.
    Float,
    /// Truth values.
    Bool,
    /// Lists of texts, with at least one element; so the next three.
    StringArray,
    /// Lists of integers.
    IntArray,
    /// Lists of floats.
    FloatArray,
    /// Lists of truth values.
    BoolArray,
    /// Anything else (bytes, key-value lists, mixed and empty arrays, nothing), as OTLP's JSON.
    Other,
}

/// What a value belongs to: a span has one of each of its own columns, and as many of its events' as it has events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// One value per span.
    Span,
    /// A list per span, with an element per event.
    Event,
    /// A list per span, with an element per link.
    Link,
}

/// A column of the span table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SpanColumn {
    /// The block's number in the snapshot.
    Block,
    /// The span's row in its block.
    Row,
    /// The trace's ordinal in its block.
    Trace,
    /// Start, ns since 1970.
    StartTime,
    /// End − start in ns; 0 where the end lies before the start.
    Duration,
    /// The span's name.
    Name,
    /// OTLP's kind number.
    Kind,
    /// OTLP's status code.
    Status,
    /// The status message.
    StatusMessage,
    /// The id, 8 bytes.
    SpanId,
    /// The id as 16 hexadecimal digits.
    SpanIdText,
    /// The parent's id as 16 hexadecimal digits, zeros for roots.
    ParentIdText,
    /// How many spans have this one as parent.
    ChildCount,
    /// How many rows back the parent's row is, 0 without a parent in the trace.
    ParentOffset,
    /// The span's descendants are this many rows after it.
    Descendants,
    /// Whether the parent is in the trace.
    HasParent,
    /// The parent's id as a big-endian number where the parent is not in the trace; null where it is, and for roots.
    ///
    /// A parent is missing too where spans have the id but none fits (its kind, or because it would be the span itself),
    /// and where a cycle was cut.
    MissingParent,
    /// Nested-set numbers, 0 for spans that are not under a root.
    NestedSetLeft,
    /// See [`SpanColumn::NestedSetLeft`].
    NestedSetRight,
    /// The parent's left number, −1 for roots, 0 for spans that are not under a root.
    NestedSetParent,
    /// The trace id as 32 hexadecimal digits.
    TraceIdText,
    /// A number that the trace id alone decides, spread evenly over all numbers of 64 bits: for samples that are the
    /// same whatever the cut. XXH3-64 of its 16 bytes.
    TraceHash,
    /// The same of a span: XXH3-64 of its id's 8 bytes with the trace's number as seed.
    SpanHash,
    /// For how many spans this one stands, by the threshold with which it was sampled (`th` of the `ot` member of its W3C
    /// trace state, OpenTelemetry's consistent probability sampling); 1 without one.
    Weight,
    /// The trace's start, ns since 1970.
    TraceStart,
    /// The trace's latest end − its start, in ns.
    TraceDuration,
    /// The root span's name, empty without one.
    RootName,
    /// The root span's service, empty without one.
    RootService,
    /// The resource's service name, empty where it has none that is a text.
    Service,
    /// The instrumentation scope's name.
    ScopeName,
    /// Its version.
    ScopeVersion,
    /// The events' names.
    EventName,
    /// The events' times − the span's start, in ns.
    EventTimeSinceStart,
    /// The links' trace ids as hexadecimal digits.
    LinkTraceId,
    /// The links' span ids as hexadecimal digits.
    LinkSpanId,
    /// An attribute's values of one type.
    Attribute {
        /// Where.
        scope: AttributeScope,
        /// Its key.
        key: String,
        /// Which type.
        value_type: AttributeType,
    },
    /// What a column has at the span's parent, null where the parent is not in the trace. Only for columns with one
    /// value per span: made by [`SpanColumn::of_parent`], anything else cannot be read.
    OfParent(Box<Self>),
}

impl AttributeScope {
    /// All of them, in the order of their numbers on disk.
    pub(crate) const ALL: [Self; 5] = [Self::Resource, Self::Instrumentation, Self::Span, Self::Event, Self::Link];

    /// The scope's name as a prefix of attributes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::Instrumentation => "instrumentation",
            Self::Span => "span",
            Self::Event => "event",
            Self::Link => "link",
        }
    }

    /// What the attribute's values belong to, as the span table shows them.
    #[must_use]
    pub const fn level(self) -> Level {
        match self {
            Self::Event => Level::Event,
            Self::Link => Level::Link,
            _ => Level::Span,
        }
    }
}

impl AttributeType {
    /// All of them, in the order of their numbers on disk.
    pub(crate) const ALL: [Self; 9] = [
        Self::String,
        Self::Int,
        Self::Float,
        Self::Bool,
        Self::StringArray,
        Self::IntArray,
        Self::FloatArray,
        Self::BoolArray,
        Self::Other,
    ];

    /// The suffix of columns of this type.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "str",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::StringArray => "str[]",
            Self::IntArray => "int[]",
            Self::FloatArray => "float[]",
            Self::BoolArray => "bool[]",
            Self::Other => "other",
        }
    }

    /// The type of an array's elements; a scalar type is its own.
    #[must_use]
    pub const fn element(self) -> Self {
        match self {
            Self::StringArray => Self::String,
            Self::IntArray => Self::Int,
            Self::FloatArray => Self::Float,
            Self::BoolArray => Self::Bool,
            scalar => scalar,
        }
    }

    /// The type of arrays with such elements; what has no such array is its own.
    pub(crate) const fn array(self) -> Self {
        match self {
            Self::String => Self::StringArray,
            Self::Int => Self::IntArray,
            Self::Float => Self::FloatArray,
            Self::Bool => Self::BoolArray,
            other => other,
        }
    }

    /// Whether values are lists.
    #[must_use]
    pub const fn is_array(self) -> bool {
        matches!(self, Self::StringArray | Self::IntArray | Self::FloatArray | Self::BoolArray)
    }

    /// The Arrow type of a value.
    #[must_use]
    pub fn data_type(self) -> DataType {
        match self {
            Self::String | Self::Other => DataType::Utf8View,
            Self::Int => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Bool => DataType::Boolean,
            array => list_of(array.element().data_type()),
        }
    }
}

impl SpanColumn {
    /// The column's value at the span's parent; `None` for columns of events and links.
    #[must_use]
    pub fn of_parent(self) -> Option<Self> {
        (self.level() == Level::Span).then(|| Self::OfParent(Box::new(self)))
    }

    /// The column's name in plans: `name`, `span.http.method:str`, ...
    #[must_use]
    pub fn name(&self) -> String {
        let name = match self {
            Self::Attribute { scope, key, value_type } => {
                return format!("{}.{key}:{}", scope.name(), value_type.name());
            }
            Self::OfParent(column) => return format!("parent.{}", column.name()),
            Self::Block => "block",
            Self::Row => "row",
            Self::Trace => "trace",
            Self::StartTime => "start_time",
            Self::Duration => "duration",
            Self::Name => "name",
            Self::Kind => "kind",
            Self::Status => "status",
            Self::StatusMessage => "status_message",
            Self::SpanId => "span_id",
            Self::SpanIdText => "span:id",
            Self::ParentIdText => "span:parent_id",
            Self::ChildCount => "child_count",
            Self::ParentOffset => "parent_offset",
            Self::Descendants => "descendants",
            Self::HasParent => "has_parent",
            Self::MissingParent => "missing_parent",
            Self::NestedSetLeft => "nested_set_left",
            Self::NestedSetRight => "nested_set_right",
            Self::NestedSetParent => "nested_set_parent",
            Self::TraceIdText => "trace:id",
            Self::TraceHash => "trace_hash",
            Self::SpanHash => "span_hash",
            Self::Weight => "weight",
            Self::TraceStart => "trace_start",
            Self::TraceDuration => "trace_duration",
            Self::RootName => "root_name",
            Self::RootService => "root_service",
            Self::Service => "service",
            Self::ScopeName => "scope_name",
            Self::ScopeVersion => "scope_version",
            Self::EventName => "event:name",
            Self::EventTimeSinceStart => "event:time_since_start",
            Self::LinkTraceId => "link:trace_id",
            Self::LinkSpanId => "link:span_id",
        };
        name.to_owned()
    }

    /// What its values belong to.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::EventName | Self::EventTimeSinceStart => Level::Event,
            Self::LinkTraceId | Self::LinkSpanId => Level::Link,
            Self::Attribute { scope, .. } => scope.level(),
            _ => Level::Span,
        }
    }

    /// The type of one value: for events and links, of one event's or link's.
    #[must_use]
    pub fn value_data_type(&self) -> DataType {
        match self {
            Self::Block | Self::Row | Self::Trace | Self::ParentOffset | Self::Descendants => DataType::UInt32,
            Self::StartTime | Self::TraceStart | Self::MissingParent | Self::TraceHash | Self::SpanHash => {
                DataType::UInt64
            }
            Self::Duration
            | Self::ChildCount
            | Self::NestedSetLeft
            | Self::NestedSetRight
            | Self::NestedSetParent
            | Self::TraceDuration
            | Self::EventTimeSinceStart => DataType::Int64,
            Self::Kind | Self::Status => DataType::Int32,
            Self::Weight => DataType::Float64,
            Self::HasParent => DataType::Boolean,
            Self::SpanId => DataType::FixedSizeBinary(8),
            Self::OfParent(column) => column.data_type(),
            Self::Attribute { value_type, .. } => value_type.data_type(),
            _ => DataType::Utf8View,
        }
    }

    /// The Arrow type of the column: a list for events and links.
    #[must_use]
    pub fn data_type(&self) -> DataType {
        match self.level() {
            Level::Span => self.value_data_type(),
            Level::Event | Level::Link => list_of(self.value_data_type()),
        }
    }

    /// Whether a span (event, link) may have no value.
    #[must_use]
    pub fn is_nullable(&self) -> bool {
        matches!(self, Self::Attribute { .. } | Self::MissingParent | Self::OfParent(_))
    }

    /// The column as a field of the span table.
    #[must_use]
    pub fn field(&self) -> Field {
        Field::new(self.name(), self.data_type(), self.is_nullable())
    }

    /// Whether a block may keep the column as codes: texts, and what belongs to a trace, a resource or a scope.
    #[must_use]
    pub fn may_be_coded(&self) -> bool {
        self.level() == Level::Span && (self.data_type() == DataType::Utf8View || *self == Self::TraceDuration)
    }

    /// Whether a span has at most one value, which is text.
    pub(crate) fn is_text(&self) -> bool {
        self.level() == Level::Span && self.data_type() == DataType::Utf8View
    }

    /// The column as a field of a span table that delivers codes of texts as dictionary arrays.
    #[must_use]
    pub fn coded_field(&self) -> Field {
        if !self.is_text() {
            return self.field();
        }
        let coded = DataType::Dictionary(Box::new(DataType::Int32), Box::new(self.data_type()));
        Field::new(self.name(), coded, self.is_nullable())
    }
}

/// A list type with nullable elements.
pub(crate) fn list_of(element: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(element, true)))
}
