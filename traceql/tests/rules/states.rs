//! The states of alerts, scenario by scenario; what is asked when; what is kept over restarts.

use traceql::rules::{AlertState, Evaluator, State};

use super::script::{SECOND, Script, alert, changes, labels, rules, run, sample, script};

const EVERY_TEN: [u64; 8] = [10, 20, 30, 40, 50, 60, 70, 80];

#[test]
fn pending_becomes_firing_after_for() {
    let mut evaluator = Evaluator::new(alert(&["for: 20s"]));
    let source = script(&[(20, &["a"]), (30, &["a"]), (40, &["a"]), (50, &["a"])]);
    let seen = changes(&mut evaluator, &source, EVERY_TEN);
    assert_eq!(seen, ["20 a inactive>pending", "40 a pending>firing", "60 a firing>inactive"]);
}

#[test]
fn without_for_an_alert_fires_at_once() {
    let mut evaluator = Evaluator::new(alert(&[]));
    let seen = changes(&mut evaluator, &script(&[(20, &["a"])]), EVERY_TEN);
    assert_eq!(seen, ["20 a inactive>firing", "30 a firing>inactive"]);
}

#[test]
fn flapping_never_fires() {
    let mut evaluator = Evaluator::new(alert(&["for: 20s"]));
    let source = script(&[(10, &["a"]), (20, &["a"]), (40, &["a"]), (50, &["a"]), (70, &["a"])]);
    let seen = changes(&mut evaluator, &source, EVERY_TEN);
    let expected = [
        "10 a inactive>pending",
        "30 a pending>inactive",
        "40 a inactive>pending",
        "60 a pending>inactive",
        "70 a inactive>pending",
        "80 a pending>inactive",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn keep_firing_for_bridges_gaps() {
    let mut evaluator = Evaluator::new(alert(&["for: 10s", "keep_firing_for: 20s"]));
    // Gone from 30 on, back at 40 within the time: it has never stopped. Gone from 50 on, over at 70.
    let source = script(&[(10, &["a"]), (20, &["a"]), (40, &["a"])]);
    let seen = changes(&mut evaluator, &source, EVERY_TEN);
    assert_eq!(seen, ["10 a inactive>pending", "20 a pending>firing", "70 a firing>inactive"]);
    // What is only pending is not kept.
    let mut evaluator = Evaluator::new(alert(&["for: 30s", "keep_firing_for: 20s"]));
    let seen = changes(&mut evaluator, &source, EVERY_TEN);
    let expected = ["10 a inactive>pending", "30 a pending>inactive", "40 a inactive>pending", "50 a pending>inactive"];
    assert_eq!(seen, expected);
}

#[test]
fn a_resolved_alert_says_what_it_last_said() {
    let rules = alert(&["for: 10s", "annotations: { text: '{{ $labels.resource_service_name }} {{ $value }}' }"]);
    let mut evaluator = Evaluator::new(rules);
    let source = script(&[(10, &["a"]), (20, &["a"])]);
    changes(&mut evaluator, &source, [10, 20]);
    let firing = evaluator.alerts().next().unwrap().clone();
    assert_eq!((firing.state, firing.active_at, firing.value), (AlertState::Firing, 10 * SECOND, 20.0));
    let evaluation = run(evaluator.evaluate(&source, 30 * SECOND));
    let change = &evaluation.changes[0];
    assert!(change.is_resolved() && change.group == "g" && change.at == 30 * SECOND);
    assert_eq!(change.alert.labels, labels(&[("alertname", "A"), ("resource.service.name", "a")]));
    assert_eq!(change.alert.annotations, labels(&[("text", "a 20")]));
    assert_eq!(evaluator.alerts().count(), 0);
}

#[test]
fn series_that_vanish_resolve_and_others_stay() {
    let mut evaluator = Evaluator::new(alert(&["for: 10s"]));
    let source = script(&[(10, &["b", "a"]), (20, &["a", "b"]), (30, &["b", "c"]), (40, &["b", "c"])]);
    let seen = changes(&mut evaluator, &source, [10, 20, 30, 40]);
    let expected = [
        "10 a inactive>pending",
        "10 b inactive>pending",
        "20 a pending>firing",
        "20 b pending>firing",
        "30 a firing>inactive",
        "30 c inactive>pending",
        "40 c pending>firing",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn too_many_alerts_change_nothing() {
    let limited = "    limit: 2\n    rules:\n      - alert: A\n        expr: '{ } | rate() by (name) > 0'\n";
    let mut evaluator = Evaluator::new(rules(limited));
    let source = script(&[(10, &["a", "b"]), (20, &["a", "b", "c"]), (30, &["c"])]);
    let seen = changes(&mut evaluator, &source, [10, 20, 30]);
    let expected = [
        "10 a inactive>firing",
        "10 b inactive>firing",
        "20 A 3 alerts, and the group's limit is 2",
        "30 a firing>inactive",
        "30 b firing>inactive",
        "30 c inactive>firing",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_query_that_fails_changes_nothing() {
    let mut evaluator = Evaluator::new(alert(&["for: 20s"]));
    let mut source = script(&[(10, &["a"]), (30, &["a"])]);
    source.answers.insert(20, Err("no".to_owned()));
    let seen = changes(&mut evaluator, &source, [10, 20, 30]);
    assert_eq!(seen, ["10 a inactive>pending", "20 A the query could not be run: no", "30 a pending>firing"]);
}

#[test]
fn groups_are_asked_when_they_are_due_over_the_time_they_say() {
    let text = "
groups:
  - { name: a, interval: 10s, query_offset: 3s, rules: [{ record: a, expr: '{ } | rate()' }] }
  - { name: b, rules: [{ record: b, expr: '{ } | rate() with (range = 1h)' }] }
";
    let rules = traceql::rules::RuleFile::parse(text).unwrap();
    let mut evaluator = Evaluator::new(rules).with_interval(25 * SECOND);
    assert_eq!(evaluator.next_due(), Some(0));
    let source = Script::default();
    let mut due = Vec::new();
    for second in [10_000, 10_009, 10_010, 10_012, 10_024, 10_025, 10_060, 9_000] {
        changes(&mut evaluator, &source, [second]);
        due.push(evaluator.next_due().unwrap() / SECOND);
    }
    assert_eq!(due, [10_010, 10_010, 10_020, 10_020, 10_025, 10_034, 10_070, 10_070]);
    let asked = source.asked.lock().unwrap();
    let asked: Vec<_> = asked.iter().map(|(query, start, end)| (query.len(), *start, *end)).collect();
    let (a, b) = (12, 30);
    let expected = [
        (a, 9_987, 9_997),
        (b, 6_400, 10_000),
        (a, 9_997, 10_007),
        (a, 10_011, 10_021),
        (b, 6_425, 10_025),
        (a, 10_047, 10_057),
        (b, 6_460, 10_060),
    ];
    assert_eq!(asked, expected);
}

#[test]
fn labels_of_rules_go_before_those_of_series() {
    let rules = rules(
        "    labels: { team: t, severity: group }
    rules:
      - alert: A
        expr: '{ } | rate() by (name, span.x) > 0'
        labels: { severity: '{{ $labels.name }}', name: '', span.x: one }
",
    );
    let mut evaluator = Evaluator::new(rules);
    let mut source = Script::default();
    let series = |name: &str, x: &str, value| traceql::rules::Sample {
        labels: labels(&[("name", name), ("span.x", x), ("empty", "")]),
        value,
    };
    // The second is the same alert as the first.
    source.answers.insert(10, Ok(vec![series("n", "2", 5.0), series("n", "3", 6.0), series("m", "2", 7.0)]));
    changes(&mut evaluator, &source, [10]);
    let found: Vec<_> = evaluator.alerts().map(|alert| (alert.labels.clone(), alert.value)).collect();
    let expected = |name| labels(&[("alertname", "A"), ("severity", name), ("span.x", "one"), ("team", "t")]);
    assert_eq!(found, [(expected("m"), 7.0), (expected("n"), 5.0)]);
}

#[test]
fn recorded_samples_go_to_the_host() {
    let text = "    limit: 2
    labels: { team: t }
    rules:
      - { record: 'a:rate', expr: '{ } | rate() by (resource.service.name)', labels: { x: '1' } }
";
    let mut evaluator = Evaluator::new(rules(text));
    let mut source = script(&[(10, &["b", "a"]), (20, &["a", "a"]), (30, &["a", "b", "c"])]);
    let function = traceql::rules::Sample { labels: labels(&[("__name__", "rate")]), value: 0.5 };
    source.answers.insert(40, Ok(vec![function]));
    let first = run(evaluator.evaluate(&source, 10 * SECOND));
    let recorded: Vec<_> =
        first.recorded.iter().map(|found| (found.name.as_str(), found.labels.clone(), found.value)).collect();
    let expected = |service| labels(&[("resource.service.name", service), ("team", "t"), ("x", "1")]);
    assert_eq!(recorded, [("a:rate", expected("a"), 10.0), ("a:rate", expected("b"), 10.0)]);
    for (second, reason) in [(20, "two series have the same labels"), (30, "3 samples, and the group's limit is 2")] {
        let evaluation = run(evaluator.evaluate(&source, second * SECOND));
        assert!(evaluation.recorded.is_empty());
        assert!(evaluation.failures[0].error.to_string().contains(reason), "{:?}", evaluation.failures);
    }
    let last = run(evaluator.evaluate(&source, 40 * SECOND));
    assert_eq!(last.recorded[0].labels, labels(&[("team", "t"), ("x", "1")]));
}

#[test]
fn alerts_of_rules_that_are_no_more_end() {
    let mut before = Evaluator::new(alert(&[]));
    let mut source = script(&[(10, &["a"])]);
    source.answers.insert(20, Ok(vec![sample("a", f64::INFINITY)]));
    changes(&mut before, &source, [10, 20]);
    // As JSON, with an infinite value in it.
    let kept = serde_json::to_string(before.state()).unwrap();
    let state: State = serde_json::from_str(&kept).unwrap();
    assert_eq!(&state, before.state());
    // The same rule, the same alert; nothing is evaluated before it is due.
    let mut same = Evaluator::with_state(alert(&["for: 1h"]), state.clone());
    assert_eq!(changes(&mut same, &source, [21]), Vec::<String>::new());
    assert_eq!(same.alerts().count(), 1);
    // Another rule.
    let other = rules("    rules:\n      - alert: B\n        expr: '{ } | rate() > 0'\n");
    let mut other = Evaluator::with_state(other, state);
    assert_eq!(other.alerts().count(), 0);
    assert_eq!(changes(&mut other, &source, [21]), ["21 a firing>inactive"]);
    assert_eq!(changes(&mut other, &source, [22]), Vec::<String>::new());
}
