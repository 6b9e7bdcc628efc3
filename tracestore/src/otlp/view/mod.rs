//! Borrowed views over an encoded `ExportTraceServiceRequest`: the hot path of ingest.
//!
//! A view is parsed in one pass over its own fields; repeated parts (attributes, events, links) are walked again when
//! asked for. Nothing is allocated or copied. Field numbers are those of opentelemetry-proto.

mod request;
mod span;
mod value;
mod wire;

pub use request::{RequestView, ResourceSpansView, ResourceView, ScopeSpansView, ScopeView};
pub use span::{EventView, LinkView, SpanView, StatusView};
pub use value::{KeyValueView, ValueView, ValuesView};
pub use wire::{WireError, WireReason};
