//! Traces with known differences.

use traceql::analysis::{ChangeKind, Totals, TraceDiff, diff};

use super::traces::{CLIENT, Node, node, trace};

/// A line for each change: mark, path, spans, durations, self times, and what else is not 0.
fn changes(diff: &TraceDiff) -> Vec<String> {
    let line = |change: &traceql::analysis::Change| {
        let mut path: Vec<&str> = diff.path(change).map(|key| key.name.as_str()).collect();
        path.reverse();
        let mark = match change.kind {
            ChangeKind::Changed => '~',
            ChangeKind::Appeared => '+',
            ChangeKind::Vanished => '-',
        };
        let (a, b) = (change.before, change.after);
        let mut line = format!(
            "{mark}{} n {}>{} took {}>{} self {}>{}",
            path.join("/"),
            a.count,
            b.count,
            a.duration,
            b.duration,
            a.self_time,
            b.self_time
        );
        for (name, count) in [
            ("spans", (a.spans != a.count || b.spans != b.count) as usize * (a.spans + b.spans)),
            ("slower", change.slower),
            ("faster", change.faster),
            ("new-errors", change.errors_appeared),
            ("old-errors", change.errors_vanished),
        ] {
            if count > 0 {
                line.push_str(&format!(" {name} {count}"));
            }
        }
        line
    };
    diff.changes.iter().map(line).collect()
}

fn compare(before: Vec<Node>, after: Vec<Node>) -> TraceDiff {
    diff(&trace(before), &trace(after))
}

/// A gateway that asks a cart, which asks a database thrice, and pays.
fn shop() -> Node {
    let db = |start| node("db", start, start + 10).kind(CLIENT);
    let cart = node("cart", 10, 60).service("cart").with([db(12), db(25), db(40)]);
    node("gateway", 0, 100).with([cart, node("pay", 60, 90).with([node("bank", 65, 85)])])
}

#[test]
fn a_trace_does_not_differ_from_itself() {
    let found = compare(vec![shop()], vec![shop()]);
    assert!(found.changes.is_empty());
    assert_eq!((found.matched, found.only_before, found.only_after), (7, 0, 0));
    let totals = Totals { spans: 7, duration: 100, self_time: 100, errors: 0 };
    assert_eq!((found.before, found.after), (totals, totals));
    // Nor from one at another time.
    let mut later = shop();
    let mut stack = vec![&mut later];
    while let Some(node) = stack.pop() {
        node.start += 77;
        node.end += 77;
        stack.extend(&mut node.children);
    }
    assert!(compare(vec![shop()], vec![later]).changes.is_empty());
}

#[test]
fn what_became_slower_comes_before_what_waits_for_it() {
    let mut after = shop();
    after.end += 500;
    after.children[1].end += 500;
    after.children[1].children[0].end += 500;
    let found = compare(vec![shop()], vec![after]);
    let expected = [
        "~gateway/pay/bank n 1>1 took 20>520 self 20>520 slower 1",
        "~gateway n 1>1 took 100>600 self 20>20 slower 1",
        "~gateway/pay n 1>1 took 30>530 self 10>10 slower 1",
    ];
    assert_eq!(changes(&found), expected);
    assert_eq!((found.matched, found.after.duration), (7, 600));
}

#[test]
fn subtrees_that_vanish_and_appear_are_wholes() {
    let mut after = shop();
    after.children.remove(1);
    let audit = node("audit", 70, 80).with([node("x", 71, 72), node("y", 72, 79).error()]);
    after.children.push(audit);
    let found = compare(vec![shop()], vec![after]);
    let expected = [
        "-gateway/pay n 1>0 took 30>0 self 30>0 spans 2",
        "~gateway n 1>1 took 100>100 self 20>40",
        "+gateway/audit n 0>1 took 0>10 self 0>10 spans 3 new-errors 1",
    ];
    assert_eq!(changes(&found), expected);
    assert_eq!((found.matched, found.only_before, found.only_after), (5, 2, 3));
    assert_eq!(found.changes[2].after.errors, 1);
}

