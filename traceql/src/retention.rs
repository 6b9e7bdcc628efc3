//! How long what is kept, as people write it down: files with rules in TraceQL.
//!
//! ```yaml
//! max_size: 50GB
//! rules:                # the first that matches a trace decides
//!   - traces: '{ status = error || duration > 1s }'
//!     keep: 30d
//!   - traces: '{ resource.deployment.environment = "dev" }'
//!     keep: 1d
//!   - share: 10%        # of the traces that no rule before has matched, always the same ones
//!     keep: 14d
//!   - keep: 3d          # all others
//! ```
//!
//! What it means is said at [`RetentionPolicy`]. Which traces there are is the store's business.

use std::{sync::Arc, time::Duration};

use tracestore::{RetentionPolicy, RetentionRule};

use crate::{
    Compiler, QuerySelector,
    syntax::{Diagnostic, Diagnostics, Span},
    yaml::{Node, Reader, parse, place_in_scalar},
};

const POLICY: [&str; 2] = ["max_size", "rules"];
const RULE: [&str; 3] = ["traces", "share", "keep"];
const FOR_EVER: &str = "forever";
const UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

/// What there is to say about a policy.
#[derive(Debug, Clone)]
pub struct PolicyReport {
    /// The policy; `None` when there are errors.
    pub policy: Option<RetentionPolicy>,
    /// What is wrong, in order of the file.
    pub diagnostics: Diagnostics,
}

/// Reads a policy file.
#[must_use]
pub fn check_policy(text: &str) -> PolicyReport {
    let mut reader = Reader::new(text);
    let mut policy = RetentionPolicy::default();
    match parse(text) {
        Ok(Some(root)) => read_policy(&mut reader, &root, &mut policy),
        Ok(None) => {
            let message = "the file is empty: it needs `rules` or `max_size`";
            reader.report(Diagnostic::new("TQ0604", Span::new(0, 1), message));
        }
        Err(fault) => reader.report(fault),
    }
    let diagnostics = reader.finish();
    PolicyReport { policy: (!diagnostics.has_errors()).then_some(policy), diagnostics }
}

/// `50GB` or `512MiB` in bytes.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let size = UNITS.iter().find_map(|(unit, bytes)| {
        let count: u64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
        count.checked_mul(*bytes)
    });
    size.ok_or_else(|| format!("`{text}` is no size: write one like 512MiB or 50GB"))
}

/// `30d` or `1h30m`; `forever` is `None`.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_keep(text: &str) -> Result<Option<Duration>, String> {
    match text {
        FOR_EVER => Ok(None),
        text => crate::rules::parse_duration(text).map(|nanos| Some(Duration::from_nanos(nanos))),
    }
}

fn read_policy(reader: &mut Reader<'_>, node: &Node, policy: &mut RetentionPolicy) {
    let Some(map) = reader.map(node, "a retention policy", &POLICY) else { return };
    if map.get("rules").is_none() && map.get("max_size").is_none() {
        let message = "a retention policy needs `rules` or `max_size`";
        reader.report(Diagnostic::new("TQ0604", Span { end: map.span.start + 1, ..map.span }, message));
    }
    if let Some(node) = map.get("max_size") {
        policy.max_bytes = value(reader, node, "a size", parse_size);
    }
    let rules = map.get("rules").map_or(&[][..], |node| reader.list(node, "a list of rules"));
    let mut last: Option<Span> = None;
    for node in rules {
        if let Some(before) = last {
            let message = "no trace comes to this rule: one before it matches all";
            reader.report(Diagnostic::new("TQ0608", node.span, message).related(before, "this one"));
        }
        let Some(rule) = read_rule(reader, node) else { continue };
        if rule.traces.is_none() && rule.share >= 1.0 {
            last = Some(node.span);
        }
        policy.rules.push(rule);
    }
}

fn read_rule(reader: &mut Reader<'_>, node: &Node) -> Option<RetentionRule> {
    let map = reader.map(node, "a rule", &RULE)?;
    let traces = map.get("traces").map(|node| read_query(reader, node));
    let share = map.get("share").map(|node| value(reader, node, "a share", parse_share));
    let keep = reader.required(&map, "a rule", "keep")?;
    let keep = value(reader, keep, "a duration", parse_keep)?;
    let traces = match traces {
        Some(selector) => Some(selector?),
        None => None,
    };
    Some(RetentionRule {
        traces: traces.map(|selector| Arc::new(selector) as _),
        share: share.unwrap_or(Some(1.0))?,
        keep,
    })
}

