//! OpenTelemetry's own format, in and out.
//!
//! ```text
//! files, stdin ─▶ source (framing, compression, JSON) ─▶ encoded requests ─▶ view (borrowed) ─▶ block builder
//! model::Trace ─▶ encode (protobuf), json
//! ```

mod check;
mod convert;
mod encode;
mod json;
mod message;
mod refusal;
mod source;
mod view;

pub use check::Pushed;
pub(crate) use check::{check_request, check_span};
pub(crate) use encode::{EventFields, LinkFields, SpanFields, encode_resource, encode_scope};
pub(crate) use encode::{canonical_resource, canonical_scope, canonical_span};
pub use encode::{encode_request, encode_span};
pub use json::traces_to_json;
pub(crate) use json::{entity_refs_from_json, entity_refs_json, value_from_text, value_json};
pub(crate) use message::Message;
pub use refusal::{Refusal, Refusals};
pub use source::{MessageSource, Request};
pub use view::{
    EventView, KeyValueView, LinkView, RequestView, ResourceSpansView, ResourceView, ScopeSpansView, ScopeView,
    SpanView, StatusView, ValueView, ValuesView, WireError, WireReason,
};
