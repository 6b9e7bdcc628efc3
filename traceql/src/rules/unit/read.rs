//! From a test file's text to tests, or to all that is wrong with it.

use std::path::PathBuf;

use super::{Case, Expected, ExpectedAlert, ExpectedSample, Test, TestFile, TestFileReport, spans::read_spans};
use crate::{
    rules::{
        alert::AlertState,
        expr::read_query,
        labels::{ALERT_NAME, Labels},
    },
    syntax::{Diagnostic, Diagnostics, Span},
    yaml::{Map, Node, Reader, parse},
};

const TEST_KEYS: [&str; 7] =
    ["name", "start", "input", "spans", "alert_rule_test", "record_rule_test", "traceql_expr_test"];

impl TestFile {
    /// Everything there is to say about a test file, but for the files it names.
    #[must_use]
    pub fn check(text: &str) -> TestFileReport {
        let mut reader = Reader::new(text);
        let tests = match parse(text) {
            Ok(Some(root)) => read_file(&mut reader, &root),
            Ok(None) => {
                reader.report(Diagnostic::new("TQ0604", Span::new(0, 1), "the file is empty: it needs `tests`"));
                None
            }
            Err(fault) => {
                reader.report(fault);
                None
            }
        };
        let diagnostics = reader.finish();
        TestFileReport { tests: tests.filter(|_| !diagnostics.has_errors()), diagnostics }
    }
}

fn line_and_column(reader: &Reader<'_>, span: Span) -> (usize, usize) {
    let anything = Diagnostic::new("TQ0600", span, "");
    Diagnostics::new(reader.source, Vec::new()).line_and_column(&anything)
}

fn read_file(reader: &mut Reader<'_>, root: &Node) -> Option<TestFile> {
    let map = reader.map(root, "a test file", &["rule_files", "evaluation_interval", "tests"])?;
    let rule_files = map.get("rule_files").map(|node| {
        let nodes = reader.list(node, "a list of rule files");
        nodes.iter().filter_map(|node| reader.name(node, "a path").map(PathBuf::from)).collect()
    });
    let interval = map.get("evaluation_interval").and_then(|node| reader.positive_duration(node));
    let list = reader.required(&map, "a test file", "tests")?;
    let nodes = reader.list(list, "a list of tests");
    let tests = nodes.iter().enumerate().filter_map(|(index, node)| read_test(reader, node, index + 1)).collect();
    Some(TestFile { rule_files: rule_files.unwrap_or_default(), interval, tests })
}

