//! From a rule file's text to checked rules, or to all that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    expr::{CheckedQuery, read_query},
    file::{AlertRule, FileReport, Group, RecordingRule, Rule, RuleFile},
    labels::{ALERT_NAME, FUNCTION, prometheus_name},
    template::{self, Template},
};
use crate::{
    syntax::{Diagnostic, Span},
    yaml::{Map, Node, Reader, parse, place_in_scalar},
};

const GROUP_KEYS: [&str; 6] = ["name", "interval", "query_offset", "limit", "labels", "rules"];
const RULE_KEYS: [&str; 7] = ["alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations"];

impl RuleFile {
    /// Everything there is to say about a rule file.
    #[must_use]
    pub fn check(text: &str) -> FileReport {
        let mut reader = Reader::new(text);
        let rules = match parse(text) {
            Ok(Some(root)) => read_file(&mut reader, &root),
            Ok(None) => {
                reader.report(Diagnostic::new("TQ0604", Span::new(0, 1), "the file is empty: it needs `groups`"));
                None
            }
            Err(fault) => {
                reader.report(fault);
                None
            }
        };
        let diagnostics = reader.finish();
        FileReport { rules: rules.filter(|_| !diagnostics.has_errors()), diagnostics }
    }
}

fn read_file(reader: &mut Reader<'_>, root: &Node) -> Option<RuleFile> {
    let map = reader.map(root, "a rule file", &["groups"])?;
    let list = reader.required(&map, "a rule file", "groups")?;
    let mut groups: Vec<Group> = Vec::new();
    let mut names: BTreeMap<String, Span> = BTreeMap::new();
    for node in reader.list(list, "a list of groups") {
        let Some((group, name)) = read_group(reader, node) else { continue };
        match names.get(&group.name) {
            Some(before) => {
                let fault = Diagnostic::new("TQ0603", name, format!("there are two groups `{}`", group.name));
                reader.report(fault.related(*before, "the other"));
            }
            None => drop(names.insert(group.name.clone(), name)),
        }
        groups.push(group);
    }
    Some(RuleFile { groups })
}

/// A group, and where its name stands.
fn read_group(reader: &mut Reader<'_>, node: &Node) -> Option<(Group, Span)> {
    let map = reader.map(node, "a group", &GROUP_KEYS)?;
    let name = reader.required(&map, "a group", "name");
    let interval = map.get("interval").and_then(|node| reader.positive_duration(node));
    let query_offset = map.get("query_offset").and_then(|node| reader.duration(node)).unwrap_or(0);
    let limit = map.get("limit").and_then(|node| reader.count(node)).unwrap_or(0);
    let labels = read_texts(reader, map.get("labels"), "labels", true);
    let mut rules = Vec::new();
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    let list = reader.required(&map, "a group", "rules");
    for node in list.map_or(&[][..], |list| reader.list(list, "a list of rules")) {
        let Some((rule, place)) = read_rule(reader, node, &labels) else { continue };
        let key = match &rule {
            Rule::Alert(rule) => format!("alert {} {:?}", rule.name, rule.labels),
            Rule::Record(rule) => format!("record {} {:?}", rule.name, rule.labels),
        };
        match seen.get(&key) {
            Some(before) => {
                let message = format!("two rules `{}` of the group have the same labels", rule.name());
                let warning = Diagnostic::new("TQ0522", place, message).related(*before, "the other");
                reader.report(warning.help("tell them apart by a label, such as `severity`"));
            }
            None => drop(seen.insert(key, place)),
        }
        rules.push(rule);
    }
    let name = name?;
    let text = reader.name(name, "a group's name")?.to_owned();
    Some((Group { name: text, interval, query_offset, limit, rules }, name.span))
}

/// A rule, and where its name stands.
fn read_rule(reader: &mut Reader<'_>, node: &Node, of_group: &[(&str, &Node)]) -> Option<(Rule, Span)> {
    let map = reader.map(node, "a rule", &RULE_KEYS)?;
    let query = reader.required(&map, "a rule", "expr").and_then(|node| Some((read_query(reader, node)?, node)));
    let own = read_texts(reader, map.get("labels"), "labels", true);
    let kept = of_group.iter().filter(|(name, _)| !own.iter().any(|(other, _)| other == name));
    let labels: Vec<(&str, &Node)> = own.iter().chain(kept).copied().collect();
    match (map.get("alert"), map.get("record")) {
        (Some(name), None) => {
            let rule = read_alert(reader, &map, name, query, &labels)?;
            Some((Rule::Alert(rule), name.span))
        }
        (None, Some(name)) => {
            let rule = read_recording(reader, &map, name, query, &labels)?;
            Some((Rule::Record(rule), name.span))
        }
        (Some(_), Some(_)) => {
            let (alert, record) = (map.key("alert").unwrap_or(map.span), map.key("record").unwrap_or(map.span));
            let (first, second) = if alert.start < record.start { (alert, record) } else { (record, alert) };
            let fault = Diagnostic::new("TQ0604", second, "a rule either alerts or records");
            reader.report(fault.related(first, "the other"));
            None
        }
        (None, None) => {
            let place = Span { end: map.span.start + 1, ..map.span };
            reader.report(Diagnostic::new("TQ0604", place, "a rule needs `alert` or `record`"));
            None
        }
    }
}