#[test]
fn more_calls_of_one_path_are_counted_there() {
    let mut after = shop();
    let cart = &mut after.children[0];
    cart.children.push(node("db", 55, 58).kind(CLIENT).with([node("retry", 56, 57)]));
    let found = compare(vec![shop()], vec![after]);
    let expected = [
        "~gateway/cart n 1>1 took 50>50 self 20>17",
        "~gateway/cart/db n 3>4 took 30>33 self 30>32",
        "+gateway/cart/db/retry n 0>1 took 0>1 self 0>1",
    ];
    assert_eq!(changes(&found), expected);
    assert_eq!((found.matched, found.only_after), (7, 2));
}

#[test]
fn siblings_are_matched_in_order_of_start() {
    // The second and the third call change places; the first goes on failing.
    let calls = |errors: [bool; 3], lengths: [u64; 3]| {
        let call = |place: usize| {
            let start = 10 * place as u64;
            Node { error: errors[place], ..node("call", start, start + lengths[place]) }
        };
        vec![node("r", 0, 100).with((0..3).rev().map(call))]
    };
    let found = compare(calls([true, true, false], [5, 6, 7]), calls([true, false, true], [5, 7, 6]));
    let expected = ["~r/call n 3>3 took 18>18 self 18>18 slower 1 faster 1 new-errors 1 old-errors 1"];
    assert_eq!(changes(&found), expected);
}

#[test]
fn service_name_and_kind_tell_siblings_apart() {
    let with = |child: Node| vec![node("r", 0, 10).with([child])];
    let child = || node("a", 2, 8);
    for other in [child().service("other"), child().kind(CLIENT), node("b", 2, 8)] {
        let found = compare(with(child()), with(other));
        let kinds: Vec<ChangeKind> = found.changes.iter().map(|change| change.kind).collect();
        assert_eq!(kinds, [ChangeKind::Vanished, ChangeKind::Appeared]);
        assert_eq!((found.matched, found.only_before, found.only_after), (1, 1, 1));
    }
}

#[test]
fn an_error_alone_is_a_change() {
    let found = compare(vec![node("r", 0, 10)], vec![node("r", 0, 10).error()]);
    assert_eq!(changes(&found), ["~r n 1>1 took 10>10 self 10>10 new-errors 1"]);
    let found = compare(vec![node("r", 0, 10).error()], vec![node("r", 0, 10)]);
    assert_eq!(changes(&found), ["~r n 1>1 took 10>10 self 10>10 old-errors 1"]);
    assert_eq!((found.before.errors, found.after.errors), (1, 0));
}

#[test]
fn several_trees_and_none() {
    let orphan = || node("late", 5, 9).orphan();
    let found = compare(vec![shop(), orphan()], vec![orphan(), node("late", 1, 3)]);
    // The root that starts first is matched with the one orphan, as siblings are.
    let expected = ["-gateway n 1>0 took 100>0 self 100>0 spans 7", "~late n 1>2 took 4>6 self 4>6 faster 1"];
    assert_eq!(changes(&found), expected);
    let found = compare(Vec::new(), vec![shop()]);
    assert_eq!(changes(&found), ["+gateway n 0>1 took 0>100 self 0>100 spans 7"]);
    assert!(compare(Vec::new(), Vec::new()).changes.is_empty());
}

#[test]
fn a_long_chain_has_a_long_path() {
    let chain = |length: usize, last: u64| {
        let mut chain = trace(vec![node("r", 0, 1_000_000)]);
        for depth in 1..length {
            let mut span = chain.spans[0].clone();
            span.parent = Some(depth - 1);
            span.span.end_time_unix_nano -= if depth + 1 == length { last } else { 0 };
            chain.spans.push(span);
        }
        chain
    };
    let found = diff(&chain(50_000, 0), &chain(50_000, 5));
    assert_eq!(found.changes.len(), 2);
    assert_eq!(found.path(&found.changes[0]).count() + found.path(&found.changes[1]).count(), 99_999);
    let found = diff(&chain(50_000, 0), &chain(10, 0));
    assert_eq!((found.matched, found.only_before), (10, 49_990));
}
