//! What a trace is to this store: owned, lossless OpenTelemetry spans.
//!
//! These types are what a trace lookup hands out and what OTLP is written from. They are not on the ingest path (that
//! reads borrowed views, see [`crate::otlp`]) and not what queries run on (those read columns, see [`crate::table`]).

mod facts;
mod ids;
mod span;
mod time;
mod value;

pub use ids::{BlockId, ParseIdError, SpanId, TraceId};
pub use span::{EntityRef, Event, Link, Resource, Scope, Span, Status, Trace, TraceSpan};
pub use time::TimeRange;
pub use value::{KeyValue, Value};
