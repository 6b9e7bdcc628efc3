//! What holds for every trace, tried on random ones.

use proptest::prelude::*;
use traceql::analysis::{Section, TraceDiff, diff, timing};
use tracestore::model::Trace;

use super::traces::{Node, START, node, trace};

/// Spans of any interval, kind and service below each other, on a scale on which much coincides.
fn tree() -> impl Strategy<Value = Node> {
    let span = || {
        let names = prop::sample::select(vec!["a", "b", "c"]);
        let services = prop::sample::select(vec!["shop", "pay"]);
        let flags = prop::bool::weighted(0.2);
        (0..40_u64, 0..25_u64, 0..6_i32, names, services, flags).prop_map(
            |(start, length, kind, name, service, error)| Node {
                kind,
                error,
                ..node(name, start, start + length).service(service)
            },
        )
    };
    span().prop_recursive(5, 24, 4, move |inner| {
        (span(), prop::collection::vec(inner, 0..5)).prop_map(|(node, children)| node.with(children))
    })
}

fn forest() -> impl Strategy<Value = Trace> {
    let tops = prop::collection::vec((tree(), prop::bool::weighted(0.3)), 0..3);
    tops.prop_map(|tops| trace(tops.into_iter().map(|(top, orphan)| Node { orphan, ..top }).collect()))
}

/// Children one after the other, with or without pauses, within their parent.
fn sequential() -> impl Strategy<Value = Node> {
    let leaf = (1..20_u64).prop_map(|length| node("leaf", 0, length));
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop::collection::vec((0..4_u64, inner, 0..4_u64), 1..5).prop_map(|parts| {
            let mut at = 0;
            let mut children = Vec::new();
            for (pause, mut child, rest) in parts {
                let length = child.end - child.start;
                shift(&mut child, at + pause);
                at += pause + length + rest;
                children.push(child);
            }
            node("inner", 0, at).with(children)
        })
    })
}

fn shift(node: &mut Node, by: u64) {
    node.start += by;
    node.end += by;
    node.children.iter_mut().for_each(|child| shift(child, by));
}

/// The path by its definition, on one clock: scans all children for each step.
fn naive_path(node: &Node, from: u64, to: u64, sections: &mut Vec<(String, u64, u64)>) {
    let mut cursor = to;
    loop {
        let part = |child: &Node| (child.start.clamp(from, to), child.end.max(child.start).clamp(from, to));
        let awaited = |child: &&Node| {
            let is_message = node.kind == 4 && child.kind == 5;
            let is_call = node.kind == 3 && child.kind == 2;
            !is_message && (is_call || child.end.max(child.start) <= node.end.max(node.start))
        };
        let fits = |child: &&Node| part(child).0 < part(child).1 && part(child).1 <= cursor;
        let mut candidates: Vec<&Node> = node.children.iter().collect();
        candidates.sort_by_key(|child| child.start);
        let last = candidates.into_iter().filter(awaited).filter(fits).min_by_key(|child| {
            let (start, end) = part(child);
            (std::cmp::Reverse(end), start)
        });
        let Some(child) = last else { break };
        let (start, end) = part(child);
        sections.push((node.name.clone(), end, cursor));
        naive_path(child, start, end, sections);
        cursor = start;
    }
    sections.push((node.name.clone(), from, cursor));
}

fn one_service(node: &mut Node) {
    node.service = "shop";
    node.children.iter_mut().for_each(one_service);
}

/// For each instant of the span whether a child runs.
fn naive_self_time(node: &Node) -> u64 {
    let runs = |child: &Node, at: u64| child.start <= at && at < child.end;
    (node.start..node.end.max(node.start)).filter(|at| !node.children.iter().any(|child| runs(child, *at))).count()
        as u64
}

fn in_order(node: &Node, visit: &mut impl FnMut(&Node)) {
    visit(node);
    let mut children: Vec<&Node> = node.children.iter().collect();
    children.sort_by_key(|child| child.start);
    children.into_iter().for_each(|child| in_order(child, visit));
}

/// What the changes say, added up: self time, spans, errors.
fn sums(diff: &TraceDiff) -> (i128, i64, i64) {
    let changes = &diff.changes;
    let spans = changes.iter().map(|change| change.after.spans as i64 - change.before.spans as i64).sum();
    let errors = changes.iter().map(|change| change.errors_appeared as i64 - change.errors_vanished as i64).sum();
    (changes.iter().map(|change| change.self_time_diff()).sum(), spans, errors)
}