/// A value that is written in a way of its own.
fn value<T>(reader: &mut Reader<'_>, node: &Node, what: &str, read: fn(&str) -> Result<T, String>) -> Option<T> {
    let text = reader.text(node, what)?;
    read(text).map_err(|reason| reader.report(Diagnostic::new("TQ0606", node.span, reason))).ok()
}

/// `10%`, or 0.1.
fn parse_share(text: &str) -> Result<f64, String> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim_end().parse().map(|percent: f64| percent / 100.0),
        None => text.parse(),
    };
    let share = share.ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("`{text}` is no share: write one from 0% to 100%"))
}

/// A search; its faults are told at their places.
fn read_query(reader: &mut Reader<'_>, node: &Node) -> Option<QuerySelector> {
    let text = reader.name(node, "a query")?;
    let report = Compiler::new().check(text);
    for found in report.diagnostics.list() {
        let place = |span| place_in_scalar(reader.source, node, span);
        let related = found.related.as_ref().map(|(span, label)| (place(*span), label.clone()));
        reader.report(Diagnostic { span: place(found.span), related, ..found.clone() });
    }
    if report.diagnostics.has_errors() {
        return None;
    }
    let selector = QuerySelector::new(text);
    selector.map_err(|_| reader.report(Diagnostic::new("TQ0608", node.span, "this is no search for traces"))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(days: u64) -> Option<Duration> {
        Some(Duration::from_secs(days * 24 * 3600))
    }

    #[test]
    fn a_policy_is_read() {
        let text = "max_size: 50GB\nrules:\n  - traces: '{ status = error || duration > 1s }'\n    keep: 30d\n  \
                    - traces: '{ resource.deployment.environment = \"dev\" }'\n    keep: 1d\n  - share: 10%\n    \
                    keep: forever\n  - keep: 3d\n";
        let report = check_policy(text);
        assert_eq!(report.diagnostics.to_string(), "");
        let policy = report.policy.unwrap();
        assert_eq!(policy.max_bytes, Some(50_000_000_000));
        let rules: Vec<_> = policy.rules.iter().map(|rule| (rule.traces.is_some(), rule.share, rule.keep)).collect();
        assert_eq!(rules, [(true, 1.0, days(30)), (true, 1.0, days(1)), (false, 0.1, None), (false, 1.0, days(3))]);
        let printed = policy.to_string();
        assert!(printed.starts_with("{ status = error || duration > 1s }: 2592000s; "), "{printed}");
    }

    #[test]
    fn faults_are_told_at_their_places() {
        for (text, place, message) in [
            ("", "", "the file is empty"),
            ("rules: 3", "3", "a list of rules"),
            ("size: 3B", "size", "has no key `size`"),
            ("max_size: 3", "3", "is no size"),
            ("rules: [{keep: 3}]", "3", "lacks a unit"),
            ("rules: [{share: 10%}]", "{", "a rule needs `keep`"),
            ("rules: [{share: 110%, keep: 1d}]", "110%", "is no share"),
            ("rules: [{traces: '{ statu = error }', keep: 1d}]", "statu", ""),
            ("rules: [{traces: '{ } | rate()', keep: 1d}]", "'{ } | rate()'", "no search"),
            ("rules: [{keep: 1d}, {keep: 2d}]", "{keep: 2d}", "no trace comes to this rule"),
        ] {
            let report = check_policy(text);
            assert!(report.policy.is_none(), "{text}");
            let found = &report.diagnostics.list()[0];
            let Span { start, end } = found.span;
            let at = text.get(start as usize..(end as usize).min(text.len())).unwrap_or("");
            assert!(at.starts_with(place) || place.starts_with(at), "{text}: {at}");
            assert!(report.diagnostics.to_string().contains(message), "{text}: {}", report.diagnostics);
        }
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("512MiB"), Ok(512 << 20));
        assert_eq!(parse_size("3 kB"), Ok(3000));
        assert_eq!(parse_size("7B"), Ok(7));
        for text in ["", "7", "GB", "-1GB", "1.5GB", "99999999999TB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
