//! Spans picked by what a hash of them says, so that there is no order in it.

use std::{collections::BTreeSet, fmt, sync::Mutex};

use opentelemetry_proto::tonic::{collector::trace::v1::ExportTraceServiceRequest, trace::v1::Span};
use proptest::prelude::*;
use tracestore::{FoundSpans, Result, Snapshot, SpanSelector, TraceStore, model::Trace};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Trace id, span id and kind: copies of one span have the same.
pub(crate) type SpanKey = (Vec<u8>, Vec<u8>, i32);

/// One span of `of` is meant, more or less, and which ones depends on what they are.
#[derive(Debug, Clone)]
pub(crate) struct Pick {
    seed: u64,
    of: u64,
}

pub(crate) fn pick() -> impl Strategy<Value = Pick> {
    (any::<u64>(), 1..12_u64).prop_map(|(seed, of)| Pick { seed, of })
}

impl fmt::Display for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}", self.of)
    }
}

fn key(trace: &Trace, span: usize) -> SpanKey {
    let span = &trace.spans[span].span;
    (span.trace_id.as_bytes().to_vec(), span.span_id.as_bytes().to_vec(), span.kind)
}

impl Pick {
    fn means(&self, trace: &Trace, span: usize) -> bool {
        let (trace_id, span_id, kind) = key(trace, span);
        // What is shown of it, and where it hangs: that is of the copy that queries see.
        let shown = (&trace.spans[span].span.name, trace.spans[span].parent.is_some());
        let text = format!("{trace_id:?} {span_id:?} {kind} {shown:?}");
        xxh3_64_with_seed(text.as_bytes(), self.seed).is_multiple_of(self.of)
    }

    /// The spans that are meant in what a store shows now.
    pub(crate) fn seen_in(&self, store: &TraceStore) -> BTreeSet<SpanKey> {
        let keys = Mutex::new(BTreeSet::new());
        let view = store.snapshot().unwrap().whole().unwrap();
        let means = |trace: &Trace, span: usize| {
            let is_meant = self.means(trace, span);
            if is_meant {
                keys.lock().unwrap().insert(key(trace, span));
            }
            is_meant
        };
        FoundSpans::default().add_if(&view, means).unwrap();
        keys.into_inner().unwrap()
    }
}

impl SpanSelector for Pick {
    fn select(&self, view: &Snapshot, found: &mut FoundSpans) -> Result<()> {
        found.add_if(view, |trace, span| self.means(trace, span))
    }
}

/// The keys of the spans that can be stored and are meant.
pub(crate) fn keys(requests: &[ExportTraceServiceRequest], means: impl Fn(&Span) -> bool) -> BTreeSet<SpanKey> {
    let spans = requests.iter().flat_map(|request| &request.resource_spans).flat_map(|spans| &spans.scope_spans);
    let meant = spans.flat_map(|spans| &spans.spans).filter(|span| means(span));
    meant.map(|span| (span.trace_id.clone(), span.span_id.clone(), span.kind)).collect()
}
