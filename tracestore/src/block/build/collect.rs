//! Takes encoded requests, checks every span once, and remembers where its bytes are. Nothing is decoded into columns
//! here: that happens when the block is written and the order of the rows is known.

use bytes::Bytes;
use hashbrown::HashMap;

use super::keys::KeyStatistics;
use crate::{
    block::AttributeScope,
    model::TraceId,
    otlp::{KeyValueView, Pushed, Refusal, RequestView, ResourceView, ScopeView, ValueView, WireError, check_span},
};

/// A span that was taken, and what the order of the rows follows from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    pub(super) trace: u32,
    pub(super) resource: u32,
    pub(super) scope: u32,
    pub(super) kind: i32,
    pub(super) status: i32,
    pub(super) span_id: u64,
    /// 0 for roots.
    pub(super) parent_id: u64,
    pub(super) start: u64,
    pub(super) end: u64,
    message: u32,
    offset: u32,
    len: u32,
}

/// A resource or scope, as received.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Owner {
    /// The message, `None` where there was none.
    pub(super) message: Option<Bytes>,
    pub(super) schema_url: String,
}

/// Distinct resources or scopes, numbered in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Owners {
    pub(super) list: Vec<Owner>,
    numbers: HashMap<Owner, u32, foldhash::fast::FixedState>,
}

/// Everything a block is made of.
#[derive(Debug, Default)]
pub(super) struct Collected {
    messages: Vec<Bytes>,
    pub(super) spans: Vec<Taken>,
    pub(super) traces: Vec<TraceId>,
    trace_numbers: HashMap<TraceId, u32, foldhash::fast::FixedState>,
    pub(super) resources: Owners,
    pub(super) scopes: Owners,
    pub(super) keys: KeyStatistics,
    /// Whether copies of spans are left out that another copy stands for.
    pub(super) drops_copies: bool,
    bytes: usize,
}

impl Owners {
    fn number(&mut self, message: Option<Bytes>, schema_url: &str) -> u32 {
        let owner = Owner { message, schema_url: schema_url.to_owned() };
        if let Some(number) = self.numbers.get(&owner) {
            return *number;
        }
        // A slice would keep the whole request alive: copy the few bytes.
        let message = owner.message.map(|message| Bytes::copy_from_slice(&message));
        let owner = Owner { message, ..owner };
        let number = self.list.len() as u32;
        self.list.push(owner.clone());
        self.numbers.insert(owner, number);
        number
    }
}

impl Collected {
    /// Takes the spans of a request. A request that is malformed outside of its spans is an error and adds nothing.
    pub(super) fn push(&mut self, message: &Bytes) -> Result<Pushed, WireError> {
        // A request that cannot be walked to its end is refused as a whole, before anything of it is taken.
        for resource_spans in RequestView::new(message).resource_spans() {
            for scope_spans in resource_spans?.scope_spans() {
                scope_spans?.spans().try_for_each(|span| span.map(|_| ()))?;
            }
        }
        let mut pushed = Pushed::default();
        let number = self.messages.len() as u32;
        for resource_spans in RequestView::new(message).resource_spans() {
            let resource_spans = resource_spans?;
            let bytes = resource_spans.resource.map(|bytes| message.slice_ref(bytes));
            let resource = match bytes.as_deref().map(ResourceView::parse).transpose() {
                Ok(_) => Ok(self.resources.number(bytes, resource_spans.schema_url)),
                Err(error) => Err(Refusal::from(error.reason)),
            };
            for scope_spans in resource_spans.scope_spans() {
                let scope_spans = scope_spans?;
                let bytes = scope_spans.scope.map(|bytes| message.slice_ref(bytes));
                let owners = resource.and_then(|resource| match bytes.as_deref().map(ScopeView::parse).transpose() {
                    Ok(_) => Ok((resource, self.scopes.number(bytes, scope_spans.schema_url))),
                    Err(error) => Err(Refusal::from(error.reason)),
                });
                for span in scope_spans.spans() {
                    let span = span?;
                    match owners.and_then(|owners| self.take(number, message, span, owners)) {
                        Ok(()) => pushed.spans += 1,
                        Err(refusal) => pushed.refusals.add(refusal, 1),
                    }
                }
            }
        }
        if pushed.spans > 0 {
            self.bytes += message.len();
            self.messages.push(message.clone());
        }
        Ok(pushed)
    }

    /// Checks one span and remembers it.
    fn take(
        &mut self,
        message: u32,
        request: &Bytes,
        bytes: &[u8],
        (resource, scope): (u32, u32),
    ) -> Result<(), Refusal> {
        let view = check_span(bytes)?;
        let trace_id = TraceId::from_slice(view.trace_id).ok_or(Refusal::TraceId)?;
        let next = self.traces.len() as u32;
        let trace = *self.trace_numbers.entry(trace_id).or_insert(next);
        if trace == next {
            self.traces.push(trace_id);
        }
        let id = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_be_bytes);
        self.spans.push(Taken {
            trace,
            resource,
            scope,
            kind: view.kind,
            status: view.status.map_or(0, |status| status.code),
            span_id: id(view.span_id),
            parent_id: id(view.parent_span_id),
            start: view.start_time_unix_nano,
            end: view.end_time_unix_nano,
            message,
            offset: (bytes.as_ptr() as usize - request.as_ptr() as usize) as u32,
            len: bytes.len() as u32,
        });
        self.keys.count_list(AttributeScope::Span, view.attributes().flatten());
        for event in view.events().flatten() {
            self.keys.count_list(AttributeScope::Event, event.attributes().flatten());
        }
        for link in view.links().flatten() {
            self.keys.count_list(AttributeScope::Link, link.attributes().flatten());
        }
        Ok(())
    }

    /// The bytes of a span that was taken.
    pub(super) fn span_bytes(&self, span: &Taken) -> &[u8] {
        let message = self.messages.get(span.message as usize);
        let range = span.offset as usize..span.offset as usize + span.len as usize;
        message.and_then(|message| message.get(range)).unwrap_or(&[])
    }

    /// The number of a trace, if a span of it was taken.
    pub(super) fn trace_number(&self, id: &[u8]) -> Option<u32> {
        self.trace_numbers.get(&TraceId::from_slice(id)?).copied()
    }

    /// Bytes of the requests that are kept.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Owner {
    /// The attributes of a resource.
    pub(super) fn resource(&self) -> ResourceView<'_> {
        self.message.as_deref().and_then(|message| ResourceView::parse(message).ok()).unwrap_or_default()
    }

    /// The attributes of a scope.
    pub(super) fn scope(&self) -> ScopeView<'_> {
        self.message.as_deref().and_then(|message| ScopeView::parse(message).ok()).unwrap_or_default()
    }

    /// The service that a resource stands for: its first `service.name`, if that is a text.
    pub(super) fn service(&self) -> &str {
        let name = self
            .message
            .as_deref()
            .and_then(|message| ResourceView::parse(message).ok())
            .and_then(|resource| resource.attributes().flatten().find(|attribute| attribute.key == "service.name"));
        match name {
            Some(KeyValueView { value: ValueView::String(name), .. }) => name,
            _ => "",
        }
    }
}
