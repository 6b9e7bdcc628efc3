//! One side of an edge, as a span tells it.

use super::config::ServiceGraphConfig;
use crate::{
    model::{SpanId, TraceId},
    spanmetrics::{Multiplier, SpanFacts},
};

/// What an edge is paired by: the span of its client or producer.
pub(super) type Key = (TraceId, SpanId);

/// Which side of an edge a span is, by its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Client or producer.
    Client,
    /// Server or consumer.
    Server,
}

/// A side of an edge.
#[derive(Debug, Clone)]
pub(super) struct Half {
    pub(super) trace_id: TraceId,
    pub(super) service: String,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) failed: bool,
    /// Producer or consumer.
    pub(super) messaging: bool,
    pub(super) weight: f64,
    /// The other side's name, where the span tells it.
    pub(super) peer: Option<String>,
    /// The values of the configured dimensions, empty where there is none.
    pub(super) dimensions: Vec<String>,
}

/// The side of a span's kind.
pub(super) fn side_of(span: &SpanFacts<'_>) -> Option<Side> {
    match span.kind {
        2 | 5 => Some(Side::Server),
        3 | 4 => Some(Side::Client),
        _ => None,
    }
}

impl Half {
    pub(super) fn new(span: &SpanFacts<'_>, config: &ServiceGraphConfig, multiplier: &Multiplier) -> Self {
        let text = |key: &String| span.resource_or_span(key).map_or(String::new(), |value| value.text().into_owned());
        Self {
            trace_id: span.trace_id,
            service: span.resource.service.to_owned(),
            start: span.start,
            end: span.end.max(span.start),
            failed: span.is_error(),
            messaging: matches!(span.kind, 4 | 5),
            weight: multiplier.of(span),
            peer: None,
            dimensions: config.dimensions.iter().map(text).collect(),
        }
    }

    /// With the other side's name, which edges to databases have no use for.
    pub(super) fn with_peer(self, span: &SpanFacts<'_>, config: &ServiceGraphConfig) -> Self {
        Self { peer: span.attributes.first_text(&config.peer_attributes), ..self }
    }

    pub(super) fn duration(&self) -> u64 {
        self.end - self.start
    }
}

/// The database that a client's span talks to; `None` where it does not say that it is one.
pub(super) fn database(span: &SpanFacts<'_>, config: &ServiceGraphConfig) -> Option<String> {
    let name = span.attributes.first_text(&config.database_name_attributes)?;
    let text = |key: &str| span.attributes.first_text(&[key]);
    let address = |key: &str, port: &str| {
        let address = text(key)?;
        Some(text(port).map_or(address.clone(), |port| format!("{address}:{port}")))
    };
    let place = span.attributes.first_text(&["peer.service", "server.address"]);
    Some(place.or_else(|| address("network.peer.address", "network.peer.port")).unwrap_or(name))
}

/// What a server's span waits for: its parent, and what it links to when it is a consumer's. Nothing means that the
/// request came from outside.
pub(super) fn wanted(span: &SpanFacts<'_>, config: &ServiceGraphConfig) -> Vec<Key> {
    let mut keys: Vec<Key> = span.parent_span_id.map(|parent| (span.trace_id, parent)).into_iter().collect();
    if config.links && span.kind == 5 {
        for link in span.links() {
            if !keys.contains(&link) {
                keys.push(link);
            }
        }
    }
    keys
}
