//! What is said of rule files and test files that are wrong: everything in one go, each with its line and column.

use traceql::rules::{RuleFile, unit::TestFile};

use crate::command::testdata;

/// The file with every kind of fault; written by the test with `UPDATE_GOLDEN=1`.
#[test]
fn a_broken_file_gets_line_column_and_reason() {
    let text = std::fs::read_to_string(testdata("broken.rules.yaml")).unwrap();
    let report = RuleFile::check(&text);
    assert!(report.rules.is_none());
    let mut said = String::new();
    for found in report.diagnostics.list() {
        let (line, column) = report.diagnostics.line_and_column(found);
        said.push_str(&format!("{line}:{column}: {}\n", report.diagnostics.render(found)));
    }
    let golden = testdata("broken.expected.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &said).unwrap();
    }
    assert_eq!(said, std::fs::read_to_string(&golden).unwrap());
}

const FILE: &str = "groups: [{ name: g, rules: [{ alert: A, expr: '{ } | rate() > 1', ";

#[test]
fn faults_have_places() {
    let in_rule = |rest: &str| format!("{FILE}{rest} }}] }}]\n");
    let column = FILE.chars().count() + 1;
    for (text, code, line, at) in [
        (String::new(), "TQ0604", 1, 1),
        ("# nothing\n".to_owned(), "TQ0604", 1, 1),
        ("groups: [\n".to_owned(), "TQ0601", 2, 1),
        ("groups:\n\t- a\n".to_owned(), "TQ0601", 2, 2),
        ("groups: []\n---\ngroups: []\n".to_owned(), "TQ0601", 2, 1),
        ("groups: !!map {}\n".to_owned(), "TQ0601", 1, 9),
        ("- a\n".to_owned(), "TQ0605", 1, 1),
        ("groups: text\n".to_owned(), "TQ0605", 1, 9),
        ("group: []\n".to_owned(), "TQ0604", 1, 1),
        ("groups:\n  - rules: []\n".to_owned(), "TQ0604", 2, 5),
        ("groups: [{ name: '', rules: [] }]\n".to_owned(), "TQ0609", 1, 18),
        ("groups: [{ name: a, limit: -1, rules: [] }]\n".to_owned(), "TQ0610", 1, 28),
        ("groups: [{ name: a, interval: 0s, rules: [] }]\n".to_owned(), "TQ0606", 1, 31),
        ("groups: [{ name: a, rules: [{ expr: '{ } | rate()' }] }]\n".to_owned(), "TQ0604", 1, 29),
        (in_rule("for: 5"), "TQ0606", 1, column + 5),
        (in_rule("fro: 5m"), "TQ0602", 1, column),
        (in_rule("alert: B"), "TQ0603", 1, column),
        (in_rule("labels: [a]"), "TQ0605", 1, column + 8),
        (in_rule("labels: { alertname: x }"), "TQ0609", 1, column + 10),
        (in_rule("annotations: { a: [] }"), "TQ0605", 1, column + 18),
        (in_rule("annotations: { a: \"\\u00e9 {{ $x }}\" }"), "TQ0607", 1, column + 29),
    ] {
        let report = RuleFile::check(&text);
        let found = report.diagnostics.list();
        let places: Vec<_> =
            found.iter().map(|found| (found.code, report.diagnostics.line_and_column(found))).collect();
        assert!(places.contains(&(code, (line, at))), "{text}\nexpected {code} at {line}:{at}, got {places:?}");
        assert!(report.rules.is_none());
    }
}

#[test]
fn warnings_do_not_stop_a_file() {
    let text = "groups:
  - name: g
    rules:
      - alert: A
        expr: '{ } | rate() by (name)'
        annotations: { text: '{{ $value }} of {{ $labels.nme }}' }
      - { alert: A, expr: '{ } | rate() > 1' }
      - { alert: B, expr: '{ } | rate() > 1 with (rnge = 5m)' }
      - { alert: B, expr: '({ } | rate() > 1) + ({ } | rate())', labels: { severity: x } }
";
    let report = RuleFile::check(text);
    assert_eq!(report.rules.unwrap().groups[0].rules.len(), 4);
    let found = report.diagnostics.list().iter();
    let found: Vec<_> = found.map(|found| (found.code, report.diagnostics.line_and_column(found))).collect();
    assert_eq!(found, [("TQ0521", (5, 16)), ("TQ0523", (6, 58)), ("TQ0522", (7, 18)), ("TQ0503", (8, 51))]);
}

#[test]
fn aliases_stand_for_what_they_name_within_bounds() {
    let text = "groups:
  - name: g
    rules:
      - { alert: A, expr: &q '{ } | rate() > 1', labels: &l { severity: page } }
      - { alert: B, expr: *q, labels: *l }
";
    let rules = RuleFile::parse(text).unwrap();
    assert_eq!(rules.groups[0].rules[0].query(), rules.groups[0].rules[1].query());
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        bomb.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    let faults = RuleFile::parse(&bomb).unwrap_err();
    assert!(faults.to_string().contains("more than 200000 values"), "{faults}");
    let faults = RuleFile::parse(&"- ".repeat(100)).unwrap_err();
    assert!(faults.to_string().contains("more than 64 deep"), "{faults}");
    let faults = RuleFile::parse("a: &a [*a]\n").unwrap_err();
    assert!(faults.to_string().contains("a part of"), "{faults}");
}

#[test]
fn test_files_have_faults_too() {
    let text = "rule_files: rules.yaml
tests:
  - start: yesterday
    spans:
      - { name: a, kind: servr, start: 5, count: 3, parent: x }
      - { children: [{ every: 1s }] }
    alert_rule_test:
      - { alertname: A }
      - { eval_time: 1m, alertname: A, exp_alerts: [{ exp_state: resolved }] }
    traceql_expr_test:
      - { eval_time: 1m, expr: '{ } | rat()', exp_samples: [{ value: many }] }
  - name: nothing
";
    let report = TestFile::check(text);
    assert!(report.tests.is_none());
    let found = report.diagnostics.list().iter();
    let found: Vec<_> = found.map(|found| (found.code, report.diagnostics.line_and_column(found))).collect();
    let expected = [
        ("TQ0605", (1, 13)),
        ("TQ0606", (3, 12)),
        ("TQ0610", (5, 26)),
        ("TQ0606", (5, 40)),
        ("TQ0604", (5, 43)),
        ("TQ0602", (5, 53)),
        ("TQ0602", (6, 24)),
        ("TQ0604", (8, 9)),
        ("TQ0610", (9, 66)),
        ("TQ0201", (11, 39)),
        ("TQ0610", (11, 70)),
        ("TQ0524", (12, 5)),
    ];
    assert_eq!(found, expected, "{}", report.diagnostics);
}

#[test]
fn the_examples_of_the_documentation_are_valid() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/RULES.md")).unwrap();
    let blocks: Vec<&str> = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let [rules, tests] = blocks[..] else { panic!("{} examples", blocks.len()) };
    let found = RuleFile::check(rules).diagnostics;
    assert!(found.is_empty(), "{found}");
    let found = TestFile::check(tests).diagnostics;
    assert!(found.is_empty(), "{found}");
}
