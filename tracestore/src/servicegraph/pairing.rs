//! Which server's span belongs to which client's: halves wait for each other, by the id of the client's span.
//!
//! Received spans wait for a while, and a client is paired once. Spans of whole stored traces are paired exactly: all
//! servers of a client, messages also where the consumer's trace comes before the producer's.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::{
    config::ServiceGraphConfig,
    edge::Edge,
    half::{Half, Key, Side, database, side_of, wanted},
};
use crate::{
    model::TraceId,
    spanmetrics::{ConfigError, Filter, Multiplier, SpanFacts},
};

/// What became of the spans that were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct GraphCounts {
    /// Edges that were made.
    pub edges: u64,
    /// Edges of which the other half did not come, and no virtual node could stand for it.
    pub expired: u64,
    /// Spans that had no room to wait.
    pub dropped: u64,
    /// Spans that a filter policy held back.
    pub filtered: u64,
    /// Of the edges, how many have no series of their own.
    pub overflowed: u64,
}

/// Halves that wait for each other under one key.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) client: Option<Half>,
    /// Whether the client has found a server; it stays for others, where spans are stored ones.
    pub(super) paired: bool,
    pub(super) servers: Vec<Half>,
    pub(super) due: u64,
}

/// Pairs spans to edges.
#[derive(Debug)]
pub(super) struct Pairing {
    config: ServiceGraphConfig,
    filter: Filter,
    multiplier: Multiplier,
    pub(super) waiting: HashMap<Key, Waiting, foldhash::fast::RandomState>,
    /// Keys by the time they came; some are gone already.
    pub(super) queue: VecDeque<(u64, Key)>,
    /// Whether all spans of a trace are given one after the other, and clients stay until its end.
    exact: bool,
    /// The keys that the spans of a trace have waited under.
    touched: Vec<Key>,
    pub(super) counts: GraphCounts,
}

impl Pairing {
    pub(super) fn new(config: ServiceGraphConfig, exact: bool) -> Result<Self, ConfigError> {
        Ok(Self {
            filter: Filter::new(&config.filter_policies)?,
            multiplier: Multiplier::new(config.span_multiplier_key.as_deref(), config.tracestate_multiplier),
            waiting: HashMap::default(),
            queue: VecDeque::new(),
            touched: Vec::new(),
            counts: GraphCounts::default(),
            config,
            exact,
        })
    }

