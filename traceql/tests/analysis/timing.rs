//! Traces with known self times and critical paths.

use traceql::analysis::{CriticalPath, Timing, timing};
use tracestore::model::Trace;

use super::traces::{CLIENT, CONSUMER, INTERNAL, Node, PRODUCER, SERVER, START, node, trace};

/// Names, starts and ends of a path's sections.
fn sections(trace: &Trace, path: &CriticalPath) -> String {
    let section = |section: &traceql::analysis::Section| {
        let name = &trace.spans[section.span].span.name;
        format!("{name} {}-{}", section.start - START, section.end - START)
    };
    path.sections.iter().map(section).collect::<Vec<_>>().join(", ")
}

/// The self times, in the order of the trace.
fn self_times(trace: &Trace, timing: &Timing) -> String {
    let spans = trace.spans.iter().zip(&timing.spans);
    spans.map(|(span, timing)| format!("{} {}", span.span.name, timing.self_time)).collect::<Vec<_>>().join(", ")
}

/// The names of the spans that are on a critical path, in the order of the trace.
fn critical(trace: &Trace, timing: &Timing) -> String {
    let critical = trace.spans.iter().zip(&timing.spans).filter(|(_, timing)| timing.critical);
    critical.map(|(span, _)| span.span.name.as_str()).collect::<Vec<_>>().join(" ")
}

/// Compares the path and the self times of a tree.
#[track_caller]
fn assert_times(top: Node, path: &str, own: &str) -> (Trace, Timing) {
    let trace = trace(vec![top]);
    let timing = timing(&trace);
    assert_eq!(timing.paths.len(), 1);
    assert_eq!(sections(&trace, &timing.paths[0]), path);
    assert_eq!(self_times(&trace, &timing), own);
    (trace, timing)
}

#[test]
fn a_span_alone_is_all_of_it() {
    assert_times(node("r", 0, 10), "r 0-10", "r 10");
}

#[test]
fn what_follows_one_another_is_all_on_the_path() {
    let top = node("r", 0, 100).with([node("a", 10, 30), node("b", 30, 60), node("c", 70, 90)]);
    let path = "r 0-10, a 10-30, b 30-60, r 60-70, c 70-90, r 90-100";
    assert_times(top, path, "r 30, a 20, b 30, c 20");
}

#[test]
fn of_what_runs_at_the_same_time_the_last_to_end_counts() {
    let top = node("r", 0, 100).with([node("a", 10, 40), node("b", 10, 90), node("c", 10, 60)]);
    let (trace, timing) = assert_times(top, "r 0-10, b 10-90, r 90-100", "r 20, a 30, b 80, c 50");
    assert_eq!(critical(&trace, &timing), "r b");
}

#[test]
fn the_example_of_the_documentation() {
    let top = node("root", 0, 40).with([node("a", 3, 14), node("b", 5, 10), node("c", 24, 33)]);
    let path = "root 0-3, a 3-14, root 14-24, c 24-33, root 33-40";
    assert_times(top, path, "root 20, a 11, b 5, c 9");
}

#[test]
fn the_path_goes_down_and_comes_back() {
    let a = node("a", 10, 80).with([node("x", 20, 40), node("y", 50, 80).with([node("z", 55, 70)])]);
    let top = node("r", 0, 100).with([a, node("b", 85, 95)]);
    let path = "r 0-10, a 10-20, x 20-40, a 40-50, y 50-55, z 55-70, y 70-80, r 80-85, b 85-95, r 95-100";
    assert_times(top, path, "r 20, a 20, x 20, y 15, z 15, b 10");
}

#[test]
fn a_chain_of_overlaps_is_cut_where_it_began() {
    // b ends last; a ended while b ran, so that b did not wait for a.
    let top = node("r", 0, 100).with([node("a", 0, 60), node("b", 50, 100)]);
    assert_times(top, "r 0-50, b 50-100", "r 0, a 60, b 50");
    // What ended before b began is looked for behind a.
    let top = node("r", 0, 100).with([node("z", 10, 20), node("a", 15, 60), node("b", 50, 100)]);
    assert_times(top, "r 0-10, z 10-20, r 20-50, b 50-100", "r 10, z 10, a 45, b 50");
}

