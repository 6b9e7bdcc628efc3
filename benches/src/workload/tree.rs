//! One large trace: a tree of a given size.

use super::encode::{Message, Value};

/// A request with one trace of `spans` spans: span i hangs on span (i − 1) / 4, and every hundredth failed.
#[must_use]
pub fn tree_request(spans: u32) -> Vec<u8> {
    let mut resource = Message::default();
    resource.attribute(1, "service.name", Value::Text("tree"));
    let mut scope_spans = Message::default();
    for index in 0..spans {
        let id = |index: u32| (u64::from(index) + 1).to_be_bytes();
        let mut span = Message::default();
        span.bytes(1, &[7; 16]);
        span.bytes(2, &id(index));
        if let Some(before) = index.checked_sub(1) {
            span.bytes(4, &id(before / 4));
        }
        span.bytes(5, b"step");
        span.number(6, 1);
        let start = 1_700_000_000_000_000_000 + u64::from(index) * 1_000;
        span.fixed64(7, start);
        span.fixed64(8, start + 500);
        if index % 100 == 99 {
            let mut status = Message::default();
            status.number(3, 2);
            span.bytes(15, &status.0);
        }
        scope_spans.bytes(2, &span.0);
    }
    let mut resource_spans = Message::default();
    resource_spans.bytes(1, &resource.0);
    resource_spans.bytes(2, &scope_spans.0);
    let mut request = Message::default();
    request.bytes(1, &resource_spans.0);
    request.0
}
