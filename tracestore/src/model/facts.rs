//! What is often asked of a span.

use super::{TraceSpan, Value};

/// OTLP's status code of errors.
const ERROR: i32 = 2;

impl TraceSpan {
    /// The `service.name` of the resource, empty where it has none or one that is no text.
    #[must_use]
    pub fn service(&self) -> &str {
        let name = self.resource.attributes.iter().find(|attribute| attribute.key == "service.name");
        match name.map(|attribute| &attribute.value) {
            Some(Value::String(name)) => name,
            _ => "",
        }
    }

    /// End − start in ns; 0 where the end lies before the start.
    #[must_use]
    pub fn duration_nanos(&self) -> u64 {
        self.span.end_time_unix_nano.saturating_sub(self.span.start_time_unix_nano)
    }

    /// Whether the status is error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.span.status.as_ref().is_some_and(|status| status.code == ERROR)
    }

    /// Whether it has a parent that is not in the trace.
    #[must_use]
    pub fn is_orphan(&self) -> bool {
        let names_one = |id: super::SpanId| id.as_bytes().iter().any(|byte| *byte != 0);
        self.parent.is_none() && self.span.parent_span_id.is_some_and(names_one)
    }
}