#[test]
fn of_equal_ends_the_longest_counts() {
    let top = node("r", 0, 10).with([node("a", 2, 9), node("b", 5, 9), node("c", 2, 9)]);
    let (trace, timing) = assert_times(top, "r 0-2, a 2-9, r 9-10", "r 3, a 7, c 7, b 4");
    assert_eq!(critical(&trace, &timing), "r a");
}

#[test]
fn a_child_that_outlives_its_parent_is_not_waited_for() {
    let late = node("late", 20, 500).with([node("below", 25, 90)]);
    let top = node("r", 0, 100).with([late, node("a", 30, 80)]);
    let (trace, timing) = assert_times(top, "r 0-30, a 30-80, r 80-100", "r 20, late 415, below 65, a 50");
    assert_eq!(critical(&trace, &timing), "r a");
}

#[test]
fn a_call_that_was_given_up_is_cut_at_the_clients_end() {
    let work = node("work", 20, 190).service("pay");
    let server = node("serve", 10, 200).kind(SERVER).service("pay").with([work]);
    let top = node("r", 0, 120).with([node("call", 5, 100).kind(CLIENT).with([server])]);
    let path = "r 0-5, call 5-10, serve 10-20, work 20-100, r 100-120";
    assert_times(top, path, "r 25, call 5, serve 20, work 170");
}

#[test]
fn a_message_is_not_waited_for() {
    let consumer = |end| node("take", 12, end).kind(CONSUMER).service("mail");
    for end in [15, 90] {
        let publish = node("publish", 10, 20).kind(PRODUCER).with([consumer(end)]);
        let trace = trace(vec![node("r", 0, 100).with([publish])]);
        let timing = timing(&trace);
        assert_eq!(sections(&trace, &timing.paths[0]), "r 0-10, publish 10-20, r 20-100");
    }
    // A consumer that works within another consumer's span is.
    let poll = node("poll", 0, 50).kind(CONSUMER).with([node("take", 10, 50).kind(CONSUMER)]);
    assert_times(poll, "poll 0-10, take 10-50", "poll 10, take 40");
}

#[test]
fn a_servers_clock_is_set_by_the_client() {
    // (recorded start of the server, its shift)
    for (start, shift) in [(50, -20_i64), (1_050, -1_020), (10, 0), (5, 5)] {
        let work = node("work", start + 10, start + 40).service("pay");
        let server = node("serve", start, start + 60).kind(SERVER).service("pay").with([work]);
        let trace = trace(vec![node("call", 10, 90).kind(CLIENT).with([server])]);
        let timing = timing(&trace);
        let shifts: Vec<i64> = timing.spans.iter().map(|span| span.clock_shift).collect();
        assert_eq!(shifts, [0, shift, shift], "{start}");
        let at = start.checked_add_signed(shift).unwrap();
        let mut expected =
            vec![(0, 10, at), (1, at, at + 10), (2, at + 10, at + 40), (1, at + 40, at + 60), (0, at + 60, 90)];
        expected.retain(|(_, start, end)| start < end);
        let found = timing.paths[0].sections.iter();
        let found: Vec<_> = found.map(|section| (section.span, section.start - START, section.end - START)).collect();
        assert_eq!(found, expected, "{start}");
        assert_eq!(self_times(&trace, &timing), "call 20, serve 30, work 30");
    }
}

