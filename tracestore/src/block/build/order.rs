//! Decides the order of traces and rows, which copies of a span stand for it, and what the trace table says.

use hashbrown::{HashMap, HashSet};

use super::{
    collect::{Collected, Taken},
    tree::{Node, Placed, arrange},
};
use crate::{
    block::schema::row_flags,
    otlp::{SpanView, canonical_resource, canonical_scope, canonical_span},
};

/// OTLP's status code of errors.
const STATUS_ERROR: i32 = 2;

/// A row of `spans.parquet`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Index of the span among those taken.
    pub(super) span: u32,
    pub(super) parent_offset: u32,
    pub(super) descendants: u32,
    /// Bits of `row_flags`, without the status bit.
    pub(super) flags: u32,
}

/// A row of `traces.parquet`.
#[derive(Debug, Clone)]
pub(super) struct TraceRow {
    /// Number of the trace among those taken.
    pub(super) trace: u32,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) first_row: u32,
    pub(super) rows: u32,
    pub(super) spans: u32,
    pub(super) errors: u32,
    /// The root span that starts first, as an index among the spans taken.
    pub(super) root: Option<u32>,
    /// Service, spans and errors, ascending by the service's rank.
    pub(super) services: Vec<(u32, u32, u32)>,
}

/// All rows in their order.
#[derive(Debug, Default)]
pub(super) struct Order {
    pub(super) rows: Vec<Row>,
    pub(super) traces: Vec<TraceRow>,
    pub(super) shadowed: u64,
    /// The services by rank, that is, by name.
    pub(super) services: Vec<String>,
    /// The ordinal of each trace, by its number.
    ordinals: Vec<u32>,
}

impl Order {
    /// Orders what was collected.
    pub(super) fn of(collected: &Collected) -> Self {
        let names: Vec<&str> = collected.resources.list.iter().map(|resource| resource.service()).collect();
        let mut services: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        services.sort_unstable();
        services.dedup();
        let rank = |name: &&str| services.binary_search_by(|service| service.as_str().cmp(name)).unwrap_or(0) as u32;
        let service_of: Vec<u32> = names.iter().map(rank).collect();

        let members = group_by_trace(collected);
        let range = |range: &(u32, u32)| members.spans.get(range.0 as usize..range.1 as usize).unwrap_or(&[]);
        let mut traces: Vec<(u64, usize)> =
            (0..).zip(&members.ranges).map(|(trace, at)| (start_of(collected, range(at)), trace)).collect();
        traces.sort_unstable_by_key(|(start, trace)| (*start, collected.traces.get(*trace)));

        let mut order = Self { rows: Vec::with_capacity(collected.spans.len()), ..Self::default() };
        for (start, trace) in traces {
            let Some(at) = members.ranges.get(trace) else { continue };
            order.place(collected, &service_of, trace as u32, start, range(at));
        }
        order.services = services;
        order.ordinals = vec![0; collected.traces.len()];
        for (ordinal, trace) in (0..).zip(&order.traces) {
            if let Some(slot) = order.ordinals.get_mut(trace.trace as usize) {
                *slot = ordinal;
            }
        }
        order
    }

    /// The ordinal of the trace with an id, if it is in the block.
    pub(super) fn ordinal(&self, collected: &Collected, trace_id: &[u8]) -> Option<u32> {
        self.ordinals.get(collected.trace_number(trace_id)? as usize).copied()
    }

    /// Appends the rows of one trace.
    fn place(&mut self, collected: &Collected, service_of: &[u32], trace: u32, start: u64, members: &[u32]) {
        let first_row = self.rows.len() as u32;
        let (shown, mut shadowed) = part_copies(collected, members);
        if collected.drops_copies {
            shadowed.clear();
        }
        let span = |index: &u32| collected.spans.get(*index as usize);
        let nodes: Vec<Node> = shown
            .iter()
            .filter_map(span)
            .map(|span| Node { span_id: span.span_id, parent_id: span.parent_id, kind: span.kind, start: span.start })
            .collect();
        let mut row = TraceRow {
            trace,
            start,
            end: start,
            first_row,
            rows: (shown.len() + shadowed.len()) as u32,
            spans: shown.len() as u32,
            errors: 0,
            root: None,
            services: Vec::new(),
        };
        for placed in arrange(&nodes) {
            let Some((index, span)) = shown.get(placed.node).and_then(|index| Some((*index, span(index)?))) else {
                continue;
            };
            let is_root = span.parent_id == 0;
            // Roots come first and in the order of their start.
            if is_root && row.root.is_none() {
                row.root = Some(index);
            }
            let error = u32::from(span.status == STATUS_ERROR);
            row.errors += error;
            let service = service_of.get(span.resource as usize).copied().unwrap_or(0);
            match row.services.iter_mut().find(|(found, _, _)| *found == service) {
                Some((_, spans, errors)) => (*spans, *errors) = (*spans + 1, *errors + error),
                None => row.services.push((service, 1, error)),
            }
            let flags =
                if is_root { row_flags::ROOT } else { 0 } | if placed.under_root { row_flags::UNDER_ROOT } else { 0 };
            let Placed { parent_offset, descendants, .. } = placed;
            self.rows.push(Row { span: index, parent_offset, descendants, flags });
        }
        for index in &shadowed {
            let root = span(index).is_some_and(|span| span.parent_id == 0);
            let flags = row_flags::SHADOWED | if root { row_flags::ROOT } else { 0 };
            self.rows.push(Row { span: *index, parent_offset: 0, descendants: 0, flags });
        }
        row.end = shown.iter().filter_map(span).map(|span| span.end).max().unwrap_or(start).max(start);
        row.services.sort_unstable();
        self.shadowed += shadowed.len() as u64;
        self.traces.push(row);
    }
}

