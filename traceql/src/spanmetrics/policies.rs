//! Filter policies of a configuration.

use std::sync::Arc;

use tracestore::spanmetrics::{FilterPolicy, PolicyCondition, PolicyMatch, PolicyValue};

use super::{
    keys::{CONDITION, CONDITIONS, POLICY},
    predicate::SpanFilter,
    values::word,
};
use crate::{
    Compiler,
    syntax::Diagnostic,
    yaml::{Node, Reader, place_in_scalar},
};

/// The policies of a list.
pub(super) fn read_policies(reader: &mut Reader<'_>, node: &Node) -> Vec<FilterPolicy> {
    let mut policies = Vec::new();
    for node in reader.list(node, "a list of policies") {
        let Some(map) = POLICY.read(reader, node) else { continue };
        let mut found = |key| map.get(key).and_then(|node| read_match(reader, node));
        let (include, include_any, exclude) = (found("include"), found("include_any"), found("exclude"));
        policies.push(FilterPolicy { include, include_any, exclude });
    }
    policies
}

fn read_match(reader: &mut Reader<'_>, node: &Node) -> Option<PolicyMatch> {
    let map = CONDITIONS.read(reader, node)?;
    if let Some(node) = map.get("traceql") {
        return read_filter(reader, node).map(|filter| PolicyMatch::Predicate(Arc::new(filter)));
    }
    const TYPES: [(&str, bool); 2] = [("strict", false), ("regex", true)];
    let is_regex = map.get("match_type").and_then(|node| word(reader, node, &TYPES)).unwrap_or(false);
    let list = reader.required(&map, CONDITIONS.what, "attributes")?;
    let conditions = reader.list(list, "a list of conditions").iter();
    let conditions = conditions.filter_map(|node| read_condition(reader, node)).collect();
    Some(if is_regex { PolicyMatch::Regex(conditions) } else { PolicyMatch::Strict(conditions) })
}

fn read_condition(reader: &mut Reader<'_>, node: &Node) -> Option<PolicyCondition> {
    let map = CONDITION.read(reader, node)?;
    let key = reader.required(&map, CONDITION.what, "key").and_then(|node| reader.name(node, "a key"))?.to_owned();
    let node = reader.required(&map, CONDITION.what, "value")?;
    let text = reader.text(node, "a value")?;
    let typed = Reader::plain(node).and_then(|plain| {
        let number = || plain.parse().ok().filter(|value: &f64| value.is_finite()).map(PolicyValue::Double);
        match plain {
            "true" => Some(PolicyValue::Bool(true)),
            "false" => Some(PolicyValue::Bool(false)),
            _ => plain.parse().ok().map(PolicyValue::Int).or_else(number),
        }
    });
    Some(PolicyCondition { key, value: typed.unwrap_or_else(|| PolicyValue::String(text.to_owned())) })
}

/// A TraceQL filter; its faults are told at their places.
fn read_filter(reader: &mut Reader<'_>, node: &Node) -> Option<SpanFilter> {
    let text = reader.text(node, "a filter")?;
    let report = Compiler::new().check(text);
    for found in report.diagnostics.list() {
        let place = |span| place_in_scalar(reader.source, node, span);
        let related = found.related.as_ref().map(|(span, label)| (place(*span), label.clone()));
        reader.report(Diagnostic { span: place(found.span), related, ..found.clone() });
    }
    let query = report.query.filter(|_| !report.diagnostics.has_errors())?;
    match SpanFilter::of_query(text, &query) {
        Ok(filter) => Some(filter),
        Err(reason) => {
            reader.report(Diagnostic::new("TQ0608", node.span, reason));
            None
        }
    }
}