#[test]
fn only_a_call_to_another_resource_tells_clocks_apart() {
    let server = node("serve", 50, 100).kind(SERVER);
    assert_times(
        node("call", 0, 60).kind(CLIENT).with([server.clone()]),
        "call 0-50, serve 50-60",
        "call 50, serve 50",
    );
    let server = server.service("pay");
    assert_times(node("work", 0, 60).with([server.clone()]), "work 0-60", "work 50, serve 50");
    let longer = Node { end: START + 200, ..server };
    assert_times(node("call", 0, 60).kind(CLIENT).with([longer]), "call 0-50, serve 50-60", "call 50, serve 150");
}

#[test]
fn a_child_that_starts_before_its_parent_is_cut() {
    let top = node("r", 50, 100).with([node("a", 20, 80).with([node("b", 10, 60)])]);
    assert_times(top, "b 50-60, a 60-80, r 80-100", "r 20, a 20, b 50");
}

#[test]
fn a_child_elsewhere_changes_nothing() {
    let top = node("r", 50, 100).with([node("a", 0, 50), node("b", 100, 150), node("c", 200, 300)]);
    assert_times(top, "r 50-100", "r 50, a 50, b 50, c 100");
}

#[test]
fn spans_without_a_length() {
    let top = node("r", 0, 10).with([node("a", 5, 5).with([node("b", 5, 9)]), node("c", 8, 3)]);
    let (trace, timing) = assert_times(top, "r 0-10", "r 10, a 0, b 4, c 0");
    assert_eq!(critical(&trace, &timing), "r");
    let (trace, timing) = assert_times(node("r", 5, 5).with([node("a", 5, 9)]), "", "r 0, a 4");
    assert_eq!(critical(&trace, &timing), "r");
}

#[test]
fn a_span_whose_part_is_all_its_childs_is_on_the_path() {
    let top = node("r", 0, 10).with([node("a", 0, 10).with([node("b", 0, 10)])]);
    let (trace, timing) = assert_times(top, "b 0-10", "r 0, a 0, b 10");
    assert_eq!(critical(&trace, &timing), "r a b");
    assert_eq!(timing.paths[0].spans, [0, 1, 2]);
}

#[test]
fn every_tree_has_a_path() {
    let other = node("other", 50, 200).with([node("x", 60, 90)]);
    let orphan = node("orphan", 10, 40).orphan().with([node("y", 20, 30)]);
    let trace = trace(vec![orphan, other, node("r", 0, 100).with([node("a", 10, 20)])]);
    let timing = timing(&trace);
    let paths: Vec<_> = timing.paths.iter().map(|path| sections(&trace, path)).collect();
    let expected =
        ["r 0-10, a 10-20, r 20-100", "other 50-60, x 60-90, other 90-200", "orphan 10-20, y 20-30, orphan 30-40"];
    assert_eq!(paths, expected);
    assert_eq!(timing.paths.iter().map(|path| path.top).collect::<Vec<_>>(), [0, 2, 4]);
}

#[test]
fn copies_do_not_count() {
    let mut trace = trace(vec![node("r", 0, 10).with([node("a", 2, 8)])]);
    let copy = tracestore::model::TraceSpan { parent: None, shadowed: true, ..trace.spans[1].clone() };
    trace.spans.push(copy);
    let timing = timing(&trace);
    assert_eq!(self_times(&trace, &timing), "r 4, a 6, a 0");
    assert_eq!(timing.paths.len(), 1);
}

#[test]
fn nothing_and_a_long_chain() {
    assert!(timing(&trace(Vec::new())).paths.is_empty());
    let mut chain = trace(vec![node("r", 0, 400_000)]);
    for depth in 1..200_000_u64 {
        let mut span = chain.spans[0].clone();
        span.parent = Some(depth as usize - 1);
        (span.span.start_time_unix_nano, span.span.end_time_unix_nano) = (START + depth, START + 400_000 - depth);
        span.span.kind = INTERNAL;
        chain.spans.push(span);
    }
    let timing = timing(&chain);
    assert_eq!(timing.paths[0].sections.len(), 399_999);
    assert!(timing.spans.iter().rev().skip(1).all(|span| span.self_time == 2 && span.critical_time == 2));
}