proptest! {
    #[test]
    fn what_runs_in_sequence_adds_up(top in sequential()) {
        let trace = trace(vec![top]);
        let timing = timing(&trace);
        let duration = trace.spans[0].duration_nanos();
        prop_assert_eq!(timing.spans.iter().map(|span| span.self_time).sum::<u64>(), duration);
        for span in &timing.spans {
            prop_assert_eq!(span.critical_time, span.self_time);
        }
    }

    #[test]
    fn a_path_covers_its_tree_without_overlap(trace in forest()) {
        let timing = timing(&trace);
        prop_assert_eq!(timing.paths.len(), trace.spans.iter().filter(|span| span.parent.is_none()).count());
        for path in &timing.paths {
            let top = &timing.spans[path.top];
            let mut at = top.start;
            for Section { span, start, end } in &path.sections {
                prop_assert!(*start == at && start < end, "{:?}", path);
                at = *end;
                let span = &timing.spans[*span];
                prop_assert!(span.critical && span.start <= *start && *end <= span.start + span.duration);
            }
            prop_assert_eq!(at, top.start + top.duration);
            let mut spans = path.spans.clone();
            spans.sort_unstable();
            spans.dedup();
            prop_assert_eq!(spans.len(), path.spans.len());
            let has_parent = |span: &usize| trace.spans[*span].parent.is_none_or(|parent| path.spans.contains(&parent));
            prop_assert!(path.spans.iter().all(has_parent));
        }
        for span in &timing.spans {
            prop_assert!(span.self_time <= span.duration && span.critical_time <= span.duration);
        }
    }

    #[test]
    fn paths_and_self_times_are_as_defined(mut top in tree()) {
        one_service(&mut top);
        let mut expected = Vec::new();
        naive_path(&top, top.start, top.end.max(top.start), &mut expected);
        expected.reverse();
        expected.retain(|(_, start, end)| start < end);
        let trace = trace(vec![top.clone()]);
        let timing = timing(&trace);
        let found = timing.paths[0].sections.iter();
        let found: Vec<_> =
            found.map(|section| (trace.spans[section.span].span.name.clone(), section.start, section.end)).collect();
        prop_assert_eq!(found, expected);
        let mut own = Vec::new();
        in_order(&top, &mut |node| own.push(naive_self_time(node)));
        prop_assert_eq!(timing.spans.iter().map(|span| span.self_time).collect::<Vec<_>>(), own);
    }

    #[test]
    fn clocks_that_are_off_by_something_change_nothing(mut top in sequential(), off in -500_000..500_000_i64) {
        // Every child is called, on another host; every second host has the clock that is off.
        fn calls(node: &Node, clocks: [i64; 2], services: [&'static str; 2]) -> Node {
            let moved = |node: &Node| {
                let time = |at: u64| at.checked_add_signed(clocks[0]).unwrap();
                Node { start: time(node.start), end: time(node.end), service: services[0], ..node.clone() }
            };
            let children = node.children.iter().map(|child| {
                let server = calls(child, [clocks[1], clocks[0]], [services[1], services[0]]).kind(2);
                Node { name: "call".to_owned(), ..moved(child).kind(3) }.with([server])
            });
            moved(node).with(children.collect::<Vec<_>>())
        }
        shift(&mut top, 10 * START);
        let [right, wrong] = [0, off].map(|off| timing(&trace(vec![calls(&top, [0, off], ["shop", "pay"])])));
        let times = |timing: &traceql::analysis::Timing| -> Vec<_> {
            timing.spans.iter().map(|span| (span.duration, span.self_time, span.critical, span.critical_time)).collect()
        };
        prop_assert_eq!(times(&right), times(&wrong));
    }

    #[test]
    fn no_trace_is_too_odd(
        spans in prop::collection::vec((any::<u64>(), any::<u64>(), 0..6_i32, 0..12_usize, any::<bool>()), 0..12),
        other in forest(),
    ) {
        let mut odd = trace(spans.iter().map(|_| node("a", 0, 1)).collect());
        for (index, ((start, end, kind, parent, shadowed), span)) in spans.into_iter().zip(&mut odd.spans).enumerate() {
            (span.span.start_time_unix_nano, span.span.end_time_unix_nano) = (start, end);
            (span.span.kind, span.shadowed) = (kind, shadowed && index % 3 == 0);
            // Parents that come later, that are shadowed, that are the span itself or not there.
            span.parent = Some(parent);
            span.resource = std::sync::Arc::default();
        }
        for path in timing(&odd).paths {
            prop_assert!(path.sections.windows(2).all(|pair| pair[0].end == pair[1].start));
        }
        let found = diff(&odd, &other);
        prop_assert_eq!(found.matched + found.only_after, other.spans.len());
    }

    #[test]
    fn a_diff_tells_all_and_nothing_twice(before in forest(), after in forest()) {
        prop_assert!(diff(&before, &before).changes.is_empty());
        let there = diff(&before, &after);
        let totals = |diff: &TraceDiff| (
            i128::from(diff.after.self_time) - i128::from(diff.before.self_time),
            diff.after.spans as i64 - diff.before.spans as i64,
            diff.after.errors as i64 - diff.before.errors as i64,
        );
        prop_assert_eq!(sums(&there), totals(&there));
        prop_assert_eq!(there.matched + there.only_before, before.spans.len());
        prop_assert_eq!(there.matched + there.only_after, after.spans.len());
        let sizes: Vec<_> = there.changes.iter().map(|change| change.self_time_diff().unsigned_abs()).collect();
        prop_assert!(sizes.is_sorted_by(|a, b| a >= b));
        let back = diff(&after, &before);
        prop_assert_eq!(back.matched, there.matched);
        prop_assert_eq!(back.changes.len(), there.changes.len());
        let reversed = sums(&back);
        prop_assert_eq!(sums(&there), (-reversed.0, -reversed.1, -reversed.2));
    }
}
