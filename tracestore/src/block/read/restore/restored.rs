//! Spans that were restored: as messages one behind the other, with what is needed to make a request or traces of them.

use std::sync::Arc;

use crate::{
    Error, Result,
    block::read::Block,
    model::{Trace, TraceSpan},
    otlp::{Message, SpanView, encode_resource, encode_scope},
};

/// Some spans of a block, whole traces, in the order of the rows.
#[derive(Debug, Default)]
pub(super) struct Restored {
    pub(super) messages: Message,
    spans: Vec<RestoredSpan>,
}

/// Where a span belongs.
#[derive(Debug, Clone, Copy)]
pub(super) struct RestoredSpan {
    /// Of its trace.
    pub(super) ordinal: u32,
    pub(super) resource: u32,
    pub(super) scope: u32,
    pub(super) parent_offset: u32,
    pub(super) is_shadowed: bool,
    /// It is no part of the store any more.
    pub(super) is_deleted: bool,
    /// Where its message ends.
    pub(super) end: usize,
}

impl Restored {
    pub(super) fn with_capacity(spans: usize) -> Self {
        Self { messages: Message::default(), spans: Vec::with_capacity(spans) }
    }

    /// Ends the message that was written last.
    pub(super) fn push(&mut self, span: RestoredSpan) {
        self.spans.push(RestoredSpan { end: self.messages.0.len(), ..span });
    }

    /// How many traces there are.
    pub(super) fn traces(&self) -> usize {
        self.spans.chunk_by(|a, b| a.ordinal == b.ordinal).count()
    }

    /// The spans with their messages.
    fn iter(&self) -> impl Iterator<Item = (&RestoredSpan, &[u8])> {
        let starts = std::iter::once(0).chain(self.spans.iter().map(|span| span.end));
        let message = |start, span: &RestoredSpan| self.messages.0.get(start..span.end).unwrap_or_default();
        starts.zip(&self.spans).map(move |(start, span)| (span, message(start, span)))
    }
}

impl Block {
    /// The spans that are not deleted as one request, by resource and scope.
    pub(super) fn request_of(&self, restored: &Restored) -> Result<Vec<u8>> {
        let (resources, scopes) = (self.restored_resources()?, self.restored_scopes()?);
        let mut spans: Vec<_> = restored.iter().filter(|(span, _)| !span.is_deleted).collect();
        spans.sort_by_key(|(span, _)| (span.resource, span.scope));
        let mut request = Message(Vec::with_capacity(restored.messages.0.len() + restored.messages.0.len() / 16));
        for of_resource in spans.chunk_by(|(a, _), (b, _)| a.resource == b.resource) {
            let Some((first, _)) = of_resource.first() else { continue };
            let resource = resources.get(first.resource as usize).ok_or_else(|| self.misfit())?;
            let by_scope = of_resource.chunk_by(|(a, _), (b, _)| a.scope == b.scope);
            let by_scope = by_scope.filter_map(|spans| Some((spans.first()?.0.scope, spans)));
            let by_scope = by_scope.map(|(number, spans)| Some((scopes.get(number as usize)?, spans)));
            let by_scope = by_scope.collect::<Option<Vec<_>>>().ok_or_else(|| self.misfit())?;
            request.nested(1, |message| {
                if resource.present {
                    message.bytes(1, &encode_resource(resource));
                }
                for (scope, spans) in by_scope {
                    message.nested(2, |message| {
                        if scope.present {
                            message.bytes(1, &encode_scope(scope));
                        }
                        spans.iter().for_each(|(_, span)| message.bytes(2, span));
                        message.text(3, &scope.schema_url);
                    });
                }
                message.text(3, &resource.schema_url);
            });
        }
        Ok(request.0)
    }

    /// The spans that are not deleted as traces. Parents and shadowed copies are as if nothing were deleted, but that parents
    /// which are deleted are none.
    pub(super) fn traces_of(&self, restored: &Restored) -> Result<Vec<Trace>> {
        let (resources, scopes) = (self.restored_resources()?, self.restored_scopes()?);
        let mut traces: Vec<Trace> = Vec::new();
        // Where each row of the current trace is among its spans.
        let (mut current, mut places) = (None, Vec::new());
        for (place, message) in restored.iter() {
            if current != Some(place.ordinal) {
                current = Some(place.ordinal);
                let trace_id = self.trace_table()?.id(place.ordinal as usize)?;
                traces.push(Trace { trace_id, spans: Vec::new() });
                places.clear();
            }
            let trace = traces.last_mut().ok_or_else(|| self.misfit())?;
            places.push((!place.is_deleted).then_some(trace.spans.len()));
            if place.is_deleted {
                continue;
            }
            let view = SpanView::parse(message).map_err(|error| Error::corrupt(self.path(), 0, error.to_string()))?;
            let parent = match place.parent_offset as usize {
                0 => None,
                offset => {
                    let row = (places.len() - 1).checked_sub(offset);
                    *row.and_then(|row| places.get(row)).ok_or_else(|| self.misfit())?
                }
            };
            trace.spans.push(TraceSpan {
                span: view.to_span().ok_or_else(|| self.misfit())?,
                resource: Arc::clone(resources.get(place.resource as usize).ok_or_else(|| self.misfit())?),
                scope: Arc::clone(scopes.get(place.scope as usize).ok_or_else(|| self.misfit())?),
                parent,
                shadowed: place.is_shadowed,
            });
        }
        Ok(traces)
    }

    fn misfit(&self) -> Error {
        Error::corrupt(self.path(), 0, "the columns of the spans do not fit together")
    }
}
