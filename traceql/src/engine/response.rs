//! Answers as plain data.

use std::{cmp::Ordering, time::Duration};

use tracestore::model::{SpanId, TraceId};

use super::Cursor;
use crate::syntax::ast::{Field, Intrinsic};

/// The answer of a search: traces, in the order asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchResponse {
    /// The traces that have matching spans, at most as many as the limit.
    pub traces: Vec<TraceMatch>,
    /// What it took.
    pub stats: SearchStats,
    /// Whether a limit ended the search: there may be more, and other traces.
    pub partial: bool,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Cursor>,
}

/// What a search took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SearchStats {
    /// Blocks that were asked.
    pub blocks: u64,
    /// Spans in those blocks.
    pub spans: u64,
    /// Spans for which a condition was tested.
    pub rows_read: u64,
    /// Bytes of column chunks and pages that were decoded.
    pub bytes_read: u64,
    /// Row groups, or parts of them, that might have had to be read.
    pub row_groups: u64,
    /// Those that were left unread: by their time, keys, statistics or dictionaries, or since enough was found.
    pub row_groups_pruned: u64,
    /// From query text to answer.
    pub elapsed: Duration,
}

/// A trace with matching spans.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceMatch {
    /// The trace's id.
    pub trace_id: TraceId,
    /// The root span's service; `None` without a root in the data.
    pub root_service: Option<String>,
    /// The root span's name; `None` without a root in the data.
    pub root_name: Option<String>,
    /// The earliest start, ns since 1970.
    pub start_time_unix_nano: u64,
    /// The latest end − the start, in ns.
    pub duration_nanos: u64,
    /// Spans and errors by service, ascending by name.
    pub service_stats: Vec<ServiceStats>,
    /// The matching spans.
    pub spansets: Vec<SpansetMatch>,
}

/// How many spans of a trace a service has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceStats {
    /// The service's name, empty where the resource has none.
    pub service: String,
    /// Its spans.
    pub spans: u32,
    /// Those with status error.
    pub errors: u32,
}

/// A list of matching spans of one trace.
#[derive(Debug, Clone, PartialEq)]
pub struct SpansetMatch {
    /// The spans, by start, then id; cut to the number asked for.
    pub spans: Vec<SpanMatch>,
    /// How many there are in all.
    pub matched: usize,
    /// Values that the query computed for the list.
    pub attributes: Vec<SpansetAttribute>,
}

/// A value that a query computed for a list of spans.
#[derive(Debug, Clone, PartialEq)]
pub struct SpansetAttribute {
    /// Its canonical text.
    pub name: String,
    /// The value.
    pub value: Value,
}

/// A matching span.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanMatch {
    /// The span's id.
    pub span_id: SpanId,
    /// Its name.
    pub name: String,
    /// Its start, ns since 1970.
    pub start_time_unix_nano: u64,
    /// End − start in ns, 0 where the end lies before the start.
    pub duration_nanos: u64,
    /// The fields that the query names and the span has, in the query's order.
    pub attributes: Vec<FieldValue>,
}

/// A field's value. Events and links give one each, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldValue {
    /// What was found where: an unscoped name is that of the span or of the resource.
    pub field: Field,
    /// The value.
    pub value: Value,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// Nanoseconds.
    Duration(i64),
    /// Text.
    String(String),
    /// OTLP's status number.
    Status(i32),
    /// OTLP's kind number.
    Kind(i32),
    /// A list of one type.
    Array(Vec<Value>),
    /// A value that cannot be queried, as JSON.
    Json(String),
    /// No value: of a group, or an aggregate that there are no numbers for.
    Nil,
}

impl Value {
    /// An order of all values, by type and then by value, for answers that do not depend on where values were met. Types
    /// are apart, 2 from 2.0, and all NaN of one sign and payload are one.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        let rank = |value: &Self| match value {
            Self::Bool(_) => 0,
            Self::Int(_) => 1,
            Self::Float(_) => 2,
            Self::Duration(_) => 3,
            Self::String(_) => 4,
            Self::Status(_) => 5,
            Self::Kind(_) => 6,
            Self::Json(_) => 7,
            Self::Array(_) => 8,
            Self::Nil => 9,
        };
        match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
            (Self::Int(left), Self::Int(right)) | (Self::Duration(left), Self::Duration(right)) => left.cmp(right),
            (Self::Float(left), Self::Float(right)) => left.total_cmp(right),
            (Self::Status(left), Self::Status(right)) | (Self::Kind(left), Self::Kind(right)) => left.cmp(right),
            (Self::String(left), Self::String(right)) | (Self::Json(left), Self::Json(right)) => left.cmp(right),
            (Self::Array(left), Self::Array(right)) => {
                let pairs = left.iter().zip(right).map(|(left, right)| left.order(right)).find(|order| order.is_ne());
                pairs.unwrap_or_else(|| left.len().cmp(&right.len()))
            }
            (left, right) => rank(left).cmp(&rank(right)),
        }
    }
}

impl SpansetMatch {
    /// What the query found out about the spanset, under names that differ: the second of two values with one name is
    /// numbered (SEMANTICS.md P1).
    #[must_use]
    pub fn values(&self) -> Vec<(String, &Value)> {
        let mut named: Vec<(String, &Value)> = Vec::with_capacity(self.attributes.len());
        for (place, attribute) in self.attributes.iter().enumerate() {
            let before = self.attributes.iter().take(place).filter(|other| other.name == attribute.name).count();
            let name = match before {
                0 => attribute.name.clone(),
                _ => format!("{} #{}", attribute.name, before + 1),
            };
            named.push((name, &attribute.value));
        }
        named
    }
}

impl SpanMatch {
    /// Whether the query names the span's name.
    #[must_use]
    pub fn shows_name(&self) -> bool {
        self.attributes.iter().any(|attribute| attribute.field == Field::Intrinsic(Intrinsic::Name))
    }
}