fn read_test(reader: &mut Reader<'_>, node: &Node, number: usize) -> Option<Test> {
    let map = reader.map(node, "a test", &TEST_KEYS)?;
    let name = map.get("name").and_then(|node| reader.text(node, "a test's name"));
    let name = name.map_or_else(|| format!("test {number}"), str::to_owned);
    let start = map.get("start").and_then(|node| read_time(reader, node));
    let input = map.get("input").map(|node| read_paths(reader, node)).unwrap_or_default();
    let spans = map.get("spans").map(|node| read_spans(reader, node, None)).unwrap_or_default();
    let mut cases = Vec::new();
    for (key, read) in [
        ("alert_rule_test", read_alert_case as fn(&mut Reader<'_>, &Node) -> Option<Case>),
        ("record_rule_test", read_record_case),
        ("traceql_expr_test", read_expr_case),
    ] {
        let nodes = map.get(key).map(|node| reader.list(node, "a list of what is expected"));
        cases.extend(nodes.unwrap_or_default().iter().filter_map(|node| read(reader, node)));
    }
    if cases.is_empty() {
        let place = Span { end: map.span.start + 1, ..map.span };
        let warning = Diagnostic::new("TQ0524", place, "this test expects nothing: it cannot fail");
        reader.report(warning.help("it may have alert_rule_test, record_rule_test, traceql_expr_test"));
    }
    cases.sort_by_key(|case: &Case| case.at);
    Some(Test { name, start, input, spans, cases })
}

/// RFC 3339 as ns since 1970.
fn read_time(reader: &mut Reader<'_>, node: &Node) -> Option<u64> {
    let text = reader.text(node, "a time")?;
    let time = text.parse::<jiff::Timestamp>().ok().and_then(|time| u64::try_from(time.as_nanosecond()).ok());
    if time.is_none() {
        let fault = Diagnostic::new("TQ0606", node.span, format!("`{text}` is no time"));
        reader.report(fault.help("write 2026-11-21T10:00:00Z"));
    }
    time
}

/// A path or a list of them.
fn read_paths(reader: &mut Reader<'_>, node: &Node) -> Vec<PathBuf> {
    let nodes = node.items().unwrap_or(std::slice::from_ref(node));
    nodes.iter().filter_map(|node| reader.name(node, "a path").map(PathBuf::from)).collect()
}

fn read_labels(reader: &mut Reader<'_>, map: &Map<'_>, key: &str) -> Option<Labels> {
    // `{}` says that there are none, nothing says nothing.
    let map = map.get(key).and_then(|node| reader.open_map(node, key))?;
    let texts =
        map.entries().filter_map(|(name, _, node)| Some((name.to_owned(), reader.text(node, "a text")?.to_owned())));
    Some(texts.collect())
}

/// What all cases have: when, and where in the file.
fn case(reader: &mut Reader<'_>, map: &Map<'_>, what: &str, expected: Option<Expected>) -> Option<Case> {
    let at = reader.required(map, what, "eval_time").and_then(|node| reader.duration(node));
    let (line, column) = line_and_column(reader, map.span);
    Some(Case { at: at?, line, column, expected: expected? })
}

fn read_alert_case(reader: &mut Reader<'_>, node: &Node) -> Option<Case> {
    const WHAT: &str = "a test of alerts";
    let map = reader.map(node, WHAT, &["eval_time", "alertname", "exp_alerts"])?;
    let name = reader.required(&map, WHAT, "alertname").and_then(|node| reader.name(node, "an alert's name"));
    let nodes = map.get("exp_alerts").map(|node| reader.list(node, "a list of alerts")).unwrap_or_default();
    let alerts = nodes.iter().filter_map(|node| {
        let map = reader.map(node, "an alert", &["exp_state", "exp_labels", "exp_annotations"])?;
        let mut labels = read_labels(reader, &map, "exp_labels").unwrap_or_default();
        labels.insert(ALERT_NAME.to_owned(), name?.to_owned());
        let annotations = read_labels(reader, &map, "exp_annotations");
        Some(ExpectedAlert { state: read_state(reader, &map), labels, annotations })
    });
    let alerts = alerts.collect();
    let expected = name.map(|name| Expected::Alerts { name: name.to_owned(), alerts });
    case(reader, &map, WHAT, expected)
}

fn read_state(reader: &mut Reader<'_>, map: &Map<'_>) -> AlertState {
    let Some(node) = map.get("exp_state") else { return AlertState::Firing };
    match reader.text(node, "a state") {
        Some("pending") => AlertState::Pending,
        Some("firing") | None => AlertState::Firing,
        Some(other) => {
            let fault = Diagnostic::new("TQ0610", node.span, format!("there is no state `{other}` to expect"));
            reader.report(fault.help("it is `firing` or `pending`; alerts that are neither are left out"));
            AlertState::Firing
        }
    }
}

fn read_record_case(reader: &mut Reader<'_>, node: &Node) -> Option<Case> {
    const WHAT: &str = "a test of recorded samples";
    let map = reader.map(node, WHAT, &["eval_time", "record", "exp_samples"])?;
    let name = reader.required(&map, WHAT, "record").and_then(|node| reader.name(node, "a name"));
    let samples = read_samples(reader, &map);
    case(reader, &map, WHAT, name.map(|name| Expected::Recorded { name: name.to_owned(), samples }))
}

fn read_expr_case(reader: &mut Reader<'_>, node: &Node) -> Option<Case> {
    const WHAT: &str = "a test of a query";
    let map = reader.map(node, WHAT, &["eval_time", "expr", "exp_samples"])?;
    let query = reader.required(&map, WHAT, "expr").and_then(|node| read_query(reader, node));
    let samples = read_samples(reader, &map);
    let expected =
        query.map(|checked| Expected::Values { query: checked.query.text, range: checked.query.range, samples });
    case(reader, &map, WHAT, expected)
}

fn read_samples(reader: &mut Reader<'_>, map: &Map<'_>) -> Vec<ExpectedSample> {
    let nodes = map.get("exp_samples").map(|node| reader.list(node, "a list of samples")).unwrap_or_default();
    let samples = nodes.iter().filter_map(|node| {
        let map = reader.map(node, "a sample", &["labels", "value"])?;
        let labels = read_labels(reader, &map, "labels").unwrap_or_default();
        let value = reader.required(&map, "a sample", "value").and_then(|node| reader.number(node))?;
        Some(ExpectedSample { labels, value })
    });
    samples.collect()
}
