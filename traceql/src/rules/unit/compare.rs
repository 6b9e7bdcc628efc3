//! What was expected and what there is: differences for people.

use super::{ExpectedAlert, ExpectedSample};
use crate::rules::{
    alert::{Alert, AlertState},
    labels::{Labels, Sample},
};

/// How alerts of one name differ from what is expected; empty where they do not. Firing ones are all to be named;
/// pending ones are if one of them is.
pub(super) fn alerts(expected: &[ExpectedAlert], found: &[&Alert]) -> Vec<String> {
    let looks_at = |state| state == AlertState::Firing || expected.iter().any(|alert| alert.state == state);
    let mut rest: Vec<&Alert> = found.iter().copied().filter(|alert| looks_at(alert.state)).collect();
    let mut lines = Vec::new();
    for wanted in expected {
        let place = rest.iter().position(|alert| alert.labels == wanted.labels);
        let Some(alert) = place.map(|place| rest.remove(place)) else {
            lines.push(format!("- {} {}", wanted.state.name(), labels(&wanted.labels)));
            if let Some(pending) = found.iter().find(|alert| alert.labels == wanted.labels) {
                lines.push(format!("  it is {}", pending.state.name()));
            }
            continue;
        };
        if alert.state != wanted.state {
            let (wanted, is) = (wanted.state.name(), alert.state.name());
            lines.push(format!("  {} is to be {wanted} and is {is}", labels(&alert.labels)));
        }
        let Some(annotations) = wanted.annotations.as_ref().filter(|wanted| **wanted != alert.annotations) else {
            continue;
        };
        lines.push(format!("  annotations of {}", labels(&alert.labels)));
        for (name, text) in annotations.iter().filter(|(name, text)| alert.annotations.get(*name) != Some(*text)) {
            lines.push(format!("  - {name}: {text}"));
        }
        for (name, text) in alert.annotations.iter().filter(|(name, text)| annotations.get(*name) != Some(*text)) {
            lines.push(format!("  + {name}: {text}"));
        }
    }
    lines.extend(rest.iter().map(|alert| format!("+ {} {}", alert.state.name(), labels(&alert.labels))));
    lines
}

/// How samples differ from what is expected: values to nine digits.
pub(super) fn samples(expected: &[ExpectedSample], found: &[Sample]) -> Vec<String> {
    let mut rest: Vec<&Sample> = found.iter().collect();
    let mut lines = Vec::new();
    for wanted in expected {
        let place = rest.iter().position(|sample| sample.labels == wanted.labels);
        match place.map(|place| rest.remove(place)) {
            None => lines.push(format!("- {} {}", labels(&wanted.labels), wanted.value)),
            Some(found) if !close(wanted.value, found.value) => {
                lines.push(format!("  {} is to be {} and is {}", labels(&wanted.labels), wanted.value, found.value));
            }
            Some(_) => {}
        }
    }
    lines.extend(rest.iter().map(|sample| format!("+ {} {}", labels(&sample.labels), sample.value)));
    lines
}

fn close(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// `{a="b", c="d"}`
pub(super) fn labels(labels: &Labels) -> String {
    let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{{{}}}", pairs.join(", "))
}