fn read_alert(
    reader: &mut Reader<'_>,
    map: &Map<'_>,
    name: &Node,
    query: Option<(CheckedQuery, &Node)>,
    labels: &[(&str, &Node)],
) -> Option<AlertRule> {
    let hold = map.get("for").and_then(|node| reader.duration(node)).unwrap_or(0);
    let keep_firing_for = map.get("keep_firing_for").and_then(|node| reader.duration(node)).unwrap_or(0);
    let annotations = read_texts(reader, map.get("annotations"), "annotations", false);
    let known = query.as_ref().and_then(|(query, _)| query.labels.as_ref());
    let labels = read_templates(reader, labels, known);
    let annotations = read_templates(reader, &annotations, known);
    let name = reader.name(name, "an alert's name").map(str::to_owned);
    let (query, node) = query?;
    if !query.compares {
        let place = place_in_scalar(reader.source, node, Span::new(0, query.query.text.len()));
        let warning = Diagnostic::new("TQ0521", place, "without a comparison this alerts for every series there is");
        reader.report(warning.help("compare with something, as in `… > 0.5`"));
    }
    Some(AlertRule { name: name?, query: query.query, hold, keep_firing_for, labels, annotations })
}

fn read_recording(
    reader: &mut Reader<'_>,
    map: &Map<'_>,
    name: &Node,
    query: Option<(CheckedQuery, &Node)>,
    labels: &[(&str, &Node)],
) -> Option<RecordingRule> {
    for key in ["for", "keep_firing_for", "annotations"] {
        if let Some(place) = map.key(key) {
            reader.report(Diagnostic::new("TQ0602", place, format!("`{key}` is for rules that alert")));
        }
    }
    let text = reader.name(name, "the name of what is recorded")?;
    // A colon is kept for names like `service:errors:rate1m`.
    let is_plain = text.split(':').all(|part| part.is_empty() || part == prometheus_name(part));
    if !is_plain || text.starts_with(|c: char| c.is_ascii_digit()) {
        let fault = Diagnostic::new("TQ0609", name.span, format!("`{text}` is no name of a metric"));
        let better: Vec<String> = text.split(':').map(prometheus_name).collect();
        reader.report(fault.help(format!("letters, digits, `_` and `:` make one, as in `{}`", better.join(":"))));
    }
    let mut texts = Vec::new();
    for (label, node) in labels {
        let Some(value) = reader.text(node, "a label's value") else { continue };
        if value.contains("{{") {
            reader.report(Diagnostic::new("TQ0607", node.span, "labels of recorded samples are no templates"));
        }
        texts.push(((*label).to_owned(), value.to_owned()));
    }
    texts.sort();
    Some(RecordingRule { name: text.to_owned(), query: query?.0.query, labels: texts })
}

/// Names and values of labels or annotations.
fn read_texts<'n>(
    reader: &mut Reader<'_>,
    node: Option<&'n Node>,
    what: &str,
    are_labels: bool,
) -> Vec<(&'n str, &'n Node)> {
    let Some(map) = node.and_then(|node| reader.open_map(node, what)) else { return Vec::new() };
    let mut texts = Vec::new();
    for (name, place, value) in map.entries() {
        if are_labels && matches!(name, ALERT_NAME | FUNCTION) {
            reader.report(Diagnostic::new("TQ0609", place, format!("`{name}` is set by the rule itself")));
        } else if name.trim().is_empty() {
            reader.report(Diagnostic::new("TQ0609", place, "a name is not empty"));
        } else if reader.text(value, "a text").is_some() {
            texts.push((name, value));
        }
    }
    texts
}

/// Templates by name. `known`: the labels that series may have.
fn read_templates(
    reader: &mut Reader<'_>,
    texts: &[(&str, &Node)],
    known: Option<&BTreeSet<String>>,
) -> Vec<(String, Template)> {
    let mut templates = Vec::new();
    for (name, node) in texts {
        let Some(text) = reader.text(node, "a text") else { continue };
        let (template, faults) = template::read(text);
        for fault in faults {
            let span = place_in_scalar(reader.source, node, fault.span);
            reader.report(Diagnostic { span, ..fault });
        }
        let missing = |label: &&str| {
            known.is_some_and(|known| !known.iter().any(|name| name == label || prometheus_name(name) == **label))
        };
        for label in template.labels().filter(missing) {
            let near = known.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", ");
            let message = format!("series of this query have no label `{label}`: it is empty");
            let place = place_of_label(reader.source, node, text, label);
            reader.report(Diagnostic::new("TQ0523", place, message).help(format!("they have {near}")));
        }
        templates.push(((*name).to_owned(), template));
    }
    templates.sort_by(|(a, _), (b, _)| a.cmp(b));
    templates
}

fn place_of_label(source: &str, node: &Node, text: &str, label: &str) -> Span {
    let found = text.match_indices(label).find(|(at, _)| {
        let before = text.get(..*at).unwrap_or("");
        before.rfind("{{").is_some_and(|open| !before.get(open..).unwrap_or("").contains("}}"))
    });
    found.map_or(node.span, |(at, _)| place_in_scalar(source, node, Span::new(at, at + label.len())))
}