/// The spans of each trace, by trace number.
struct Members {
    ranges: Vec<(u32, u32)>,
    spans: Vec<u32>,
}

/// Counting sort by trace; spans of a trace stay in order of arrival.
fn group_by_trace(collected: &Collected) -> Members {
    let mut ranges = vec![(0_u32, 0_u32); collected.traces.len()];
    for span in &collected.spans {
        if let Some(range) = ranges.get_mut(span.trace as usize) {
            range.1 += 1;
        }
    }
    let mut first = 0;
    for range in &mut ranges {
        let count = range.1;
        *range = (first, first);
        first += count;
    }
    let mut spans = vec![0; collected.spans.len()];
    for (index, span) in (0..).zip(&collected.spans) {
        if let Some(range) = ranges.get_mut(span.trace as usize)
            && let Some(slot) = spans.get_mut(range.1 as usize)
        {
            *slot = index;
            range.1 += 1;
        }
    }
    Members { ranges, spans }
}

/// The earliest start, zero times left out unless all are zero. Copies that nobody sees do not count.
fn start_of(collected: &Collected, members: &[u32]) -> u64 {
    let (shown, _) = part_copies(collected, members);
    let starts = shown.iter().filter_map(|index| collected.spans.get(*index as usize)).map(|span| span.start);
    starts.filter(|start| *start > 0).min().unwrap_or(0)
}

/// Parts the spans of a trace into those that stand for themselves, in order of arrival, and copies of them, by id, kind
/// and rank.
fn part_copies(collected: &Collected, members: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let key = |index: &u32| collected.spans.get(*index as usize).map_or((0, 0), |span| (span.span_id, span.kind));
    let has_copies = if members.len() <= 16 {
        members.iter().enumerate().any(|(at, index)| members.iter().take(at).any(|other| key(other) == key(index)))
    } else {
        let mut keys: Vec<_> = members.iter().map(key).collect();
        keys.sort_unstable();
        keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
    };
    if !has_copies {
        return (members.to_vec(), Vec::new());
    }
    let mut copies: HashMap<(u64, i32), Vec<u32>> = HashMap::new();
    for index in members {
        copies.entry(key(index)).or_default().push(*index);
    }
    let mut shadowed = Vec::new();
    for (key, mut list) in copies.into_iter().filter(|(_, list)| list.len() > 1) {
        list.sort_by_cached_key(|index| collected.spans.get(*index as usize).map(|span| CopyRank::of(collected, span)));
        shadowed.push((key, list.split_off(1)));
    }
    shadowed.sort_unstable();
    let shadowed: Vec<u32> = shadowed.into_iter().flat_map(|(_, list)| list).collect();
    let hidden: HashSet<u32> = shadowed.iter().copied().collect();
    let shown = members.iter().copied().filter(|index| !hidden.contains(index));
    (shown.collect(), shadowed)
}

/// Orders the copies of a span: the first stands for it. Copies of equal rank have every field alike.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CopyRank<'a> {
    span: Vec<u8>,
    resource: Vec<u8>,
    scope: Vec<u8>,
    /// Schema URL, and whether there was a message, of resource and scope.
    owners: [(&'a str, bool); 2],
}

impl<'a> CopyRank<'a> {
    fn of(collected: &'a Collected, span: &Taken) -> Self {
        let view = SpanView::parse(collected.span_bytes(span)).unwrap_or_default();
        let resource = collected.resources.list.get(span.resource as usize);
        let scope = collected.scopes.list.get(span.scope as usize);
        Self {
            span: canonical_span(&view),
            resource: resource.map(|owner| canonical_resource(&owner.resource())).unwrap_or_default(),
            scope: scope.map(|owner| canonical_scope(&owner.scope())).unwrap_or_default(),
            owners: [resource, scope]
                .map(|owner| owner.map_or(("", false), |owner| (owner.schema_url.as_str(), owner.message.is_some()))),
        }
    }
}