    /// Takes a span, and gives the edges that it completes.
    pub(super) fn push(&mut self, span: &SpanFacts<'_>, now: u64, found: &mut dyn FnMut(&Edge<'_>)) {
        let Some(side) = side_of(span) else { return };
        if !self.filter.lets(span) {
            self.counts.filtered += 1;
            return;
        }
        let half = Half::new(span, &self.config, &self.multiplier);
        match side {
            Side::Client => {
                if let Some(name) = database(span, &self.config).filter(|_| !half.messaging) {
                    return self.emit(&Edge::of_database(&half, &name), found);
                }
                let half = half.with_peer(span, &self.config);
                self.push_client((span.trace_id, span.span_id), half, now, found);
            }
            Side::Server => {
                let half = half.with_peer(span, &self.config);
                let keys = wanted(span, &self.config);
                if keys.is_empty() {
                    self.emit(&Edge::of_root(&half), found);
                }
                keys.into_iter().for_each(|key| self.push_server(key, half.clone(), now, found));
            }
        }
    }

    fn emit(&mut self, edge: &Edge<'_>, found: &mut dyn FnMut(&Edge<'_>)) {
        self.counts.edges += 1;
        found(edge);
    }

    fn push_client(&mut self, key: Key, half: Half, now: u64, found: &mut dyn FnMut(&Edge<'_>)) {
        let Some(place) = self.place(key, now) else { return };
        let servers = std::mem::take(&mut place.servers);
        place.paired = !servers.is_empty();
        place.client = Some(half.clone());
        if place.paired && !self.exact {
            self.waiting.remove(&key);
        }
        servers.iter().for_each(|server| self.emit(&Edge::of_both(&half, server), found));
    }

    fn push_server(&mut self, key: Key, half: Half, now: u64, found: &mut dyn FnMut(&Edge<'_>)) {
        let exact = self.exact;
        let Some(place) = self.place(key, now) else { return };
        let client = if exact { place.client.clone() } else { place.client.take() };
        let Some(client) = client else { return place.servers.push(half) };
        place.paired = true;
        if !exact {
            self.waiting.remove(&key);
        }
        self.emit(&Edge::of_both(&client, &half), found);
    }

    /// Where halves wait under a key; `None` when there is no room for another key.
    fn place(&mut self, key: Key, now: u64) -> Option<&mut Waiting> {
        if !self.waiting.contains_key(&key) {
            if !self.exact && self.waiting.len() >= self.config.max_items {
                self.counts.dropped += 1;
                return None;
            }
            let due = now.saturating_add(self.config.wait);
            self.waiting.insert(key, Waiting { due, ..Waiting::default() });
            if !self.exact {
                self.queue.push_back((due, key));
                // Keys that were paired are still in the queue.
                if self.queue.len() > 2 * self.config.max_items {
                    let waiting = &self.waiting;
                    self.queue.retain(|(due, key)| waiting.get(key).is_some_and(|waiting| waiting.due == *due));
                }
            }
        }
        if self.exact {
            self.touched.push(key);
        }
        self.waiting.get_mut(&key)
    }

    /// Gives up those that have waited long enough.
    pub(super) fn expire(&mut self, now: u64, found: &mut dyn FnMut(&Edge<'_>)) {
        while let Some((due, key)) = self.queue.front().copied().filter(|(due, _)| *due <= now) {
            self.queue.pop_front();
            // The key may have come again since.
            if self.waiting.get(&key).is_some_and(|waiting| waiting.due == due)
                && let Some(waiting) = self.waiting.remove(&key)
            {
                self.give_up(&waiting, found);
            }
        }
    }

    /// Ends a trace of which all spans were given. Producers stay, since consumers of other traces may link to them; and
    /// so do consumers that link to other traces.
    pub(super) fn end_trace(&mut self, trace: TraceId, found: &mut dyn FnMut(&Edge<'_>)) {
        for key in std::mem::take(&mut self.touched).into_iter().filter(|key| key.0 == trace) {
            let producer = |waiting: &Waiting| waiting.client.as_ref().is_some_and(|half| half.messaging);
            if self.waiting.get(&key).is_some_and(|waiting| !(self.config.links && producer(waiting)))
                && let Some(waiting) = self.waiting.remove(&key)
            {
                self.give_up(&waiting, found);
            }
        }
    }

    /// Gives up all that wait.
    pub(super) fn finish(&mut self, found: &mut dyn FnMut(&Edge<'_>)) {
        self.queue.clear();
        let waiting = std::mem::take(&mut self.waiting);
        // The order of a hash map is none: sums of floats would differ from run to run.
        let mut waiting: Vec<_> = waiting.into_iter().collect();
        waiting.sort_unstable_by_key(|(key, _)| *key);
        waiting.iter().for_each(|(_, waiting)| self.give_up(waiting, found));
    }

    /// The keys that servers wait under without a client.
    pub(super) fn wanted_clients(&self) -> Vec<Key> {
        let wanted = self.waiting.iter().filter(|(_, waiting)| waiting.client.is_none());
        let mut keys: Vec<Key> = wanted.map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys
    }

    fn give_up(&mut self, waiting: &Waiting, found: &mut dyn FnMut(&Edge<'_>)) {
        self.counts.expired += waiting.servers.len() as u64;
        let Some(client) = waiting.client.as_ref().filter(|_| !waiting.paired) else { return };
        match Edge::of_client(client) {
            Some(edge) => self.emit(&edge, found),
            None => self.counts.expired += 1,
        }
    }
}
