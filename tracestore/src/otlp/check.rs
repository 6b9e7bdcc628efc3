//! Which spans of a request will be taken, without taking them: what an acknowledgement says before the request is in a
//! block.

use super::view::{RequestView, ResourceView, ScopeView, SpanView, WireError};
use crate::otlp::{Refusal, Refusals};

/// What became, or will become, of the spans of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pushed {
    /// How many spans were taken.
    pub spans: u64,
    /// How many were not, and why.
    pub refusals: Refusals,
}

/// The view of a span's bytes, if it can be taken.
pub(crate) fn check_span(bytes: &[u8]) -> Result<SpanView<'_>, Refusal> {
    let view = SpanView::parse(bytes).map_err(|error| Refusal::from(error.reason))?;
    if let Some(refusal) = Refusal::of_ids(&view) {
        return Err(refusal);
    }
    view.validate().map_err(|error| Refusal::from(error.reason))?;
    Ok(view)
}

/// What [`BlockBuilder::push`](crate::block::BlockBuilder::push) of the same request says.
///
/// # Errors
/// When the request is malformed outside of its spans.
pub(crate) fn check_request(message: &[u8]) -> Result<Pushed, WireError> {
    let mut checked = Pushed::default();
    for resource_spans in RequestView::new(message).resource_spans() {
        let resource_spans = resource_spans?;
        let resource = resource_spans.resource.map(ResourceView::parse).transpose();
        let resource = resource.map(drop).map_err(|error| Refusal::from(error.reason));
        for scope_spans in resource_spans.scope_spans() {
            let scope_spans = scope_spans?;
            let scope = scope_spans.scope.map(ScopeView::parse).transpose();
            let owners = resource.and_then(|()| scope.map(drop).map_err(|error| Refusal::from(error.reason)));
            for span in scope_spans.spans() {
                let span = span?;
                match owners.and_then(|()| check_span(span)) {
                    Ok(_) => checked.spans += 1,
                    Err(refusal) => checked.refusals.add(refusal, 1),
                }
            }
        }
    }
    Ok(checked)
}
